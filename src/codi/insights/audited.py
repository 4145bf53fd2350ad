"""A model whose requests are on record."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from codi.protocol.events import Delta
from codi.providers.around import Around
from codi.providers.provider import Provider, Reply, Request

Write = Callable[[str, dict[str, Any]], None]


class Audited(Around):
    """`write` is given the type of a line and what it tells."""

    def __init__(self, provider: Provider, write: Write) -> None:
        super().__init__(provider)
        self._write = write

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        told = {"provider": self.origin.provider, "model": self.origin.model, "messages": len(request.messages)}
        self._write("api_request", told | {"tools": len(request.tools), "purpose": request.purpose})
        async with aclosing(self._provider.stream(request)) as parts:  # type: ignore[type-var]
            async for part in parts:
                yield part
