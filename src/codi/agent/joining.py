"""Pieces of an answer that come together, told together: whoever looks at a screen sees no difference, and hundreds of deltas a
second cost as many walks to the screen."""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from codi.protocol.events import Delta, TextDelta, ThinkingDelta


class JoinedDeltas:
    """Tells what it is given, in order. Text that goes on in one place is told when nothing more is at hand: when the task that
    reads the answer waits again."""

    def __init__(self, tell: Callable[[Delta], None]) -> None:
        self._tell = tell
        self._first: TextDelta | ThinkingDelta | None = None
        self._texts: list[str] = []

    def tell(self, delta: Delta) -> None:
        if not isinstance(delta, TextDelta | ThinkingDelta):
            self.flush()
            self._tell(delta)
        elif self._first and type(self._first) is type(delta) and self._first.index == delta.index:
            self._texts.append(delta.text)
        else:
            self.flush()
            self._first, self._texts = delta, [delta.text]
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Tell what is at hand."""
        first, self._first = self._first, None
        if first:
            self._tell(first if len(self._texts) == 1 else replace(first, text="".join(self._texts)))
