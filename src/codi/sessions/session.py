"""A session: an append-only tree of entries, and the leaf on which work goes on."""

import os
import time
from collections.abc import Callable, Iterable
from uuid import uuid4

from codi.protocol.errors import SessionError
from codi.protocol.events import Entry, Fact, LeafMoved
from codi.sessions.store import Store, Unsaved

_TRIES = 100


def _random_id() -> str:
    return os.urandom(4).hex()


class Session:
    """`draw` gives ids to try; those that are taken are drawn again."""

    def __init__(
        self, store: Store, *, clock: Callable[[], float] = time.time, draw: Callable[[], str] = _random_id
    ) -> None:
        self.store = store
        self._clock = clock
        self._draw = draw
        self._entries = {entry.id: entry for entry in store}
        self._leaf: str | None = next(reversed(self._entries), None)
        self._path = self._path_to(self._leaf)

    @property
    def leaf(self) -> str | None:
        """The entry on which the next one will stand; None at the very beginning."""
        return self._leaf

    @property
    def entries(self) -> list[Entry]:
        """All of them, of every branch, in the order in which they were kept."""
        return list(self._entries.values())

    def entry(self, entry_id: str) -> Entry | None:
        return self._entries.get(entry_id)

    def path(self) -> list[Entry]:
        """The entries from the root to the leaf: the conversation as it stands now."""
        return list(self._path)

    def append(self, fact: Fact) -> Entry:
        """Keep a fact as the child of the leaf, and move the leaf onto it. After Unsaved the entry stands in the tree all
        the same, and the store goes on trying to write it; after any other SessionError nothing happened."""
        entry = Entry(self._new_id(), self._leaf, round(self._clock(), 3), fact)
        try:
            self.store.append(entry)
        except Unsaved:
            self._add(entry)
            raise
        self._add(entry)
        return entry

    def append_all(self, facts: Iterable[Fact]) -> list[Entry]:
        """Keep facts one after the other, each as the child of the one before."""
        return [self.append(fact) for fact in facts]

    def branch_from(self, entry_id: str | None, fact: Fact | None = None) -> Entry:
        """Go on from another entry, or from the very beginning; what came after it stays in the tree. `fact` is kept as the first
        there; without one it is only kept that the leaf moved."""
        if entry_id is not None and entry_id not in self._entries:
            raise SessionError(f"No entry {entry_id} in this session.", hint="Look at the tree for the entry's id.")
        left, self._leaf = self._leaf, entry_id
        old_path, self._path = self._path, self._path_to(entry_id)
        try:
            return self.append(fact or LeafMoved(left, entry_id))  # kept, so that a reload stands here too
        except SessionError as error:
            if not isinstance(error, Unsaved):
                self._leaf, self._path = left, old_path
            raise

    def sync(self) -> None:
        """When this returns a crash of the machine loses nothing. Raises SessionError."""
        self.store.sync()

    def close(self) -> None:
        """Let others write."""
        self.store.close()

    def _add(self, entry: Entry) -> None:
        self._entries[entry.id] = entry
        self._path.append(entry)
        self._leaf = entry.id

    def _path_to(self, entry_id: str | None) -> list[Entry]:
        path: list[Entry] = []
        while entry_id is not None:
            path.append(self._entries[entry_id])
            entry_id = path[-1].parent
        path.reverse()
        return path

    def _new_id(self) -> str:
        for _ in range(_TRIES):
            if (id := self._draw()) not in self._entries:
                return id
        return str(uuid4())
