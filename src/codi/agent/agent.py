"""The loop: a prompt goes in, and the model thinks and acts by turns until it asks for no more tools.

A turn is everything from a prompt to its `TurnEnded`; a step is one request with its reply and the results of its calls.
Whatever ends a turn, what was kept stays, and the next prompt finds a history that any service accepts.
"""

import time
from collections.abc import Callable, Sequence

import anyio
from msgspec.structs import replace

from codi.agent.calls import Calls
from codi.agent.exchanges import Exchanges
from codi.agent.gate import Gate
from codi.agent.limits import AgentSettings
from codi.agent.mind import Mind
from codi.agent.nearby import Nearby
from codi.agent.notices import Notices
from codi.agent.patience import GO_ON, SAY_SOMETHING, Patience, StepLost
from codi.agent.queue import Queue
from codi.agent.record import Record
from codi.agent.repetition import Repetition
from codi.agent.room.room import Room
from codi.agent.tally import Tally
from codi.protocol.errors import CodiError, LimitReached
from codi.protocol.events import (
    BudgetDelta,
    ContextAdded,
    MessageAdded,
    Reason,
    StatusDelta,
    TurnEnded,
    TurnStarted,
)
from codi.protocol.messages import Image, Message, Text, ToolCall, ToolResult, user
from codi.protocol.ops import ChooseBudget, Line
from codi.providers.budget import Budget
from codi.providers.provider import Reply

CUT_CALL = (
    'Tool call "{}" was not executed: the response hit the output limit, so its arguments may be truncated. '
    "Send it again complete, in smaller pieces (write the first part, then append with insert_lines)."
)
SUM_UP = "The limit of {} steps is reached. Use no more tools; say what is done and what is left."
WITHHELD = "Not executed: the service broke the reply off."
PAST_LIMIT = "Not executed: the limit of steps was reached."


