"""A model that says again what it said: the replies of a session, in their order, without a network."""

from collections.abc import AsyncIterator, Sequence

from codi.protocol.errors import ProviderError
from codi.protocol.events import Delta
from codi.protocol.messages import Message, Origin, Usage
from codi.providers.provider import Abilities, ModelEntry, Reply, Request


class ReplyMissing(ProviderError):
    """More was asked than was said at the time."""

    code = "reply_missing"


class Recorded:
    """`replies` are the messages of the model, whose last one tells what it was called."""

    def __init__(self, replies: Sequence[Message]) -> None:
        last = next((reply.origin for reply in reversed(replies) if reply.origin), None)
        self.origin = last or Origin("recorded", "recorded", "recorded")
        self.model = ModelEntry(
            id=self.origin.model, service=self.origin.provider, abilities=Abilities(vision=True, thinking=True)
        )
        self.asked = 0
        self._replies = replies

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        if self.asked >= len(self._replies):
            raise ReplyMissing(
                f"no reply was recorded for request {self.asked + 1}",
                hint="The replay took another way than the session.",
            )
        said = self._replies[self.asked]
        self.asked += 1
        stop = "tool_calls" if said.tool_calls else "stop"
        yield Reply(message=said, stop=stop, raw_stop=stop, usage=Usage(), model=self.origin.model)  # type: ignore[arg-type]

    async def models(self) -> Sequence[ModelEntry]:
        return [self.model]

    async def count(self, request: Request) -> int | None:
        return None
