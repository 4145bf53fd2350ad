"""The `shell` tool."""

import os
from collections.abc import Iterable
from errno import ENOENT
from functools import cached_property
from typing import Annotated, Any

from anyio import move_on_after
from msgspec import Meta, Struct
from msgspec.structs import replace

from codi.protocol.effects import Effect, Runs
from codi.protocol.tooling import ToolSpec
from codi.tools.entries import readable
from codi.tools.limiting import Limits, arguments_of
from codi.tools.output import size, with_notice
from codi.tools.process_output import cut_of
from codi.tools.struct_tool import StructTool
from codi.tools.tool import Action, ToolFailed, ToolOutput
from codi.workspace.workspace import Job, NoJob, Outcome, TooManyJobs, Workspace

USUAL_TIMEOUT_S = 120
USUAL_SIZE = (80, 24)
SCREEN_BYTES = 64 * 1024
KILL_WAIT_S = 4.0
FEED_WAIT_S = 5.0


class Place:
    """The directory in which the next command begins: where the last one ended, if that lies in the workspace."""

    def __init__(self) -> None:
        self.cwd = "."
        self.started: dict[str, Runs] = {}
        """What the jobs of this session run."""


class Shell(Struct, frozen=True, forbid_unknown_fields=True):
    """Run a command line with bash, or a program with its words as a list. Each call is a fresh shell; only the directory in
    which the last one ended is kept. Standard input is empty. The result is stdout and stderr as they came.

    With `background` it goes on as a job while you do other things. `job` alone shows how that one stands and what it said
    since the last look; with `input` it is written to, with `kill` ended. With `pty` it gets a terminal, and the result is
    its screen."""

    command: (
        Annotated[
            str | tuple[str, ...],
            Meta(description="A line for the shell, or the words of a program to run without one"),
        ]
        | None
    ) = None
    job: Annotated[str, Meta(description="A job that was started, in place of a command")] | None = None
    cwd: Annotated[str | None, Meta(description="Directory to begin in; where the last command ended if left out")] = (
        None
    )
    timeout_s: (
        Annotated[
            int, Meta(ge=1, le=1800, description="Seconds after which it is ended; a job has no limit of its own")
        ]
        | None
    ) = None
    background: Annotated[bool, Meta(description="Start a job and return at once")] = False
    pty: Annotated[bool, Meta(description="Give it a terminal")] = False
    kill: Annotated[bool, Meta(description="End the job")] = False
    input: Annotated[str, Meta(description="Write this to the job; a newline at the end is Enter")] | None = None
    wait_s: Annotated[float, Meta(ge=0, le=60, description="Wait so long for output or the end of the job")] | None = (
        None
    )
    size: (
        Annotated[
            tuple[Annotated[int, Meta(ge=2, le=500)], ...],
            Meta(min_length=2, max_length=2, description="Columns and rows of the terminal"),
        ]
        | None
    ) = None

    def __post_init__(self) -> None:
        if (self.command is None) == (self.job is None):
            raise ValueError("give either `command` or `job`")
        if self.job is None and (self.kill or (self.input is not None and not self.background)):
            raise ValueError("`kill` and `input` are for a job")

    def effects(self) -> Iterable[Effect]:
        if self.command is not None:
            yield Runs(self.command, self.cwd or ".")
        if self.input is not None and self.command is not None:
            yield Runs(self.input, self.cwd or ".")

    async def run(self, workspace: Workspace, *, limits: Limits, place: Place) -> ToolOutput:
        if not self.command or not self.command[0]:
            raise ToolFailed("There is no command to run.")
        runs = Runs(self.command, self.cwd or ".")
        try:
            if self.background:
                return await self._started(workspace, limits, place, runs)
            if self.pty:
                return await self._on_screen(workspace, place, runs)
            cap = limits.cap
            timeout_s = self.timeout_s or USUAL_TIMEOUT_S
            outcome = await workspace.run(runs, timeout_s=timeout_s, keep_head=cap.bytes, keep_tail=cap.bytes)
        except OSError as error:
            if error.filename == workspace.resolve(runs.cwd):
                raise ToolFailed(f"Working directory not found: {runs.cwd}") from error
            if error.errno == ENOENT:
                raise ToolFailed(f"Program not found: {error.filename}") from error
            raise ToolFailed(f"Cannot run {runs.line}: {error.strerror}") from error
        except TooManyJobs as error:
            raise ToolFailed(f"{error} End one with shell(job=..., kill=true) first.") from error
        return await self._told(workspace, outcome, limits, place)

    @property
    def _terminal(self) -> tuple[int, int] | None:
        if not self.pty:
            return None
        return (self.size[0], self.size[1]) if self.size else USUAL_SIZE

    async def _started(self, workspace: Workspace, limits: Limits, place: Place, runs: Runs) -> ToolOutput:
        job = await workspace.start(runs, timeout_s=self.timeout_s, keep=limits.cap.bytes, terminal=self._terminal)
        place.started[job.id] = runs
        said = f"Job {job.id} started (pid {job.pid})"
        details = {"job": {"id": job.id, "pid": job.pid, "state": "running"}}
        if self.input is not None:
            await workspace.feed(job, self.input.encode())
        if not self.wait_s:
            return ToolOutput(text=said, details=details)
        await job.wait(self.wait_s)
        looked = await looked_at(job, limits)
        return replace(looked, text=f"{said}\n{looked.text}")

    async def _on_screen(self, workspace: Workspace, place: Place, runs: Runs) -> ToolOutput:
        timeout_s = self.timeout_s or USUAL_TIMEOUT_S
        job = await workspace.start(runs, timeout_s=timeout_s, keep=SCREEN_BYTES, terminal=self._terminal)
        place.started[job.id] = runs  # a model that counts jobs may name it, and is told that it ended
        try:
            await job.ended()
        finally:
            job.kill()
            outcome = job.look()
            if outcome.spill:
                os.unlink(outcome.spill)
        state = job.state
        text = job.screen or ""
        remarks = self._ending(
            Outcome(
                head=b"",
                tail=b"",
                total_bytes=0,
                total_lines=0,
                exit_code=state.exit_code,
                signal=state.signal,
                timed_out=state.timed_out,
            )
        )
        details = {"exitCode": state.exit_code} if state.exit_code else None
        return ToolOutput(text="\n\n".join([text, *remarks]), details=details, is_error=bool(remarks))

    async def _told(self, workspace: Workspace, outcome: Outcome, limits: Limits, place: Place) -> ToolOutput:
        is_error = outcome.timed_out or outcome.flooded or outcome.exit_code != 0
        cut, notices = await cut_of(outcome, limits, arguments_of(self), is_error)
        text = cut.text or "(no output)"
        details = cut.details or {}
        remarks = [*self._moved(workspace, outcome, place), *_put_back(workspace, outcome), *self._ending(outcome)]
        if outcome.exit_code:
            details["exitCode"] = outcome.exit_code
        for remark in remarks:
            text = f"{text.removesuffix(chr(10))}\n\n{remark}"
        return ToolOutput(text=with_notice(text, *notices), details=details or None, is_error=is_error)

    def _ending(self, outcome: Outcome) -> list[str]:
        if outcome.timed_out:
            return [f"Command timed out after {self.timeout_s or USUAL_TIMEOUT_S} seconds"]
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


