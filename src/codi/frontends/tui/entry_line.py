"""One line that is typed into, with its sign before it: its end is shown where it is longer than the window is wide."""

from codi.frontends.sanitiser import visible
from codi.frontends.tui.cells import graphemes, width
from codi.frontends.tui.lines import Line, clipped


def entry_line(sign: str, text: str, columns: int) -> tuple[Line, int]:
    """The line, and the column of the caret behind the text."""
    if columns <= width(sign):
        return clipped(((sign, "accent"),), columns, mark=""), columns - 1
    room = columns - width(sign) - 1
    shown: list[str] = []
    for part in reversed(list(graphemes(visible(text).replace("\n", " ")))):
        room -= width(part)
        if room < 0:
            break
        shown.append(part)
    said = "".join(reversed(shown))
    return ((sign, "accent"), (said, "text")), width(sign) + width(said)
