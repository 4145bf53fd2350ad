"""Planning to take steps back: for every path that they changed, what it would become, and what of others' work stays.

A step is taken back by its inverse: where the path is what the step left, it becomes what the step found. Where somebody
changed it since, their hunks stay and the step's go; where both touched the same place nobody guesses, and the path stays
as it is. Several steps are taken back newest first, in memory; the disk sees only what comes out.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Literal

from msgspec import Struct

from codi.workspace.ledger import git_index
from codi.workspace.ledger.contents import Missing
from codi.workspace.ledger.merging import Conflict, merged
from codi.workspace.ledger.restoring import Target
from codi.workspace.ledger.states import ABSENT, Absent, Change, Directory, File, State, Step, Uncovered

What = Literal["restore", "delete", "recreate", "mode", "merge", "keep", "conflict", "lost"]
"""What becomes of a path: an older content or target comes back, it goes, it is there again, its mode alone changes, the
changes of others are kept in it, it stays, it stays because both sides changed the same, it stays because what it was is not kept."""

_PASSING = ("/logs/", "/ORIG_HEAD", "/FETCH_HEAD", "/COMMIT_EDITMSG", "/gc.log", "/MERGE_MSG")


class Action(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`aside` is what a path in conflict would have become, to be written beside it; `modified_ns` the modification time that a
    file gets with `to`, 0 for that of the moment."""

    path: str
    what: What
    now: State
    to: State
    why: str = ""
    aside: State = ABSENT
    modified_ns: int = 0


class Plan(Struct, frozen=True):
    """`merged` are contents that no store has yet, by their ids."""

    steps: tuple[int, ...]
    actions: tuple[Action, ...]
    merged: dict[str, bytes]

    @property
    def targets(self) -> list[Target]:
        return [
            Target(action.path, action.now, action.to, action.modified_ns)
            for action in self.actions
            if action.now != action.to
        ]

    @property
    def conflicts(self) -> list[Action]:
        return [action for action in self.actions if action.what in ("conflict", "lost")]


