"""Asking a service no more often than it takes: one bucket of requests for each key, whoever asks."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

import anyio

from codi.protocol.errors import RateLimited
from codi.protocol.events import Delta, StatusDelta
from codi.providers.around import Around
from codi.providers.failures import duration_text
from codi.providers.provider import Provider, Reply, Request

_SHOWN_S = 1.0


class Bucket:
    """Fills with `per_minute` requests a minute, None for any number. A service that asks to wait empties it until then."""

    def __init__(
        self,
        per_minute: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._sleep = sleep
        self._left = per_minute or 0.0
        self._at = clock()
        self._closed_until = 0.0

    def take(self) -> float:
        """Take one request out of it; the seconds until it may be sent."""
        now = self._clock()
        wait_s = max(self._closed_until - now, 0.0)
        if self._per_minute:
            self._left = min(self._left + (now - self._at) * self._per_minute / 60, self._per_minute) - 1
            self._at = now
            wait_s = max(wait_s, -self._left * 60 / self._per_minute)
        return wait_s

    def close(self, for_s: float) -> None:
        self._closed_until = max(self._closed_until, self._clock() + for_s)

    async def sleep(self, seconds: float) -> None:
        await self._sleep(seconds)


class Rated(Around):
    """A provider that waits for its bucket, and says so."""

    def __init__(self, provider: Provider, bucket: Bucket) -> None:
        super().__init__(provider)
        self._bucket = bucket

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        wait_s = self._bucket.take()
        if wait_s > 0:
            if wait_s >= _SHOWN_S:
                text = f"waiting {duration_text(wait_s)} for the rate limit of {self.origin.provider}"
                yield StatusDelta(kind="waiting", text=text, hint="It goes on by itself; Esc stops it.", wait_s=wait_s)
            await self._bucket.sleep(wait_s)
        parts = self._provider.stream(request)
        try:
            async for part in parts:
                yield part
        except RateLimited as busy:
            if busy.retry_after_s:
                self._bucket.close(busy.retry_after_s)
            raise
        finally:
            if isinstance(parts, AsyncGenerator):
                await parts.aclose()
