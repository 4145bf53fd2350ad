"""Evidence: what commands that test, build and check were seen to say, and of which state of the workspace they said it."""

import os
from collections.abc import Sequence
from posixpath import normpath, relpath
from typing import Literal
from uuid import uuid4

from anyio import to_thread
from msgspec.structs import replace

from codi.agent.evidence.checks import Checked, checks_in, is_partial
from codi.agent.evidence.run_reports import Counts, counts_in, outcome_in
from codi.protocol.effects import Effect, Runs
from codi.protocol.events import EvidenceGathered
from codi.tools.tool import ToolOutput
from codi.workspace.digest import Tree, workspace_digest
from codi.workspace.workspace import Workspace

Outcome = Literal["passed", "failed", "unclear"]

_SHOWING = frozenset({"tail", "head", "cat", "tee", "less", "more", "grep", "egrep", "rg", "ts", "sort"})
"""Programs that let through what a run says, or a part of it, as it was said."""
_CHANGES_WHAT_IS_SAID = ("-v", "-o", "-c", "--invert-match", "--only-matching", "--count", "-L", "-q")


class Witness:
    """Looks at what commands did, while nothing else changes the workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def tree(self) -> Tree:
        try:
            return await to_thread.run_sync(workspace_digest, self._workspace, abandon_on_cancel=True)
        except OSError:
            return Tree("", (), 0)  # the folder itself is gone

    async def of(self, effects: Sequence[Effect], output: ToolOutput, took_ms: int) -> list[EvidenceGathered]:
        """The evidence that a call gave; none for a command that checks nothing."""
        runs = next((effect for effect in effects if isinstance(effect, Runs)), None)
        checks = checks_in(runs.command) if runs else []
        told = (output.details or {}).get("tests")  # by the tool that runs tests, whatever command it was given
        if told and not any(check.kind == "test" for check in checks):
            checks = [*checks, Checked("test", "")]
        if runs is None or not checks:
            return []
        tree = await self.tree()
        code = (output.details or {}).get("exitCode", None if output.is_error else 0)
        counts = Counts(told.get("passed"), told.get("failed"), told.get("skipped")) if told else counts_in(output.text)
        if sum(check.kind == "test" for check in checks) > 1:
            counts = Counts()  # nobody knows whose they are
        return [
            self._fact(runs, check, check is checks[-1], code, output.text, took_ms, tree, counts) for check in checks
        ]

    def _fact(
        self,
        runs: Runs,
        check: Checked,
        is_last: bool,
        exit_code: int | None,
        text: str,
        took_ms: int,
        tree: Tree,
        counts: Counts,
    ) -> EvidenceGathered:
        counts = counts if check.kind == "test" else Counts()
        cwd = _real_place(os.path.join(runs.cwd, os.path.expanduser(check.folder)), check)
        chosen = tuple(relpath(name, cwd) if name.startswith("/") else name for name in check.chosen)
        files = _below(tree.files, relpath(cwd, self._workspace.root))
        outcome = _outcome(check, is_last=is_last, exit_code=exit_code, counts=counts, text=text)
        return EvidenceGathered(
            id=f"ev_{uuid4().hex[:8]}",
            command=runs.line,
            cwd=cwd,
            kind=check.kind,
            tree=tree.digest,
            duration_ms=took_ms,
            exit_code=exit_code,
            passed=counts.passed,
            failed=counts.failed,
            skipped=counts.skipped,
            outcome=None if outcome == _told_by(exit_code) else outcome,
            partial=is_partial(replace(check, chosen=chosen), files),
        )


def outcome_of(evidence: EvidenceGathered) -> Outcome:
    return evidence.outcome or _told_by(evidence.exit_code)


def _told_by(exit_code: int | None) -> Outcome:
    return "passed" if exit_code == 0 else "failed"


def _outcome(check: Checked, *, is_last: bool, exit_code: int | None, counts: Counts, text: str) -> Outcome:
    """How a check went. The exit status of a line is that of all its parts, of its last one, or of none of them."""
    if counts.failed:
        return "failed"
    if check.speaks and exit_code == 0:
        # A run in which nothing passed has shown nothing.
        return "unclear" if counts.passed == 0 else "passed"
    if check.speaks and is_last:
        return "failed"
    if all(words[0].rpartition("/")[2] in _SHOWING and not _alters(words) for words in check.after):
        went_well = bool(counts.passed) if counts.passed is not None else outcome_in(check.kind, text)
        if went_well is not None:
            return "passed" if went_well else "failed" if check.kind != "test" else "unclear"
    return "unclear"


def _alters(words: Sequence[str]) -> bool:
    return words[0] in ("grep", "egrep", "rg") and any(word in _CHANGES_WHAT_IS_SAID for word in words[1:])


def _real_place(cwd: str, check: Checked) -> str:
    """Where a check really looked: at a folder of its own choice, if that is named from the top."""
    far = next((name for name in check.chosen if name.startswith("/")), None)
    if far is None:
        return normpath(cwd)
    folder = far.partition("::")[0]
    folder = folder if os.path.isdir(folder) else os.path.dirname(folder)
    return normpath(cwd) if folder.startswith(f"{normpath(cwd)}/") else normpath(folder)


def _below(files: Sequence[str], folder: str) -> list[str]:
    if folder == ".":
        return list(files)
    return [file[len(folder) + 1 :] for file in files if file.startswith(f"{folder}/")]
