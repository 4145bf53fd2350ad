"""Looking for something that was typed before, letter by letter, as ctrl+r does in a shell."""

from collections.abc import Callable

from codi.frontends.sanitiser import visible
from codi.frontends.tui.history import History
from codi.frontends.tui.keys import Input
from codi.frontends.tui.lines import Line, clipped
from codi.frontends.tui.view import View

_PROMPT = "history: "


class HistorySearch:
    """Stands in place of the editor until `close` is called, with the text that was found, or with None to leave all as it was.
    A key that means nothing here takes what was found, and is then the editor's."""

    def __init__(self, history: History, close: Callable[[str | None], object]) -> None:
        self._history = history
        self._close = close
        self._query = ""
        self._found: tuple[int, str] | None = None

    def take(self, what: Input) -> bool:
        kind, text = what
        if kind in ("text", "paste"):
            self._query += text.replace("\n", " ")
            self._found = self._history.search(self._query)
            return True
        match text:
            case "ctrl+r" if self._found:
                self._found = self._history.search(self._query, older_than=self._found[0]) or self._found
            case "backspace" | "ctrl+h":
                self._query = self._query[:-1]
                self._found = self._history.search(self._query) if self._query else None
            case "esc" | "ctrl+c" | "ctrl+g":
                self._close(None)
            case "enter" | "tab":
                self._close(self._found[1] if self._found else None)
            case "ctrl+r":
                pass
            case _:
                self._close(self._found[1] if self._found else None)
                return False
        return True

    def view(self, rows: int, columns: int) -> View:
        rule: Line = (("─" * columns, "border.off"),)
        said = visible(f"{_PROMPT}{self._query}")
        none = self._query and not self._found
        above = clipped(((said, "text"), ("  nothing like it" if none else "", "dim")), columns)
        found = visible(self._found[1]).split("\n") if self._found else []
        room = max(rows - 3, 0)
        lines = [above, *(clipped(((line, "dim"),), columns) for line in found[:room])]
        caret = min(len(said), columns - 1)
        return View([rule, *lines, rule], (1, caret)) if rows > 2 else View(lines[:rows], (0, caret))