class Agent:
    """`mind` may be exchanged between turns; what waits in the `queue` is said to the model on its way.
    `nearby` looks for instruction files on the way; None where none are read. `news` is what happened by itself meanwhile,
    told once."""

    def __init__(
        self,
        mind: Mind,
        calls: Calls,
        record: Record,
        settings: AgentSettings,
        nearby: Nearby | None = None,
        news: Callable[[], Sequence[str]] = tuple,
        gate: Gate | None = None,
        budget: Budget | None = None,
        room: Room | None = None,
    ) -> None:
        self.mind = mind
        self.calls = calls
        self.queue = Queue(record.tell, steering=settings.steering, follow_up=settings.follow_up)
        self._gate = gate or Gate(calls, record, settings)
        self._record = record
        self._settings = self._first_settings = settings
        self.budget = budget or Budget()
        self._notices = Notices(record, settings, self.budget, nearby)
        self._news = news
        self.room = room or Room(record)
        self.room.spent = lambda usage: self._tally.add(usage)
        self._tally = Tally(mind.provider.model.id)
        self._is_relieved = False
        self._turn = sum(isinstance(entry.fact, TurnStarted) for entry in record.session.path())

    async def prompt(self, text: str, images: Sequence[Image] = ()) -> Reason:
        """Take one prompt to its end, whatever the end is, and what was said meanwhile; how it ended."""
        self._begin(user(text, *images))
        return await self._to_the_end(())

    async def take_up(self, calls: Sequence[ToolCall]) -> Reason:
        """Go on where another run of codi ended, with calls that it did not come to make; how it ended."""
        self._begin(None)
        return await self._to_the_end(calls)

    async def _to_the_end(self, calls: Sequence[ToolCall]) -> Reason:
        try:
            with anyio.move_on_after(self._settings.max_time_s) as clock:
                self._exchanges.clock = clock
                await self._gate.begin()
                while calls := calls or await self._think():
                    if not await self._act(calls):
                        return self._end("interrupted")
                    calls = ()
            if clock.cancelled_caught:
                raise LimitReached(
                    f"the turn took longer than {self._settings.max_time_s:g} s",
                    hint="Raise --max-time, or go on with `codi -c`.",
                    limit="time",
                )
        except anyio.get_cancelled_exc_class():
            self._end("interrupted")
            raise
        except LimitReached as limit:
            return self._end("limit", limit)
        except CodiError as error:
            return self._end("error", error)
        return self._end_well()

    def limit(self, op: ChooseBudget) -> BudgetDelta:
        """Other limits from now on; what holds then, and what is used of it."""
        held, first, budget = self._settings, self._first_settings, self.budget
        if op.off:
            held = replace(held, max_steps=first.max_steps, max_time_s=first.max_time_s)
            budget.limit(first.max_cost)
        if op.cost is not None:
            budget.limit(op.cost)
        self._settings = replace(
            held, max_steps=held.max_steps if op.steps is None else op.steps, max_time_s=op.time_s or held.max_time_s
        )
        self._notices.settings = self._settings
        return BudgetDelta(
            cost=budget.max_cost,
            spent=budget.spent,
            reserved=budget.reserved.cost,
            steps=self._settings.max_steps,
            time_s=self._settings.max_time_s,
            tokens=budget.max_tokens,
            tokens_used=budget.tokens,
        )

    async def _think(self) -> tuple[ToolCall, ...]:
        """Ask the model until it has said something that can be acted upon. No calls: the turn is done."""
        while True:
            self._take_up("steering")
            for text in self._news():
                self._record.keep(ContextAdded(kind="codi/news", message=user(text), display=False))
            self._notices.before_step(self._tally)
            reply = await self._last_words() if self._at_last_step() else await self._exchanges.ask()
            calls = reply.message.tool_calls
            if reply.stop == "length" and calls:
                self._refuse(calls, CUT_CALL)
                self._exchanges.more_output = self._patience.cut_calls()
                continue
            if reply.stop in ("refused", "filtered"):
                # Often nothing else was said, and a turn that ends without a word looks like a failure of codi.
                what = "refused to answer" if reply.stop == "refused" else "had its answer withheld by a filter"
                told = f"the model {what}" + (f" ({reply.raw_stop})" if reply.raw_stop else "")
                self._record.tell(StatusDelta(kind="warning", text=told))
                self._refuse(calls, WITHHELD)
                if self.queue.has("steering"):
                    continue
                return ()
            self._patience.whole(defects=any(call.defect for call in calls))
            if calls:
                return calls
            if reply.complaint:
                self._patience.malformed()
                self._notices.nudge(reply.complaint)
            elif reply.stop == "length":
                self._patience.cut_text()
                self._notices.nudge(GO_ON)
            elif reply.stop == "paused":
                self._patience.paused()
            elif not reply.message.text.strip():
                await self._bear_silence()
            elif not (self.queue.has("steering") or self._take_up("follow_up") or await self._is_held_up(reply)):
                if not self.queue:  # what was said while the end was looked into
                    return ()
                self._take_up("follow_up")

    def _take_up(self, line: Line) -> bool:
        """Say to the model what waits in this line; False if nothing does."""
        taken = self.queue.take(line)
        for message in taken:
            self._record.keep(MessageAdded(message), sync=True)
        return bool(taken)

    async def _bear_silence(self) -> None:
        """Ask for words; where that does not help, a shorter conversation may."""
        try:
            self._patience.empty()
        except StepLost:
            if self._is_relieved or not await self.room.relieve(self.mind):
                raise
            self._is_relieved = True
        self._notices.nudge(SAY_SOMETHING)

    async def _act(self, calls: Sequence[ToolCall]) -> bool:
        """Run the calls of a reply and keep their results. False if the person stopped the turn."""
        failures: list[str] = []

        def remark(call: ToolCall, result: ToolResult, failed: bool) -> str | None:
            if failed:
                failures.append(result.text)
            return self._repetition.remark(call, result, failed=failed)

        began, waited = time.monotonic(), self.calls.approvals.waited_s
        try:
            if not await self.calls.run(calls, remark):
                return False
            self._notices.after(self.calls.touched)
        finally:
            waited = self.calls.approvals.waited_s - waited
            self._tally.wait_s += waited
            self._tally.tool_s += time.monotonic() - began - waited
            self._tally.calls += len(calls)
            self._tally.errors += len(failures)
        if self._repetition.ended:
            raise StepLost(self._repetition.ended, hint="Say what to do differently, or choose another model.")
        self._patience.after_results(all_failed=len(failures) == len(calls), last=failures[-1] if failures else "")
        return True

    async def _is_held_up(self, reply: Reply) -> bool:
        """Whether the turn may not end with this reply; the model is told why."""
        objection = await self._gate.objection(reply.message.text)
        if objection:
            self._notices.nudge(objection)
        return objection is not None

    def _at_last_step(self) -> bool:
        return 0 < self._settings.max_steps <= self._tally.steps

    async def _last_words(self) -> Reply:
        """The limit of steps is reached: let the model sum up without tools, and end the turn."""
        self._notices.nudge(SUM_UP.format(self._settings.max_steps))
        reply = await self._exchanges.ask(tool_choice="none")
        self._refuse(reply.message.tool_calls, PAST_LIMIT)
        raise LimitReached(
            f"the limit of {self._settings.max_steps} steps was reached",
            hint="Raise --max-turns, or go on with `codi -c`.",
            limit="steps",
        )

    def _begin(self, prompt: Message | None) -> None:
        self._turn += 1
        before = self.mind.provider.origin
        self.mind.begin_turn()
        self._tally = Tally(self.mind.provider.model.id)
        self._repetition = Repetition()
        is_weak = not self.mind.provider.model.abilities.tools
        self._patience = Patience(self._settings.max_failed_steps, nudges=2 if is_weak else 1)
        self._exchanges = Exchanges(self.mind, self._record, self.room, self._tally, self._notices)
        self._is_relieved = False
        self.calls.approvals.begin_turn()
        self._record.keep(TurnStarted(self._turn))
        self._exchanges.changed_from(before, "chosen")
        self._notices.begin()
        if prompt:
            self._record.keep(MessageAdded(prompt), sync=True)
        if listed := self.room.open_files():
            self._record.keep(listed)

    def _end_well(self) -> Reason:
        if self.calls.approvals.unanswered:
            return self._end("permission")
        return self._end("unbacked", self._gate.unbacked) if self._gate.unbacked else self._end("done")

    def _end(self, reason: Reason, error: CodiError | None = None) -> Reason:
        ended = TurnEnded(turn=self._turn, reason=reason, stats=self._tally.stats(), tree=self._gate.tree)
        if error:
            code = error.limit if isinstance(error, LimitReached) else error.code
            ended = replace(ended, message=str(error), hint=error.hint, code=code)
        self._record.keep(ended, sync=True)
        return reason

    def _refuse(self, calls: Sequence[ToolCall], text: str) -> None:
        for call in calls:
            refused = ToolResult(call.id, (Text(text.format(call.name)),), is_error=True, tool=call.name)
            self._record.keep(MessageAdded(Message("user", (refused,))))
