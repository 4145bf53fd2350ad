"""Holding claims against what was done: each is backed, stale, contradicted or unbacked."""

from collections.abc import Iterable, Sequence
from posixpath import basename

from msgspec import Struct

from codi.agent.evidence.claim import Claim
from codi.agent.evidence.deeds import Deeds, outcome_of
from codi.protocol.events import ClaimChecked, EvidenceGathered, FileChange
from codi.workspace.digest import Tree
from codi.workspace.git import Commit
from codi.workspace.workspace import Workspace

_COMPILING = ("cargo", "go", "mvn", "gradle", "gradlew", "dotnet", "swift", "tsc", "bazel", "sbt", "xcodebuild", "zig")
"""What has tested or type-checked with one of these has built too."""


class Present(Struct, frozen=True):
    """How things stand when the claims are made. `commits` are those that were made since the session began, newest first;
    `uncommitted` says whether git sees more changes, None where it does not say."""

    workspace: Workspace
    tree: Tree
    commits: tuple[Commit, ...] = ()
    uncommitted: bool | None = None


def checked(claims: Iterable[Claim], deeds: Deeds, present: Present) -> list[ClaimChecked]:
    """The claims with what is to be thought of them."""
    judge = _Judge(deeds, present)
    verdicts = (judge.verdict(claim) for claim in claims)
    return [verdict for verdict in verdicts if verdict]


