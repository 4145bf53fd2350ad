"""Small questions: may this be done, and what a model wants to know."""

from collections.abc import Callable

from codi.frontends.sanitiser import visible
from codi.frontends.tui.editor import Editor
from codi.frontends.tui.entry_line import entry_line
from codi.frontends.tui.keys import Input
from codi.frontends.tui.lines import Line, clipped, wrapped
from codi.frontends.tui.view import View
from codi.protocol.events import QuestionAsked
from codi.protocol.ops import Reply


class ConfirmDialog:
    """Yes or no; no is the default, and what stands for esc."""

    def __init__(self, question: str, answer: Callable[[bool], object]) -> None:
        self._question = visible(question)
        self._answer = answer

    def take(self, what: Input) -> bool:
        kind, text = what
        if kind == "text":
            if text.lower() in ("y", "n"):
                self._answer(text.lower() == "y")
            return True
        if text in ("enter", "esc", "ctrl+c"):
            self._answer(False)
            return True
        return False

    def view(self, rows: int, columns: int) -> View:
        lines = [(("─" * columns, "warning"),), *wrapped(((self._question, "text"),), columns)]
        foot: Line = clipped((("[y]es, [N]o", "accent"),), columns)
        return View([*lines[: max(rows - 1, 0)], foot], None)


class LineDialog:
    """A line of text; esc leaves it."""

    def __init__(self, question: str, answer: Callable[[str | None], object]) -> None:
        self._question = visible(question)
        self._answer = answer
        self._text = Editor()

    def take(self, what: Input) -> bool:
        kind, text = what
        if kind in ("text", "paste"):
            self._text.insert(text.replace("\n", " "))
            return True
        match text:
            case "enter":
                self._answer(self._text.text)
            case "esc" | "ctrl+c":
                self._answer(None)
            case "backspace":
                self._text.backspace()
            case "ctrl+u":
                self._text.set("")
            case _:
                return False
        return True

    def view(self, rows: int, columns: int) -> View:
        lines: list[Line] = [(("─" * columns, "accent"),), *wrapped(((self._question, "text"),), columns)]
        shown = visible(self._text.text)[-(columns - 3) :]
        lines.append((("> ", "accent"), (shown, "text")))
        return View(lines[-rows:], (min(len(lines), rows) - 1, min(2 + len(shown), columns - 1)))


class QuestionDialog:
    """A question of the model: options by number, or words of one's own."""

    def __init__(self, asked: QuestionAsked, answer: Callable[[Reply], object]) -> None:
        self.asked = asked
        self.place = ""
        self.is_armed = self.is_viewing = False
        self._answer = answer
        self._at = 0
        self._chosen: set[int] = set()
        self._text = Editor()

    def take(self, what: Input) -> bool:
        kind, text = what
        options = self.asked.options
        if kind in ("text", "paste"):
            if text.isdigit() and not self._text.text and 0 < int(text) <= len(options):
                self._mark(int(text) - 1)
            elif text == " " and options and not self._text.text and self.asked.multiple:
                self._mark(self._at)
            elif self.asked.free_text:
                self._text.insert(text)
            return True
        match text:
            case "up":
                self._at = max(self._at - 1, 0)
            case "down":
                self._at = min(self._at + 1, max(len(options) - 1, 0))
            case "enter":
                self._end()
            case "esc" | "ctrl+c":
                self._answer(Reply(self.asked.id))
            case "backspace":
                self._text.backspace()
            case "ctrl+u":
                self._text.set("")
            case _:
                return False
        return True

    def view(self, rows: int, columns: int) -> View:
        lines: list[Line] = [(("─" * columns, "accent"),)]
        lines += wrapped(((visible(self.asked.question), "text"),), columns)
        for at, option in enumerate(self.asked.options):
            mark = ("☑ " if at in self._chosen else "☐ ") if self.asked.multiple else ""
            is_current = at == self._at and not self._text.text and self.is_armed
            number = ((f"{'›' if is_current else ' '} {at + 1} ", "accent"),)
            said = ((f"{mark}{visible(option)}", "selected" if is_current else "text"),)
            lines += wrapped(said, columns, first=number, rest=(("    ", ""),))
        caret = None
        if self.asked.free_text:
            typed, column = entry_line("> ", self._text.text, columns)
            lines.append(typed)
            caret = (min(len(lines), rows) - 1, column)
        how = "space marks, " if self.asked.multiple else ""
        if not self.asked.free_text:
            lines.append(((f"{how}enter answers, esc declines"[:columns], "dim"),))
        return View(lines[-rows:], caret)

    def _mark(self, at: int) -> None:
        if not self.asked.multiple:
            self._answer(Reply(self.asked.id, chosen=(at,)))
        else:
            self._chosen ^= {at}
            self._at = at

    def _end(self) -> None:
        if self._text.text.strip():
            self._answer(Reply(self.asked.id, text=self._text.text.strip()))
        elif self._chosen:
            self._answer(Reply(self.asked.id, chosen=tuple(sorted(self._chosen))))
        elif self.asked.options and not self.asked.multiple:
            self._answer(Reply(self.asked.id, chosen=(self._at,)))
        else:
            self._answer(Reply(self.asked.id))
