"""The `insert_lines` tool."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Writes
from codi.tools.limiting import Limits
from codi.tools.numbered_lines import changed, check_inside, check_number, lines_in, numbered_lines
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.tool import ToolOutput
from codi.workspace.workspace import Workspace


class InsertLines(Struct, frozen=True, forbid_unknown_fields=True):
    """Insert lines before a line of a file. The number after the last line appends."""

    path: Annotated[str, Meta(description="Path, relative to the workspace's root or absolute")]
    line: Annotated[int, Meta(description="Number, as read shows it, of the line before which to insert")]
    content: Annotated[str, Meta(description="The new lines; a final newline adds no blank line")]

    def effects(self) -> Iterable[Effect]:
        yield Writes(self.path)

    async def run(self, workspace: Workspace, *, gate: SyntaxGate, limits: Limits) -> ToolOutput:
        check_number(self.line)
        old = await numbered_lines(workspace, self.path)
        check_inside(self.line, old.count, one_more=True)
        new = lines_in(self.content)

        def said(shown: str, count: int) -> str:
            return (
                f"Inserted {len(new)} line{'s' * (len(new) != 1)} at line {self.line} of {shown} (now {count} lines)."
            )

        splice = old.with_lines_before(self.line, new)
        output = await changed(workspace, gate, old, splice, self.line, len(new), said)
        return limits.limited("insert_lines", {"path": self.path, "line": self.line}, output)
