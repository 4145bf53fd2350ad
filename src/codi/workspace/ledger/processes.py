"""Whether the process that began something still lives."""

from codi.workspace.ledger.journal import Begun


def started(process: int) -> str:
    """Clock ticks after boot at which a process began, which tells it from a later one of the same number; "" where there is
    none."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def lives(begun: Begun) -> bool:
    return bool(begun.started) and started(begun.process) == begun.started
