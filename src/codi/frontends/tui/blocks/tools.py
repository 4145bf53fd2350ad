"""A call of a tool: what is asked for, how far it is, and what came out."""

from collections.abc import Mapping
from typing import Any, Literal

from codi.frontends.sanitiser import visible
from codi.frontends.tui.blocks.look import Look, in_words
from codi.frontends.tui.blocks.output import OutputText
from codi.frontends.tui.cells import cut_in_the_middle, untabbed
from codi.frontends.tui.diff_view import DiffView
from codi.frontends.tui.highlighting import highlighted, language_of
from codi.frontends.tui.lines import Line, clipped, wrapped
from codi.protocol.messages import Image, ToolResult

State = Literal["pending", "running", "ok", "failed", "denied", "cancelled"]

_SIGNS: Mapping[State, str] = {
    "pending": "○", "running": "●", "ok": "✓", "failed": "✗", "denied": "⊘", "cancelled": "–",
}  # fmt: skip
_SHOWN = {"read": 10, "write": 10, "grep": 15, "glob": 20, "list": 20, "tree": 20, "shell": 5, "run_tests": 5, "!": 20}
_TAIL = ("shell", "run_tests", "!")
_MOST = 10
_WHOLE = 50_000
_LEAST_TOOK_MS = 100
_WRITE, _TODO = "write", "todo"
_INDENT: Line = (("  ", ""),)


class ToolBlock:
    def __init__(self, look: Look, call_id: str, tool: str, arguments: Mapping[str, Any]) -> None:
        self.call_id = call_id
        self.tool = tool
        self.arguments = arguments
        self.state: State = "pending"
        self.mapped = ""
        self._look = look
        self._began: float | None = None
        self._took_ms: int | None = None
        self._images: list[Image] = []
        self._output = OutputText()
        self._diff: DiffView | None = None
        self._content: tuple[tuple[int, int], list[Line]] | None = None

    @property
    def is_done(self) -> bool:
        return self.state not in ("pending", "running")

    def start(self, tool: str, arguments: Mapping[str, Any]) -> None:
        if tool != self.tool:
            self.mapped, self.tool = self.tool, tool
        self.arguments, self.state, self._began = arguments, "running", self._look.now

    def feed(self, text: str) -> None:
        self._output.feed(text)

    def end(self, result: ToolResult, state: State | None = None) -> None:
        if self.is_done and state is None:
            return
        self.state = state or ("failed" if result.is_error else "ok")
        self._images = [block for block in result.content if isinstance(block, Image)]
        self._output = OutputText(result.text, keep=_WHOLE)
        diff = (result.details or {}).get("diff")
        if isinstance(diff, str) and diff and self.state == "ok":
            self._diff = DiffView(diff, summary_of(self.arguments))
        self._took_ms = result.duration_ms

    def settled(self, columns: int) -> int:
        return len(self.lines(columns)) if self.is_done else 0

    def lines(self, columns: int) -> list[Line]:
        if self._look.expanded:
            return self.whole(columns)
        body, most = self._body(columns), _SHOWN.get(self.tool, _MOST)
        if self._diff:
            body = self._diff.inline(columns)
        elif self.tool in _TAIL:
            hidden = max(len(body) - most, 0) + self._output.dropped
            if hidden:
                body = [_note(f"... ({hidden} earlier lines, ctrl+o to expand)", columns), *body[-most:]]
        elif len(body) > most:
            body = [*body[:most], _note(f"... ({len(body) - most} more lines, ctrl+o to expand)", columns)]
        pictures = [line for image in self._images for line in self._look.picture(image, columns)]
        return [(), self._title(columns), *body, *pictures, *self._foot(columns)]

    def whole(self, columns: int) -> list[Line]:
        dropped = self._output.dropped
        above = [_note(f"... ({dropped} earlier lines are not kept)", columns)] if dropped else []
        pictures = [line for image in self._images for line in in_words(image, columns)]
        return [(), self._title(columns), *above, *self._body(columns), *pictures, *self._foot(columns)]

    def _title(self, columns: int) -> Line:
        sign = (f"{_SIGNS[self.state]} ", f"tool.{self.state}")
        mapped = f" (asked as {self.mapped})" if self.mapped else ""
        room = columns - len(self.tool) - len(mapped) - 12
        what = cut_in_the_middle(visible(summary_of(self.arguments)).replace("\n", " ⏎ "), max(room, 8))
        told = {"denied": " denied", "cancelled": " cancelled", "failed": " failed"}.get(self.state, "")
        elapsed = f" {self._look.now - self._began:.0f}s" if self.state == "running" and self._began is not None else ""
        return clipped(
            (sign, (self.tool, "tool"), (f" {what}", "tool.argument"), (mapped + told + elapsed, "dim")), columns
        )

    def _body(self, columns: int) -> list[Line]:
        if self._diff:
            return self._diff.lines(columns)
        if self.tool == _TODO and self.state in ("running", "ok"):
            return []  # the list itself stands below
        if self.tool == _WRITE and self.state in ("pending", "running", "ok"):
            return self._written(columns)
        return self._output.lines(columns)

    def _written(self, columns: int) -> list[Line]:
        content = self.arguments.get("content")
        if not isinstance(content, str):
            return []
        key = columns, len(content)
        if self._content is None or self._content[0] != key:
            text = [untabbed(line) for line in visible(content).rstrip("\n").split("\n")] if content else []
            lines: list[Line] = []
            for line in highlighted(text, language_of(summary_of(self.arguments))):
                lines += wrapped(line, columns, first=_INDENT, rest=_INDENT)
            self._content = key, lines
        return self._content[1]

    def _foot(self, columns: int) -> list[Line]:
        if self._took_ms is None or self._took_ms < _LEAST_TOOK_MS:
            return []
        return [clipped(((f"  Took {self._took_ms / 1000:.1f}s", "dim"),), columns)]


def _note(text: str, columns: int) -> Line:
    return clipped(((f"  {text}", "dim"),), columns)


def summary_of(arguments: Mapping[str, Any]) -> str:
    """The one argument that says most: a path, a command, a pattern."""
    for name in ("command", "path", "pattern", "query", "url", "file_path"):
        if isinstance(arguments.get(name), str):
            return str(arguments[name])
    return next((str(value) for value in arguments.values() if isinstance(value, str | int)), "")
