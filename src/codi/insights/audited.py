"""A model whose requests are on record."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from codi.protocol.events import Delta
from codi.providers.knowing import known_model
from codi.providers.provider import ModelEntry, Provider, Reply, Request

Write = Callable[[str, dict[str, Any]], None]


class Audited:
    """`write` is given the type of a line and what it tells."""

    def __init__(self, provider: Provider, write: Write) -> None:
        self.origin = provider.origin
        self._provider = provider
        self._write = write

    @property
    def model(self) -> ModelEntry:
        return self._provider.model

    async def ask(self) -> ModelEntry:
        return await known_model(self._provider)

    async def models(self) -> Sequence[ModelEntry]:
        return await self._provider.models()

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        told = {"provider": self.origin.provider, "model": self.origin.model, "messages": len(request.messages)}
        self._write("api_request", told | {"tools": len(request.tools), "purpose": request.purpose})
        async with aclosing(self._provider.stream(request)) as parts:  # type: ignore[type-var]
            async for part in parts:
                yield part