class _Judge:
    def __init__(self, deeds: Deeds, present: Present) -> None:
        self._deeds = deeds
        self._present = present

    def verdict(self, claim: Claim) -> ClaimChecked | None:
        """None for what turns out to be no claim about this session."""
        match claim.about:
            case "commit":
                return self._of_commit(claim)
            case "change":
                return self._of_path(claim) if claim.path else self._of_some_change(claim)
            case "cited":
                return self._of_citation(claim)
            case "exit":
                return self._of_exit(claim)
            case "command":
                return self._of_command(claim)
            case "ran":
                return self._of_having_run(claim)
            case _:
                return self._of_runs(claim)

    def _of_runs(self, claim: Claim) -> ClaimChecked:
        runs = [run for run in self._deeds.evidence if self._is_about(run, claim)]
        here = [run for run in runs if self._is_here(run)]
        fresh = [run for run in here if self._is_fresh(run)]
        if claim.kind == "test" and (claim.failed or (claim.admits and claim.passed is not None)):
            return self._of_counts(claim, fresh, here)
        suiting = [run for run in fresh if outcome_of(run) == "passed" and not self._falls_short(claim, run)]
        failing = [run for run in fresh if outcome_of(run) == "failed"]
        last = suiting[-1] if suiting else None
        against = self._against(claim, last, failing)
        if against:
            return _verdict(claim, "contradicted", against, f"`{against.command}` failed{_exit_of(against)}")
        if last:
            if self._numbers_agree(claim, suiting):
                return _verdict(claim, "backed", last)
            return _verdict(claim, "contradicted", last, f"`{last.command}` said {_said_by(last)}")
        if passing := [run for run in fresh if outcome_of(run) == "passed"]:
            return _verdict(claim, "unbacked", None, self._falls_short(claim, passing[-1]))
        if fresh:
            return _verdict(
                claim, "unbacked", fresh[-1], f"whether `{fresh[-1].command}` went well cannot be told from it"
            )
        if here:
            return _verdict(claim, "stale", here[-1], f"files were changed after `{here[-1].command}` ran")
        if runs:
            return _verdict(claim, "unbacked", None, f"`{runs[-1].command}` ran elsewhere, in {runs[-1].cwd}")
        return _verdict(claim, "unbacked", None, f"no {_RUN_NAMES[claim.about]} was run")

    def _against(
        self, claim: Claim, backing: EvidenceGathered | None, failing: Sequence[EvidenceGathered]
    ) -> EvidenceGathered | None:
        """The run that speaks against a claim although another one speaks for it."""
        order = list(self._deeds.evidence)
        for run in reversed(failing):
            if backing is None or order.index(run) > order.index(backing):
                return run
            narrower = backing.partial and run.command != backing.command
            if narrower and not claim.names and (claim.every or not claim.beside_failures):
                return run
        return None

    def _is_about(self, run: EvidenceGathered, claim: Claim) -> bool:
        if claim.about == "any":
            return True
        if claim.command and run.command != claim.command:
            return run.kind == claim.kind and _same_program(claim.command, run.command)
        if claim.about == "build":
            builds_too = any(word in run.command.split() for word in _COMPILING)
            return run.kind == "build" or (run.kind in ("test", "types") and builds_too)
        return run.kind == claim.kind

    def _is_fresh(self, run: EvidenceGathered) -> bool:
        return run.tree == self._present.tree.digest

    def _is_here(self, run: EvidenceGathered) -> bool:
        """Whether a run looked at what is being worked on, and not at a copy or at another part of it."""
        root = self._present.workspace.root
        if run.cwd == root:
            return True
        if not run.cwd.startswith(f"{root.rstrip('/')}/"):
            return False
        folder = run.cwd[len(root.rstrip("/")) + 1 :]
        if basename(folder) in ("test", "tests", "spec", "specs", "build"):
            return True
        changed = [change.path for change in self._deeds.changes]
        return not changed or any(path.startswith(f"{folder}/") for path in changed)

    def _falls_short(self, claim: Claim, run: EvidenceGathered) -> str:
        """Why a run that passed does not show what is claimed; "" where it does."""
        if claim.kind != "test" or run.kind != "test":
            return ""
        if claim.every and run.partial:
            return f"`{run.command}` ran only a part of the tests"
        if claim.every and run.skipped and not claim.admits:
            return f"`{run.command}` skipped {run.skipped}"
        return ""

    def _numbers_agree(self, claim: Claim, suiting: Sequence[EvidenceGathered]) -> bool:
        if claim.passed is None:
            return True
        latest = {run.command: run.passed for run in suiting}
        known = [passed for passed in latest.values() if passed is not None]
        if len(known) < len(latest):
            return True  # nobody could read it, so nobody can say that it is wrong
        if not claim.exactly:
            return claim.passed <= sum(known)
        return claim.passed in (*known, sum(known)) and claim.total in (None, claim.passed)

    def _of_counts(
        self, claim: Claim, fresh: Sequence[EvidenceGathered], here: Sequence[EvidenceGathered]
    ) -> ClaimChecked:
        """Of a claim that tells of failures too: only its numbers can be wrong."""
        if not fresh:
            if here:
                return _verdict(claim, "stale", here[-1], f"files were changed after `{here[-1].command}` ran")
            return _verdict(claim, "unbacked", None, "no test was run")
        last = fresh[-1]
        wrong = [
            said
            for said, seen in ((claim.passed, last.passed), (claim.failed, last.failed))
            if said is not None and seen is not None and said != seen
        ]
        if wrong:
            return _verdict(claim, "contradicted", last, f"`{last.command}` said {_said_by(last)}")
        return _verdict(claim, "backed", last)

    def _of_having_run(self, claim: Claim) -> ClaimChecked | None:
        """Of the claim that something was run, however it went."""
        if claim.command:
            found = [run for run in self._deeds.commands if _same_command(claim.command, run.command)]
            evidence = [run for run in self._deeds.evidence if _same_command(claim.command, run.command)]
            if found:
                return _verdict(claim, "backed", evidence[-1] if evidence else None)
            return _verdict(claim, "unbacked", None, f"`{claim.command}` was not run") if claim.kind else None
        runs = [run for run in self._deeds.evidence if run.kind == claim.kind]
        if not runs:
            return _verdict(claim, "unbacked", None, f"no {_RUN_NAMES[claim.kind or 'any']} was run")
        here = [run for run in runs if self._is_here(run)]
        if not here:
            return _verdict(claim, "unbacked", None, f"`{runs[-1].command}` ran elsewhere, in {runs[-1].cwd}")
        if claim.every and all(run.partial for run in here):
            return _verdict(claim, "unbacked", None, f"`{here[-1].command}` ran only a part of the tests")
        return _verdict(claim, "backed", here[-1])

    def _of_exit(self, claim: Claim) -> ClaimChecked | None:
        runs = self._deeds.commands
        if claim.command:
            runs = tuple(run for run in runs if _same_command(claim.command, run.command))
        if not runs:
            return _verdict(
                claim, "unbacked", None, f"`{claim.command}` was not run" if claim.command else "nothing was run"
            )
        evidence = next((each for each in reversed(self._deeds.evidence) if each.command == runs[-1].command), None)
        if runs[-1].exit_code != claim.exit_code:
            return _verdict(claim, "contradicted", evidence, f"`{runs[-1].command}` exited with {runs[-1].exit_code}")
        if evidence and not self._is_fresh(evidence):
            return _verdict(claim, "stale", evidence, f"files were changed after `{evidence.command}` ran")
        return _verdict(claim, "backed", evidence)

    def _of_command(self, claim: Claim) -> ClaimChecked | None:
        runs = [run for run in self._deeds.commands if _same_command(claim.command, run.command)]
        if not runs:
            return None  # not known to be a command at all
        if runs[-1].exit_code != 0:
            return _verdict(claim, "contradicted", None, f"`{runs[-1].command}` exited with {runs[-1].exit_code}")
        return _verdict(claim, "backed", None)

    def _of_citation(self, claim: Claim) -> ClaimChecked:
        run = next((run for run in self._deeds.evidence if run.id == claim.command), None)
        if run is None:
            return _verdict(claim, "unbacked", None, f"there is no evidence {claim.command}")
        if not self._is_fresh(run):
            return _verdict(claim, "stale", run, f"files were changed after `{run.command}` ran")
        match outcome_of(run):
            case "passed":
                return _verdict(claim, "backed", run)
            case "failed":
                return _verdict(claim, "contradicted", run, f"`{run.command}` failed{_exit_of(run)}")
        return _verdict(claim, "unbacked", run, f"whether `{run.command}` went well cannot be told from it")

    def _of_path(self, claim: Claim) -> ClaimChecked:
        workspace, path = self._present.workspace, claim.path.rstrip("/")
        told = [change for change in self._deeds.changes if _names(path, change, folder=claim.path.endswith("/"))]
        found = [file for file in self._present.tree.files if _is_at(path, file, folder=claim.path.endswith("/"))]
        exists = bool(found) or workspace.facts(path).kind != "absent"
        if claim.change == "deleted":
            gone = [change for change in told if change.kind in ("deleted", "moved")]
            if exists and not any(change.kind == "moved" for change in gone):
                return _verdict(claim, "contradicted", None, f"{claim.path} is still there")
            if gone or self._deeds.commands:
                return _verdict(claim, "backed", None)
            return _verdict(claim, "unbacked", None, f"{claim.path} was not deleted in this session")
        if not exists and not any(change.kind in ("deleted", "moved") for change in told):
            return _verdict(claim, "contradicted", None, f"{claim.path} does not exist")
        if claim.change == "created" and not exists:
            return _verdict(claim, "contradicted", None, f"{claim.path} does not exist")
        if told or (self._deeds.commands and self._is_newer(found or [path])):
            return _verdict(claim, "backed", None)
        return _verdict(claim, "unbacked", None, f"{claim.path} was not changed in this session")

    def _of_some_change(self, claim: Claim) -> ClaimChecked:
        by_command = bool(self._deeds.commands) and self._present.tree.newest_ns >= self._deeds.began * 1e9
        if self._deeds.changes or by_command or self._present.commits:
            return _verdict(claim, "backed", None)
        return _verdict(claim, "unbacked", None, "no file was changed in this session")

    def _is_newer(self, files: Sequence[str]) -> bool:
        """Whether one of the files was changed since the session began, be it by a command."""
        return any(self._present.workspace.facts(file).mtime_ns >= self._deeds.began * 1e9 for file in files)

    def _of_commit(self, claim: Claim) -> ClaimChecked:
        commits = self._present.commits
        if not commits:
            return _verdict(claim, "unbacked", None, "no commit was made in this session")
        if claim.commit and not any(commit.id.startswith(claim.commit) for commit in commits):
            return _verdict(claim, "contradicted", None, f"the commit made in this session is {commits[0].id[:7]}")
        if claim.every and self._present.uncommitted:
            return _verdict(claim, "contradicted", None, "there are uncommitted changes")
        return _verdict(claim, "backed", None)


