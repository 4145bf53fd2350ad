"""Where a session's entries are kept. Append, and read again in the same order: nothing else."""

from collections.abc import Iterator
from typing import Protocol

from codi.protocol.errors import SessionError
from codi.protocol.events import Entry


class Unsaved(SessionError):
    """The disk did not take an entry. The store holds it in memory and tries again with each append and sync; until
    one of them succeeds nothing may be done that the session would have to remember."""


class Store(Protocol):
    session_id: str
    cwd: str
    path: str | None
    """The file, or None for a store that forgets."""
    warnings: list[str]
    """What reading had to mend, each told to the person once."""

    def append(self, entry: Entry) -> None:
        """When this returns a crash of codi loses nothing. Raises SessionError."""
        ...

    def sync(self) -> None:
        """When this returns a crash of the machine loses nothing either."""
        ...

    def __iter__(self) -> Iterator[Entry]: ...

    def close(self) -> None:
        """Let others write."""
        ...
