"""The list below the editor: what may be meant by what is being typed."""

from collections.abc import Sequence

from codi.frontends.tui.cells import shown
from codi.frontends.tui.lines import Line, beside


class Completion:
    """One row: what is put in, and what is said beside it."""

    __slots__ = ("note", "text")

    def __init__(self, text: str, note: str = "") -> None:
        self.text = text
        self.note = note


class Popup:
    """The open list: rows for the stretch of text from `begin` to `end`."""

    def __init__(self, begin: int, end: int, rows: Sequence[Completion]) -> None:
        self.begin = begin
        self.end = end
        self.rows = rows
        self.at = 0
        self._top = 0

    @property
    def current(self) -> str:
        return self.rows[self.at].text

    def move(self, step: int) -> None:
        self.at = (self.at + step) % len(self.rows)

    def lines(self, rows: int, columns: int) -> list[Line]:
        room = min(rows, len(self.rows))
        self._top = max(min(self._top, self.at), self.at - room + 1)
        lines: list[Line] = []
        for at, row in enumerate(self.rows[self._top : self._top + room], self._top):
            style = "selected" if at == self.at else "text"
            lines.append(beside((("  ", ""), (shown(row.text), style)), ((row.note, "dim"),), columns))
        return lines
