"""The `run_tests` tool."""

from collections.abc import Iterable
from errno import ENOENT
from shlex import quote
from typing import Annotated, Any

from anyio import to_thread
from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Runs
from codi.protocol.tooling import ToolSpec
from codi.tools.limiting import Limits
from codi.tools.output import clean, size, with_notice
from codi.tools.process_output import cut_of
from codi.tools.project import Project
from codi.tools.reports_of_tests import Report, report_in
from codi.tools.runners_of_tests import Runner, runner_in, runner_of, tests_for
from codi.tools.struct_tool import StructTool
from codi.tools.tool import Action, ToolFailed, ToolOutput
from codi.workspace.workspace import Outcome, Workspace

ENVIRONMENT = {"CI": "true", "NO_COLOR": "1"}
_READ_BYTES = 32 * 1024 * 1024
"""Of a longer output the end is read for the report."""


class RunTests(Struct, frozen=True, forbid_unknown_fields=True):
    """Run the project's tests and tell how many passed, which failed and why. The command is found by itself, or given."""

    command: (
        Annotated[str | tuple[str, ...], Meta(description="The command, if it is not the usual one of the project")]
        | None
    ) = None
    filter: Annotated[str, Meta(description="Only tests whose names fit, as the runner understands it")] | None = None
    changed_only: Annotated[bool, Meta(description="Only tests of files that changed since the last commit")] = False
    timeout_s: Annotated[int, Meta(ge=1, le=1800, description="Seconds after which it is ended")] = 300
    cwd: Annotated[str, Meta(description="Directory of the project")] = "."


class RunTestsTool:
    """Finds the command before anybody judges it."""

    def __init__(self, project: Project, limits: Limits) -> None:
        self._tool = StructTool(RunTests)
        self._project = project
        self._limits = limits

    @property
    def spec(self) -> ToolSpec:
        return self._tool.spec

    def prepare(self, arguments: dict[str, Any]) -> Action:
        asked: RunTests = self._tool.checked(arguments)
        command: str | tuple[str, ...] | None = asked.command
        if command is None or not isinstance(command, str) or asked.filter or asked.changed_only:
            runner = runner_in(command) if command else runner_of(self._project, asked.cwd)
            chosen = self._narrowed(runner, asked)
            if chosen is None:
                return _Nothing()
            added = chosen.words[len(runner.words) :]
            command = " ".join([command, *map(quote, added)]) if isinstance(command, str) else chosen.words
        if not command or not command[0]:
            raise ToolFailed("There is no command to run.")
        return _Testing(Runs(command, asked.cwd), asked.timeout_s, self._limits)

    def _narrowed(self, runner: Runner, asked: RunTests) -> Runner | None:
        """None where nothing is left to run."""
        if isinstance(asked.command, str) and runner.kind == "go":
            raise ToolFailed("Give filter and changed_only in the command itself, or leave the command out.")
        if asked.changed_only:
            changed = self._project.changed(asked.cwd)
            files = tests_for(changed, self._project.known(asked.cwd), runner.kind)
            if not files:
                return None
            runner = runner.of_files(files)
        return runner.with_filter(asked.filter) if asked.filter else runner


class _Nothing(Struct, frozen=True):
    def effects(self) -> Iterable[Effect]:
        return ()

    async def run(self, workspace: Workspace) -> ToolOutput:
        return ToolOutput(text="No changed file has tests that could be found; nothing was run.")


class _Testing(Struct, frozen=True):
    runs: Runs
    timeout_s: int
    limits: Limits

    def effects(self) -> Iterable[Effect]:
        yield self.runs

    async def run(self, workspace: Workspace) -> ToolOutput:
        cap = self.limits.cap
        try:
            outcome = await workspace.run(
                self.runs, timeout_s=self.timeout_s, keep_head=cap.bytes, keep_tail=cap.bytes, env=ENVIRONMENT
            )
        except OSError as error:
            if error.filename == workspace.resolve(self.runs.cwd):
                raise ToolFailed(f"Working directory not found: {self.runs.cwd}") from error
            if error.errno == ENOENT:
                raise ToolFailed(
                    f"Program not found: {error.filename}. Give the command that runs the tests."
                ) from error
            raise ToolFailed(f"Cannot run {self.runs.line}: {error.strerror}") from error
        report = await to_thread.run_sync(_report, outcome)
        bad = outcome.exit_code != 0 or outcome.timed_out or bool(report and report.failed)
        cut, notices = await cut_of(outcome, self.limits, {"command": self.runs.line}, bad, tool="run_tests")
        text = "\n".join([*_told(report, outcome), self._ending(outcome), "", cut.text or "(no output)"])
        return ToolOutput(
            text=with_notice(text, *notices),
            details={**_details(report, outcome, self.runs.line), **(cut.details or {})},
            is_error=bad,
        )

    def _ending(self, outcome: Outcome) -> str:
        if outcome.timed_out:
            how = f"Timed out after {self.timeout_s} seconds"
        elif outcome.flooded:
            how = f"Killed: it wrote more than {size(outcome.total_bytes)}"
        else:
            how = f"Killed by {outcome.signal}" if outcome.signal else f"Exit code: {outcome.exit_code}"
        return f"Command: {self.runs.line}\n{how}"


def _report(outcome: Outcome) -> Report | None:
    if outcome.spill is None:
        return report_in(clean(outcome.head + outcome.tail))
    with open(outcome.spill, "rb") as file:
        file.seek(max(outcome.total_bytes - _READ_BYTES, 0))
        return report_in(clean(file.read(_READ_BYTES)))


def _told(report: Report | None, outcome: Outcome) -> list[str]:
    if report is None:
        return ["unknown: the output holds no count of tests that could be read", ""]
    seconds = outcome.duration_ms / 1000 if report.seconds is None else report.seconds
    lines = [
        f"passed {report.passed}, failed {report.failed}, skipped {report.skipped}, total {report.total}, in {seconds:g} s",
        "",
    ]
    if report.failures:
        more = report.failed - len(report.failures)
        lines += ["Failures:", *(f"{number}. {text}" for number, text in enumerate(report.failures, 1))]
        lines += [f"... {more} more" if more > 0 else "", ""] if more > 0 else [""]
    return lines


def _details(report: Report | None, outcome: Outcome, command: str) -> dict[str, Any]:
    tests: dict[str, Any] = {"command": command, "status": "unknown"}
    if report:
        tests |= {
            "status": "failed" if report.failed else "passed",
            "passed": report.passed,
            "failed": report.failed,
            "skipped": report.skipped,
            "total": report.total,
        }
    return {"tests": tests, **({"exitCode": outcome.exit_code} if outcome.exit_code else {})}
