"""A store that forgets when codi ends."""

from collections.abc import Iterator

from codi.protocol.errors import SessionError
from codi.protocol.events import Entry


class MemoryStore:
    def __init__(self, session_id: str, cwd: str) -> None:
        self.path: str | None = None
        self.session_id = session_id
        self.cwd = cwd
        self.warnings: list[str] = []
        self._entries: list[Entry] = []
        self._is_closed = False

    def append(self, entry: Entry) -> None:
        if self._is_closed:
            raise SessionError("The session is closed.", hint="Open it again.")
        self._entries.append(entry)

    def sync(self) -> None:
        """Nothing here outlives a crash."""

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def close(self) -> None:
        self._is_closed = True
