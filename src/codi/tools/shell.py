"""The `shell` tool."""

import os
from collections.abc import Iterable
from errno import ENOENT, ENOSPC
from functools import cached_property
from typing import Annotated, Any

from anyio import to_thread
from msgspec import Meta, Struct
from msgspec.structs import replace

from codi.protocol.effects import Effect, Runs
from codi.protocol.tooling import ToolSpec
from codi.tools.entries import readable
from codi.tools.limiting import Limits, arguments_of
from codi.tools.output import Cut, clean, head_tail, head_tail_of, lines_of, size, with_notice
from codi.tools.struct_tool import StructTool
from codi.tools.tool import Action, ToolFailed, ToolOutput
from codi.workspace.workspace import Outcome, Workspace

_CHUNK = 1024 * 1024


class Place:
    """The directory in which the next command begins: where the last one ended, if that lies in the workspace."""

    def __init__(self) -> None:
        self.cwd = "."


class Shell(Struct, frozen=True, forbid_unknown_fields=True):
    """Run a command line with bash, or a program with its words as a list. Each call is a fresh shell; only the directory in
    which the last one ended is kept. Standard input is empty. The result is stdout and stderr as they came."""

    command: Annotated[
        str | tuple[str, ...], Meta(description="A line for the shell, or the words of a program to run without one")
    ]
    cwd: Annotated[str | None, Meta(description="Directory to begin in; where the last command ended if left out")] = (
        None
    )
    timeout_s: Annotated[int, Meta(ge=1, le=1800, description="Seconds after which it is ended")] = 120

    def effects(self) -> Iterable[Effect]:
        yield Runs(self.command, self.cwd or ".")

    async def run(self, workspace: Workspace, *, limits: Limits, place: Place) -> ToolOutput:
        if not self.command or not self.command[0]:
            raise ToolFailed("There is no command to run.")
        runs = Runs(self.command, self.cwd or ".")
        cap = limits.cap
        try:
            outcome = await workspace.run(runs, timeout_s=self.timeout_s, keep_head=cap.bytes, keep_tail=cap.bytes)
        except OSError as error:
            if error.filename == workspace.resolve(runs.cwd):
                raise ToolFailed(f"Working directory not found: {runs.cwd}") from error
            if error.errno == ENOENT:
                raise ToolFailed(f"Program not found: {error.filename}") from error
            raise ToolFailed(f"Cannot run {runs.line}: {error.strerror}") from error
        return await self._told(workspace, outcome, limits, place)

    async def _told(self, workspace: Workspace, outcome: Outcome, limits: Limits, place: Place) -> ToolOutput:
        is_error = outcome.timed_out or outcome.flooded or outcome.exit_code != 0
        cut, notices = await self._cut(outcome, limits, is_error)
        text = cut.text or "(no output)"
        details = cut.details or {}
        remarks = [*self._moved(workspace, outcome, place), *self._ending(outcome)]
        if outcome.exit_code:
            details["exitCode"] = outcome.exit_code
        for remark in remarks:
            text = f"{text.removesuffix(chr(10))}\n\n{remark}"
        return ToolOutput(text=with_notice(text, *notices), details=details or None, is_error=is_error)

    def _ending(self, outcome: Outcome) -> list[str]:
        if outcome.timed_out:
            return [f"Command timed out after {self.timeout_s} seconds"]
        if outcome.flooded:
            return [f"Command killed: it wrote more than {size(outcome.total_bytes)}"]
        if outcome.signal:
            return [f"Command killed by {outcome.signal}"]
        return [f"Command exited with code {outcome.exit_code}"] if outcome.exit_code else []

    def _moved(self, workspace: Workspace, outcome: Outcome, place: Place) -> list[str]:
        """Keeps the place for the next call, and says so, when the command ended elsewhere than it began."""
        if outcome.cwd is None:
            return []
        shown = workspace.shown(outcome.cwd)
        # Outside of the workspace a command may end, but the next one does not begin there; nor where no name can be told.
        if (
            os.path.isabs(shown)
            or readable(shown) != shown
            or workspace.resolve(outcome.cwd) == workspace.resolve(self.cwd or ".")
        ):
            return []
        place.cwd = shown
        return [f"[cwd: {shown}]"]

    async def _cut(self, outcome: Outcome, limits: Limits, is_error: bool) -> tuple[Cut, list[str]]:
        cap = limits.cap
        if outcome.total_bytes == len(outcome.head) + len(outcome.tail):
            text = clean(outcome.head + outcome.tail)
            cut = head_tail(text, cap.lines, cap.bytes)
            if not cut.truncated:
                return cut, []
            return cut, [
                limits.kept_notice(
                    cut, lambda: limits.results.keep("shell", arguments_of(self), text, is_error=is_error)
                )
            ]
        try:
            return await to_thread.run_sync(self._cut_of_both_ends, outcome, limits, is_error)
        finally:
            if outcome.spill:
                os.unlink(outcome.spill)

    def _cut_of_both_ends(self, outcome: Outcome, limits: Limits, is_error: bool) -> tuple[Cut, list[str]]:
        # At the inner ends of both pieces a line is cut through: it counts as omitted.
        beginning = lines_of(clean(outcome.head.rpartition(b"\n")[0])) if b"\n" in outcome.head else []
        last_line_bytes: int | None = None
        _, broken, rest = outcome.tail.removesuffix(b"\n").partition(b"\n")
        if not broken:
            rest = outcome.tail
            last_line_bytes = _last_line_bytes(outcome.spill) if outcome.spill else None
        end = lines_of(clean(rest))
        cap = limits.cap
        cut = head_tail_of(
            beginning, end, outcome.total_lines, outcome.total_bytes, cap.lines, cap.bytes, last_line_bytes
        )

        def keep() -> str:
            if outcome.spill is None:
                raise OSError(ENOSPC, "the disk has no room for it")
            return limits.results.keep_output("shell", arguments_of(self), outcome.spill, is_error=is_error)

        return cut, [limits.kept_notice(cut, keep)]


class ShellTool:
    """Fills in where the last command ended, before anybody judges where this one runs, and the person's own time limit."""

    def __init__(self, limits: Limits, timeout_s: int = 120) -> None:
        self._place = Place()
        self._usual = {"timeout_s": timeout_s}
        self._tool = StructTool(Shell, needs={"limits": limits, "place": self._place})

    @cached_property
    def spec(self) -> ToolSpec:
        spec = self._tool.spec
        properties = spec.parameters["properties"]
        limit = {**properties["timeout_s"], "default": self._usual["timeout_s"]}
        return replace(spec, parameters={**spec.parameters, "properties": {**properties, "timeout_s": limit}})

    def prepare(self, arguments: dict[str, Any]) -> Action:
        place = {"cwd": self._place.cwd} if self._place.cwd != "." else {}
        return self._tool.prepare({**self._usual, **place, **arguments})


def _last_line_bytes(path: str) -> int:
    with open(path, "rb") as file:
        end = at = file.seek(0, os.SEEK_END)
        is_last = True
        while at > 0:
            begin = max(0, at - _CHUNK)
            file.seek(begin)
            piece = file.read(at - begin)
            if is_last and piece.endswith(b"\n"):
                end -= 1
                piece = piece[:-1]
            is_last = False
            if (newline := piece.rfind(b"\n")) >= 0:
                return end - (begin + newline + 1)
            at = begin
    return end
