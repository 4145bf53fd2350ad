"""Making evidence of a command that tests, builds or checks: what it said, where, and how it went."""

import os
from collections.abc import Sequence
from posixpath import normpath, relpath
from typing import Any
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from codi.agent.evidence.checks import Checked, checks_in, is_partial
from codi.agent.evidence.deeds import Outcome, told_by
from codi.agent.evidence.run_reports import Counts, counts_in, outcome_in
from codi.protocol.effects import Runs
from codi.protocol.events import EvidenceGathered
from codi.tools.tool import ToolOutput
from codi.workspace.digest import Tree

_SHOWING = frozenset({"tail", "head", "cat", "tee", "less", "more", "grep", "egrep", "rg", "ts", "sort"})
"""Programs that let through what a run says, or a part of it, as it was said."""
_CHANGES_WHAT_IS_SAID = ("-v", "-o", "-c", "--invert-match", "--only-matching", "--count", "-L", "-q")


class Seen(Struct, frozen=True):
    """A command that ran, what came of it, and how long it took."""

    runs: Runs
    output: ToolOutput
    took_ms: int

    @property
    def tests(self) -> dict[str, Any] | None:
        """What the tool that runs tests has read, whatever command it was given."""
        return (self.output.details or {}).get("tests")

    @property
    def exit_code(self) -> int | None:
        code: int | None = (self.output.details or {}).get("exitCode", None if self.output.is_error else 0)
        return code


def checks_of(seen: Seen) -> list[Checked]:
    """The checks that a command made; none for one that only did something."""
    checks = checks_in(seen.runs.command)
    if seen.tests and not any(check.kind == "test" for check in checks):
        checks.append(Checked("test", ""))
    return checks


def evidence_of(seen: Seen, checks: Sequence[Checked], tree: Tree, root: str) -> list[EvidenceGathered]:
    """A fact for each of the checks, of the workspace at `root` as it was after them."""
    counts = _counts(seen)
    if sum(check.kind == "test" for check in checks) > 1:
        counts = Counts()  # nobody knows whose they are
    return [
        _fact(seen, check, counts if check.kind == "test" else Counts(), tree, root, is_last=check is checks[-1])
        for check in checks
    ]


def _counts(seen: Seen) -> Counts:
    if seen.tests:
        return Counts(*(seen.tests.get(name) for name in ("passed", "failed", "skipped")))
    return counts_in(seen.output.text)


def _fact(seen: Seen, check: Checked, counts: Counts, tree: Tree, root: str, *, is_last: bool) -> EvidenceGathered:
    cwd = _real_place(os.path.join(seen.runs.cwd, os.path.expanduser(check.folder)), check)
    chosen = tuple(relpath(name, cwd) if name.startswith("/") else name for name in check.chosen)
    outcome = _outcome(check, seen, counts, is_last=is_last)
    return EvidenceGathered(
        id=f"ev_{uuid4().hex[:8]}",
        command=seen.runs.line,
        cwd=cwd,
        kind=check.kind,
        tree=tree.digest,
        duration_ms=seen.took_ms,
        exit_code=seen.exit_code,
        passed=counts.passed,
        failed=counts.failed,
        skipped=counts.skipped,
        outcome=None if outcome == told_by(seen.exit_code) else outcome,
        partial=is_partial(replace(check, chosen=chosen), _below(tree.files, relpath(cwd, root))),
    )


def _outcome(check: Checked, seen: Seen, counts: Counts, *, is_last: bool) -> Outcome:
    """How a check went. The exit status of a line is that of all its parts, of its last one, or of none of them."""
    if counts.failed:
        return "failed"
    if check.speaks and seen.exit_code == 0:
        # A run in which nothing passed has shown nothing.
        return "unclear" if counts.passed == 0 else "passed"
    if check.speaks and is_last:
        return "failed"
    if all(words[0].rpartition("/")[2] in _SHOWING and not _alters(words) for words in check.after):
        went_well = bool(counts.passed) if counts.passed is not None else outcome_in(check.kind, seen.output.text)
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
