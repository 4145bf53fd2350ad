"""The loop: a prompt goes in, and the model thinks and acts by turns until it asks for no more tools.

A turn is everything from a prompt to its `TurnEnded`; a step is one request with its reply and the results of its calls.
Whatever ends a turn, what was kept stays, and the next prompt finds a history that any service accepts.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any, Literal

import anyio
from msgspec.structs import replace

from codi.agent.calls import Calls
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
from codi.agent.unfinished import Unfinished
from codi.agent.waiting import Waiting
from codi.protocol.errors import CodiError, ContextOverflow, LimitReached
from codi.protocol.events import (
    BudgetDelta,
    ContextAdded,
    MessageAdded,
    ModelChosen,
    Reason,
    ReplyFacts,
    Retried,
    StatusDelta,
    Stop,
    TurnEnded,
    TurnStarted,
)
from codi.protocol.messages import Cost, Image, Message, Origin, Text, ToolCall, ToolResult, Usage, user
from codi.protocol.ops import ChooseBudget, Line
from codi.providers.budget import Budget
from codi.providers.provider import Reply, Request

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
        self.room.spent = lambda mind, usage: self._tally.add(usage)
        self._tally = Tally(mind.provider.model.id)
        self._more_output = self._is_relieved = False
        self._turn = sum(isinstance(entry.fact, TurnStarted) for entry in record.session.path())

    async def prompt(self, text: str, images: Sequence[Image] = ()) -> Reason:
        """Take one prompt to its end, whatever the end is, and what was said meanwhile; how it ended."""
        self._begin(user(text, *images))
        try:
            with anyio.move_on_after(self._settings.max_time_s) as clock:
                await self._gate.begin()
                while calls := await self._think():
                    if not await self._act(calls):
                        return self._end("interrupted")
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
            reply = await self._last_words() if self._at_last_step() else await self._ask()
            calls = reply.message.tool_calls
            if reply.stop == "length" and calls:
                self._refuse(calls, CUT_CALL)
                self._more_output = self._patience.cut_calls()
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

    async def _ask(self, tool_choice: str = "auto") -> Reply:
        """One request and its reply. What turns out to be too long for the model is made shorter and sent once more."""
        self._look_again(compacted=await self.room.make(self.mind))
        try:
            return await self._send(tool_choice)
        except CodiError as error:
            if not self.room.overflows(self.mind, error):
                raise
            try:
                compacted = await self.room.after_overflow(self.mind)
            except ContextOverflow:
                raise error from None  # the service's own words say best what is wrong
        self._look_again(compacted=compacted)
        return await self._send(tool_choice)

    def _look_again(self, *, compacted: bool) -> None:
        """After a compaction the files with instructions are read again."""
        if compacted:
            self._notices.read_again()

    async def _send(self, tool_choice: str) -> Reply:
        """Send what stands in the conversation; the reply is kept with what it cost, an unfinished one as what it is."""
        request = self.room.request(self.mind, more_output=self._more_output, tool_choice=tool_choice)
        unfinished, waiting = Unfinished(), Waiting(self.mind, self._record.tell)
        reply, failure, began = None, None, time.monotonic()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(waiting.watch)
                try:
                    reply = await self._hear(request, unfinished, waiting)
                except CodiError as error:
                    failure = error  # raised below, where no group wraps it
                tasks.cancel_scope.cancel()
        except anyio.get_cancelled_exc_class():
            self._keep_unfinished(unfinished, "aborted", "Request was aborted")
            raise
        finally:
            self._tally.steps += 1
            self._tally.provider_s += time.monotonic() - began
        if isinstance(failure, LimitReached):
            raise failure  # nothing was asked
        if reply is not None and (failure := self.room.overran(self.mind, reply.usage)):
            self._tally.add(replace(reply.usage, cost=self.mind.price_of(reply.usage)))
            reply, unfinished = None, Unfinished()
        if reply is None:
            failure = failure or StepLost("the model's answer never ended", hint="This is a bug of its provider.")
            self._keep_unfinished(unfinished, "error", str(failure))
            raise failure
        self.room.answered(self.mind, request, reply.usage, self._tally.steps)
        return self._keep_reply(reply)

    async def _hear(self, request: Request, unfinished: Unfinished, waiting: Waiting) -> Reply | None:
        origin = self.mind.provider.origin
        parts: Any = self.mind.provider.stream(request)
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, Reply):
                    return part
                waiting.heard(part)
                unfinished.add(part)
                if isinstance(part, StatusDelta) and part.kind == "fallback":
                    origin = self._changed_from(origin, "fallback")
                if isinstance(part, StatusDelta) and part.kind == "retry":
                    self._tally.retries += 1
                    self._tally.wait_s += part.wait_s
                    self._record.keep(Retried(part.attempt, part.text, round(part.wait_s * 1000)))
                self._record.tell(part)
        return None

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
        reply = await self._ask(tool_choice="none")
        self._refuse(reply.message.tool_calls, PAST_LIMIT)
        raise LimitReached(
            f"the limit of {self._settings.max_steps} steps was reached",
            hint="Raise --max-turns, or go on with `codi -c`.",
            limit="steps",
        )

    def _changed_from(self, before: Origin, why: Literal["chosen", "fallback"]) -> Origin:
        """Keep that another model answers from here on, if it does; which one it is."""
        now = self.mind.provider.origin
        if (now.provider, now.model) != (before.provider, before.model):
            self._record.keep(ModelChosen(now.provider, now.model))
            self._record.keep(self.mind.described(why, came_from=f"{before.provider}/{before.model}"))
        return now

    def _begin(self, prompt: Message) -> None:
        self._turn += 1
        before = self.mind.provider.origin
        self.mind.begin_turn()
        self._tally = Tally(self.mind.provider.model.id)
        self._repetition = Repetition()
        is_weak = not self.mind.provider.model.abilities.tools
        self._patience = Patience(self._settings.max_failed_steps, nudges=2 if is_weak else 1)
        self._more_output = False
        self._is_relieved = False
        self.calls.approvals.begin_turn()
        self._record.keep(TurnStarted(self._turn))
        self._changed_from(before, "chosen")
        self._notices.begin()
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

    def _keep_reply(self, reply: Reply) -> Reply:
        usage = replace(reply.usage, cost=self.mind.price_of(reply.usage))
        stop: Stop = "toolUse" if reply.stop == "tool_calls" else "length" if reply.stop == "length" else "stop"
        facts = ReplyFacts(
            stop=stop, usage=usage, raw_stop=reply.raw_stop, response_id=reply.response_id, response_model=reply.model
        )
        self._tally.add(usage)
        # Written before any of its calls runs, so that none can run twice; the intent of a call with effects brings it to disk.
        self._record.keep(MessageAdded(reply.message, facts))
        return reply

    def _keep_unfinished(self, unfinished: Unfinished, stop: Stop, error: str) -> None:
        message = Message("assistant", unfinished.blocks(), self.mind.provider.origin)
        self._record.keep(MessageAdded(message, ReplyFacts(stop=stop, usage=Usage(cost=Cost()), error=error)))

    def _refuse(self, calls: Sequence[ToolCall], text: str) -> None:
        for call in calls:
            refused = ToolResult(call.id, (Text(text.format(call.name)),), is_error=True, tool=call.name)
            self._record.keep(MessageAdded(Message("user", (refused,))))
