"""Styled text and lines of it: what views give, and what the screen is painted from.

A style is the name of a theme's token (`"dim"`, `"tool.failed"`), or several joined by a space; what it looks like is the
theme's to say. So a view can be tested without a terminal, and a theme can change under a running program.
"""

from collections.abc import Iterable, Sequence

from codi.frontends.tui.cells import graphemes, head, untabbed, width

Span = tuple[str, str]
"""A text and its style. A style `link:URL`, alone or beside others, makes a link."""

Line = tuple[Span, ...]
"""One row of the screen, never wider than it. The empty line is `()`."""

_TOO_WIDE = "·"
"""Stands for a sign of two cells where there is but one."""


def line(text: str, style: str = "") -> Line:
    return ((text, style),) if text else ()


def plain(spans: Iterable[Span]) -> str:
    """The text alone."""
    return "".join(text for text, _ in spans)


def line_width(spans: Iterable[Span]) -> int:
    return sum(width(text) for text, _ in spans)


def wrapped(spans: Sequence[Span], cells: int, *, first: Line = (), rest: Line = ()) -> list[Line]:
    """The spans as lines of at most `cells`, broken at spaces where that is possible, and at line feeds.

    `first` stands before the first line, `rest` before each further one; both count to the width, and are left away where they
    would take all of it."""
    first = first if line_width(first) < cells else ()
    rest = rest if line_width(rest) < cells else ()
    lines: list[Line] = []
    for spans_of_line in _split_lines(spans):
        lines += _wrapped_line(spans_of_line, cells, rest if lines else first, rest)
    return lines


def _split_lines(spans: Sequence[Span]) -> list[list[Span]]:
    lines: list[list[Span]] = [[]]
    for text, style in spans:
        for number, piece in enumerate(untabbed(text).split("\n")):
            if number:
                lines.append([])
            if piece:
                lines[-1].append((piece, style))
    return lines


def _wrapped_line(spans: Sequence[Span], cells: int, first: Line, rest: Line) -> list[Line]:
    room = cells - line_width(first)
    if line_width(spans) <= room:
        return [(*first, *spans)]
    if len(spans) == 1 and spans[0][0].isascii():
        return _wrapped_ascii(*spans[0], cells, first, rest)
    lines: list[Line] = []
    row, taken = list(first), 0
    room = max(room, 1)

    def end_row() -> None:
        nonlocal row, taken, room
        lines.append(tuple(row))
        row, taken, room = list(rest), 0, max(cells - line_width(rest), 1)

    for word, gap in _words(spans):
        wide = line_width(word)
        if taken and taken + wide > room:
            end_row()
        for text, style in word:
            remains = text
            while taken + width(remains) > room:
                piece = head(remains, room - taken) or ("" if taken else next(iter(graphemes(remains))))
                if piece:
                    row.append((piece if width(piece) <= room else _TOO_WIDE, style))
                remains = remains[len(piece) :]
                end_row()
            if remains:
                row.append((remains, style))
                taken += width(remains)
        if gap and taken + len(gap) < room:
            row += gap
            taken += len(gap)
        elif gap:
            taken = room  # the spaces at which a row is broken are not shown
    lines.append(tuple(row))
    return [merged(row) for row in lines]


def _wrapped_ascii(text: str, style: str, cells: int, first: Line, rest: Line) -> list[Line]:
    """The same for a text of one style whose characters take a cell each: most of what there is to wrap. No word of it is looked
    at by itself."""
    lines: list[Line] = []
    before, room = first, max(cells - line_width(first), 1)
    begin, word = 0, _behind_spaces(text, 0)
    if word >= room:  # the spaces at which a row is broken are not shown
        lines.append(first)
        begin, before, room = word, rest, max(cells - line_width(rest), 1)
    while begin < len(text):
        end = len(text) if begin + room >= len(text) else text.rfind(" ", word + 1, begin + room + 1)
        if end < 0:  # the first word has no room: it goes to a row of its own, or is broken
            end = next_begin = begin + room if word == begin else word
        else:
            end = max(begin + len(text[begin:end].rstrip(" ")), word)
            next_begin = _behind_spaces(text, end)
        shown = next_begin if next_begin - begin < room else end
        lines.append(merged((*before, (text[begin:shown], style))))
        begin = word = next_begin
        before, room = rest, max(cells - line_width(rest), 1)
    return lines


def _behind_spaces(text: str, at: int) -> int:
    while text[at : at + 1] == " ":
        at += 1
    return at


def _words(spans: Sequence[Span]) -> list[tuple[list[Span], list[Span]]]:
    """Each word with the spaces behind it; a word may be of several styles."""
    words: list[tuple[list[Span], list[Span]]] = [([], [])]
    for text, style in spans:
        for number, piece in enumerate(text.split(" ")):
            if number:
                words[-1][1].append((" ", style))
            if piece:
                if words[-1][1]:
                    words.append(([], []))
                words[-1][0].append((piece, style))
    return words


def broken(spans: Line, columns: int) -> list[Line]:
    """Code is broken where the row ends, not at its spaces: they may mean something."""
    if line_width(spans) <= columns:
        return [tuple(spans)]
    rows: list[Line] = []
    row: list[Span] = []
    room = columns
    for text, style in spans:
        rest = text
        while rest:
            piece = head(rest, room)
            if not piece and row:
                rows.append(tuple(row))
                row, room = [], columns
                continue
            piece = piece or rest[0]
            row.append((piece, style))
            room -= width(piece)
            rest = rest[len(piece) :]
    return [*rows, tuple(row)] if row else rows


def merged(spans: Iterable[Span]) -> Line:
    """The same text with neighbours of one style joined."""
    out: list[Span] = []
    for text, style in spans:
        if not text:
            continue
        if out and out[-1][1] == style:
            out[-1] = (out[-1][0] + text, style)
        else:
            out.append((text, style))
    return tuple(out)


def clipped(spans: Iterable[Span], cells: int, mark: str = "…") -> Line:
    """The line, or its beginning with a mark where it is too wide."""
    spans = tuple(spans)
    if line_width(spans) <= cells:
        return spans
    room = cells - width(mark)
    out: list[Span] = []
    for text, style in spans:
        piece = head(text, max(room, 0))
        room -= width(piece)
        if piece:
            out.append((piece, style))
        if piece != text:
            break
    return (*out, (head(mark, cells), "dim"))


def beside(left: Sequence[Span], right: Sequence[Span], cells: int) -> Line:
    """One line with `left` at its beginning and `right` at its end; `right` gives way where both do not fit."""
    gap = cells - line_width(left) - line_width(right)
    if gap < 1:
        return clipped(left, cells)
    return (*left, (" " * gap, ""), *right)
