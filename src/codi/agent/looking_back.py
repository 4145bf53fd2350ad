"""What can be asked of the ledger while a session is open: what changed, who wrote a line, which step broke something, and which
trees there are."""

import os
import time
from collections.abc import Callable
from math import inf
from typing import Literal
from uuid import uuid4

import anyio
from anyio import from_thread, to_thread

from codi.agent.calls import Calls
from codi.agent.record import Record
from codi.protocol.effects import Runs
from codi.protocol.errors import UsageError, WorkspaceError
from codi.protocol.events import (
    BisectDelta,
    BlameDelta,
    ChangedFileRow,
    ChangesDelta,
    ComparisonDelta,
    Delta,
    SnapshotRow,
    SnapshotsDelta,
)
from codi.protocol.messages import ToolCall
from codi.protocol.ops import Bisect, Blame, CompareSnapshots, CreateSnapshot, ShowChanges, ShowDiff, ShowSnapshots
from codi.tools.unified_diffs import git_diff, patches
from codi.workspace import git
from codi.workspace.ledger import choosing
from codi.workspace.ledger.answers import blamed, snapshot_row, told_step
from codi.workspace.ledger.changes import Summary, standing
from codi.workspace.ledger.ledger import Ledger
from codi.workspace.ledger.snapshots import snapshots, step_of
from codi.workspace.ledger.states import Step
from codi.workspace.roots import repository_of
from codi.workspace.workspace import Confinement

_MOST_TIME_S = 24 * 3600.0