_RUN_NAMES = {"test": "test", "build": "build", "lint": "linter", "types": "type check", "any": "check"}


def _verdict(claim: Claim, state: str, run: EvidenceGathered | None, why: str | None = None) -> ClaimChecked:
    return ClaimChecked(claim.text, state, run.id if run else None, why)  # type: ignore[arg-type]


def _exit_of(run: EvidenceGathered) -> str:
    return f" with exit status {run.exit_code}" if run.exit_code else ""


def _said_by(run: EvidenceGathered) -> str:
    told = ((run.passed, "passed"), (run.failed, "failed"), (run.skipped, "skipped"))
    return ", ".join(f"{number} {word}" for number, word in told if number is not None) or outcome_of(run)


def _same_command(named: str, ran: str) -> bool:
    """Whether a command that an answer names is the one that ran, or a part of it."""
    named, ran = " ".join(named.lstrip("$ ").split()), " ".join(ran.split())
    return named == ran or f" {named} " in f" {ran} "


def _same_program(named: str, ran: str) -> bool:
    """Whether a command stands for a run of the same program, such as `pytest` for `python -m pytest -q`."""
    if _same_command(named, ran):
        return True
    words = named.split()
    return len(words) == 1 and words[0] in ran.split()


def _names(path: str, change: FileChange, *, folder: bool) -> bool:
    return any(_is_at(path, each, folder=folder) for each in (change.path, change.moved_from) if each)


def _is_at(path: str, file: str, *, folder: bool) -> bool:
    path = path.removeprefix("./")
    if folder:
        return f"/{path}/" in f"/{file}"
    return file == path or file.endswith(f"/{path}") or path.endswith(f"/{file}")
