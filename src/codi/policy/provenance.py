"""Whether what a call brings into the conversation was written by strangers: it may hold instructions, and rules that were
learned without them must not answer for what they ask."""

from collections.abc import Iterable

from codi.policy.command_line import commands_of
from codi.policy.territory import Territory
from codi.protocol.effects import Effect, Reaches, Reads, Runs

_FETCHING = frozenset(
    {
        "curl",
        "wget",
        "ssh",
        "scp",
        "sftp",
        "rsync",
        "nc",
        "ncat",
        "telnet",
        "ftp",
        "lynx",
        "w3m",
        "links",
        "http",
        "https",
        "xh",
        "aria2c",
    }
)


def stranger(effects: Iterable[Effect], tool: str, territory: Territory) -> str | None:
    """Whose content a call brings in; None where it is the person's own."""
    if tool.startswith("mcp__"):
        return f"the result of {tool}"
    for effect in effects:
        match effect:
            case Reaches(host):
                return f"content of {host}"
            case Reads(path) if not territory.holds(path) and not territory.is_own(path):
                return f"content of {path}, which is outside the workspace,"
            case Runs() if program := next(
                (each.program for each in commands_of(effect.line) if each.program in _FETCHING), None
            ):
                return f"what {program} fetched"
    return None


def suspension(whose: str) -> str:
    """Why no learned rule holds, for the person."""
    return f"{whose} came in during this turn, so learned rules do not answer for you"
