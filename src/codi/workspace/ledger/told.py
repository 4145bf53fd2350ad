"""Changes as a session keeps them: of files alone, seen from where the person stands."""

import os
from collections.abc import Callable, Iterable
from hashlib import sha256

from codi.protocol.events import FileChange
from codi.workspace.ledger.states import Absent, Change, Directory, File, Link, State
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
