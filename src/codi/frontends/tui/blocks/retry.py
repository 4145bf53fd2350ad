"""A request that failed is sent again: how long that takes, and what was wrong."""

from codi.frontends.sanitiser import visible
from codi.frontends.tui.blocks.look import Look
from codi.frontends.tui.lines import Line, clipped, wrapped
from codi.protocol.events import StatusDelta


class RetryBlock:
    """One line for a whole series of tries: it counts down while it waits, and says what happened when it is over."""

    def __init__(self, look: Look, status: StatusDelta) -> None:
        self.is_done = False
        self._look = look
        self.again(status)

    def again(self, status: StatusDelta) -> None:
        """The next try is waited for."""
        self._count = f"{status.attempt}/{status.tries}" if status.tries else str(status.attempt)
        self._text = visible(status.text).replace("\n", " ")
        self._until = self._look.now + status.wait_s

    def end(self) -> None:
        self.is_done = True

    def settled(self, columns: int) -> int:
        return len(self.lines(columns)) if self.is_done else 0

    def lines(self, columns: int) -> list[Line]:
        return [(), clipped(((self._said(), "warning"),), columns)]

    def whole(self, columns: int) -> list[Line]:
        return [(), *wrapped(((self._said(), "warning"),), columns, rest=(("  ", ""),))]

    def _said(self) -> str:
        left = max(self._until - self._look.now, 0.0)
        if self._count == "0":
            return f"! {'it is over' if self.is_done else f'{left:.0f} s left'}: {self._text}"
        when = "tried again" if self.is_done else f"trying again in {left:.0f} s" if left else "trying again"
        return f"! {when} ({self._count}): {self._text}"
