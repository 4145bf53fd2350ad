"""A real directory, the tools for files, and calls as a model makes them."""

from pathlib import Path
from typing import Any

import anyio

from codi.tools.apply_patch import ApplyPatch
from codi.tools.edit import Edit
from codi.tools.limiting import Limits
from codi.tools.output import Cap
from codi.tools.read import Read
from codi.tools.results import Results
from codi.tools.struct_tool import StructTool
from codi.tools.syntax_gate import Mode, SyntaxGate
from codi.tools.tool import ToolFailed, ToolOutput
from codi.tools.write import Write
from codi.workspace.grant import Grant
from codi.workspace.local import LocalWorkspace


class Desk:
    def __init__(self, root: Path, *, cap: Cap | None = None, gate: Mode = "on") -> None:
        self.root = root / "work"
        self.root.mkdir()
        self.workspace = LocalWorkspace(str(self.root), spool=str(root))
        limits = Limits(Results(str(root / "results")), lambda: cap or Cap())
        self.tools = {
            "read": StructTool(Read, needs={"limits": limits}),
            **{
                tool.name: tool
                for tool in (StructTool(shape, needs={"gate": SyntaxGate(gate)}) for shape in (Write, Edit, ApplyPatch))
            },
        }

    def put(self, path: str, content: str | bytes = "", *, seen: bool = True) -> Path:
        """A file; `seen` as if it had been read."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        if seen:
            self.workspace.saw(path, place.read_bytes())
        return place

    def content(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def names(self) -> list[str]:
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file())

    def call(self, tool: str, **arguments: Any) -> ToolOutput:
        """What the tool answers within a grant of what it declared; a failure as an answer with `is_error`."""
        try:
            action = self.tools[tool].prepare(arguments)
            grant = Grant(self.workspace, tuple(action.effects()), lambda text: None)
            output = anyio.run(action.run, grant)
        except ToolFailed as failed:
            return ToolOutput(text=str(failed), details=failed.details, is_error=True)
        return output if isinstance(output, ToolOutput) else ToolOutput(text=output)

    def text(self, tool: str, **arguments: Any) -> str:
        output = self.call(tool, **arguments)
        assert not output.is_error, output.text
        return output.text

    def error(self, tool: str, **arguments: Any) -> str:
        output = self.call(tool, **arguments)
        assert output.is_error, output.text
        return output.text