class Planner:
    """`state` looks at a path, `content` reads a content by its id (or raises Missing)."""

    def __init__(
        self,
        state: Callable[[str], tuple[State, bytes | None]],
        content: Callable[[str], bytes],
        *,
        certain: bool = True,
    ) -> None:
        self._state = state
        self._content = content
        self._certain = certain
        self._merged: dict[str, bytes] = {}

    def plan(self, steps: Sequence[Step], paths: Iterable[str] = ()) -> Plan:
        """How to take these steps back, which are given oldest first; of `paths` alone where some are named."""
        wanted = tuple(paths)
        changes: dict[str, list[Change]] = {}
        for step in reversed(steps):
            for change in step.changes:
                if not wanted or any(_covers(path, change.path) for path in wanted):
                    changes.setdefault(change.path, []).append(change)
        actions = [self._action(path, changes[path]) for path in sorted(changes)]
        whole = tuple(step.n for step in steps if all(change.path in changes for change in step.changes))
        return Plan(whole, tuple(_git_as_a_whole(actions)), self._merged)

    def before(self, changes: dict[str, Change]) -> Plan:
        """How to make of paths exactly what they were before these changes, whoever changed them since."""
        actions = []
        for path in sorted(changes):
            now, content = self._state(path)
            if isinstance(now, File) and content is not None:
                self._merged[now.id] = content
            if now != changes[path].before:
                actions.append(_towards(path, now, changes[path].before, changes[path].modified_ns))
        return Plan((), tuple(actions), self._merged)

    def _action(self, path: str, newest_first: Sequence[Change]) -> Action:
        now, content = self._state(path)
        if isinstance(now, File) and content is not None:
            self._merged[now.id] = content  # what it is goes into the store too: the undo can be taken back
        to, why = now, ""
        try:
            for change in newest_first:
                if change.uncertain and self._certain:
                    why = "it may be the work of another, who was busy meanwhile; name the path to take it back"
                    continue
                to = self._inverse(path, to, change)
        except Conflict as conflict:
            before = newest_first[-1].before
            return Action(path=path, what="conflict", now=now, to=now, why=str(conflict), aside=before)
        if isinstance(to, Uncovered) and to != now:
            return Action(path=path, what="lost", now=now, to=now, why="its content was not covered")
        if isinstance(to, File) and not self._is_kept(to.id):
            return Action(path=path, what="lost", now=now, to=now, why="its content is no longer in the undo store")
        if to == now:
            return Action(path=path, what="keep", now=now, to=to, why=why or "it is already what it was")
        oldest = newest_first[-1]
        action = _towards(path, now, to, oldest.modified_ns if to == oldest.before else 0)
        kept = (
            isinstance(to, File)
            and to.id in self._merged
            and all(to.id != change.before.id for change in newest_first if isinstance(change.before, File))
        )
        return (
            Action(path=path, what="merge", now=now, to=to, why="changes of others are kept")
            if kept and action.what == "restore"
            else action
        )

    def _inverse(self, path: str, present: State, change: Change) -> State:
        """What a path that is `present` becomes without this change. Raises Conflict."""
        before, after = change.before, change.after
        if present == after:
            return before
        if present == before:
            return present
        match present, before, after:
            case File(), File(), File():
                mode = before.mode if present.mode == after.mode else present.mode
                return self._without(path, present, before, after, mode)
            case File(id=id), Absent(), File(id=left) if id == left:
                return before  # only its mode is another's
            case Directory(), Directory(), Directory():
                return present  # another mode was given to it since
            case Directory(), Absent(), Directory():
                return before
            case (Directory(), Directory(), Absent()) | (Absent(), _, Absent()):
                return present if isinstance(present, Directory) else before
            case Absent(), Absent() | Directory(), _:
                return present
        raise Conflict(_why(present, after))

    def _without(self, path: str, present: File, before: File, after: File, mode: int) -> State:
        if present.id == after.id or before.id == present.id:
            return File(mode, before.id, before.size)
        if before.id == after.id:
            return File(mode, present.id, present.size)
        try:
            base, ours, theirs = (self._bytes(state.id) for state in (after, present, before))
        except Missing as missing:
            raise Conflict("it was changed since, and what it was is no longer in the undo store") from missing
        if path.endswith("index") and git_index.same_meaning(base, ours):
            return File(mode, before.id, before.size)
        text = merged(base, ours, theirs)
        id = sha256(text).hexdigest()
        self._merged[id] = text
        return File(mode, id, len(text))

    def _bytes(self, id: str) -> bytes:
        return self._merged[id] if id in self._merged else self._content(id)

    def _is_kept(self, id: str) -> bool:
        try:
            self._bytes(id)
        except Missing:
            return False
        return True


def _covers(wanted: str, path: str) -> bool:
    return wanted in (".", path) or path.startswith(f"{wanted}/")


def _towards(path: str, now: State, to: State, modified_ns: int) -> Action:
    what: What = "restore"
    if isinstance(to, Absent):
        what = "delete"
    elif isinstance(now, Absent):
        what = "recreate"
    elif (isinstance(now, File) and isinstance(to, File) and now.id == to.id) or (
        isinstance(now, Directory) and isinstance(to, Directory)
    ):
        what = "mode"
    return Action(path=path, what=what, now=now, to=to, modified_ns=modified_ns)


def _why(present: State, after: State) -> str:
    if isinstance(present, Absent):
        return "it was deleted since"
    if isinstance(after, Absent):
        return "something else is there since"
    return "it was changed since"


def is_of_git(path: str) -> bool:
    """Whether a path is part of what git keeps of a repository."""
    return "/.git/" in f"/{path}/"


def _git_as_a_whole(actions: Sequence[Action]) -> Iterable[Action]:
    """Refs, HEAD and index belong together: they go back as a whole, or stay as a whole."""
    moved_on = any(
        action.what in ("conflict", "lost")
        and is_of_git(action.path)
        and not any(part in f"/{action.path}" for part in _PASSING)
        for action in actions
    )
    for action in actions:
        if not is_of_git(action.path):
            yield action
        elif moved_on:
            why = "the repository moved on since; its branches, HEAD and index stay"
            yield Action(
                path=action.path,
                what="conflict" if action.what in ("conflict", "lost") else "keep",
                now=action.now,
                to=action.now,
                why=why,
            )
        elif action.what in ("conflict", "lost"):
            yield Action(path=action.path, what="keep", now=action.now, to=action.now, why=action.why)
        else:
            yield action
