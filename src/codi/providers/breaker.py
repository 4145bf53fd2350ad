"""Leaving a service alone that fails again and again: for a while it is not asked at all, then once to see."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from codi.protocol.errors import CircuitOpen, ProviderError, RateLimited
from codi.protocol.events import Delta
from codi.providers.around import Around
from codi.providers.failures import duration_text
from codi.providers.provider import Provider, Reply, Request

FAILURES = 5
WITHIN_S = 60.0
OPEN_S = 30.0
LONGEST_S = 300.0


class Breaker:
    """What is known of one model of one service. `FAILURES` in a row within `WITHIN_S` open it for `OPEN_S`; each probe that
    fails doubles the time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: list[float] = []
        self._open_s = 0.0
        self._until = 0.0
        self._is_probed = False

    @property
    def left_s(self) -> float:
        """How long it is still left alone; 0 where it may be asked."""
        if not self._open_s:
            return 0.0
        left_s = self._until - self._clock()
        return max(left_s, 0.0) if not self._is_probed else max(left_s, 1.0)

    def begin(self) -> None:
        """It is asked."""
        self._is_probed = bool(self._open_s)

    def end(self) -> None:
        """Nothing came of it: it was stopped, or the request was at fault."""
        self._is_probed = False

    def succeeded(self) -> None:
        self._failed.clear()
        self._open_s, self._is_probed = 0.0, False

    def failed(self) -> None:
        now = self._clock()
        self._is_probed = False
        self._failed = [at for at in self._failed if now - at < WITHIN_S] + [now]
        if self._open_s or len(self._failed) >= FAILURES:
            self._open_s = min(self._open_s * 2, LONGEST_S) if self._open_s else OPEN_S
            self._until = now + self._open_s


class Broken(Around):
    """A provider behind its breaker. A service that is busy with others is not broken."""

    def __init__(self, provider: Provider, breaker: Breaker) -> None:
        super().__init__(provider)
        self._breaker = breaker

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        breaker, name = self._breaker, f"{self.origin.provider}/{self.origin.model}"
        if left_s := breaker.left_s:
            when = time.strftime("%H:%M:%S", time.localtime(time.time() + left_s))
            raise CircuitOpen(
                f"{name} failed {FAILURES} times in a row and is left alone until {when}",
                hint=f"Try again in {duration_text(left_s)}, or choose another model with /model.",
                retry_after_s=left_s,
            )
        breaker.begin()
        parts = self._provider.stream(request)
        try:
            async for part in parts:
                if isinstance(part, Reply):
                    breaker.succeeded()
                yield part
        except ProviderError as error:
            if error.retriable and not isinstance(error, RateLimited):
                breaker.failed()
            raise
        finally:
            breaker.end()
            if isinstance(parts, AsyncGenerator):
                await parts.aclose()
