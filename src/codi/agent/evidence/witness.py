"""Who looks at what commands did, while nothing else changes the workspace."""

from collections.abc import Sequence

from anyio import to_thread

from codi.protocol.effects import Effect, Runs
from codi.protocol.events import EvidenceGathered
from codi.tools.tool import ToolOutput
from codi.workspace.digest import Tree, workspace_digest
from codi.workspace.workspace import Workspace


class Witness:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def tree(self) -> Tree:
        """The workspace as it is now."""
        try:
            return await to_thread.run_sync(workspace_digest, self._workspace, abandon_on_cancel=True)
        except OSError:
            return Tree("", (), 0)  # the folder itself is gone

    async def of(self, effects: Sequence[Effect], output: ToolOutput, took_ms: int) -> list[EvidenceGathered]:
        """The evidence that a call gave; none for a command that checks nothing."""
        runs = next((effect for effect in effects if isinstance(effect, Runs)), None)
        if runs is None:
            return []
        from codi.agent.evidence import (
            gathering,  # its patterns take milliseconds, which a start without a command saves
        )

        seen = gathering.Seen(runs, output, took_ms)
        checks = gathering.checks_of(seen)
        return gathering.evidence_of(seen, checks, await self.tree(), self._workspace.root) if checks else []