class LookingBack:
    """Answers with deltas. `path_of` gives the ledger's path for what a person typed."""

    def __init__(self, ledger: Ledger, calls: Calls, record: Record, path_of: Callable[[str], str]) -> None:
        self._ledger = ledger
        self._calls = calls
        self._record = record
        self._path_of = path_of

    async def tell(
        self, op: ShowChanges | ShowDiff | Blame | Bisect | ShowSnapshots | CreateSnapshot | CompareSnapshots
    ) -> None:
        """Raises CodiError."""
        delta: Delta
        match op:
            case ShowChanges():
                delta = await to_thread.run_sync(self._changes, op)
            case ShowDiff():
                delta = await self._diff(op)
            case Blame(path, first, last):
                lines = await to_thread.run_sync(blamed, self._ledger, self._path_of(path), first, last, path)
                delta = BlameDelta(path, lines)
            case Bisect():
                delta = await self._bisected(op)
            case ShowSnapshots():
                settings = self._ledger.settings
                found = snapshots(self._ledger.journal, days=settings.snapshot_days, count=settings.snapshot_count)
                delta = SnapshotsDelta(snapshots=tuple(map(snapshot_row, found)))
            case CreateSnapshot(name):
                delta = await to_thread.run_sync(self._created, name)
            case CompareSnapshots():
                delta = await to_thread.run_sync(self._compared, op)
        self._record.tell(delta)

    def _changes(self, op: ShowChanges) -> ChangesDelta:
        steps, summary = self._of_session(), Summary(self._ledger.contents, self._ledger.root)
        rows = summary.of_file(steps, self._path_of(op.path)) if op.path else summary.of(steps)
        return ChangesDelta(
            tuple(
                ChangedFileRow(
                    path=row.path,
                    kind=row.kind,
                    before=row.before,
                    after=row.after,
                    added=row.added,
                    removed=row.removed,
                    owner=row.owner,
                    steps=row.steps,
                    by=row.by,
                    at=row.at,
                    patch=tuple(git_diff(summary.difference(row))) if op.patches else (),
                )
                for row in rows
            )
        )

    def _of_session(self) -> list[Step]:
        """What stands of the steps since this session did its first one."""
        self._ledger.look()
        steps = standing(self._ledger.journal)
        first = next((step.n for step in steps if step.cause.session == self._session), None)
        return [step for step in steps if first is not None and step.n >= first]

    async def _diff(self, op: ShowDiff) -> ComparisonDelta:
        """A ref that git does not know is a path, where something is there."""
        root = self._calls.workspace.root
        if op.turn is None and repository_of(root):
            told = await git.diff(root, op.ref, op.path)
            if told is None and not op.path and os.path.lexists(os.path.join(root, op.ref)):
                told = await git.diff(root, "", op.ref)
            if told is None:
                raise UsageError(
                    f"git knows no {op.ref or 'commit'}", hint="Name a turn, a commit, a branch or a file."
                )
            return ComparisonDelta(tuple(told.splitlines()))
        if op.ref and not op.path and os.path.lexists(os.path.join(root, op.ref)):
            op = ShowDiff(path=op.ref)
        if op.ref:
            raise UsageError(f"{op.ref} means nothing outside of a repository", hint="Name a turn or a file.")
        return await to_thread.run_sync(self._done, op)

    def _done(self, op: ShowDiff) -> ComparisonDelta:
        steps = self._of_session()
        if op.turn is not None:
            turn = op.turn
            steps = [step for step in steps if (step.cause.session, step.cause.turn) == (self._session, turn)]
            if not steps:
                raise UsageError(f"turn {turn} changed no file that stands", hint="`/changes` names the turns.")
        wanted = os.fsencode(self._path_of(op.path)).decode("utf-8", "replace") if op.path else ""
        found = Summary(self._ledger.contents, self._ledger.root).differences(steps)
        shown = [each for each in found if not wanted or wanted in (each.old, each.new)]
        return ComparisonDelta(tuple(line for each in shown for line in git_diff(each)))

    def _created(self, name: str) -> SnapshotsDelta:
        named = self._ledger.name_tree(name or time.strftime("%Y-%m-%d %H:%M:%S"))
        row = SnapshotRow(id=named.id, step=named.step, at=named.at, name=named.name, named=True)
        return SnapshotsDelta(snapshots=(row,), created=True)

    def _compared(self, op: CompareSnapshots) -> ComparisonDelta:
        ledger = self._ledger
        ledger.look()
        begin = step_of(ledger.journal, op.a)
        end = step_of(ledger.journal, op.b) if op.b else ledger.journal.newest()
        if begin > end:
            raise UsageError(f"{op.a} is newer than {op.b}", hint="Name the older one first.")
        between = choosing.between(ledger.journal.steps(), begin, end)
        return ComparisonDelta(tuple(patches(Summary(ledger.contents, ledger.root).sides(between))))

    async def _bisected(self, op: Bisect) -> BisectDelta:
        # Making trees needs what no other request does, and few sessions bisect.
        from codi.workspace.ledger.bisecting import Bisecting

        ledger, workspace = self._ledger, self._calls.workspace
        await to_thread.run_sync(ledger.look)
        candidates = choosing.between(ledger.reversal.undoable(self._session), op.begin, op.end)
        if not candidates:
            raise UsageError("there are no steps between these", hint="`/changes --json` names the steps.")
        effects = workspace.resolved((Runs(op.command),))
        call = ToolCall(f"bisect_{uuid4().hex[:8]}", "bisect", {"command": op.command})
        if why := await self._calls.asking.why_not(call, effects):
            raise WorkspaceError(f"the command was not run: {why}", hint="Allow it with --allow, or in another mode.")
        inside = os.path.relpath(workspace.root, ledger.root)

        async def status_in(place: str) -> int:
            # Whoever was stopped while the tree was made is not told again, so it is asked here.
            if anyio.current_effective_deadline() == -inf:
                raise anyio.get_cancelled_exc_class()
            cwd = os.path.join(place, inside)
            runs = Runs(op.command, cwd if os.path.isdir(cwd) else place)
            outcome = await workspace.run(
                runs,
                timeout_s=_MOST_TIME_S,
                keep_head=0,
                keep_tail=0,
                tell=lambda text: None,
                confinement=Confinement(writes=(place,)),
            )
            return -1 if outcome.exit_code is None else outcome.exit_code

        def judge(place: str, step: Step) -> int:
            status = from_thread.run(status_in, place)
            said = _said(status)
            from_thread.run_sync(self._record.tell, BisectDelta(steps=(told_step(step),), said=said))
            return status

        bisecting = Bisecting(ledger.root, ledger.journal.steps(), ledger.contents, ledger.settings.exclude)
        found = await to_thread.run_sync(bisecting.find, candidates, judge)
        return BisectDelta(steps=tuple(map(told_step, found.steps)), runs=found.runs, done=True)

    @property
    def _session(self) -> str:
        return self._record.session.store.session_id


def _said(status: int) -> Literal["good", "bad", "skipped"]:
    return "good" if status == 0 else "skipped" if status == 125 else "bad"
