"""When one model cannot answer, the next of a chain does."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

from codi.protocol.errors import (
    CircuitOpen,
    CodiError,
    ConfigError,
    CredentialError,
    ProviderError,
    QuotaExhausted,
    Refused,
    UsageError,
)
from codi.protocol.events import Delta, StatusDelta
from codi.providers.knowing import known_model
from codi.providers.provider import ModelEntry, Provider, Reply, Request

Make = Callable[[], Awaitable[Provider]]


class Fallback:
    """`others` make the further providers when they are first needed. Who answered goes on answering until the turn is over;
    `rewind` begins with the first again. What the request itself is to blame for no other model is asked, nor what was
    refused, unless `on_refusal`."""

    def __init__(self, first: Provider, others: Sequence[Make], *, on_refusal: bool = False) -> None:
        self._providers = [first]
        self._others = list(others)
        self._on_refusal = on_refusal
        self._at = 0
        self.origin = first.origin

    @property
    def model(self) -> ModelEntry:
        return self._providers[self._at].model

    def rewind(self) -> None:
        self._go_to(0)

    def _go_to(self, at: int) -> None:
        self._at = at
        self.origin = self._providers[at].origin

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        while True:
            parts = self._providers[self._at].stream(request)
            has_spoken = False
            try:
                async for part in parts:
                    if isinstance(part, Reply) and part.stop in ("refused", "filtered") and self._on_refusal:
                        if self._is_last:
                            yield part
                            return
                        raise Refused(f"it would not answer ({part.raw_stop or part.stop})", hint="Ask otherwise.")
                    has_spoken = has_spoken or not isinstance(part, StatusDelta)
                    yield part
                return
            except CodiError as error:
                if not self._passes_on(error):
                    raise
                failure = error
            finally:
                if isinstance(parts, AsyncGenerator):
                    await parts.aclose()
            before = self._providers[self._at].origin
            if not await self._next():
                raise failure
            now = self.origin
            if has_spoken:  # what the first one said is withdrawn
                yield StatusDelta(kind="retry", text=str(failure), hint=failure.hint, attempt=1, tries=1)
            yield StatusDelta(
                kind="fallback",
                text=f"{before.provider}/{before.model} failed ({failure}); going on with {now.provider}/{now.model}",
                hint=failure.hint,
            )

    async def ask(self) -> ModelEntry:
        return await known_model(self._providers[self._at])

    async def models(self) -> Sequence[ModelEntry]:
        return await self._providers[0].models()

    async def count(self, request: Request) -> int | None:
        return await self._providers[self._at].count(request)

    @property
    def _is_last(self) -> bool:
        return not self._others and self._at + 1 >= len(self._providers)

    async def _next(self) -> bool:
        """Go to the next that can be made; False where there is none."""
        while self._at + 1 >= len(self._providers) and self._others:
            try:
                self._providers.append(await self._others.pop(0)())
            except (ConfigError, CredentialError, UsageError):
                continue  # without its key it is no way out
        if self._at + 1 >= len(self._providers):
            return False
        self._go_to(self._at + 1)
        return True

    def _passes_on(self, error: CodiError) -> bool:
        if isinstance(error, Refused):
            return self._on_refusal
        if isinstance(error, CredentialError | QuotaExhausted | CircuitOpen):
            return True
        return isinstance(error, ProviderError) and error.retriable
