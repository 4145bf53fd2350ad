"""What runs now: a turn or a command of the person's own in the conversation, or a command of the interface beside it."""

import anyio

from codi.protocol.events import (
    CommandDelta,
    CommandShown,
    Entry,
    Event,
    QueueDelta,
    SessionOpened,
    StatusDelta,
    TurnEnded,
    TurnStarted,
)


class Activity:
    """`is_busy` says whether the conversation works, since `began` (seconds of the monotonic clock); `command` is what of the
    interface can be cancelled. `has_begun` is set with each beginning."""

    def __init__(self) -> None:
        self.is_busy = False
        self.began = 0.0
        self.command: anyio.CancelScope | None = None
        self.has_begun = anyio.Event()
        self._waits_for = ""

    def hear(self, event: Event, now: float) -> None:
        if not isinstance(event, QueueDelta):
            self._waits_for = event.text if isinstance(event, StatusDelta) and event.kind == "waiting" else ""
        match event:
            case CommandDelta() | Entry(fact=TurnStarted()):
                self.is_busy, self.began = True, now
                self.has_begun.set()
            case Entry(fact=CommandShown() | TurnEnded() | SessionOpened()):
                self.is_busy = False  # what was begun before a session was opened went no further

    def told(self, now: float, *, in_motion: bool) -> str:
        """A line while the conversation works; empty while it does not."""
        if not self.is_busy:
            return ""
        passed = f" {now - self.began:.0f}s" if in_motion else ""
        cause = f", {self._waits_for}" if self._waits_for else ""
        return f"working{passed}{cause}, esc to stop"
