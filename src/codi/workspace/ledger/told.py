"""The ledger in the words of the protocol: what a session keeps of it, and what a person asks of it."""

import os
from collections.abc import Callable, Iterable
from hashlib import sha256

from codi.protocol.errors import UsageError, WorkspaceError
from codi.protocol.events import BlamedLine, FileChange, SnapshotRow, ToldStep
from codi.workspace.ledger.blame import Line, blame
from codi.workspace.ledger.ledger import Ledger
from codi.workspace.ledger.snapshots import Snapshot
from codi.workspace.ledger.states import Absent, Change, Directory, File, Link, State, Step
from codi.workspace.ledger.undoing import is_of_git


def file_changes(changes: Iterable[Change], shown: Callable[[str], str]) -> tuple[FileChange, ...]:
    """`shown` gives the name of a path for people. Folders and git's own files are left out."""
    changes = [change for change in changes if not is_of_git(change.path) and not isinstance(_there(change), Directory)]
    moved = {change.moved_from for change in changes if change.moved_from}
    return tuple(_told(change, shown) for change in changes if change.path not in moved or _stays(change))


def _told(change: Change, shown: Callable[[str], str]) -> FileChange:
    before, after = _id(change.before), _id(change.after)
    path = shown(change.path)
    if change.moved_from:
        return FileChange(path, "moved", after, after, shown(change.moved_from))
    if isinstance(change.before, Absent):
        return FileChange(path, "created", after=after)
    if isinstance(change.after, Absent):
        return FileChange(path, "deleted", before=before)
    same = isinstance(change.before, File) and isinstance(change.after, File) and before == after
    return FileChange(path, "mode" if same else "modified", before, after)


def _there(change: Change) -> State:
    return change.before if isinstance(change.after, Absent) else change.after


def _stays(change: Change) -> bool:
    return not isinstance(change.after, Absent)


def _id(state: State) -> str | None:
    """The id of a file's content; of a link's target, as git counts it."""
    match state:
        case File(id=id):
            return id
        case Link(target):
            return sha256(os.fsencode(target)).hexdigest()
    return None


def shown(path: str) -> str:
    """A path of the ledger as text that can be printed."""
    return os.fsencode(path).decode("utf-8", "replace")


def blamed(ledger: Ledger, path: str, first: int | None, last: int | None, typed: str) -> tuple[BlamedLine, ...]:
    """Who wrote the lines of a file, which a person called `typed`. Raises UsageError and WorkspaceError."""
    if ledger.journal.records:
        ledger.look()  # what a person changed since the last step is theirs
    _, content = ledger.scanner.state(path)
    if content is None:
        raise WorkspaceError(f"{typed} cannot be read as a file", hint="Name a file that is there.")
    lines = blame(path, content, ledger.journal.steps(), ledger.contents)
    begin = first or 1
    end = last or first or len(lines)
    if first is not None and not 1 <= first <= end <= len(lines):
        raise UsageError(f"{typed} has {len(lines)} lines", hint="Lines are counted from 1, the smaller first.")
    return tuple(_blamed(number, lines[number - 1]) for number in range(begin, end + 1))


def _blamed(number: int, line: Line) -> BlamedLine:
    step, text = line.step, line.text.decode("utf-8", "replace").rstrip("\r\n")
    if step is None:
        return BlamedLine(line=number, text=text, owner="person" if line.is_new else None)
    if step.owner != "agent":
        return BlamedLine(line=number, text=text, owner=step.owner, step=step.n, at=step.at)
    cause = step.cause
    return BlamedLine(
        line=number,
        text=text,
        owner=step.owner,
        step=step.n,
        at=step.at,
        session=cause.session,
        turn=cause.turn,
        prompt=cause.title,
        call=cause.call_id,
        tool=cause.tool,
        what=cause.what,
    )


def told_step(step: Step) -> ToldStep:
    cause = step.cause
    return ToldStep(
        step=step.n,
        session=cause.session,
        turn=cause.turn,
        prompt=cause.title,
        call=cause.call_id,
        tool=cause.tool,
        what=cause.what,
        at=step.at,
        files=tuple(shown(change.path) for change in step.changes if not is_of_git(change.path)),
    )


def snapshot_row(snapshot: Snapshot) -> SnapshotRow:
    return SnapshotRow(
        id=snapshot.id,
        step=snapshot.step,
        at=snapshot.at,
        name=shown(snapshot.name),
        named=snapshot.is_named,
        session=snapshot.session or None,
        turn=snapshot.turn or None,
    )
