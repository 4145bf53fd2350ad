"""Taking steps back and putting them back: planned, announced in the journal, done, and kept as a step of its own.

An undo is announced before it changes anything, with all that it will do; should it be killed, the next start brings it to
its end.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from msgspec import Struct, structs

from codi.workspace.ledger.books import Books, troubles
from codi.workspace.ledger.journal import Restoring, undone
from codi.workspace.ledger.restoring import Restorer, Target
from codi.workspace.ledger.states import NO_CAUSE, Cause, Change, File, Owner, Step, Uncovered
from codi.workspace.ledger.undoing import Plan, Planner, is_of_git

_ASIDE = ".codi-undo"


class Undone(Struct, frozen=True):
    """What an undo did: its step (None where nothing changed), its plan, why paths stayed that should have changed, and the
    files that were written beside those in conflict."""

    step: Step | None
    plan: Plan
    failed: dict[str, str]
    aside: tuple[str, ...] = ()


class Reversal:
    """Works on open books."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def undoable(self, session: str | None = None, *, uncertain: bool = False) -> list[Step]:
        """The steps that can be taken back, oldest first; of one session alone where it is named. With `uncertain` also those
        that were taken back, but for changes that may have been somebody else's."""
        gone = undone(self._books.journal.records)
        return [
            step
            for step in self._books.journal.steps()
            if step.owner in ("agent", "restore")
            and session in (None, step.cause.session)
            and (step.n not in gone or (uncertain and any(change.uncertain for change in step.changes)))
        ]

    def redoable(self, session: str | None = None) -> list[Step]:
        """The undos that can be put back, oldest first. A new change of the agent clears them."""
        waiting: list[Step] = []
        for step in self._books.journal.steps():
            if session not in (None, step.cause.session):
                continue
            if step.owner == "undo":
                waiting.append(step)
            elif step.owner == "redo" and waiting:
                waiting.pop()
            elif step.owner in ("agent", "restore"):
                waiting.clear()
        return waiting

    def plan(self, steps: Sequence[Step], paths: Iterable[str] = ()) -> Plan:
        """What taking these steps back would do; of `paths` alone where some are named. Nothing is changed."""
        named = tuple(paths)
        with self._books.lock, self._books.resting():
            return self._planner(certain=not named).plan(steps, named)

    def plan_redo(self, undo: Step) -> Plan:
        return structs.replace(self.plan([undo]), steps=undo.undoes)

    def undo(self, steps: Sequence[Step], paths: Iterable[str] = (), cause: Cause = NO_CAUSE) -> Undone:
        """Take steps back, as `plan` says. Raises WorkspaceError."""
        named = tuple(paths)
        return self._carry_out(lambda: self.plan(steps, named), "undo", cause)

    def redo(self, undo: Step) -> Undone:
        """Put back what an undo took. Raises WorkspaceError."""
        return self._carry_out(lambda: self.plan_redo(undo), "redo", undo.cause)

    def restore(self, changes: dict[str, Change], cause: Cause) -> Undone:
        """Make of paths what they were before these changes, whoever changed them since. Raises WorkspaceError."""
        return self._carry_out(lambda: self._planner().before(changes), "restore", cause)

    def lost(self) -> list[int]:
        """The steps of which something cannot be taken back, because what it replaced is damaged or gone."""
        with self._books.lock, self._books.resting():
            return [step.n for step in self.undoable() if not all(map(self._can_come_back, step.changes))]

    def finish(self) -> None:
        """Bring an undo that was cut off to its end. Whoever calls holds the journal's lock: nobody else is at it."""
        ended = {step.began for step in self._books.journal.steps()}
        for record in list(self._books.journal.records):
            if isinstance(record, Restoring) and record.token not in ended:
                self._do(record.step)

    def _planner(self, *, certain: bool = True) -> Planner:
        return Planner(self._books.scanner.state, self._books.contents.get, certain=certain)

    def _can_come_back(self, change: Change) -> bool:
        match change.before:
            case Uncovered():
                return False
            case File(id=id):
                return self._books.is_kept(id)
        return True

    def _carry_out(self, planned: Callable[[], Plan], owner: Owner, cause: Cause) -> Undone:
        books = self._books
        with troubles(), books.lock, books.resting(), books.journal.locked():
            books.absorb()
            plan = planned()
            asides = self._asides(plan) if owner == "undo" else []
            targets = [*plan.targets, *asides]
            if not targets and not plan.steps:
                return Undone(None, plan, {})
            self._keep_new(plan, targets)
            changes = tuple(map(self._change, targets))
            step = structs.replace(books.step_of(changes, owner, cause=cause), undoes=plan.steps)
            books.journal.append(Restoring(token=step.began, step=step))
            kept, failed = self._do(step)
            return Undone(kept, plan, failed, tuple(each.path for each in asides if each.path not in failed))

    def _change(self, target: Target) -> Change:
        modified = 0
        if isinstance(target.now, File):
            with suppress(OSError):
                modified = os.lstat(self._books.scanner.place(target.path)).st_mtime_ns
        return Change(target.path, target.now, target.to, modified_ns=modified, given_ns=target.modified_ns)

    def _keep_new(self, plan: Plan, targets: Iterable[Target]) -> None:
        """What is there now, and what was merged, can be put back too."""
        needed = {state.id for each in targets for state in (each.now, each.to) if isinstance(state, File)}
        for id in needed & plan.merged.keys():
            self._books.contents.put(plan.merged[id], id)
        self._books.contents.sync()

    def _do(self, step: Step) -> tuple[Step, dict[str, str]]:
        """Do what was announced; what is done already stays done."""
        books = self._books
        targets = [
            Target(change.path, change.before, change.after, change.given_ns)
            for change in step.changes
            if books.scanner.state(change.path)[0] != change.after
        ]
        restorer = Restorer(books.scanner, books.contents.get)
        restorer.apply(targets)
        if books.git and any(is_of_git(target.path) for target in targets):
            books.git.put_back()
        changes = tuple(change for change in step.changes if change.path not in restorer.failed)
        kept = books.keep(structs.replace(step, changes=changes))
        for change in changes:
            books.tree.assume(change.path, change.after)
        return kept, restorer.failed

    def _asides(self, plan: Plan) -> list[Target]:
        """Beside each file in conflict its older content, for the person to compare. Never among git's own files."""
        found = [
            Target(action.path + _ASIDE, self._books.scanner.state(action.path + _ASIDE)[0], action.aside)
            for action in plan.conflicts
            if isinstance(action.aside, File) and not is_of_git(action.path) and self._books.is_kept(action.aside.id)
        ]
        return [target for target in found if target.now != target.to]
