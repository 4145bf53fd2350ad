"""Taking back and putting back what this session changed, and bringing back snapshots, asked for while it is open."""

from collections.abc import Callable, Sequence

import anyio
from anyio import to_thread

from codi.agent.calls import Calls
from codi.agent.record import Record
from codi.agent.rewinding import WITH_CONVERSATION, Rewinding
from codi.protocol.errors import CodiError
from codi.protocol.events import CallIntended, ChangesUndone, Entry, PathOutcome, Resumed, StatusDelta, UndoDelta
from codi.protocol.ops import (
    Bisect,
    Blame,
    CompareSnapshots,
    CreateSnapshot,
    Redo,
    RestoreSnapshot,
    ShowChanges,
    ShowDiff,
    ShowSnapshots,
    Undo,
)
from codi.workspace.ledger import choosing
from codi.workspace.ledger.ledger import Ledger
from codi.workspace.ledger.reversal import Undone
from codi.workspace.ledger.snapshots import below, first_changes_after, step_of
from codi.workspace.ledger.states import Cause, Step
from codi.workspace.ledger.undoing import Plan

LedgerOp = (
    Undo
    | Redo
    | ShowChanges
    | ShowDiff
    | Blame
    | Bisect
    | ShowSnapshots
    | CreateSnapshot
    | CompareSnapshots
    | RestoreSnapshot
)


