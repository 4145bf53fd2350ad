"""Counting a turn while it runs."""

import time

from codi.protocol.events import TurnStats
from codi.protocol.messages import Usage


class Tally:
    def __init__(self, model: str) -> None:
        self.steps = self.calls = self.errors = self.retries = 0
        self.provider_s = self.tool_s = self.wait_s = self.paused_s = 0.0
        self._model = model
        self._began = time.monotonic()
        self._used = Usage()
        self._cost: float | None = 0.0

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def add(self, usage: Usage) -> None:
        used = self._used
        self._used = Usage(
            input=used.input + usage.input,
            output=used.output + usage.output,
            cache_read=used.cache_read + usage.cache_read,
            cache_write=used.cache_write + usage.cache_write,
            thinking=used.thinking + usage.thinking,
        )
        self._cost = None if self._cost is None or usage.cost is None else self._cost + usage.cost.total

    def stats(self) -> TurnStats:
        used = self._used
        asked = used.input + used.cache_read + used.cache_write
        return TurnStats(
            steps=self.steps,
            tool_calls=self.calls,
            tool_errors=self.errors,
            input_tokens=used.input,
            output_tokens=used.output,
            cache_read_tokens=used.cache_read,
            cache_write_tokens=used.cache_write,
            thinking_tokens=used.thinking,
            total_tokens=used.total,
            cost=self._cost,
            duration_ms=_ms(self.elapsed_s),
            provider_ms=_ms(self.provider_s),
            tool_ms=_ms(self.tool_s),
            wait_ms=_ms(self.wait_s),
            retries=self.retries,
            model=self._model,
            cache_hit=round(used.cache_read / asked, 4) if asked else 0.0,
        )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
