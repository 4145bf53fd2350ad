"""What happened is kept first and told second."""

from collections.abc import Callable

from codi.protocol.events import Delta, Entry, Event, Fact
from codi.sessions.session import Session


class Record:
    def __init__(self, session: Session, listen: Callable[[Event], None]) -> None:
        self.session = session
        self._listen = listen

    def keep(self, fact: Fact, *, sync: bool = False) -> Entry:
        """Write a fact to the session, then tell it. With `sync` it also outlives a crash of the machine."""
        entry = self.session.append(fact)
        if sync:
            self.session.sync()
        self._listen(entry)
        return entry

    def tell(self, delta: Delta) -> None:
        self._listen(delta)
