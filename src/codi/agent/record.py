"""What happened is kept first and told second."""

from collections.abc import Callable

from codi.protocol.events import Delta, Entry, Event, Fact, StatusDelta
from codi.sessions.session import Session
from codi.sessions.store import Unsaved


class Record:
    """`unsaved` is why the session is not on disk as it should be, or None. Meanwhile nothing that has an effect may start."""

    def __init__(self, session: Session, listen: Callable[[Event], None]) -> None:
        self.session = session
        self.unsaved: Unsaved | None = None
        self._listen = listen

    def keep(self, fact: Fact, *, sync: bool = False) -> Entry:
        """Write a fact to the session, then tell it. With `sync` it also outlives a crash of the machine. A disk that refuses
        costs a warning, not the conversation: the entry waits in memory and is written when there is room again."""
        return self._kept(lambda: self.session.append(fact), sync=sync)

    def branch_from(self, entry_id: str | None) -> Entry:
        """Go on from an earlier entry, or from the very beginning; what came after it stays in the tree. Raises SessionError."""
        return self._kept(lambda: self.session.branch_from(entry_id), sync=True)

    def _kept(self, kept: Callable[[], Entry], *, sync: bool) -> Entry:
        try:
            entry = kept()
            if sync:
                self.session.sync()
            self.unsaved = None
        except Unsaved as trouble:
            entry = self.session.path()[-1]
            if self.unsaved is None:
                self._listen(StatusDelta(kind="warning", text=str(trouble), hint=trouble.hint))
            self.unsaved = trouble
        self._listen(entry)
        return entry

    def tell(self, delta: Delta) -> None:
        self._listen(delta)
