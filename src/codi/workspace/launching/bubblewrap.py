"""The same view of the files by bubblewrap, for systems that let nobody else make namespaces."""

import os

from codi.workspace.launching.orders import Orders

ROUTE = "bubblewrap"


def words(orders: Orders, directory: bytes, program: int) -> list[bytes]:
    """What to put before the words of a command; `program` is a descriptor of the filter of its calls."""
    view = orders["view"]
    said = ["bwrap", "--unshare-all", *(["--share-net"] if orders["network"] == "host" else []), "--die-with-parent"]
    said += ["--cap-drop", "ALL", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run"]
    private = {path: source for path, source in view["private"].items() if os.path.isdir(path)}
    for path, source in private.items():
        said += ["--bind", source, path]  # places for what is shown in it are made yet
    shown = [path for path in view["shown"] if os.path.exists(path)]
    for path in sorted({*shown, *view["writable"]}):
        said += ["--bind" if path in view["writable"] else "--ro-bind", path, path]
    for path in view["fixed"]:
        said += ["--bind", path, path]
    for path in view["kept"]:
        if os.path.exists(path):
            said += ["--ro-bind", path, path]
    covered = [*(path for path in view["private"] if path != view["private"][path]), "/run", "/dev"]
    visible = [*shown, *view["writable"]]
    for path in view["hidden"]:
        if _below(path, covered) and not _below(path, visible):
            continue
        if os.path.isdir(path):
            said += ["--perms", "0000", "--tmpfs", path, "--remount-ro", path]
        elif os.path.exists(path):
            said += ["--ro-bind", "/dev/null", path]
    if view["nothing_writable"]:
        for path in (*private, "/run", "/dev"):
            said += ["--remount-ro", path]
    said += ["--remount-ro", "/proc"]
    said += ["--seccomp", str(program), "--"]
    return [os.fsencode(word) for word in said[:-1]] + [b"--chdir", directory, b"--"]


def _below(path: str, folders: list[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)
