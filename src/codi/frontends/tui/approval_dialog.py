"""May it? The dialog that shows what a call would do, whole, and takes an answer that cannot be given by accident."""

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import DecodeError, json

from codi.frontends.approval_text import MISLEADING, escaped
from codi.frontends.outcome import said
from codi.frontends.sanitiser import visible
from codi.frontends.tui.diff_text import is_diff
from codi.frontends.tui.diff_view import DiffView
from codi.frontends.tui.editor import Editor
from codi.frontends.tui.entry_line import entry_line
from codi.frontends.tui.keys import Input
from codi.frontends.tui.lines import Line, Span, clipped, wrapped
from codi.frontends.tui.view import View
from codi.protocol.effects import Allow, Deny
from codi.protocol.events import ApprovalAsked
from codi.protocol.ops import Answer

_DANGEROUS = 8

_KEEP = (
    "You allowed this before. Type yes to keep the rule {} in this project; anything else, and it is not offered again:"
)
_CHOICES = (
    ("y", "yes, once"),
    ("s", "yes, for this session"),
    ("a", "always, by a rule"),
    ("e", "edit the arguments"),
    ("n", "no"),
    ("d", "no, and say why"),
    ("v", "view all of it"),
    ("x", "stop the turn"),
)


_RULE = "This rule will be kept {}; edit it or press enter:"
_WHERE = {
    "project": "for this project (tab: for you everywhere)",
    "user": "for you everywhere (tab: for this project)",
}


