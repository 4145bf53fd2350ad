"""`bench`: the built-in tools over a real directory, called as a model calls them."""

import os
import shutil
from pathlib import Path

import anyio
import pytest

from codi.protocol.events import TodoWritten
from codi.tools.kit import Live, built_in
from codi.tools.limiting import Limits
from codi.tools.output import Cap
from codi.tools.results import Results
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.tool import ToolFailed, ToolOutput
from codi.tools.toolbox import Toolbox
from codi.workspace.glance import Glance
from codi.workspace.grant import Grant
from codi.workspace.local import LocalWorkspace

RIPGREP = os.environ.get("CODI_RIPGREP") or shutil.which("rg")
SHARED = Path(os.environ.get("CODI_SHARED", Path(__file__).parents[3] / "shared"))


class Bench:
    def __init__(self, root: Path, ripgrep: str | None = None) -> None:
        self.root = root / "work"
        self.root.mkdir()
        self.cap = Cap()
        self.results = Results(str(root / "session.results"))
        self.todo = ()
        self.told: list[str] = []
        self.workspace = LocalWorkspace(str(self.root), spool=str(root))
        self.toolbox = Toolbox(
            built_in(
                limits=Limits(self.results, lambda: self.cap),
                gate=SyntaxGate(),
                live=Live(todos=lambda: self.todo),
                ripgrep=ripgrep,
                project=Glance(self.workspace),
            )
        )

    def write(self, path: str, content: str | bytes = "") -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    def call(self, name: str, **arguments) -> ToolOutput:
        """The output with the line about mapped names in front, as the loop puts it; a failure as an error output."""
        try:
            resolved = self.toolbox.resolve(name, arguments)
            output = anyio.run(self._run, resolved.action)
        except ToolFailed as error:
            return ToolOutput(text=str(error), details=error.details, is_error=True)
        output = output if isinstance(output, ToolOutput) else ToolOutput(text=output)
        for fact in output.facts:
            if isinstance(fact, TodoWritten):
                self.todo = fact.items
        return output

    async def _run(self, action):
        return await action.run(Grant(self.workspace, list(action.effects()), self.told.append))


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture(params=["ripgrep", "python"])
def searching_bench(request, tmp_path):
    """One with ripgrep and one without."""
    if request.param == "ripgrep" and RIPGREP is None:
        pytest.skip("ripgrep is not installed")
    return Bench(tmp_path, RIPGREP if request.param == "ripgrep" else None)
