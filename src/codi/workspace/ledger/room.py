"""The room that the books may take: whole steps go, oldest first, before it becomes too much."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress

from codi.workspace.ledger.contents import Contents
from codi.workspace.ledger.git_objects import GitObjects
from codi.workspace.ledger.journal import Begun, Cleared, Journal, Named, Pruned, Record, Restoring, open_begins
from codi.workspace.ledger.scanning import Difference
from codi.workspace.ledger.states import File, State, Step
from codi.workspace.ledger.tree import Tree


class Room:
    """`most` is what was set, in bytes."""

    def __init__(self, folder: str, most: int, journal: Journal, contents: Contents) -> None:
        self._folder = folder
        self._most = most
        self._journal = journal
        self._contents = contents

    @property
    def quota(self) -> int:
        """Bytes that may be taken: what is set, and no more than a fifth of what is free."""
        status = os.statvfs(self._folder if os.path.isdir(self._folder) else "/")
        return min(self._most, self.taken + status.f_bavail * status.f_frsize // 5)

    @property
    def taken(self) -> int:
        """Bytes of contents, journal and tree."""
        size = self._contents.used()
        for name in ("journal.jsonl", "tree"):
            with suppress(FileNotFoundError):
                size += os.stat(os.path.join(self._folder, name)).st_size
        return size

    def has(self, size: int, tree: Tree, found: Sequence[Difference], git: GitObjects | None) -> bool:
        """Whether there is room for a content of this size, if need be after old steps were given up. `found` is what a
        look has found so far, which no step holds yet."""
        self.make(size, tree, found, git)
        return self.taken + size <= self.quota

    def make(self, more: int, tree: Tree, found: Sequence[Difference], git: GitObjects | None) -> None:
        """Give up whole steps, oldest first, until all and `more` is under the quota."""
        if self.taken + more <= self.quota:
            return
        with self._journal.locked():
            if git:
                git.drop()
            steps = self._journal.steps()
            while steps and self.taken + more > self.quota:
                through = steps[max(len(steps) // 8, 1) - 1].n
                steps = [step for step in steps if step.n > through]
                self._shorten(through)
                self._contents.keep_only(tree.contents() | _of_found(found) | _of_states(self._states(steps)))

    def _states(self, steps: Iterable[Step]) -> Iterable[State]:
        for step in steps:
            for change in step.changes:
                yield change.before
                yield change.after
        for begun in open_begins(self._journal.records):
            yield from begun.before.values()

    def _shorten(self, through: int) -> None:
        open_tokens = {begun.token for begun in open_begins(self._journal.records)}

        def keep(record: Record) -> bool:
            match record:
                case Step(n=n):
                    return n > through
                case Begun(token=token):
                    return token in open_tokens
                case Named(step=step):
                    return step >= through
                case Pruned() | Cleared() | Restoring():
                    return False

        self._journal.shorten(keep, Pruned(through))


def _of_states(states: Iterable[State]) -> set[str]:
    return {state.id for state in states if isinstance(state, File)}


def _of_found(found: Iterable[Difference]) -> set[str]:
    return {known[5] for each in found for known in (each.before, each.after) if known is not None}