class ApprovalDialog:
    """`answer` is called once. `place` is "1 of 3" where more wait."""

    def __init__(self, asked: ApprovalAsked, answer: Callable[[Answer], object], place: str = "") -> None:
        self.asked = asked
        self.place = place
        self.is_viewing = self.is_armed = False
        self._answer = answer
        preview = asked.preview or ""
        self._diff = DiffView(preview) if is_diff(preview) else None
        self._at = next(at for at, (key, _) in enumerate(self._choices) if key == "n")
        self._typing: tuple[str, Editor] | None = None
        self._complaint = ""
        self._keeps_for: Literal["project", "user"] = "project"

    @property
    def _choices(self) -> Sequence[tuple[str, str]]:
        dangerous = self.asked.risk >= _DANGEROUS
        hidden = {"s", "a"} if dangerous or not self.asked.offers else set()
        return [(key, label) for key, label in _CHOICES if key not in hidden]

    def take(self, what: Input) -> bool:
        kind, text = what
        if self._typing:
            return self._type(kind, text)
        if kind == "paste":
            return True
        if kind == "text":
            for letter in text.lower():
                if any(key == letter for key, _ in self._choices):
                    self._choose(letter)
                    break
            return True
        match text:
            case "up" | "shift+tab" | "left":
                self._at = (self._at - 1) % len(self._choices)
            case "down" | "tab" | "right":
                self._at = (self._at + 1) % len(self._choices)
            case "enter":
                self._choose(self._choices[self._at][0])
            case "esc" | "ctrl+c":
                self._choose("n")
            case _:
                return False
        return True

    def view(self, rows: int, columns: int) -> View:
        head = self._head(columns)
        foot, caret = self._foot(columns)
        if caret is None and len(head) + len(foot) + 1 > rows:
            foot = self._choices_in_a_row(columns)
        body = self._body(columns)
        room = max(rows - len(head) - len(foot), 1)
        if len(body) > room:
            hidden = len(body) - room + 1
            body = [*body[: room - 1], clipped(((f"... ({hidden} more lines, v to view)", "dim"),), columns)]
        lines = [*head, *body, *foot][-rows:] if len(head) + len(body) + len(foot) > rows else [*head, *body, *foot]
        return View(lines, (len(lines) - 1, caret) if caret is not None else None)

    def toggle(self, columns: int) -> None:
        """Show a change side by side, or below each other again."""
        if self._diff:
            self._diff.toggle(columns)

    def whole(self, columns: int) -> list[Line]:
        """Everything, for the pager."""
        return [*self._head(columns), *self._body(columns)]

    def _head(self, columns: int) -> list[Line]:
        place = f" ({self.place})" if self.place else ""
        mapped = f", asked as {self.asked.mapped_from}" if self.asked.mapped_from else ""
        first: Line = ((visible(f"{self.asked.tool_name}{mapped} wants to:{place}"), "tool"),)
        lines = [(("─" * columns, "warning"),), *wrapped(first, columns)]
        for effect in self.asked.effects:
            lines += wrapped(
                ((visible(escaped(said(effect))), "accent"),), columns, first=(("  ", ""),), rest=(("    ", ""),)
            )
        if any(escaped(said(effect)) != said(effect) for effect in self.asked.effects):
            lines += wrapped(((MISLEADING, "error"),), columns)
        style = "error" if self.asked.risk >= _DANGEROUS else "warning" if self.asked.risk >= 5 else "dim"
        reasons = "; ".join(self.asked.reasons)
        lines += wrapped(((visible(f"risk {self.asked.risk}: {reasons}"), style),), columns, rest=(("  ", ""),))
        if self.asked.undo_cover:
            lines += wrapped(((visible(f"undo: {self.asked.undo_cover}"), "dim"),), columns, rest=(("  ", ""),))
        return lines

    def _body(self, columns: int) -> list[Line]:
        if self._diff:
            return self._diff.lines(columns)
        lines: list[Line] = []
        for text in visible(self.asked.preview or "").splitlines():
            lines += wrapped(((text, "text"),), columns, first=(("  ", ""),), rest=(("  ", ""),))
        return lines

    def _foot(self, columns: int) -> tuple[list[Line], int | None]:
        if self._typing:
            question, editor = self._typing
            lines = wrapped(((question, "accent"),), columns)
            if self._complaint:
                lines += wrapped(((self._complaint, "error"),), columns)
            typed, caret = entry_line("> ", editor.text, columns)
            return [*lines, typed], caret
        rows: list[Line] = []
        for at, (key, label) in enumerate(self._choices):
            is_current = at == self._at and self.is_armed
            mark = (f"{'›' if is_current else ' '} {key} ", "accent")
            rows.append(clipped((mark, (label, "selected" if is_current else "text")), columns))
        return rows, None

    def _choices_in_a_row(self, columns: int) -> list[Line]:
        """For windows in which what is asked about would have no room."""
        spans: list[Span] = []
        for at, (key, label) in enumerate(self._choices):
            is_current = at == self._at and self.is_armed
            spans += [(f"{'›' if is_current else ''}{key} ", "accent"), (label, "selected" if is_current else "text")]
            spans.append(("  ", ""))
        return wrapped(spans[:-1], columns)

    def _choose(self, key: str) -> None:
        call = self.asked.tool_call_id
        offer = next(iter(self.asked.offers), None)
        match key:
            case "y" if self.asked.risk >= _DANGEROUS:
                self._typing = ("This is dangerous. Type yes to let it run:", Editor())
            case "y" if self.asked.suggested:
                self._typing = (_KEEP.format(visible(self.asked.suggested)), Editor())
            case "y":
                self._answer(Answer(call, Allow(by="person"), binding=self.asked.binding))
            case "s":
                self._answer(Answer(call, Allow(by="person"), rule=offer))
            case "a":
                self._typing = (_RULE.format(_WHERE[self._keeps_for]), Editor(offer or ""))
            case "e":
                self._typing = ("The arguments, as JSON:", Editor(_json_of(self.asked.arguments)))
            case "n":
                self._answer(Answer(call, Deny(by="person")))
            case "d":
                self._typing = ("What should it do instead?", Editor())
            case "v":
                self.is_viewing = True
            case "x":
                self._answer(Answer(call, Deny(by="person"), abort=True))

    def _type(self, kind: str, text: str) -> bool:
        assert self._typing is not None
        question, editor = self._typing
        if kind in ("text", "paste"):
            editor.insert(text.replace("\n", " "))
            return True
        match text:
            case "tab" if question.startswith("This rule"):
                self._keeps_for = "user" if self._keeps_for == "project" else "project"
                self._typing = (_RULE.format(_WHERE[self._keeps_for]), editor)
            case "enter":
                self._typed(question, editor.text)
            case "esc" | "ctrl+c":
                self._typing, self._complaint = None, ""
            case "backspace":
                editor.backspace()
            case "ctrl+u":
                editor.set("")
            case _:
                return False
        return True

    def _typed(self, question: str, text: str) -> None:
        call = self.asked.tool_call_id
        if question.startswith("This is dangerous"):
            if text.strip().lower() == "yes":
                self._answer(Answer(call, Allow(by="person"), binding=self.asked.binding))
            else:
                self._typing = None
        elif question.startswith("You allowed"):
            keeps = text.strip().lower() == "yes"
            rule = self.asked.suggested if keeps else None
            self._answer(Answer(call, Allow(by="person"), rule=rule, remember="project", refused=not keeps))
        elif question.startswith("This rule"):
            self._answer(Answer(call, Allow(by="person"), rule=text.strip() or None, remember=self._keeps_for))
        elif question.startswith("The arguments"):
            changed = _object_of(text)
            if changed is None:
                self._complaint = "this is no JSON object"
            else:
                self._answer(Answer(call, Allow(by="person"), changed=changed))
        else:
            self._answer(Answer(call, Deny(text.strip(), by="person")))


def _json_of(arguments: dict[str, object]) -> str:

    return json.encode(arguments).decode()


def _object_of(text: str) -> dict[str, object] | None:

    try:
        return json.decode(text, type=dict[str, object])
    except DecodeError:
        return None
