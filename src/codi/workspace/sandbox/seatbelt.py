"""The same confinement in the words of macOS: a profile for `sandbox-exec`.

The last rule that fits decides there, so what is refused comes after what is allowed.
"""

from codi.workspace.launching.orders import View

_DEVICES = ("/dev/null", "/dev/zero", "/dev/tty", "/dev/dtracehelper")


def profile(view: View, network: str) -> str:
    """For one command. Paths are canonical: `/tmp` is a link on macOS, and a rule about a link fits nothing."""
    lines = [
        "(version 1)",
        "(deny default)",
        "(allow process-fork process-exec)",
        "(allow signal (target same-sandbox))",
        "(allow sysctl-read)",
        "(allow file-read*)",
        *(f"(allow file-write-data (literal {_quoted(path)}))" for path in _DEVICES),
    ]
    if not view["nothing_writable"]:
        places = dict.fromkeys((*view["writable"], *view["private"].values()))
        lines += [f"(allow file-write* (subpath {_quoted(path)}))" for path in places]
    lines += [f"(deny file-write* (subpath {_quoted(path)}))" for path in view["kept"]]
    lines += [f"(deny file-write-unlink file-write-create (literal {_quoted(path)}))" for path in view["fixed"]]
    lines += [f"(deny file-read* file-write* (subpath {_quoted(path)}))" for path in view["hidden"]]
    lines += ["(allow network*)"] if network == "host" else ["(deny network*)"]
    if network == "proxy" and view["proxy"]:
        lines.append(f"(allow network-outbound (remote unix-socket (path-literal {_quoted(view['proxy'])})))")
    return "\n".join(lines) + "\n"


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
