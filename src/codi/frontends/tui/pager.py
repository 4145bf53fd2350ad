"""All of something, on the whole window: scrolled, searched, and left again; what stood there before comes back."""

from collections.abc import Callable, Sequence

from codi.frontends.tui.editor import Editor
from codi.frontends.tui.entry_line import entry_line
from codi.frontends.tui.keys import Input
from codi.frontends.tui.lines import Line, clipped, plain
from codi.frontends.tui.view import View


class Pager:
    """`content` gives the lines for a width; `leave` is called when the person has seen enough. With `at_end` the last lines are
    shown first. `toggle` is given the width and makes the content look otherwise, by the key `s`."""

    def __init__(
        self,
        title: str,
        content: Callable[[int], Sequence[Line]],
        leave: Callable[[], object],
        *,
        at_end: bool = False,
        toggle: Callable[[int], object] | None = None,
    ) -> None:
        self.title = title
        self._content = content
        self._leave = leave
        self._toggle = toggle
        self._top: int | None = None if at_end else 0
        self._lines: Sequence[Line] = ()
        self._columns = 0
        self._rows = 1
        self._search: Editor | None = None
        self._wanted = ""

    def take(self, what: Input) -> bool:
        kind, text = what
        if self._search is not None:
            self._type(kind, text)
            return True
        keys = [text] if kind == "key" else list(text) if kind == "text" else []
        for key in keys:
            self._do(key)
        return True

    def view(self, rows: int, columns: int) -> View:
        if columns != self._columns:
            self._columns, self._lines = columns, self._content(columns)
        self._rows = room = max(rows - 1, 1)
        last = max(len(self._lines) - room, 0)
        self._top = last if self._top is None else max(0, min(self._top, last))
        shown = [self._marked(line) for line in self._lines[self._top : self._top + room]]
        shown += [()] * (room - len(shown))
        if self._search is not None:
            foot, column = entry_line("/", self._search.text, columns)
            lines = [*shown, foot][-rows:]
            return View(lines, (len(lines) - 1, column))
        share = 100 if not last else 100 * self._top // last
        keys = "/ search, n N next, q leave" + (", s side by side" if self._toggle else "")
        return View([*shown, clipped(((f" {self.title}  {share}%  {keys}", "selected"),), columns)][:rows])

    def _do(self, key: str) -> None:
        top = self._top or 0
        match key:
            case "q" | "esc" | "ctrl+c" | "ctrl+o":
                self._leave()
            case "up" | "k":
                self._top = top - 1
            case "down" | "j" | "enter":
                self._top = top + 1
            case "pgup" | "b" | "ctrl+b":
                self._top = top - self._rows
            case "pgdn" | " " | "f" | "ctrl+f":
                self._top = top + self._rows
            case "home" | "g":
                self._top = 0
            case "end" | "G":
                self._top = None
            case "s" if self._toggle:
                self._toggle(self._columns)
                self._columns = 0
            case "/":
                self._search = Editor()
            case "n":
                self._find(1)
            case "N":
                self._find(-1)

    def _type(self, kind: str, text: str) -> None:
        assert self._search is not None
        if kind in ("text", "paste"):
            self._search.insert(text.replace("\n", " "))
        elif text == "backspace":
            self._search.backspace()
        elif text in ("esc", "ctrl+c"):
            self._search = None
        elif text == "enter":
            self._wanted, self._search = self._search.text, None
            self._find(1, here=True)

    def _find(self, step: int, *, here: bool = False) -> None:
        """Go to the next line with the wanted text, around the end if need be. Case counts where it was typed."""
        if not self._wanted or not self._lines:
            return
        top, count = self._top or 0, len(self._lines)
        for way in range(0 if here else 1, count + 1):
            at = (top + step * way) % count
            if self._fits(plain(self._lines[at])):
                self._top = at
                return

    def _fits(self, text: str) -> bool:
        return self._wanted in (text if self._wanted != self._wanted.lower() else text.lower())

    def _marked(self, line: Line) -> Line:
        if self._wanted and self._fits(plain(line)):
            return tuple((text, f"{style} selected".strip()) for text, style in line)
        return line
