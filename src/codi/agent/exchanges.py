"""One request and its reply: made to fit, sent, heard, and kept with what it cost."""

import time
from contextlib import aclosing
from typing import Any, Literal

import anyio
from msgspec.structs import replace

from codi.agent.mind import Mind
from codi.agent.notices import Notices
from codi.agent.patience import StepLost
from codi.agent.record import Record
from codi.agent.room.room import Room
from codi.agent.tally import Tally
from codi.agent.unfinished import Unfinished
from codi.agent.waiting import Waiting
from codi.protocol.errors import CodiError, ContextOverflow, LimitReached
from codi.protocol.events import MessageAdded, ModelChosen, ReplyFacts, Retried, StatusDelta, Stop
from codi.protocol.messages import Cost, Message, Origin, Usage
from codi.providers.provider import Reply, Request


class Exchanges:
    """Those of one turn, in which `mind` stays the same. `more_output`: as much as the model can say. `clock` ends the turn when
    its time is over; a pause until a usage limit is over is none of that time."""

    def __init__(self, mind: Mind, record: Record, room: Room, tally: Tally, notices: Notices) -> None:
        self.more_output = False
        self.clock: anyio.CancelScope | None = None
        self._mind = mind
        self._record = record
        self._room = room
        self._tally = tally
        self._notices = notices

    async def ask(self, tool_choice: str = "auto") -> Reply:
        """One request and its reply. What turns out to be too long for the model is made shorter and sent once more."""
        self._look_again(compacted=await self._room.make(self._mind))
        try:
            return await self._send(tool_choice)
        except CodiError as error:
            if not self._room.overflows(self._mind, error):
                raise
            try:
                compacted = await self._room.after_overflow(self._mind)
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
        request = self._room.request(self._mind, more_output=self.more_output, tool_choice=tool_choice)
        unfinished, waiting = Unfinished(), Waiting(self._mind, self._record.tell)
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
        if reply is not None and (failure := self._room.overran(self._mind, reply.usage)):
            self._tally.add(replace(reply.usage, cost=self._mind.price_of(reply.usage)))
            reply, unfinished = None, Unfinished()
        if reply is None:
            failure = failure or StepLost("the model's answer never ended", hint="This is a bug of its provider.")
            self._keep_unfinished(unfinished, "error", str(failure))
            raise failure
        self._room.answered(self._mind, request, reply.usage, self._tally.steps)
        return self._keep_reply(reply)

    async def _hear(self, request: Request, unfinished: Unfinished, waiting: Waiting) -> Reply | None:
        origin = self._mind.provider.origin
        parts: Any = self._mind.provider.stream(request)
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, Reply):
                    return part
                waiting.heard(part)
                unfinished.add(part)
                if isinstance(part, StatusDelta) and part.kind == "fallback":
                    origin = self.changed_from(origin, "fallback")
                if isinstance(part, StatusDelta) and part.kind == "retry":
                    self._tally.retries += 1
                    self._tally.wait_s += part.wait_s
                    if self.clock and not part.attempt:
                        self.clock.deadline += part.wait_s
                        self._tally.paused_s += part.wait_s
                    self._record.keep(Retried(part.attempt, part.text, round(part.wait_s * 1000)))
                self._record.tell(part)
        return None

    def changed_from(self, before: Origin, why: Literal["chosen", "fallback"]) -> Origin:
        """Keep that another model answers from here on, if it does; which one it is."""
        now = self._mind.provider.origin
        if (now.provider, now.model) != (before.provider, before.model):
            self._record.keep(ModelChosen(now.provider, now.model))
            self._record.keep(self._mind.described(why, came_from=f"{before.provider}/{before.model}"))
        return now

    def _keep_reply(self, reply: Reply) -> Reply:
        usage = replace(reply.usage, cost=self._mind.price_of(reply.usage))
        stop: Stop = "toolUse" if reply.stop == "tool_calls" else "length" if reply.stop == "length" else "stop"
        facts = ReplyFacts(
            stop=stop, usage=usage, raw_stop=reply.raw_stop, response_id=reply.response_id, response_model=reply.model
        )
        self._tally.add(usage)
        # Written before any of its calls runs, so that none can run twice; the intent of a call with effects brings it to disk.
        self._record.keep(MessageAdded(reply.message, facts))
        return reply

    def _keep_unfinished(self, unfinished: Unfinished, stop: Stop, error: str) -> None:
        message = Message("assistant", unfinished.blocks(), self._mind.provider.origin)
        self._record.keep(MessageAdded(message, ReplyFacts(stop=stop, usage=Usage(cost=Cost()), error=error)))
