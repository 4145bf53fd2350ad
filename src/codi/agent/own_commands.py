"""A command that the person types: judged, confined and kept like one of the model's, and shown to the model only as they wish.

Who types a command has said yes to it, so what would merely be asked about runs; what is dangerous is asked about all the same.
"""

import os
from collections.abc import Iterable
from typing import Any

from anyio import to_thread
from msgspec import Struct

from codi.agent.calls import Calls
from codi.agent.record import Record
from codi.credentials.vault import NotHeld
from codi.protocol.effects import Effect, Runs
from codi.protocol.events import CommandDelta, CommandShown, StatusDelta, ToolProgress
from codi.protocol.messages import ToolCall
from codi.protocol.ops import RunCommand
from codi.tools.output import clean, head_tail
from codi.tools.results import Results
from codi.tools.tool import ToolOutput
from codi.workspace.workspace import Workspace

_LONGEST_S = 24 * 3600.0
_KEPT_BYTES = 30_000
_KEPT_LINES = 2000


class _Line(Struct):
    """The action; `full` is a file that holds all of the output where it was cut."""

    command: str
    results: Results
    full: str | None = None

    def effects(self) -> Iterable[Effect]:
        yield Runs(self.command, ".")

    async def run(self, workspace: Workspace) -> ToolOutput:
        runs = Runs(self.command, ".")
        outcome = await workspace.run(runs, timeout_s=_LONGEST_S, keep_head=_KEPT_BYTES, keep_tail=_KEPT_BYTES)
        cut = head_tail(clean(outcome.head + outcome.tail), _KEPT_LINES, _KEPT_BYTES)
        if outcome.spill:
            self.full = await to_thread.run_sync(self._put_aside, outcome.spill)
        details: dict[str, Any] = {"exitCode": outcome.exit_code, "truncated": bool(outcome.spill) or cut.truncated}
        return ToolOutput(text=cut.text, details=details)

    def _put_aside(self, spill: str) -> str | None:
        """Keep all of the output where the session keeps what is long, without its secrets."""
        try:
            id = self.results.keep_output("shell", {"command": self.command}, spill)
        except OSError:  # a full disk: what is shown must do
            return None
        finally:
            os.unlink(spill)
        return self.results.path_of(id)


class OwnCommands:
    """`results` is where an output is kept that is too long to be shown."""

    def __init__(self, calls: Calls, record: Record, results: Results) -> None:
        self._calls = calls
        self._results = results
        self._record = record
        self._count = 0

    async def run(self, op: RunCommand) -> None:
        """Run it to its end, and keep what came of it, also when it is stopped."""
        self._count += 1
        call_id = f"own_{self._record.session.leaf or 'first'}_{self._count}"
        self._record.tell(CommandDelta(op.command, id=call_id))
        line, heard = _Line(self._meant(op.command), self._results), list[str]()
        stopped = True

        def hear(text: str) -> None:
            heard.append(text)
            self._record.tell(ToolProgress(call_id, text))

        output = None
        try:
            call = ToolCall(call_id, "shell", {"command": line.command})
            output = await self._calls.run_own(call, line, hear)
            stopped = False
        finally:
            text = output if isinstance(output, str) else output.text if output else "".join(heard)
            details = (output.details or {}) if isinstance(output, ToolOutput) else {}
            self._record.keep(
                CommandShown(
                    command=op.command,
                    output=text,
                    exit_code=details.get("exitCode"),
                    cancelled=stopped,
                    truncated=bool(details.get("truncated")),
                    full_output_path=line.full,
                    excluded=op.excluded,
                ),
                sync=True,
            )

    def _meant(self, command: str) -> str:
        """The command with the secrets in place of their placeholders."""
        try:
            return self._record.vault.restore(command) if self._record.vault else command
        except NotHeld as unknown:
            self._record.tell(StatusDelta(kind="warning", text=f"{unknown.name} is not held any more"))
            return command
