"""What a pane looks like at one moment."""

from collections.abc import Sequence

from codi.frontends.tui.lines import Line

Caret = tuple[int, int]
"""A row and a column, from 0."""


class View:
    """What a pane looks like: its lines, and where the caret stands in them (None: nowhere)."""

    __slots__ = ("caret", "lines")

    def __init__(self, lines: Sequence[Line], caret: Caret | None = None) -> None:
        self.lines = lines
        self.caret = caret
