"""The list of what is to be done: below what runs while it runs, and printed when it has changed at the end of a turn."""

from collections.abc import Sequence

from codi.frontends.sanitiser import visible
from codi.frontends.tui.lines import Line, clipped, wrapped
from codi.protocol.events import TodoItem

_MARKS = {"pending": "☐", "in_progress": "◐", "completed": "☑"}
_STYLES = {"pending": "text", "in_progress": "accent", "completed": "dim"}


class TodoBlock:
    """The list as it was at one moment. It never changes."""

    is_done = True

    def __init__(self, items: Sequence[TodoItem]) -> None:
        self.items = tuple(items)

    def settled(self, columns: int) -> int:
        return len(self.lines(columns))

    def lines(self, columns: int) -> list[Line]:
        return self.whole(columns)

    def whole(self, columns: int) -> list[Line]:
        lines: list[Line] = [(), self._head(columns)]
        for item in self.items:
            mark = ((f"  {_MARKS[item.status]} ", _STYLES[item.status]),)
            said = ((_said(item), _STYLES[item.status]),)
            lines += wrapped(said, columns, first=mark, rest=(("    ", ""),))
        return lines

    def short(self, columns: int, rows: int) -> list[Line]:
        """At most so many lines, one for an item, around what is being done."""
        if rows < 1 or not self.items:
            return []
        room = max(rows - 1, 0)
        current = next((at for at, item in enumerate(self.items) if item.status != "completed"), len(self.items))
        begin = max(min(current - 1, len(self.items) - room), 0)
        shown = self.items[begin : begin + room]
        return [
            self._head(columns),
            *(clipped(((f"  {_MARKS[item.status]} {_said(item)}", _STYLES[item.status]),), columns) for item in shown),
        ]

    def _head(self, columns: int) -> Line:
        done = sum(item.status == "completed" for item in self.items)
        return clipped((("Todo ", "tool"), (f"{done}/{len(self.items)}", "dim")), columns)


def _said(item: TodoItem) -> str:
    said = item.active_form if item.status == "in_progress" and item.active_form else item.content
    return visible(said).replace("\n", " ")
