"""A diff as lines: the old and the new below each other or side by side, what changed within a line marked.

Signs say which side a line is of, so nothing is lost without colours. Line ends that differ are marked, because nobody sees them.
"""

import re
from collections.abc import Sequence

from codi.frontends.sanitiser import visible
from codi.frontends.tui.cells import untabbed
from codi.frontends.tui.diff_text import DiffRow, read_diff
from codi.frontends.tui.highlighting import highlighted, language_of
from codi.frontends.tui.lines import Line, Span, line_width, merged, plain, wrapped

SIDE_BY_SIDE = 140
"""So many columns there must be for both sides."""

INLINE = 40
"""So many lines of a diff are shown in the transcript."""

_WORD = re.compile(r"\w+|\s+|.", re.DOTALL)
_LONGEST = 2000
_LEAST_BESIDE = 30
_SIGNS = {"added": "+", "removed": "-", "same": " "}
_RETURN = "␍"

_Pair = tuple[DiffRow | None, DiffRow | None]


class DiffView:
    """`text` is a diff as `read_diff` reads it; `path` is the file where it names none."""

    def __init__(self, text: str, path: str = "") -> None:
        self.rows = _with_line_ends(read_diff(text, path))
        self._digits = len(str(max((max(row.old, row.new) for row in self.rows), default=0)))
        self._is_beside: bool | None = None
        self._styled: dict[int, Line] = {}
        self._laid: dict[tuple[int, bool], list[Line]] = {}

    def toggle(self, columns: int) -> None:
        """From below each other to side by side, or back."""
        self._is_beside = not self._two(columns)

    def lines(self, columns: int) -> list[Line]:
        """All of it; side by side where there is room, unless a person wants it otherwise."""
        key = columns, self._two(columns)
        if key not in self._laid:
            if not self._styled:
                self._style()
            self._laid = {key: self._beside(columns) if key[1] else self._unified(columns)}
        return self._laid[key]

    def blocks(self, columns: int) -> list[int]:
        """The lines at which the files begin."""
        headings = [plain(_heading(row, columns)[0]) for row in self.rows if row.kind == "file"]
        starts: list[int] = []
        for at, line in enumerate(self.lines(columns)):
            if (
                len(starts) < len(headings)
                and plain(line) == headings[len(starts)]
                and line
                and line[0][1] == "heading"
            ):
                starts.append(at)
        return starts

    def _two(self, columns: int) -> bool:
        return (columns >= SIDE_BY_SIDE if self._is_beside is None else self._is_beside) and columns >= _LEAST_BESIDE

    def inline(self, columns: int) -> list[Line]:
        """At most `INLINE` lines: the beginning and the end, with the number of what lies between."""
        lines = self.lines(columns)
        if len(lines) <= INLINE:
            return lines
        first = INLINE // 2
        last = INLINE - first - 1
        note = f"... ({len(lines) - first - last} more lines, ctrl+o to expand)"
        return [*lines[:first], ((note[:columns], "dim"),), *lines[-last:]]

    def _style(self) -> None:
        """Colours of the language for what is the same, marks of words for what changed."""
        for begin, end in _stretches(self.rows):
            rows = self.rows[begin:end]
            same = [row for row in rows if row.kind == "same"]
            code = highlighted([_shown(row.text) for row in same], language_of(same[0].path)) if same else []
            for row, line in zip(same, code, strict=True):
                self._styled[id(row)] = line
        for old, new in _pairs(self.rows):
            if old and new and old is not new:
                self._styled[id(old)], self._styled[id(new)] = _word_marks(_shown(old.text), _shown(new.text))

    def _unified(self, columns: int) -> list[Line]:
        lines: list[Line] = []
        for row in self.rows:
            if row.kind in _SIGNS:
                number = row.old if row.kind == "removed" else row.new or row.old
                lines += self._row(row, number, columns)
            else:
                lines += _heading(row, columns)
        return lines

    def _row(self, row: DiffRow, number: int, columns: int) -> list[Line]:
        style = row.kind if row.kind != "same" else "dim"
        first: Line = ((f"{number:>{self._digits}} ", "dim"), (f"{_SIGNS[row.kind]} ", style))
        rest: Line = ((" " * (self._digits + 3), ""),)
        if columns < self._digits + 8:
            first, rest = ((_SIGNS[row.kind], style),) if columns > 1 else (), ()
        spans = self._styled.get(id(row), ((_shown(row.text), "code.text" if row.kind == "same" else row.kind),))
        end: Line = ((_RETURN, "dim"),) if row.carriage else ()
        return wrapped((*spans, *end), columns, first=first, rest=rest)

    def _beside(self, columns: int) -> list[Line]:
        half = (columns - 3) // 2
        bar: Span = (" │ ", "border")
        lines: list[Line] = []
        for old, new in _pairs(self.rows):
            row = old or new
            if row and row.kind not in _SIGNS:
                lines += _heading(row, columns)
                continue
            left = self._row(old, old.old, half) if old else []
            right = self._row(new, new.new or new.old, half) if new else []
            for at in range(max(len(left), len(right))):
                one = left[at] if at < len(left) else ()
                other = right[at] if at < len(right) else ()
                lines.append((*one, (" " * max(half - line_width(one), 0), ""), bar, *other))
        return lines


