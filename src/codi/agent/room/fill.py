"""How full a model's window is: what the service counted last, and an estimate of what came since.

Where an estimate is all there is, and so near to what is allowed that it may decide wrongly, somebody is asked who knows.
"""

from importlib import import_module

import anyio
from anyio import to_thread

from codi.agent.compaction.cut import is_message
from codi.agent.context import Context, message_of
from codi.agent.counting import Counter, framing
from codi.agent.mind import Mind
from codi.agent.record import Record
from codi.agent.room.calibration import Calibration
from codi.protocol.errors import CodiError
from codi.protocol.events import (
    CompactionUndone,
    ContextCompacted,
    Entry,
    MessageAdded,
    ResultsPruned,
    ResultsRestored,
    StatusDelta,
)
from codi.protocol.messages import Message

NEAR = 0.10
"""Of what may be used: so near to it an estimate is not good enough."""

COUNTED_WITHIN_S = 5.0
"""How long a service is waited for that is to count."""

Name = tuple[str, str]
"""Of a model: its provider and its id."""


class Fill:
    """`counter` is that of all estimates of one conversation."""

    def __init__(self, record: Record) -> None:
        self.counter = Counter()
        self._calibration = Calibration.of(record.session.path())
        self._record = record
        self._context = Context()
        self._counted: dict[Name, float] = {}
        self._uncounted: set[Name] = set()
        self._exact: dict[Name, Counter | None] = {}

    def messages(self) -> list[Message]:
        return self._context.messages_of(self._record.session.path())

    def used(self, mind: Mind) -> int:
        """Tokens of the next request."""
        known = self._known(mind)
        return round(self.ratio(mind) * self._estimate(mind)) if known is None else known

    async def closely(self, mind: Mind, limit: int) -> int:
        """The same, counted by the service or else by the model's tokenizer where an estimate is near to `limit`."""
        used = self.used(mind)
        if abs(used - limit) > NEAR * limit or self._known(mind) is not None:
            return used
        counted = await self._by_service(mind)
        if counted is None:
            counted = await self._by_tokenizer(mind)
        if counted is not None:
            # What is made shorter from here on is measured by the same count.
            self._counted[name_of(mind)] = counted / self._estimate(mind)
        return self.used(mind)

    def learn(self, mind: Mind, *, real: int, estimated: int) -> None:
        """A reply has told what a request had."""
        self._counted.pop(name_of(mind), None)
        self._calibration.add(name_of(mind), real=real, estimated=estimated)

    def ratio(self, mind: Mind) -> float:
        """What an estimate is to be multiplied with."""
        return self._counted.get(name_of(mind)) or self._calibration.ratio(name_of(mind))

    def head(self, mind: Mind) -> int:
        """Tokens of what stands before the messages, before calibration."""
        return self.counter.system(mind.system, mind.tools) + self.frame(mind)

    def frame(self, mind: Mind) -> int:
        """Tokens that the service adds by itself."""
        return framing(mind.provider.origin.api, tools=bool(mind.tools), thinking=mind.thinking != "off")

    def count(self, entry: Entry) -> int:
        """Tokens of one entry as it was said, before calibration."""
        message = message_of(entry) if is_message(entry) else None
        return self.counter.message(message) if message else 0

    def _known(self, mind: Mind) -> int | None:
        """What the last reply tells, where one does that still holds."""
        path = self._record.session.path()
        since = 0
        for at in range(len(path) - 1, -1, -1):
            match path[at].fact:
                case ContextCompacted() | CompactionUndone() | ResultsPruned() | ResultsRestored():
                    return None
                case MessageAdded(message=Message(role="assistant", origin=origin), reply=reply) if reply:
                    if reply.stop in ("error", "aborted"):
                        since += self.count(path[at])
                        continue
                    usage = reply.usage
                    if usage.estimated or not usage.total or origin is None:
                        return None
                    if (origin.provider, origin.model) != name_of(mind):
                        return None
                    return usage.total + round(self.ratio(mind) * since)
                case _:
                    since += self.count(path[at])
        return None

    def _estimate(self, mind: Mind) -> int:
        return max(self.head(mind) + self.counter.messages(self.messages()), 1)

    async def _by_service(self, mind: Mind) -> int | None:
        if name_of(mind) in self._uncounted:
            return None
        counted = None
        try:
            with anyio.move_on_after(COUNTED_WITHIN_S):
                counted = await mind.provider.count(mind.request(self.messages()))
        except CodiError:
            pass  # an estimate will do; and what is wrong, the request itself will tell
        if counted is None:
            self._uncounted.add(name_of(mind))
        return counted

    async def _by_tokenizer(self, mind: Mind) -> int | None:
        exact = await self._counter_of(mind)
        if exact is None:
            return None
        messages = self.messages()
        counted = await to_thread.run_sync(lambda: exact.system(mind.system, mind.tools) + exact.messages(messages))
        return counted + self.frame(mind)

    async def _counter_of(self, mind: Mind) -> Counter | None:
        """By the model's own tokenizer, where one is named and here; what is wrong with it is told once."""
        name, wanted = name_of(mind), mind.provider.model.tokenizer
        if wanted and name not in self._exact:
            self._exact[name] = None
            tokenizers = import_module(
                "codi.providers.tokenizers"
            )  # for the few conversations that come near to a limit
            try:
                self._exact[name] = Counter(await to_thread.run_sync(tokenizers.tokenizer_called, wanted))
            except CodiError as error:
                told = f"tokens are estimated: {error}"
                self._record.tell(StatusDelta(kind="warning", text=told, hint=error.hint))
        return self._exact.get(name)


def name_of(mind: Mind) -> Name:
    origin = mind.provider.origin
    return origin.provider, origin.model
