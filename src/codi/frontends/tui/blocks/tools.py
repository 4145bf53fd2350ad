"""A call of a tool: what is asked for, how far it is, and what came out."""

from collections.abc import Mapping
from typing import Any, Literal

from codi.frontends.sanitiser import visible, visible_output
from codi.frontends.tui.blocks.look import Look
from codi.frontends.tui.cells import cut_in_the_middle, untabbed
from codi.frontends.tui.lines import Line, clipped, wrapped
from codi.protocol.messages import ToolResult

State = Literal["pending", "running", "ok", "failed", "denied", "cancelled"]

_SIGNS: Mapping[State, str] = {
    "pending": "○", "running": "●", "ok": "✓", "failed": "✗", "denied": "⊘", "cancelled": "–",
}  # fmt: skip
_SHOWN = {"read": 10, "write": 10, "grep": 15, "glob": 20, "list": 20, "tree": 20, "shell": 5, "run_tests": 5, "!": 20}
_TAIL = ("shell", "run_tests", "!")
_MOST = 10
_KEPT_CHARS = 200_000


class ToolBlock:
    def __init__(self, look: Look, call_id: str, tool: str, arguments: Mapping[str, Any]) -> None:
        self.call_id = call_id
        self.tool = tool
        self.arguments = arguments
        self.state: State = "pending"
        self.output = ""
        self.details: Mapping[str, Any] = {}
        self.mapped = ""
        self._look = look
        self._began: float | None = None
        self._took_ms: int | None = None

    @property
    def is_done(self) -> bool:
        return self.state not in ("pending", "running")

    def start(self, tool: str, arguments: Mapping[str, Any]) -> None:
        if tool != self.tool:
            self.mapped, self.tool = self.tool, tool
        self.arguments, self.state, self._began = arguments, "running", self._look.now

    def feed(self, text: str) -> None:
        self.output = (self.output + visible_output(text))[-_KEPT_CHARS:]

    def end(self, result: ToolResult, state: State | None = None) -> None:
        if self.is_done and state is None:
            return
        self.state = state or ("failed" if result.is_error else "ok")
        self.output = visible_output(result.text)
        self.details = result.details or {}
        self._took_ms = result.duration_ms

    def settled(self, columns: int) -> int:
        return len(self.lines(columns)) if self.is_done else 0

    def lines(self, columns: int) -> list[Line]:
        if self._look.expanded:
            return self.whole(columns)
        body = self._body(columns)
        most = _SHOWN.get(self.tool, _MOST)
        hidden = len(body) - most
        if hidden > 0:
            key = f"... ({hidden} {'earlier' if self.tool in _TAIL else 'more'} lines, ctrl+o to expand)"
            note: Line = ((f"  {key}", "dim"),)
            body = [note, *body[-most:]] if self.tool in _TAIL else [*body[:most], note]
        return [(), self._title(columns), *body, *self._foot()]

    def whole(self, columns: int) -> list[Line]:
        return [(), self._title(columns), *self._body(columns), *self._foot()]

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
        diff = self.details.get("diff")
        if isinstance(diff, str) and self.state == "ok":
            return [
                clipped((("  ", ""), (untabbed(visible(text)), _style_of_diff(text))), columns)
                for text in diff.splitlines()
            ]
        text = self.output.strip("\n")
        if not text:
            return []
        return wrapped(((text, "tool.output"),), columns, first=(("  ", ""),), rest=(("  ", ""),))

    def _foot(self) -> list[Line]:
        if self._took_ms is None or self._took_ms < 100:
            return []
        return [((f"  Took {self._took_ms / 1000:.1f}s", "dim"),)]


def summary_of(arguments: Mapping[str, Any]) -> str:
    """The one argument that says most: a path, a command, a pattern."""
    for name in ("command", "path", "pattern", "query", "url", "file_path"):
        if isinstance(arguments.get(name), str):
            return str(arguments[name])
    return next((str(value) for value in arguments.values() if isinstance(value, str | int)), "")


def _style_of_diff(line: str) -> str:
    return {"+": "added", "-": "removed", "@": "hunk"}.get(line[:1], "tool.output")
