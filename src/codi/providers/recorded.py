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
    """`replies` are the messages of the model, whose last one tells what it was called. What room there was in its `window` decided
    which tools it was offered."""

    def __init__(self, replies: Sequence[Message], window: int = 128_000) -> None:
        last = next((reply.origin for reply in reversed(replies) if reply.origin), None)
        self.origin = last or Origin("recorded", "recorded", "recorded")
        self.model = ModelEntry(
            id=self.origin.model,
            service=self.origin.provider,
            abilities=Abilities(vision=True, thinking=True),
            window=window,
        )
        self.requests: list[Request] = []
        """What it was asked."""
        self._replies = replies

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        self.requests.append(request)
        if len(self.requests) > len(self._replies):
            raise ReplyMissing(
                f"no reply was recorded for request {len(self.requests)}",
                hint="The replay took another way than the session.",
            )
        said = self._replies[len(self.requests) - 1]
        stop = "tool_calls" if said.tool_calls else "stop"
        yield Reply(message=said, stop=stop, raw_stop=stop, usage=Usage(), model=self.origin.model)  # type: ignore[arg-type]

    async def models(self) -> Sequence[ModelEntry]:
        return [self.model]

    async def count(self, request: Request) -> int | None:
        return None
