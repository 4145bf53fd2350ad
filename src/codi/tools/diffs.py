"""What an edit changed, as frontends show it: ` NN text`, `-NN text`, `+NN text`, four lines of context, ` ...` for the rest.

The numbers of removed and unchanged lines are those of the old text, the numbers of added lines those of the new one.
Only the surroundings of the changes are looked at, so that a small edit of a large file stays cheap.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from codi.tools.alignment import aligned
from codi.tools.text_files import Splice

CONTEXT = 4
_GAP = " ..."


class _Block(Struct):
    """Whole lines of the old text around some splices: from `start` to `end`, the newline after them excluded."""

    start: int
    end: int
    splices: list[Splice]


class _Row(Struct, frozen=True):
    sign: str
    number: int
    line: str
    new_number: int


def diff_details(old: str, splices: Sequence[Splice]) -> dict[str, Any]:
    """`diff` and `firstChangedLine`, for splices of the view `old` in order of their place. The diff is empty where no line
    changed, only whether a newline ends the last one."""
    shown: list[_Row | None] = []
    lines = shift = at = (
        0  # `lines`: newlines of the old text before `at`; `shift`: how many more the new one has by then
    )
    for block in _blocks(old, splices):
        lines += old.count("\n", at, block.start)
        at = block.start
        if block.start > 0:
            shown.append(None)
        rows = list(_rows(old, block, lines + 1, shift))
        shown += _near_changes(rows)
        shift += sum(splice.text.count("\n") - old.count("\n", splice.start, splice.end) for splice in block.splices)
        if block.end < len(old):
            shown.append(None)
    first = next((row.new_number for row in shown if row is not None and row.sign != " "), None)
    if first is None:
        return {"diff": "", "firstChangedLine": 1 + old.count("\n", 0, splices[0].start)}
    longest = old.count("\n") + 1 + max(shift, 0)
    return {
        "diff": "\n".join(_printed(shown, width=len(str(longest - old.endswith("\n"))))),
        "firstChangedLine": first,
    }


def _blocks(old: str, splices: Sequence[Splice]) -> list[_Block]:
    blocks: list[_Block] = []
    for splice in splices:
        start, end = _line_start(old, splice.start), _line_end(old, splice.end)
        for _ in range(CONTEXT):
            start, end = _line_start(old, max(start - 1, 0)), _line_end(old, min(end + 1, len(old)))
        if blocks and start <= blocks[-1].end + 1:
            blocks[-1].end = max(end, blocks[-1].end)
            blocks[-1].splices.append(splice)
        else:
            blocks.append(_Block(start, end, [splice]))
    return blocks


def _line_start(text: str, place: int) -> int:
    return text.rfind("\n", 0, place) + 1


def _line_end(text: str, place: int) -> int:
    newline = text.find("\n", place)
    return len(text) if newline < 0 else newline


def _rows(old: str, block: _Block, number: int, shift: int) -> Iterator[_Row]:
    pieces = []
    at = block.start
    for splice in block.splices:
        pieces += [old[at : splice.start], splice.text]
        at = splice.end
    last = block.end == len(old)
    before = _lines(old[block.start : block.end], last=last)
    after = _lines("".join(pieces) + old[at : block.end], last=last)
    for run in aligned(before, after):
        new_number = number + shift + run.new_from
        for place in range(run.old_from, run.old_to):
            beside = place - run.old_from if run.same else 0
            yield _Row(" " if run.same else "-", number + place, before[place], new_number + beside)
        if not run.same:
            for place in range(run.new_from, run.new_to):
                yield _Row("+", number + shift + place, after[place], number + shift + place)


def _lines(text: str, *, last: bool) -> list[str]:
    lines = text.split("\n")
    if last and not lines[-1]:
        lines.pop()  # the newline before it ends a line and begins none
    return lines


def _near_changes(rows: list[_Row]) -> list[_Row | None]:
    changed = [place for place, row in enumerate(rows) if row.sign != " "]
    near = {place for change in changed for place in range(change - CONTEXT, change + CONTEXT + 1)}
    return [row if place in near else None for place, row in enumerate(rows)]


def _printed(rows: Sequence[_Row | None], *, width: int) -> Iterator[str]:
    gap = False
    for row in rows:
        if row is not None:
            yield f"{row.sign}{row.number:>{width}} {row.line}"
        elif not gap:
            yield _GAP
        gap = row is None