def _heading(row: DiffRow, columns: int) -> list[Line]:
    style = {"file": "heading", "hunk": "hunk", "gap": "dim"}.get(row.kind, "dim")
    return wrapped(((_shown(row.text), style),), columns)


def _shown(text: str) -> str:
    return untabbed(visible(text)).replace("\n", " ")


def _stretches(rows: Sequence[DiffRow]) -> list[tuple[int, int]]:
    """Where the lines of one file stand together."""
    begins = [0, *(at for at, row in enumerate(rows) if at and row.kind in ("file", "hunk", "gap"))]
    return list(zip(begins, [*begins[1:], len(rows)], strict=True)) if rows else []


def _pairs(rows: Sequence[DiffRow]) -> list[_Pair]:
    """What stands beside what: a run of removed lines beside the run of added ones that follows it."""
    pairs: list[_Pair] = []
    at = 0
    while at < len(rows):
        if rows[at].kind not in ("removed", "added"):
            pairs.append((rows[at], rows[at]))
            at += 1
            continue
        removed, at = _run(rows, at, "removed")
        added, at = _run(rows, at, "added")
        for place in range(max(len(removed), len(added))):
            old = removed[place] if place < len(removed) else None
            pairs.append((old, added[place] if place < len(added) else None))
    return pairs


def _run(rows: Sequence[DiffRow], at: int, kind: str) -> tuple[Sequence[DiffRow], int]:
    end = at
    while end < len(rows) and rows[end].kind == kind:
        end += 1
    return rows[at:end], end


def _word_marks(old: str, new: str) -> tuple[Line, Line]:
    """Both lines with the words marked that are not in the other; where hardly anything is alike, nothing is marked."""
    from difflib import SequenceMatcher  # a part of the standard library that only diffs need

    plain = (((old, "removed"),), ((new, "added"),))
    if max(len(old), len(new)) > _LONGEST:
        return plain
    before, after = _WORD.findall(old), _WORD.findall(new)
    found = SequenceMatcher(None, before, after, autojunk=False)
    alike = sum(len("".join(before[block.a : block.a + block.size]).strip()) for block in found.get_matching_blocks())
    if alike * 3 < max(len(old.strip()), len(new.strip())):
        return plain
    left: list[Span] = []
    right: list[Span] = []
    for tag, a, b, c, d in found.get_opcodes():
        word = "" if tag == "equal" else ".word"
        left.append(("".join(before[a:b]), f"removed{word}"))
        right.append(("".join(after[c:d]), f"added{word}"))
    return merged(left), merged(right)


def _with_line_ends(rows: list[DiffRow]) -> list[DiffRow]:
    """A carriage return is only told where the other side has none; the file's heading says so too."""
    heading: DiffRow | None = None
    for old, new in _pairs(rows):
        row = old or new
        if row and row.kind == "file":
            heading = row
        if old is None or new is None or old is new:
            for each in (old, new):
                if each and each.kind == "same":
                    each.carriage = False
            continue
        if old.carriage == new.carriage:
            old.carriage = new.carriage = False
        elif heading:
            mark = "CRLF → LF" if old.carriage else "LF → CRLF"
            heading.text += "" if mark in heading.text else f" ({mark})"
    return rows
