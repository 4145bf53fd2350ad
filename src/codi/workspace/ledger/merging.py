"""Three versions of a text become one: what each side changed, hunk by hunk, or a conflict where both changed the same place.

Lines are bytes with their own ends, so nothing is re-encoded and no end of line is touched. Hunks that touch each other
are a conflict too: which of two neighbours comes first nobody can know.
"""

from collections.abc import Sequence

_SAMPLE = 8192
_MOST_LINES = 50_000

Hunk = tuple[int, int, int, int]
"""Lines `[a, b)` of the one version became lines `[c, d)` of the other."""


class Conflict(Exception):
    """Both sides changed the same place, or what cannot be merged by lines."""


def merged(base: bytes, ours: bytes, theirs: bytes) -> bytes:
    """`base` with the changes of both sides. Raises Conflict."""
    if ours == theirs or theirs == base:
        return ours
    if ours == base:
        return theirs
    if any(b"\0" in text[:_SAMPLE] for text in (base, ours, theirs)):
        raise Conflict("binary content was changed on both sides")
    lines, our_lines, their_lines = (lines_of(text) for text in (base, ours, theirs))
    result: list[bytes] = []
    at = 0
    waiting = sorted(
        [
            *((*hunk, our_lines) for hunk in hunks(lines, our_lines)),
            *((*hunk, their_lines) for hunk in hunks(lines, their_lines)),
        ],
        key=lambda hunk: hunk[:2],
    )
    last: tuple[int, int, int, int, list[bytes]] | None = None
    for hunk in waiting:
        begin, end, from_line, to_line, side = hunk
        if last is not None and side is not last[4] and begin <= last[1]:
            if hunk[:2] == last[:2] and side[from_line:to_line] == last[4][last[2] : last[3]]:
                continue  # both sides made the same change
            raise Conflict(f"lines {begin + 1} and following were changed on both sides")
        result += lines[at:begin]
        result += side[from_line:to_line]
        at = end
        last = hunk
    return b"".join(result + lines[at:])


def lines_of(text: bytes) -> list[bytes]:
    """The lines with their ends."""
    lines = text.split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


def hunks(one: Sequence[bytes], other: Sequence[bytes]) -> list[Hunk]:
    """What became different between two lists of lines, in order."""
    begin, shorter = 0, min(len(one), len(other))
    while begin < shorter and one[begin] == other[begin]:
        begin += 1
    end = 0
    while end < shorter - begin and one[-1 - end] == other[-1 - end]:
        end += 1
    inner, outer = one[begin : len(one) - end], other[begin : len(other) - end]
    if not inner and not outer:
        return []
    if not inner or not outer or len(inner) + len(outer) > _MOST_LINES:
        return [(begin, begin + len(inner), begin, begin + len(outer))]
    from difflib import SequenceMatcher  # wanted when files differ, and not at each start

    matcher = SequenceMatcher(None, inner, outer, autojunk=False)
    return [(begin + a, begin + b, begin + c, begin + d) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]
