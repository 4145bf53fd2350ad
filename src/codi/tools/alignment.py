"""Which lines of two texts are the same."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from msgspec import Struct

_LARGEST = 1_000_000
"""Pairs of lines that are compared at most: beyond it the time would be felt."""


class Run(Struct, frozen=True):
    """Lines `old_from` to `old_to` of one text stand where `new_from` to `new_to` of the other do; ends are exclusive."""

    same: bool
    old_from: int
    old_to: int
    new_from: int
    new_to: int


def aligned(old: Sequence[str], new: Sequence[str]) -> list[Run]:
    """All lines of both, in order, in runs that are either the same or not. What differs in a great many lines counts as
    replaced as a whole."""
    before = _alike(old, new)
    after = _alike(old[before:][::-1], new[before:][::-1])
    old_to, new_to = len(old) - after, len(new) - after
    runs = [Run(True, 0, before, 0, before)] if before else []
    if (old_to - before) * (new_to - before) > _LARGEST:
        runs.append(Run(False, before, old_to, before, new_to))
    else:
        matcher = SequenceMatcher(None, old[before:old_to], new[before:new_to], autojunk=False)
        runs += [
            Run(tag == "equal", before + old_from, before + old_upto, before + new_from, before + new_upto)
            for tag, old_from, old_upto, new_from, new_upto in matcher.get_opcodes()
        ]
    if after:
        runs.append(Run(True, old_to, len(old), new_to, len(new)))
    return runs


def _alike(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines at the beginning are the same."""
    shorter = min(len(old), len(new))
    return next((at for at in range(shorter) if old[at] != new[at]), shorter)
