"""The `delete_lines` tool."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Writes
from codi.tools.limiting import Limits
from codi.tools.numbered_lines import changed, check_number, check_range, numbered_lines, span
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.tool import ToolOutput
from codi.workspace.workspace import Workspace


class DeleteLines(Struct, frozen=True, forbid_unknown_fields=True):
    """Delete lines of a file by their numbers."""

    path: Annotated[str, Meta(description="Path, relative to the workspace's root or absolute")]
    line: Annotated[int, Meta(description="Number, as read shows it, of the first line to delete")]
    end_line: Annotated[int, Meta(description="Number of the last line to delete; `line` if left out")] | None = None

    def effects(self) -> Iterable[Effect]:
        yield Writes(self.path)

    async def run(self, workspace: Workspace, *, gate: SyntaxGate, limits: Limits) -> ToolOutput:
        check_number(self.line)
        last = self.line if self.end_line is None else self.end_line
        old = await numbered_lines(workspace, self.path)
        check_range(self.line, last, old.count)

        def said(shown: str, count: int) -> str:
            deleted = last - self.line + 1
            return (
                f"Deleted {span(self.line, last)} of {shown} ({deleted} line{'s' * (deleted != 1)}, now {count} lines)."
            )

        output = await changed(workspace, gate, old, old.without(self.line, last), self.line, 0, said)
        return limits.limited("delete_lines", {"path": self.path, "line": self.line, "end_line": last}, output)
