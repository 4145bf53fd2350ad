"""Which actions may run side by side: those whose effects do not collide."""

from collections.abc import Sequence

from codi.protocol.effects import Effect, Reads, Runs, Writes


def collide(ones: Sequence[Effect], others: Sequence[Effect]) -> bool:
    """Whether one must wait for the other. Paths are resolved; a folder collides with all below it."""
    return any(_collide(one, other) for one in ones for other in others)


def only_reads(effects: Sequence[Effect]) -> bool:
    return all(isinstance(effect, Reads) for effect in effects)


def _collide(one: Effect, other: Effect) -> bool:
    match one, other:
        case (Reads(), Reads()):
            return False
        case (Writes(path=here) | Reads(path=here), Writes(path=there) | Reads(path=there)):
            return here == there or here.startswith(there + "/") or there.startswith(here + "/")
        case (Runs(), Runs() | Writes() | Reads()) | (Writes() | Reads(), Runs()):
            return True
    return False
