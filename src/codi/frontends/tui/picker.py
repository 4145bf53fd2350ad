"""Choosing one of many: typed letters filter, arrows move, enter takes, esc leaves. Every list in the interface is this one."""

from collections.abc import Callable, Mapping, Sequence

from codi.frontends.sanitiser import visible
from codi.frontends.tui.cells import width
from codi.frontends.tui.editor import Editor
from codi.frontends.tui.keys import Input
from codi.frontends.tui.lines import Line, Span, beside, clipped, line_width
from codi.frontends.tui.view import View


class Choice:
    """One row: what is shown, what is shown beside it, what may be typed to find it, and what it stands for. A reason why it
    cannot be chosen stands in `unavailable`."""

    __slots__ = ("found_by", "note", "text", "unavailable", "value")

    def __init__(self, text: str, value: object, note: str = "", *, found_by: str = "", unavailable: str = "") -> None:
        self.text = text
        self.value = value
        self.note = note
        self.found_by = (found_by or f"{text} {note}").lower()
        self.unavailable = unavailable


Preview = Callable[[Choice, int], Sequence[Line]]
"""What is told of a row, for a width."""

_WIDE = 120
"""So many columns there must be for a preview."""


class Picker:
    """`chosen` is called with the choice, or None when the person leaves. `keys` are further keys by their name: what they are
    called, and what they do with the row under the caret; what that returns are the new rows, None leaves the list. `moved` is told
    the row to which the caret has gone. `preview` gives lines about a row, shown beside the list where the window is wide."""

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        chosen: Callable[[Choice | None], object],
        *,
        keys: Mapping[str, tuple[str, Callable[[Choice | None], Sequence[Choice] | None]]] | None = None,
        at: int = 0,
        moved: Callable[[Choice | None], object] | None = None,
        preview: Preview | None = None,
    ) -> None:
        self._moved = moved
        self._preview = preview
        self.title = title
        self.choices = choices
        self._chosen = chosen
        self._keys = keys or {}
        self._filter = Editor()
        self._at = at
        self._top = 0
        self._page = 10
        self._shown: Sequence[Choice] = choices

    @property
    def current(self) -> Choice | None:
        return self._shown[self._at] if self._shown else None

    def take(self, what: Input) -> bool:
        before = self.current
        taken = self._take(what)
        if self._moved and self.current is not before:
            self._moved(self.current)
        return taken

    def _take(self, what: Input) -> bool:
        kind, text = what
        if text == "/" and not self._filter.text:
            return True  # it begins a filter elsewhere; here every letter does
        if kind in ("text", "paste") and (text not in self._keys or self._filter.text):
            if text.isdigit() and len(text) == 1 and text != "0" and not self._filter.text:
                at = self._top + int(text) - 1
                if at < len(self._shown):
                    self._at = at
                    self._take_current()
                return True
            self._filter.insert(text.replace("\n", " "))
            self._narrow()
            return True
        if text in self._keys:
            rows = self._keys[text][1](self.current)
            if rows is None:
                self._chosen(None)
            else:
                self.choices = rows
                self._narrow(keep=True)
            return True
        last = len(self._shown) - 1
        match text:
            case "up" | "ctrl+p":
                self._at = max(self._at - 1, 0)
            case "down" | "ctrl+n":
                self._at = min(self._at + 1, max(last, 0))
            case "pgup":
                self._at = max(self._at - self._page, 0)
            case "pgdn":
                self._at = min(self._at + self._page, max(last, 0))
            case "home":
                self._at = 0
            case "end":
                self._at = max(last, 0)
            case "enter" | "tab":
                self._take_current()
            case "esc" | "ctrl+c":
                self._chosen(None)
            case "backspace":
                self._filter.backspace()
                self._narrow()
            case "ctrl+u":
                self._filter.set("")
                self._narrow()
            case _:
                return False
        return True

    def view(self, rows: int, columns: int) -> View:
        hints = ", ".join(f"{key} {label}" for key, (label, _) in self._keys.items() if label)
        head: Line = beside(((self.title, "accent"), (f" {len(self._shown)}", "dim")), ((hints, "dim"),), columns)
        search: Line = (("> ", "accent"), (visible(self._filter.text), "text"))
        room = max(min(rows - 3, max(len(self._shown), 1)), 1)
        self._page = room
        self._top = max(min(self._top, self._at, len(self._shown) - room), self._at - room + 1, 0)
        lines: list[Line] = [((("─" * columns), "border"),), head, clipped(search, columns)]
        wide = columns * 3 // 5 if self._preview and columns >= _WIDE else columns
        for at, choice in enumerate(self._shown[self._top : self._top + room], self._top):
            lines.append(self._row(choice, at, wide))
        if wide < columns and self._preview and self.current:
            beside_it = list(self._preview(self.current, columns - wide - 3))[: max(rows - 3, 1)]
            lines += [()] * (3 + len(beside_it) - len(lines))
            for at, line in enumerate(beside_it, 3):
                gap = " " * max(wide - line_width(lines[at]), 0)
                lines[at] = (*lines[at], (f"{gap} │ ", "border"), *line)
        if not self._shown:
            lines.append(clipped((("  nothing fits", "dim"),), columns))
        caret = (2, min(2 + width(self._filter.text), columns - 1))
        return View(lines[:rows] if rows > 3 else lines[2 : 2 + rows], caret if rows > 3 else None)

    def _row(self, choice: Choice, at: int, columns: int) -> Line:
        is_current = at == self._at
        mark = "› " if is_current else "  "
        style = "dim" if choice.unavailable else "selected" if is_current else "text"
        left: list[Span] = [(mark, "accent"), (visible(choice.text), style)]
        note = choice.unavailable or choice.note
        right: list[Span] = [(visible(note), "dim")] if note else []
        return beside(left, right, columns)

    def _take_current(self) -> None:
        if self.current and not self.current.unavailable:
            self._chosen(self.current)

    def _narrow(self, *, keep: bool = False) -> None:
        found = fitting(self._filter.text, self.choices)
        self._shown = found
        self._at = min(self._at, max(len(found) - 1, 0)) if keep else 0


def fitting(said: str, choices: Sequence[Choice]) -> Sequence[Choice]:
    """Those that hold all words of what was typed, the likeliest first."""
    words = said.lower().split()
    found = [choice for choice in choices if all(_fits(word, choice.found_by) for word in words)]
    return sorted(found, key=lambda choice: _rank(words[0], choice.found_by)) if words else found


def _fits(word: str, text: str) -> bool:
    if word in text:
        return True
    letters = iter(text)
    return all(letter in letters for letter in word)


def _rank(word: str, text: str) -> int:
    at = text.find(word)
    if at == 0:
        return 0
    if at > 0:
        return 1 if not text[at - 1].isalnum() else 2
    return 3
