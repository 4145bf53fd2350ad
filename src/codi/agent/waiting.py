"""Telling that it is the model that is waited for, and for how long already."""

import time
from collections.abc import Callable

import anyio

from codi.agent.mind import Mind
from codi.protocol.events import Delta, StatusDelta
from codi.providers.failures import duration_text

_SHOWN_AFTER_S = 3.0


class Waiting:
    """One request's silences. Each is told once it is noticed, and once more, with a hint, when half of the time is over after
    which the provider gives up."""

    def __init__(self, mind: Mind, tell: Callable[[Delta], None]) -> None:
        self._service = mind.provider.model.service
        self._first_s = mind.timeouts.until_first_byte(thinking=mind.thinking != "off")
        self._idle_s = mind.timeouts.idle_s
        self._tell = tell
        self._limit_s = self._first_s
        self._since = time.monotonic()
        self._broken = anyio.Event()

    def heard(self, delta: Delta) -> None:
        """The silence is broken. Before a new try there is one that was announced already."""
        pause_s = delta.wait_s if isinstance(delta, StatusDelta) and delta.kind == "retry" else None
        self._since = time.monotonic() + (pause_s or 0.0)
        self._limit_s = self._idle_s if pause_s is None else self._first_s
        self._broken.set()

    async def watch(self) -> None:
        """Tell of the silences until cancelled."""
        while True:
            since, self._broken = self._since, anyio.Event()
            for seconds, hint in self._marks():
                await anyio.sleep(since + seconds - time.monotonic())
                if self._broken.is_set():
                    break
                text = f"waiting for {self._service} ({duration_text(seconds)})"
                self._tell(StatusDelta(kind="waiting", text=text, hint=hint, wait_s=seconds))
            else:
                await self._broken.wait()

    def _marks(self) -> list[tuple[float, str | None]]:
        """The seconds of silence at which something is told."""
        half = (self._limit_s / 2, f"It is given up after {duration_text(self._limit_s)}; interrupt it, or wait.")
        return [(_SHOWN_AFTER_S, None), half] if half[0] > _SHOWN_AFTER_S else [half]
