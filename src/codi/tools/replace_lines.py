"""The `replace_lines` tool."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Writes
from codi.tools.limiting import Limits
from codi.tools.numbered_lines import changed, check_number, check_range, lines_in, numbered_lines, span
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.tool import ToolOutput
from codi.workspace.workspace import Workspace


class ReplaceLines(Struct, frozen=True, forbid_unknown_fields=True):
    """Replace lines of a file by their numbers. The new text may have more or fewer lines; to take lines away use
    delete_lines."""

    path: Annotated[str, Meta(description="Path, relative to the workspace's root or absolute")]
    line: Annotated[int, Meta(description="Number, as read shows it, of the first line to replace")]
    content: Annotated[str, Meta(description="What is to stand there; a final newline adds no blank line")]
    end_line: Annotated[int, Meta(description="Number of the last line to replace; `line` if left out")] | None = None

    def effects(self) -> Iterable[Effect]:
        yield Writes(self.path)

    async def run(self, workspace: Workspace, *, gate: SyntaxGate, limits: Limits) -> ToolOutput:
        check_number(self.line)
        last = self.line if self.end_line is None else self.end_line
        old = await numbered_lines(workspace, self.path)
        check_range(self.line, last, old.count)
        new = lines_in(self.content)

        def said(shown: str, count: int) -> str:
            with_ = f"{len(new)} line{'s' * (len(new) != 1)}"
            return f"Replaced {span(self.line, last)} of {shown} with {with_} (now {count} lines)."

        splice = old.with_lines_for(self.line, last, new)
        output = await changed(workspace, gate, old, splice, self.line, len(new), said)
        return limits.limited("replace_lines", {"path": self.path, "line": self.line, "end_line": last}, output)
