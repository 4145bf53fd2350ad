"""How wide text is on a terminal, in cells, and how it is cut and wrapped by them.

Widths are those of wcwidth: 2 for CJK and emoji sequences, 0 for what combines. It is imported when a text is not of
characters that are known to be narrow.
Texts that come here were made visible before (`sanitiser.visible`): they hold no control characters but the tab.
"""

from collections.abc import Iterator

TAB = 4

_RANGES = (
    (0x20, 0x7F),
    (0xA1, 0xAD),
    (0xAE, 0x300),
    (0x2010, 0x2028),
    (0x2190, 0x2194),
    (0x2500, 0x25A0),
    (0x276F, 0x2770),
)
_are_narrow = frozenset(chr(code) for first, end in _RANGES for code in range(first, end)).issuperset
"""Letters of the west, rules, arrows and bullets, each a character of one cell: what the interface itself consists of."""


def shown(text: str) -> str:
    """A text as it is drawn where it was not made visible before: what is typed, pasted and completed may hold anything."""
    if text.isprintable():
        return text
    from codi.frontends.sanitiser import visible  # most text needs none of it, and nothing is painted sooner than this

    return visible(text)


def width(text: str) -> int:
    """The number of cells that `text` takes."""
    if text.isascii() or _are_narrow(text):
        return len(text)
    from wcwidth import wcswidth  # 7 ms, and most text is narrow

    cells = wcswidth(text)
    return cells if cells >= 0 else sum(width(part) for part in graphemes(text) if part.isprintable())


def graphemes(text: str) -> Iterator[str]:
    """What a person takes for single characters, in order; together they are `text`."""
    if text.isascii() or _are_narrow(text):
        return iter(text)
    from wcwidth import iter_graphemes

    return iter_graphemes(text)


def untabbed(text: str) -> str:
    """The text with each tab filled up to the next multiple of four cells."""
    if "\t" not in text:
        return text
    out: list[str] = []
    column = 0
    for piece in text.split("\t"):
        if out:
            gap = TAB - column % TAB
            out.append(" " * gap)
            column += gap
        out.append(piece)
        column += width(piece)
    return "".join(out)


def head(text: str, cells: int) -> str:
    """The longest beginning of `text` that fits into so many cells."""
    if text.isascii():
        return text[: max(cells, 0)]
    taken = at = 0
    for part in graphemes(text):
        taken += width(part)
        if taken > cells:
            break
        at += len(part)
    return text[:at]


def cut(text: str, cells: int, mark: str = "…") -> str:
    """`text`, or as much of its beginning as fits together with the mark that something is missing."""
    if width(text) <= cells:
        return text
    room = cells - width(mark)
    return head(text, room) + mark if room >= 0 else head(text, cells)


def cut_in_the_middle(text: str, cells: int, mark: str = "…") -> str:
    """As `cut`, but beginning and end stay: for paths and commands, whose end must never be hidden."""
    if width(text) <= cells:
        return text
    room = cells - width(mark)
    if room <= 0:
        return head(text, cells)
    parts = list(graphemes(text))
    end: list[str] = []
    taken = 0
    while parts and taken + width(parts[-1]) <= room - room // 2:
        taken += width(parts[-1])
        end.append(parts.pop())
    return head("".join(parts), room - taken) + mark + "".join(reversed(end))


def padded(text: str, cells: int) -> str:
    """`text` with spaces behind it, up to so many cells."""
    return text + " " * max(0, cells - width(text))
