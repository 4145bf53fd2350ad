"""A conversation whose agent is still being loaded. It is open: what was said before is told, and what is sent to it is taken, in
order, when the agent is there."""

from collections.abc import AsyncIterator, Sequence

import anyio

from codi.engine.beginning import Beginning, began, greeting_of
from codi.protocol.conversation import Conversation
from codi.protocol.events import Event
from codi.protocol.ops import Op


class Arriving:
    def __init__(self, beginning: Beginning) -> None:
        store = beginning.session.store
        self.session_id = store.session_id
        self.session_file = store.path
        self.began = began(beginning.session)
        self.greeting = greeting_of(beginning.choice)
        self._before = beginning.session.entries
        self._there = anyio.Event()
        self._conversation: Conversation | None = None

    @property
    def warnings(self) -> Sequence[str]:
        return self._conversation.warnings if self._conversation else ()

    def arrived(self, conversation: Conversation) -> None:
        """From here on it is this one."""
        self._conversation = conversation
        self._there.set()

    async def send(self, op: Op) -> None:
        conversation = self._conversation or await self._awaited()
        await conversation.send(op)

    async def events(self, *, since: str | None = None) -> AsyncIterator[Event]:
        if since is not None:
            first = next((at + 1 for at, entry in enumerate(self._before) if entry.id == since), 0)
            for entry in self._before[first:]:
                yield entry
                since = entry.id
        conversation = await self._awaited()
        async for event in conversation.events(since=since):
            yield event

    async def _awaited(self) -> Conversation:
        await self._there.wait()
        assert self._conversation is not None
        return self._conversation
