"""A provider that is made when it is first asked: until then nothing of its wire format, nor the HTTP library, is loaded."""

from collections.abc import AsyncIterator, Callable, Sequence

from codi.protocol.events import Delta
from codi.protocol.messages import Origin
from codi.providers.provider import ModelEntry, Provider, Reply, Request


class Deferred:
    """`made` gives the provider, whose origin is `origin` and whose model is `entry`."""

    def __init__(self, origin: Origin, entry: ModelEntry, made: Callable[[], Provider]) -> None:
        self.origin = origin
        self._entry = entry
        self._made = made
        self._provider: Provider | None = None

    @property
    def model(self) -> ModelEntry:
        return self._provider.model if self._provider else self._entry

    def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        return self._asked().stream(request)

    async def models(self) -> Sequence[ModelEntry]:
        return await self._asked().models()

    async def count(self, request: Request) -> int | None:
        return await self._asked().count(request)

    def _asked(self) -> Provider:
        if self._provider is None:
            self._provider = self._made()
        return self._provider
