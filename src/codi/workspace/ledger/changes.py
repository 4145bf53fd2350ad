"""What became of each file, by whom: git's id of it before and after, lines that came and went, and the steps."""

import os
from collections.abc import Iterable, Sequence
from hashlib import sha1, sha256

from msgspec import Struct

from codi.workspace.ledger.contents import Contents, Missing
from codi.workspace.ledger.journal import Journal, undone
from codi.workspace.ledger.merging import hunks, lines_of
from codi.workspace.ledger.states import Absent, Change, Directory, File, Link, State, Step
from codi.workspace.ledger.undoing import is_of_git

_SAMPLE = 8192
_MOST_LINES = 20_000
_SHELLS = ("shell", "run_tests", "!", "bash")


class ChangedFile(Struct, frozen=True, kw_only=True):
    """What one owner did to one file in steps that nobody else's change of the file divides. `before` and `after` are the
    ids that `git hash-object` gives, None where there is no file or its content is not kept; `added` and `removed` are
    lines, None where it is no text."""

    path: str
    kind: str
    before: str | None
    after: str | None
    added: int | None
    removed: int | None
    owner: str
    tool: str
    session: str
    steps: tuple[int, ...]
    by: str
    at: float
    moved_from: str | None
    was: State
    now: State


class Difference(Struct, frozen=True, kw_only=True):
    """A file before and after: its names, its content (None where there is none, or it is not kept), its permissions, and git's ids."""

    old: str
    new: str
    before: bytes | None
    after: bytes | None
    modes: tuple[int | None, int | None]
    blobs: tuple[str | None, str | None]


class _Run(Struct):
    first: Change
    last: Change
    steps: list[Step]


class Summary:
    """Reads a ledger. `hash` is the one that git uses for ids."""

    def __init__(self, contents: Contents, root: str) -> None:
        self._contents = contents
        self._hash = sha256 if _counts_in_sha256(root) else sha1

    def of(self, steps: Iterable[Step]) -> list[ChangedFile]:
        """By path, and within a path by time."""
        runs: dict[str, list[_Run]] = {}
        for step in steps:
            for change in step.changes:
                if is_of_git(change.path) or isinstance(_there(change), Directory):
                    continue
                of_path = runs.setdefault(change.path, [])
                if of_path and _same_hand(of_path[-1].steps[-1], step):
                    of_path[-1].last = change
                    of_path[-1].steps.append(step)
                else:
                    of_path.append(_Run(change, change, [step]))
        return [
            self._row(path, run) for path in sorted(runs) for run in runs[path] if run.first.before != run.last.after
        ]

    def sides(self, steps: Iterable[Step]) -> list[tuple[str, bytes | None, bytes | None]]:
        """Each file that differs between before the first of these steps and after the last, with both contents (None where
        there is none, or it is not kept), whoever changed it."""
        first: dict[str, State] = {}
        last: dict[str, State] = {}
        for step in steps:
            for change in step.changes:
                if not is_of_git(change.path) and not isinstance(_there(change), Directory):
                    first.setdefault(change.path, change.before)
                    last[change.path] = change.after
        return [
            (os.fsencode(path).decode("utf-8", "replace"), self._bytes(first[path]), self._bytes(last[path]))
            for path in sorted(first)
            if first[path] != last[path]
        ]

    def of_file(self, steps: Iterable[Step], path: str) -> list[ChangedFile]:
        """What each step did to one file, oldest first."""
        runs = [_Run(change, change, [step]) for step in steps for change in step.changes if change.path == path]
        return [self._row(path, run) for run in runs]

    def differences(self, steps: Iterable[Step]) -> list["Difference"]:
        """As `sides`, with modes and former names."""
        runs: dict[str, _Run] = {}
        for step in steps:
            for change in step.changes:
                if not is_of_git(change.path) and not isinstance(_there(change), Directory):
                    runs.setdefault(change.path, _Run(change, change, [])).last = change
        moved = {run.first.moved_from: path for path, run in runs.items() if run.first.moved_from in runs}
        moved = {old: new for old, new in moved.items() if old and not isinstance(runs[old].first.before, Absent)}
        moved = {old: new for old, new in moved.items() if isinstance(runs[old].last.after, Absent)}
        former = {new: old for old, new in moved.items()}
        found = []
        for path in sorted(set(runs) - set(moved)):
            old, run = former.get(path, path), runs[path]
            was = runs[old].first.before
            if was != run.last.after or old != path:
                found.append(self._difference(old, was, path, run.last.after))
        return found

    def difference(self, row: "ChangedFile") -> "Difference":
        """What one row changed, in full."""
        return self._difference(row.moved_from or row.path, row.was, row.path, row.now)

    def _difference(self, old: str, was: State, path: str, now: State) -> "Difference":
        before, after = self._bytes(was), self._bytes(now)
        return Difference(
            old=os.fsencode(old).decode("utf-8", "replace"),
            new=os.fsencode(path).decode("utf-8", "replace"),
            before=before,
            after=after,
            modes=(_mode(was), _mode(now)),
            blobs=(self.blob(before), self.blob(after)),
        )

    def _row(self, path: str, run: _Run) -> ChangedFile:
        before, after = run.first.before, run.last.after
        old, new = self._bytes(before), self._bytes(after)
        added, removed = counts(old or b"", new or b"") if _is_text(old) and _is_text(new) else (None, None)
        last = run.steps[-1]
        return ChangedFile(
            path=os.fsencode(path).decode("utf-8", "replace"),
            kind=_kind(before, after, moved=bool(run.first.moved_from)),
            before=self.blob(old),
            after=self.blob(new),
            added=added,
            removed=removed,
            owner=last.owner,
            tool=last.cause.tool,
            session=last.cause.session,
            steps=tuple(step.n for step in run.steps),
            by=whose(run.steps),
            at=last.at,
            moved_from=run.first.moved_from,
            was=run.first.after if run.first.moved_from else before,
            now=after,
        )

    def blob(self, content: bytes | None) -> str | None:
        """The id that `git hash-object` gives to a content."""
        if content is None:
            return None
        return self._hash(b"blob %d\0" % len(content) + content).hexdigest()

    def _bytes(self, state: State) -> bytes | None:
        match state:
            case File(id=id):
                try:
                    return self._contents.get(id)
                except Missing:
                    return None
            case Link(target):
                return os.fsencode(target)
        return None


