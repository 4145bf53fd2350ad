"""What is told on the way: that a limit is near, and which instruction files have come to hold."""

from collections.abc import Callable, Iterable, Sequence

from codi.agent.limits import AgentSettings
from codi.agent.nearby import Nearby
from codi.agent.record import Record
from codi.agent.tally import Tally
from codi.protocol.effects import Effect
from codi.protocol.events import ContextAdded, Entry, StatusDelta
from codi.protocol.messages import user
from codi.providers.budget import Budget

_NEAR = 0.8


class Notices:
    """Each limit is told once, to the person and to the model."""

    def __init__(self, record: Record, settings: AgentSettings, budget: Budget, nearby: Nearby | None) -> None:
        self._record = record
        self.settings = settings
        self._budget = budget
        self._nearby = nearby
        self._is_late = False

    def begin(self) -> None:
        """A turn begins."""
        self._is_late = False
        self._of_files(Nearby.changed)

    def read_again(self) -> None:
        """The conversation was compacted: what the instruction files say is told anew."""
        self._of_files(Nearby.changed)

    def after(self, touched: Sequence[Effect]) -> None:
        """Calls have touched these."""
        self._of_files(lambda nearby, path: nearby.touched(touched, path))

    def before_step(self, tally: Tally) -> None:
        limit = self.settings.max_steps
        if limit > 1 and tally.steps == max(1, limit * 4 // 5):
            self._record.tell(StatusDelta(kind="warning", text=f"{tally.steps} of {limit} steps used"))
        for warning in (self._lateness(tally), self._budget.warning()):
            if warning:
                self._record.tell(StatusDelta(kind="warning", text=warning))
                self.nudge(f"{warning}. Come to an end soon.")

    def nudge(self, text: str) -> None:
        """Say something to the model that the person did not."""
        self._record.keep(ContextAdded(kind="codi/nudge", message=user(text), display=False))

    def _lateness(self, tally: Tally) -> str | None:
        limit_s, spent_s = self.settings.max_time_s, tally.elapsed_s - tally.paused_s
        if self._is_late or spent_s < _NEAR * limit_s:
            return None
        self._is_late = True
        return f"{spent_s:.0f} of {limit_s:g} s of this turn are over"

    def _of_files(self, found: Callable[[Nearby, Sequence[Entry]], Iterable[ContextAdded]]) -> None:
        """Keep the instruction files that have come to hold, and tell the person what is wrong with them."""
        if self._nearby is None:
            return
        for fact in found(self._nearby, self._record.session.path()):
            self._record.keep(fact)
        while self._nearby.notices:
            self._record.tell(StatusDelta(kind="warning", text=self._nearby.notices.pop(0)))
