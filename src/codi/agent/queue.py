"""What was said while the model was busy: it waits here until it is taken up, once.

A `steering` item goes to the model before its next request, a `follow_up` when the turn would end. Who listens is told after each change.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from codi.protocol.errors import UsageError
from codi.protocol.events import QueueDelta, QueueKept, Waiting
from codi.protocol.messages import Message, user
from codi.protocol.ops import Line, Revise, Withdraw

Pace = Literal["one-at-a-time", "all"]


class Queue:
    def __init__(
        self,
        tell: Callable[[QueueDelta], None],
        *,
        steering: Pace = "one-at-a-time",
        follow_up: Pace = "one-at-a-time",
    ) -> None:
        self._tell = tell
        self._paces: dict[Line, Pace] = {"steering": steering, "follow_up": follow_up}
        self._lines: dict[Line, list[Waiting]] = {"steering": [], "follow_up": []}

    def __bool__(self) -> bool:
        return any(self._lines.values())

    def has(self, line: Line) -> bool:
        return bool(self._lines[line])

    def add(self, line: Line, item: Waiting) -> None:
        self._lines[line].append(item)
        self._told()

    def restore(self, kept: QueueKept) -> None:
        """Offer again what waited when the conversation last ended."""
        self._lines = {"steering": list(kept.steering), "follow_up": list(kept.follow_up)}

    @property
    def standing(self) -> QueueDelta:
        """All that waits now."""
        return QueueDelta(tuple(self._lines["steering"]), tuple(self._lines["follow_up"]))

    def take(self, line: Line) -> list[Message]:
        """What is to be said now: the first of a line, or all of it. It waits no more."""
        count = 1 if self._paces[line] == "one-at-a-time" else len(self._lines[line])
        taken, self._lines[line] = self._lines[line][:count], self._lines[line][count:]
        if taken:
            self._told()
        return [user(item.text, *item.images) for item in taken]

    def next(self) -> Waiting | None:
        """What to begin a turn with, where nobody took it up."""
        line: Line = "steering" if self._lines["steering"] else "follow_up"
        if not self._lines[line]:
            return None
        item = self._lines[line].pop(0)
        self._told()
        return item

    def withdraw(self, op: Withdraw) -> None:
        """Raises UsageError where nothing waits at that place."""
        if op.at is None:
            self._lines[op.line] = []
        else:
            del self._lines[op.line][self._place(op.line, op.at)]
        self._told()

    def revise(self, op: Revise) -> None:
        """Raises UsageError where nothing waits at that place."""
        items = self._lines[op.line]
        item = items.pop(self._place(op.line, op.at))
        if op.text is not None:
            item = Waiting(op.text, item.images)
        items.insert(op.at if op.to is None else max(op.to, 0), item)
        self._told()

    def kept(self, last: Sequence[Waiting] = ()) -> QueueKept:
        """What to keep of it at the end; `last` was said and never came to stand in line."""
        return QueueKept(tuple(self._lines["steering"]), (*self._lines["follow_up"], *last))

    def _place(self, line: Line, at: int) -> int:
        if not 0 <= at < len(self._lines[line]):
            raise UsageError("nothing waits at that place any more", hint="/queue lists what waits.")
        return at

    def _told(self) -> None:
        self._tell(self.standing)
