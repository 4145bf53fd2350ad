"""A provider that waits until a usage limit is over, for where a person is there who may wait or stop it."""

import time
from collections.abc import AsyncGenerator, AsyncIterator

import anyio

from codi.protocol.errors import QuotaExhausted
from codi.protocol.events import Delta, StatusDelta
from codi.providers.around import Around
from codi.providers.failures import clock_time, duration_text
from codi.providers.provider import Reply, Request

_LOOK_S = 30.0
"""A machine that slept meanwhile is late by no more than this: its clock of waits stood still, the time of day did not."""


class Pausing(Around):
    """Asks again when the time is over that a service named. A limit without a time, as of money, is told as it is. The pause is
    announced as a `retry` of no attempt, and ends at once with the task that waits."""

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        while True:
            parts = self._provider.stream(request)
            try:
                async for part in parts:
                    yield part
                return
            except QuotaExhausted as error:
                if not error.retry_after_s:
                    raise
                limit, wait_s = error, error.retry_after_s
            finally:
                if isinstance(parts, AsyncGenerator):
                    await parts.aclose()
            yield StatusDelta(
                kind="retry",
                text=f"the turn is paused until {clock_time(wait_s)}, for {duration_text(wait_s)}: {limit}",
                hint="Esc stops it; all of it is kept. /model chooses another model.",
                wait_s=wait_s,
            )
            until = time.time() + wait_s
            while (left_s := until - time.time()) > 0:
                await anyio.sleep(min(left_s, _LOOK_S))
