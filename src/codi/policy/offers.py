"""The narrowest rule that would have allowed an effect, offered to the person and never assumed."""

from codi.policy.territory import Territory
from codi.protocol.effects import Effect, Reaches, Reads, Runs, Writes


def offered_rule(effect: Effect, territory: Territory) -> str | None:
    """As `--allow` takes it; None where no rule should be offered."""
    match effect:
        case Runs():
            return f"run({effect.line})" if "\n" not in effect.line else None
        case Writes(path):
            return None if territory.is_protected(path) else f"write({_short(path, territory)})"
        case Reads(path):
            return f"read({_short(path, territory)})"
        case Reaches(host, port):
            return f"reach({host}:{port})"


def _short(path: str, territory: Territory) -> str:
    return path.removeprefix(territory.root.rstrip("/") + "/")