def _put_back(workspace: Workspace, outcome: Outcome) -> list[str]:
    named = ", ".join(workspace.shown(path) for path in outcome.put_back)
    return [f"[{named}: a command may not change this; it is as it was]"] if named else []


class _JobCall(Struct, frozen=True):
    """A call that is about a job. Writing to it is judged as what it runs, and as what is written: what reads it may be a
    shell."""

    asked: Shell
    runs: Runs | None
    limits: Limits

    def effects(self) -> Iterable[Effect]:
        if self.asked.input is not None and self.runs is not None:
            yield self.runs
            yield Runs(self.asked.input, self.runs.cwd)

    async def run(self, workspace: Workspace) -> ToolOutput:
        asked = self.asked
        assert asked.job is not None
        try:
            job = workspace.job(asked.job)
        except NoJob as error:
            raise ToolFailed(str(error)) from error
        if asked.size:
            try:
                job.resize(asked.size[0], asked.size[1])
            except OSError as error:
                raise ToolFailed(f"Job {job.id} has no terminal. Start it with pty=true.") from error
        if asked.input is not None:
            await self._feed(workspace, job, asked.input)
        if asked.kill:
            job.kill()
            with move_on_after(KILL_WAIT_S):
                await job.ended()
        elif asked.wait_s:
            await job.wait(asked.wait_s, fresh=asked.input is not None)
        return await looked_at(job, self.limits)

    async def _feed(self, workspace: Workspace, job: Job, text: str) -> None:
        with move_on_after(FEED_WAIT_S) as late:
            try:
                await workspace.feed(job, text.encode())
            except OSError as error:
                raise ToolFailed(f"Job {job.id} takes no input: it {job.state.words}.") from error
        if late.cancelled_caught:
            raise ToolFailed(f"Job {job.id} does not read its input.")


async def looked_at(job: Job, limits: Limits) -> ToolOutput:
    """How a job stands and what it said since the last look, or what its terminal shows."""
    screen, outcome, state = job.screen, job.look(), job.state
    line = f"Job {job.id} (pid {job.pid}): {state.words}"
    facts = {"id": job.id, "pid": job.pid, "state": "running" if state.running else "ended"}
    details: dict[str, Any] = {"job": facts, **({"exitCode": state.exit_code} if state.exit_code else {})}
    is_error = not state.running and state.exit_code != 0
    if screen is not None:
        if outcome.spill:
            os.unlink(outcome.spill)
        return ToolOutput(text=f"{line}\n\n{screen}", details=details, is_error=is_error)
    cut, notices = await cut_of(outcome, limits, {"job": job.id}, is_error)
    text = f"{line}\n\n{cut.text or '(no new output)'}"
    return ToolOutput(text=with_notice(text, *notices), details={**details, **(cut.details or {})}, is_error=is_error)


class ShellTool:
    """Fills in where the last command ended, before anybody judges where this one runs, and the person's own time limit."""

    def __init__(self, limits: Limits, timeout_s: int = 120) -> None:
        self._place = Place()
        self._usual = {"timeout_s": timeout_s}
        self._limits = limits
        self._tool = StructTool(Shell, needs={"limits": limits, "place": self._place})

    @cached_property
    def spec(self) -> ToolSpec:
        spec = self._tool.spec
        properties = spec.parameters["properties"]
        limit = {**properties["timeout_s"], "default": self._usual["timeout_s"]}
        return replace(spec, parameters={**spec.parameters, "properties": {**properties, "timeout_s": limit}})

    def prepare(self, arguments: dict[str, Any]) -> Action:
        place = {"cwd": self._place.cwd} if self._place.cwd != "." else {}
        if "job" in arguments:
            return self._of_job(arguments)
        usual = {} if arguments.get("background") in (True, "true") else self._usual
        return self._tool.prepare({**usual, **place, **arguments})

    def _of_job(self, arguments: dict[str, Any]) -> Action:
        asked = self._tool.checked(arguments)
        return _JobCall(asked, self._place.started.get(asked.job), self._limits)
