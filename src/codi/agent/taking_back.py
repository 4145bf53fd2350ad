"""Taking back and putting back what this session changed, asked for while it is open."""

from collections.abc import Callable

from anyio import to_thread

from codi.agent.record import Record
from codi.protocol.errors import CodiError
from codi.protocol.events import ChangedFileRow, ChangesDelta, ChangesUndone, PathOutcome, StatusDelta, UndoDelta
from codi.protocol.ops import Redo, ShowChanges, Undo
from codi.workspace.ledger import choosing
from codi.workspace.ledger.changes import Summary, standing
from codi.workspace.ledger.ledger import Ledger
from codi.workspace.ledger.reversal import Undone
from codi.workspace.ledger.states import Cause, Step
from codi.workspace.ledger.undoing import Plan


class TakingBack:
    """Answers come as events: what would happen, or happened, path by path."""

    def __init__(self, ledger: Ledger | None, record: Record, path_of: Callable[[str], str]) -> None:
        self._ledger = ledger
        self._record = record
        self._path_of = path_of

    async def take(self, op: Undo | Redo | ShowChanges) -> None:
        if self._ledger is None:
            self._warn("undo is switched off", "Set undo.enabled = true.")
            return
        try:
            await to_thread.run_sync(self._ledger.open)
            match op:
                case Undo():
                    await self._undo(self._ledger, op)
                case Redo():
                    await self._redo(self._ledger, op)
                case ShowChanges():
                    await self._show(self._ledger)
        except CodiError as error:
            self._warn(str(error), error.hint)

    async def _undo(self, ledger: Ledger, op: Undo) -> None:
        steps = self._chosen(ledger, op)
        if not steps:
            self._record.tell(UndoDelta(done=not op.dry_run))
            return
        paths = tuple(self._path_of(path) for path in op.paths)
        if op.dry_run:
            plan = await to_thread.run_sync(ledger.reversal.plan, steps, paths)
            self._record.tell(UndoDelta(outcomes=_outcomes(plan, {}), steps=plan.steps))
            return
        cause = Cause(session=self._session, tool="undo")
        undone = await to_thread.run_sync(ledger.reversal.undo, steps, paths, cause)
        self._keep(undone, f"step {steps[0].n}", None)
        outcomes = _outcomes(undone.plan, undone.failed)
        self._record.tell(UndoDelta(outcomes=outcomes, steps=undone.plan.steps, done=True, aside=undone.aside))

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

    async def _show(self, ledger: Ledger) -> None:
        await to_thread.run_sync(ledger.look)
        steps = standing(ledger.journal)
        first = next((step.n for step in steps if step.cause.session == self._session), None)
        of_session = [step for step in steps if first is not None and step.n >= first]
        rows = await to_thread.run_sync(Summary(ledger.contents, ledger.root).of, of_session)
        told = tuple(
            ChangedFileRow(
                path=row.path,
                kind=row.kind,
                before=row.before,
                after=row.after,
                added=row.added,
                removed=row.removed,
                owner=row.owner,
                steps=row.steps,
            )
            for row in rows
        )
        self._record.tell(ChangesDelta(files=told))

    def _chosen(self, ledger: Ledger, op: Undo) -> list[Step]:
        steps = ledger.reversal.undoable(self._session, uncertain=bool(op.paths))
        if op.to is not None:
            return choosing.after(steps, op.to)
        if op.steps is not None:
            return choosing.last(steps, op.steps)
        if op.paths:
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
