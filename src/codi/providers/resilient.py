"""A provider that tries again when the service is busy or the line breaks."""

import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

import anyio

from codi.protocol.errors import CodiError, ProviderError, QuotaExhausted
from codi.protocol.events import Delta, StatusDelta
from codi.providers.failures import clock_time, duration_text
from codi.providers.knowing import known_model
from codi.providers.provider import ModelEntry, Provider, Reply, Request

PATIENCE_S = 300.0
"""What all waits of one request may take together."""


class Allowance:
    """How often a turn may try again in all, whatever its requests and however many wrap one another."""

    def __init__(self, per_turn: int = 20) -> None:
        self._per_turn = per_turn
        self.left = per_turn

    def renew(self) -> None:
        """A turn begins."""
        self.left = self._per_turn


class Resilient:
    """Tries again what may succeed a moment later, `tries` times in all, and withdraws what was shown of a broken answer.

    Between two tries it waits a random part of `base_s` doubled each time, at most `cap_s`; what the service asks for wins. A
    service that asks for more than `pause_over_s` has no pause but a usage limit: QuotaExhausted. Nothing is tried again
    after a Reply, nor what the service refuses for good. A wait is announced before it begins, and ends at once with the task
    that waits.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        tries: int = 5,
        base_s: float = 1.0,
        cap_s: float = 30.0,
        pause_over_s: float = 300.0,
        allowance: Allowance | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.origin = provider.origin
        self._provider = provider
        self._tries = tries
        self._base_s = base_s
        self._cap_s = cap_s
        self._pause_over_s = pause_over_s
        self._allowance = allowance or Allowance()
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter

    @property
    def model(self) -> ModelEntry:
        """The provider's own, which may become more exact with its first request."""
        return self._provider.model

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        waited_s = 0.0
        for attempt in range(1, self._tries + 1):
            parts = self._provider.stream(request)
            try:
                async for part in parts:
                    if isinstance(part, Reply):
                        if attempt > 1:
                            yield self._ended(attempt, ok=True, text=f"{self.model.service} answered")
                        yield part
                        return
                    yield part
                return
            except CodiError as error:
                failure = error
            finally:
                if isinstance(parts, AsyncGenerator):
                    await parts.aclose()
            wait_s = self._wait(attempt, failure)
            if (
                wait_s is None
                or attempt == self._tries
                or not self._allowance.left
                or wait_s > self._pause_over_s
                or waited_s + wait_s > PATIENCE_S
            ):
                if attempt > 1:
                    yield self._ended(attempt, ok=False, text=str(failure))
                raise self._told(failure, wait_s)
            self._allowance.left -= 1
            yield StatusDelta(
                kind="retry",
                text=f"{failure}; trying again in {duration_text(wait_s)}",
                hint=failure.hint,
                attempt=attempt,
                tries=self._tries,
                wait_s=wait_s,
            )
            asleep = self._clock()
            await self._sleep(wait_s)
            waited_s += self._clock() - asleep

    async def ask(self) -> ModelEntry:
        """The model as exactly as its provider can know it."""
        return await known_model(self._provider)

    async def models(self) -> Sequence[ModelEntry]:
        return await self._provider.models()

    async def count(self, request: Request) -> int | None:
        return await self._provider.count(request)

    def _wait(self, attempt: int, failure: CodiError) -> float | None:
        """Seconds until the next try; None if there must be none."""
        if not isinstance(failure, ProviderError) or not failure.retriable:
            return None
        if failure.retry_after_s is not None:
            return failure.retry_after_s
        return self._jitter() * min(self._base_s * 2.0 ** (attempt - 1), self._cap_s)

    def _told(self, failure: CodiError, wait_s: float | None) -> CodiError:
        """What the caller is told in the end: the failure, or that it is none that passes soon."""
        if wait_s is None or wait_s <= self._pause_over_s:
            return failure
        quota = QuotaExhausted(
            f"{self.model.service} asks to wait {duration_text(wait_s)}: {failure}",
            hint=f"Go on at {clock_time(wait_s)} (in {duration_text(wait_s)}) with `codi -c`, or choose another model with /model.",
            status=failure.status if isinstance(failure, ProviderError) else None,
            retry_after_s=wait_s,
        )
        quota.__cause__ = failure
        return quota

    def _ended(self, attempt: int, *, ok: bool, text: str) -> StatusDelta:
        return StatusDelta(kind="retry_end", text=text, attempt=attempt - 1, tries=self._tries, ok=ok)