def whose(steps: Iterable[Step]) -> str:
    """Whose doing steps were, in words: `agent turn 2`, `shell in turn 3`, `outside`."""
    return ", ".join(dict.fromkeys(map(_whose, steps)))


def _whose(step: Step) -> str:
    if step.owner == "person":
        return "outside"
    if step.owner != "agent":
        return step.owner
    turn = step.cause.turn
    if step.cause.tool in _SHELLS:
        return f"shell in turn {turn}" if turn else "shell"
    return f"agent turn {turn}" if turn else "agent"


def standing(journal: Journal) -> list[Step]:
    """The steps whose changes stand: without what was taken back, and without the taking back."""
    gone = undone(journal.records)
    return [step for step in journal.steps() if step.n not in gone and step.owner not in ("undo", "redo")]


def counts(old: bytes, new: bytes) -> tuple[int | None, int | None]:
    """Lines that came and went."""
    one, other = lines_of(old), lines_of(new)
    if len(one) + len(other) > _MOST_LINES:
        return len(other), len(one)
    found = hunks(one, other)
    return sum(d - c for _, _, c, d in found), sum(b - a for a, b, _, _ in found)


def git_steps(steps: Sequence[Step]) -> list[int]:
    """The steps that changed branches, HEAD, index or stash."""
    return [step.n for step in steps if any(is_of_git(change.path) for change in step.changes)]


def _same_hand(one: Step, other: Step) -> bool:
    return (one.owner, one.cause.session) == (other.owner, other.cause.session)


def _kind(before: State, after: State, *, moved: bool) -> str:
    if isinstance(before, Absent):
        return "moved" if moved else "created"
    if isinstance(after, Absent):
        return "deleted"
    same = isinstance(before, File) and isinstance(after, File) and before.id == after.id
    return "mode" if same else "modified"


def _there(change: Change) -> State:
    return change.before if isinstance(change.after, Absent) else change.after


def _mode(state: State) -> int | None:
    return state.mode if isinstance(state, File) else 0o777 if isinstance(state, Link) else None


def _is_text(content: bytes | None) -> bool:
    return content is None or b"\0" not in content[:_SAMPLE]


def _counts_in_sha256(root: str) -> bool:
    try:
        with open(os.path.join(root, ".git", "config"), encoding="utf-8", errors="replace") as file:
            return "objectformat = sha256" in file.read().lower()
    except OSError:
        return False
