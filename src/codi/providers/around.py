"""A provider around a provider: what a wrapper does not change is the inner one's."""

from collections.abc import Sequence

from codi.protocol.messages import Origin
from codi.providers.knowing import known_model
from codi.providers.provider import ModelEntry, Provider, Request


class Around:
    """To be inherited by wrappers, which say for themselves how they stream."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    @property
    def origin(self) -> Origin:
        return self._provider.origin

    @property
    def model(self) -> ModelEntry:
        return self._provider.model

    async def ask(self) -> ModelEntry:
        """The model as exactly as its provider can know it."""
        return await known_model(self._provider)

    async def models(self) -> Sequence[ModelEntry]:
        return await self._provider.models()

    async def count(self, request: Request) -> int | None:
        return await self._provider.count(request)
