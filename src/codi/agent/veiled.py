"""A provider around a provider: what goes to a model holds placeholders in place of secrets."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from msgspec.structs import replace

from codi.agent.veiling import veiled
from codi.credentials.vault import Vault
from codi.protocol.events import Delta
from codi.protocol.messages import Message
from codi.protocol.tooling import ToolSpec
from codi.providers.around import Around
from codi.providers.provider import Provider, Reply, Request


class Veiled(Around):
    """Messages keep their identity from request to request, so that none is looked through twice."""

    def __init__(self, provider: Provider, vault: Vault) -> None:
        super().__init__(provider)
        self._vault = vault
        self._told_tools: tuple[tuple[ToolSpec, ...], tuple[ToolSpec, ...]] = ((), ())
        self._seen: dict[int, tuple[Message, Message]] = {}

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        parts: Any = self._provider.stream(self._told(request))
        async with aclosing(parts):
            async for part in parts:
                yield part

    async def count(self, request: Request) -> int | None:
        return await self._provider.count(self._told(request))

    def _told(self, request: Request) -> Request:
        return replace(
            request,
            system=veiled(request.system, self._vault),
            messages=self._messages(request.messages),
            tools=self._tools(request.tools),
        )

    def _tools(self, tools: tuple[ToolSpec, ...]) -> tuple[ToolSpec, ...]:
        if self._told_tools[0] is not tools:
            self._told_tools = (tools, veiled(tools, self._vault))
        return self._told_tools[1]

    def _messages(self, messages: Sequence[Message]) -> list[Message]:
        seen = {}
        for message in messages:
            known = self._seen.get(id(message))
            seen[id(message)] = known or (message, veiled(message, self._vault))
        self._seen = seen  # each holds on to its message, so no other can have that identity
        return [seen[id(message)][1] for message in messages]
