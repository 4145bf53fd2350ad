"""The tree as it was after any step: what has a name, what each turn began with, and what stood where."""

import time
from collections.abc import Iterable, Sequence

from msgspec import Struct

from codi.protocol.errors import WorkspaceError
from codi.workspace.ledger import choosing
from codi.workspace.ledger.journal import Journal, Named, Pruned
from codi.workspace.ledger.states import Change, Step
from codi.workspace.ledger.undoing import is_of_git


class Snapshot(Struct, frozen=True, kw_only=True):
    """`s12` is the tree after step 12, before the first one `s0`. `name` is a person's, else the prompt of the turn that began
    here."""

    id: str
    step: int
    at: float
    name: str
    is_named: bool
    session: str = ""
    turn: int = 0


def snapshots(journal: Journal, *, days: int, count: int) -> list[Snapshot]:
    """The snapshots there are, oldest first: those with names, and the beginning of each turn. No older than `days`, and no
    more than the newest `count`."""
    found: list[Snapshot] = []
    previous: tuple[str, int] | None = None
    for step in journal.steps():
        turn = (step.cause.session, step.cause.turn)
        if step.owner == "agent" and turn != previous:
            previous = turn
            found.append(
                Snapshot(
                    id=f"s{step.n - 1}",
                    step=step.n - 1,
                    at=step.at,
                    name=step.cause.title or step.cause.what,
                    is_named=False,
                    session=step.cause.session,
                    turn=step.cause.turn,
                )
            )
    found += [
        Snapshot(id=named.id, step=named.step, at=named.at, name=named.name, is_named=True)
        for named in names(journal).values()
    ]
    oldest = time.time() - days * 86_400
    found = sorted((each for each in found if each.at >= oldest), key=lambda each: (each.at, each.step))
    return found[-count:]


def names(journal: Journal) -> dict[str, Named]:
    """The named snapshots by their names; the newest of a name counts."""
    found: dict[str, Named] = {}
    for record in journal.records:
        if isinstance(record, Named):
            if record.deleted:
                found.pop(record.name, None)
            else:
                found[record.name] = record
    return found


def step_of(journal: Journal, text: str) -> int:
    """The step that a name or an id of a tree means. Raises UsageError, and WorkspaceError for one that was given up."""
    named = names(journal).get(text)
    number = named.step if named else choosing.step_number(text)
    oldest, newest = first_step(journal), journal.newest()
    if not oldest <= number <= newest:
        raise WorkspaceError(
            f"there is no tree {text}", hint=f"The oldest is s{oldest}, the newest s{newest}; `codi snapshot list`."
        )
    return number


def first_step(journal: Journal) -> int:
    """The oldest tree that can still be told: that after this step."""
    return max((record.through for record in journal.records if isinstance(record, Pruned)), default=0)


def first_changes_after(steps: Sequence[Step], number: int) -> dict[str, Change]:
    """For each path that was changed after a step the first of these changes: `before` it stands what stood after that step.
    Git's own files are left out."""
    found: dict[str, Change] = {}
    for step in steps:
        if step.n > number:
            for change in step.changes:
                if not is_of_git(change.path):
                    found.setdefault(change.path, change)
    return found


def below(changes: dict[str, Change], paths: Iterable[str]) -> dict[str, Change]:
    """Those at or below some of the paths; all where none are named."""
    wanted = tuple(paths)
    if not wanted:
        return changes
    return {
        path: change
        for path, change in changes.items()
        if any(path == each or each == "." or path.startswith(f"{each}/") for each in wanted)
    }