class TakingBack:
    """Answers come as events: what would happen, or happened, path by path. `path_of` gives the ledger's path for what a person
    typed."""

    def __init__(self, ledger: Ledger | None, calls: Calls, record: Record, path_of: Callable[[str], str]) -> None:
        self._ledger = ledger
        self._calls = calls
        self._record = record
        self._path_of = path_of

    async def take(self, op: LedgerOp, moved: Callable[[], None]) -> None:
        """`moved` is called when the session goes on from another entry, before that is told."""
        if self._ledger is None:
            self._warn("undo is switched off", "Set undo.enabled = true.")
            return
        try:
            await to_thread.run_sync(self._ledger.open)
            match op:
                case Undo():
                    await self._undo(self._ledger, op, moved)
                case Redo():
                    await self._redo(self._ledger, op)
                case RestoreSnapshot():
                    await self._restore(self._ledger, op, moved)
                case _:
                    from codi.agent.looking_back import LookingBack  # few sessions look back, and none at its start

                    await LookingBack(self._ledger, self._calls, self._record, self._path_of).tell(op)
        except CodiError as error:
            self._warn(str(error), error.hint)
        except anyio.get_cancelled_exc_class():
            self._warn("it was stopped", "What was done so far stays.")
            raise

    async def bring_back_to(self, path: Sequence[Entry]) -> bool:
        """Make the files what they were at the end of a path of this session, whoever changed them since. False where that cannot
        be done, and then it was told."""
        if self._ledger is None:
            self._warn("undo is switched off", "Set undo.enabled = true, or go back without the files.")
            return False
        try:
            await to_thread.run_sync(self._ledger.open)
            number = self._newest_step(self._ledger, path)
            if number is not None:
                await self._restore(self._ledger, RestoreSnapshot(f"s{number}"), lambda: None)
        except CodiError as error:
            self._warn(str(error), error.hint)
            return False
        return True

    def _newest_step(self, ledger: Ledger, path: Sequence[Entry]) -> int | None:
        """The last step that calls on a path made; else the one before all that this session made. None where it made none."""
        there = {entry.fact.tool_call_id for entry in path if isinstance(entry.fact, CallIntended)}
        all_calls = {
            entry.fact.tool_call_id for entry in self._record.session.entries if isinstance(entry.fact, CallIntended)
        }
        steps = [step for step in ledger.journal.steps() if step.owner == "agent"]
        made = [step.n for step in steps if step.cause.call_id in there]
        ever = [step.n for step in steps if step.cause.call_id in all_calls]
        return max(made) if made else min(ever) - 1 if ever else None

    async def _undo(self, ledger: Ledger, op: Undo, moved: Callable[[], None]) -> None:
        steps = self._chosen(ledger, op)
        if not steps:
            self._record.tell(UndoDelta(done=not op.dry_run))
            return
        paths = tuple(self._path_of(path) for path in op.paths)
        resumed = self._rewinding(ledger).before(steps[0]) if op.conversation else None
        if op.dry_run:
            plan = await to_thread.run_sync(ledger.reversal.plan, steps, paths)
            self._record.tell(UndoDelta(outcomes=_outcomes(plan, {}), steps=plan.steps, resumed=resumed))
            return
        cause = Cause(session=self._session, tool="undo")
        undone = await to_thread.run_sync(ledger.reversal.undo, steps, paths, cause)
        self._keep(undone, f"step {steps[0].n}", None)
        self._go_on(resumed, moved)
        self._record.tell(
            UndoDelta(
                outcomes=_outcomes(undone.plan, undone.failed),
                steps=undone.plan.steps,
                done=True,
                aside=undone.aside,
                resumed=resumed,
            )
        )

    async def _redo(self, ledger: Ledger, op: Redo) -> None:
        outcomes: list[PathOutcome] = []
        steps: list[int] = []
        for undo in reversed(choosing.last(ledger.reversal.redoable(self._session), op.steps)):
            if op.dry_run:
                plan, failed = await to_thread.run_sync(ledger.reversal.plan_redo, undo), {}
            else:
                redone = await to_thread.run_sync(ledger.reversal.redo, undo)
                plan, failed = redone.plan, redone.failed
                self._keep(redone, f"step {undo.n}", f"step {undo.n}")
            outcomes += _outcomes(plan, failed)
            steps += plan.steps
        self._record.tell(UndoDelta(outcomes=tuple(outcomes), steps=tuple(steps), redo=True, done=not op.dry_run))

    async def _restore(self, ledger: Ledger, op: RestoreSnapshot, moved: Callable[[], None]) -> None:
        await to_thread.run_sync(ledger.look)
        number = step_of(ledger.journal, op.id)
        resumed = self._rewinding(ledger).of_snapshot(op.id, number) if op.conversation else None
        taken = f"s{ledger.journal.newest()}"
        changes = below(first_changes_after(ledger.journal.steps(), number), map(self._path_of, op.paths))
        what = f"restore {op.id} {WITH_CONVERSATION}" if op.conversation else f"restore {op.id}"
        cause = Cause(session=self._session, tool="snapshot", what=what)
        restored = await to_thread.run_sync(ledger.reversal.restore, changes, cause)
        self._keep(restored, op.id, None)
        outcomes = _outcomes(restored.plan, restored.failed)
        self._go_on(resumed, moved)
        self._record.tell(UndoDelta(outcomes=outcomes, done=True, taken=taken, resumed=resumed))

    def _go_on(self, resumed: Resumed | None, moved: Callable[[], None]) -> None:
        if resumed and resumed.moved:
            self._record.branch_from(resumed.to)
            moved()

    def _rewinding(self, ledger: Ledger) -> Rewinding:
        session = self._record.session
        return Rewinding(self._session, session.entries, session.leaf, ledger.journal)

    def _chosen(self, ledger: Ledger, op: Undo) -> list[Step]:
        steps = ledger.reversal.undoable(self._session, uncertain=bool(op.paths))
        if op.to is not None:
            return choosing.after(steps, op.to)
        if op.steps is not None:
            return choosing.last(steps, op.steps)
        if op.all or (op.paths and not op.turn):
            return steps
        return choosing.of_last_turn(steps)

    def _keep(self, undone: Undone, to: str, redo_of: str | None) -> None:
        if undone.step is None:
            return
        plan, failed = undone.plan, undone.failed
        changed = tuple(each.path for each in plan.actions if each.now != each.to and each.path not in failed)
        stayed = (*(each.path for each in plan.conflicts), *failed)
        self._record.keep(ChangesUndone(to=to, paths=changed, redo_of=redo_of, conflicts=stayed), sync=True)

    @property
    def _session(self) -> str:
        return self._record.session.store.session_id

    def _warn(self, text: str, hint: str) -> None:
        self._record.tell(StatusDelta(kind="warning", text=text, hint=hint))


def _outcomes(plan: Plan, failed: dict[str, str]) -> tuple[PathOutcome, ...]:
    return tuple(
        PathOutcome(action.path, "conflict", failed[action.path])
        if action.path in failed
        else PathOutcome(action.path, action.what, action.why)
        for action in plan.actions
    )
