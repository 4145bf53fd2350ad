"""All of something, on the whole window: scrolled, searched, and left again; what stood there before comes back."""

from collections.abc import Callable, Sequence

from codi.frontends.sanitiser import visible
from codi.frontends.tui.editor import Editor
from codi.frontends.tui.entry_line import entry_line
from codi.frontends.tui.keys import Input
from codi.frontends.tui.lines import Line, clipped, plain
from codi.frontends.tui.view import View


class Pager:
    """`content` gives the lines for a width; `leave` is called when the person has seen enough, `copy` with a text for the clipboard.
    With `at_end` the last lines are shown first. `toggle` is given the width and makes the content look otherwise, by the key `s`.
    `blocks` gives the lines at which the parts of the content begin, for a width; `expand` is given the number of one, to show all
    of it or less again. `go_on` does what the content is a preview of, by the key `y`."""

    def __init__(
        self,
        title: str,
        content: Callable[[int], Sequence[Line]],
        leave: Callable[[], object],
        *,
        copy: Callable[[str], object] = lambda text: None,
        at_end: bool = False,
        toggle: Callable[[int], object] | None = None,
        blocks: Callable[[int], Sequence[int]] | None = None,
        expand: Callable[[int], object] | None = None,
        go_on: Callable[[], object] | None = None,
    ) -> None:
        self.title = title
        self._content = content
        self._leave = leave
        self._copy = copy
        self._toggle = toggle
        self._blocks = blocks
        self._expand = expand
        self._go_on = go_on
        self._starts: Sequence[int] = ()
        self._block: int | None = None
        self._said = ""
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
        self._said = ""
        for key in keys:
            self._do(key)
        return True

    def view(self, rows: int, columns: int) -> View:
        if columns != self._columns:
            self._columns, self._lines = columns, self._content(columns)
            self._starts = self._blocks(columns) if self._blocks else ()
        self._rows = room = max(rows - 1, 1)
        last = max(len(self._lines) - room, 0)
        self._top = last if self._top is None else max(0, min(self._top, last))
        shown = [self._marked(line, at) for at, line in enumerate(self._lines[self._top : self._top + room], self._top)]
        shown += [()] * (room - len(shown))
        if self._search is not None:
            foot, column = entry_line("/", self._search.text, columns)
            lines = [*shown, foot][-rows:]
            return View(lines, (len(lines) - 1, column))
        share = 100 if not last else 100 * self._top // last
        told = self._said or f"{share}%  {', '.join(self._keys())}"
        return View([*shown, clipped(((f" {self._title(columns - len(told))}{told}", "selected"),), columns)][:rows])

    def _title(self, room: int) -> str:
        """The title, as far as it leaves room for what the keys do."""
        title = visible(self.title)
        return f"{title}  " if len(title) + 3 <= room else f"{title[: room - 4]}…  " if room > 8 else ""

    def _keys(self) -> list[str]:
        keys = ["y goes on"] if self._go_on else []
        keys += ["/ search", "n N next", "q leave"]
        keys += ["s side by side"] if self._toggle else []
        keys += ["tab next part"] if self._blocks else []
        keys += ["enter expands"] if self._expand else []
        return [*keys, "c copy"]

    def _do(self, key: str) -> None:
        top = self._top or 0
        match key:
            case "q" | "esc" | "ctrl+c" | "ctrl+o":
                self._leave()
            case "y" if self._go_on:
                self._go_on()
                self._leave()
            case "tab" | "shift+tab" if self._starts:
                self._walk(1 if key == "tab" else -1)
            case "enter" if self._expand and self._block is not None:
                self._expand(self._block)
                self._columns = 0
            case "c":
                text = self._part()
                self._copy(text)
                self._said = f"copied {len(text)} characters"
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

    def _walk(self, step: int) -> None:
        """Go to the next part, or the one before: seen from the marked one, else from the top of the window."""
        top = self._top or 0
        if self._block is None:
            below = [at for at, start in enumerate(self._starts) if start >= top]
            last = len(self._starts) - 1
            self._block = (below[0] if below else last) if step > 0 else max((below[0] if below else last + 1) - 1, 0)
        else:
            self._block = (self._block + step) % len(self._starts)
        self._top = self._starts[self._block]

    def _part(self) -> str:
        """The text of the marked part; all of it where none is."""
        begin, end = 0, len(self._lines)
        if self._block is not None and self._block < len(self._starts):
            begin = self._starts[self._block]
            end = next((start for start in self._starts[self._block + 1 :] if start > begin), end)
        return "\n".join(plain(line).rstrip() for line in self._lines[begin:end]).strip("\n")

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

    def _marked(self, line: Line, at: int) -> Line:
        is_marked = self._block is not None and self._block < len(self._starts) and at == self._starts[self._block]
        if is_marked or (self._wanted and self._fits(plain(line))):
            return tuple((text, f"{style} selected".strip()) for text, style in line)
        return line
