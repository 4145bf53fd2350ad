"""What happened is kept first and told second; neither holds a secret."""

from collections.abc import Callable

from codi.agent.joining import JoinedDeltas
from codi.agent.veiling import VeiledDeltas, veiled
from codi.credentials.vault import Vault
from codi.protocol.events import Delta, Entry, Event, Fact, MessageAdded, Noted, StatusDelta
from codi.sessions.session import Session
from codi.sessions.store import Unsaved

VAULT = "vault"
"""Whose notes tell which placeholders were given for what."""


class Record:
    """`unsaved` is why the session is not on disk as it should be, or None. Meanwhile nothing that has an effect may start.
    `vault` puts placeholders in place of secrets; without one everything is kept as it is. With `joins` the pieces of an answer
    that come together are told together."""

    def __init__(
        self, session: Session, listen: Callable[[Event], None], vault: Vault | None = None, *, joins: bool = False
    ) -> None:
        self.session = session
        self.unsaved: Unsaved | None = None
        self.vault = vault
        self._listen = listen
        self._deltas = VeiledDeltas(vault) if vault else None
        self._joined = JoinedDeltas(self._veil) if joins else None

    def keep(self, fact: Fact, *, sync: bool = False) -> Entry:
        """Write a fact to the session, then tell it. With `sync` it also outlives a crash of the machine. A disk that refuses
        costs a warning, not the conversation: the entry waits in memory and is written when there is room again."""
        if self._joined:
            self._joined.flush()
        if self.vault is None:
            return self._kept(lambda: self.session.append(fact), sync=sync)
        if isinstance(fact, MessageAdded) and fact.message.role == "assistant" and self._deltas:
            for delta in self._deltas.rest_of_reply():
                self._listen(delta)
        fact = veiled(fact, self.vault)
        if named := self.vault.unnoted():
            self._kept(lambda: self.session.append(Noted(VAULT, named)), sync=False)
        entry = self._kept(lambda: self.session.append(fact), sync=sync)
        for remark in self.vault.remarks():
            self._listen(StatusDelta(kind="warning", text=remark))
        return entry

    def tell(self, delta: Delta) -> None:
        if self._joined:
            self._joined.tell(delta)
        else:
            self._veil(delta)

    def _veil(self, delta: Delta) -> None:
        for told in self._deltas.of(delta) if self._deltas else (delta,):
            self._listen(told)

    def shown(self, text: str) -> str:
        """A text as it may stand where it is kept or shown."""
        return self.vault.veil(text) if self.vault else text

    def branch_from(self, entry_id: str | None, fact: Fact | None = None) -> Entry:
        """Go on from another entry, or from the very beginning; what came after it stays in the tree. `fact` is kept as the first
        there. Raises SessionError."""
        if self._joined:
            self._joined.flush()
        told = veiled(fact, self.vault) if self.vault and fact else fact
        return self._kept(lambda: self.session.branch_from(entry_id, told), sync=True)

    def _kept(self, kept: Callable[[], Entry], *, sync: bool) -> Entry:
        try:
            entry = kept()
            if sync:
                self.session.sync()
            self.unsaved = None
        except Unsaved as trouble:
            entry = self.session.path()[-1]
            self._complain(trouble)
        self._listen(entry)
        return entry

    def _complain(self, trouble: Unsaved) -> None:
        if self.unsaved is None:
            self._listen(StatusDelta(kind="warning", text=str(trouble), hint=trouble.hint))
        self.unsaved = trouble
