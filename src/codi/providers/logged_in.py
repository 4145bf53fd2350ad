"""A provider for a login: at the address that the login names, and asked once more when a token has ended before its time."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import Protocol

from codi.protocol.errors import KeyRefused
from codi.protocol.events import Delta, StatusDelta
from codi.providers.knowing import known_model
from codi.providers.provider import Credential, ModelEntry, Provider, Reply, Request


class Login(Credential, Protocol):
    """A token that stands for an account, and that can be renewed. `base_url` is empty where the service is at its usual address; it and `headers`, which
    the service wants besides, are known once the secret was asked for."""

    @property
    def base_url(self) -> str: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    async def renew(self) -> bool:
        """Get another token in place of one that was refused; False where there is none to be had."""
        ...


class LoggedIn:
    """`make` gives the adapter for an address, empty for the usual one, and headers that go with each request."""

    def __init__(self, login: Login, make: Callable[[str, Mapping[str, str]], Provider]) -> None:
        self._login = login
        self._make = make
        self._place: tuple[str, dict[str, str]] = ("", {})
        self._provider = make("", {})
        self.origin = self._provider.origin

    @property
    def model(self) -> ModelEntry:
        return self._provider.model

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        for is_last in (False, True):
            provider = await self._placed()
            has_answered = False
            parts = provider.stream(request)
            try:
                async for part in parts:
                    has_answered = has_answered or not isinstance(part, StatusDelta)
                    yield part
                return
            except KeyRefused:
                if is_last or has_answered or not await self._login.renew():
                    raise
            finally:
                if isinstance(parts, AsyncGenerator):
                    await parts.aclose()

    async def ask(self) -> ModelEntry:
        """The model as exactly as its provider can know it."""
        return await known_model(self._provider)

    async def models(self) -> Sequence[ModelEntry]:
        try:
            return await (await self._placed()).models()
        except KeyRefused:
            if not await self._login.renew():
                raise
            return await (await self._placed()).models()

    async def count(self, request: Request) -> int | None:
        return await (await self._placed()).count(request)

    async def _placed(self) -> Provider:
        await self._login.secret()
        place = (self._login.base_url, dict(self._login.headers))
        if place != self._place:
            self._place, self._provider = place, self._make(*place)
        return self._provider
