"""What it costs to know how full a context is and to build a request: in a conversation of 1,000 messages, and at step 200."""

import statistics
import time
from collections.abc import Callable

from bench.measure import report
from codi.agent.compaction.cut import cut_of
from codi.agent.context import Context, messages_of
from codi.agent.counting import Counter
from codi.agent.mind import Mind
from codi.agent.record import Record
from codi.agent.room.pruning import candidates
from codi.agent.room.room import Room
from codi.agent.stubs import stand_ins
from codi.agent.working_set import Pins, working_set
from codi.protocol.events import Entry, MessageAdded, ReplyFacts
from codi.protocol.messages import Cost, Message, Text, ToolCall, ToolResult, Usage, user
from codi.providers.script import script_of
from codi.providers.scripted import Scripted
from codi.sessions.memory import MemoryStore
from codi.sessions.session import Session

_TEXT = "some words of a result that is not very long\n" * 40


def run() -> None:
    session = _session(500)
    path = session.path()
    mind = Mind(
        provider=Scripted(script_of([{"text": "x"}])),
        system=("You are codi.",),
        tools=(),
        price_of=lambda usage: Cost(),
    )

    def everything() -> None:
        counter, context = Counter(), Context()
        counter.messages(context.messages_of(path))
        found = {entry.id: counter.messages(messages_of([entry])) for entry in path}
        count: Callable[[Entry], int] = lambda entry: found[entry.id]  # noqa: E731
        cut_of(path, count, 20_000)
        candidates(path, count, stand_ins(path), Pins(), working_set(path))

    report("count, select and build of 1,000 messages, p50 of 9", _p50(everything, 9), "ms", 50)
    counter = Counter()
    messages = messages_of(path)
    counter.messages(messages)
    report("counting 1,000 messages again, p50 of 9", _p50(lambda: counter.messages(messages), 9), "ms", 20)
    session = _session(200)
    room = Room(Record(session, lambda event: None))
    room.request(mind)
    steps = []
    for step in range(20):
        _add(session, 200 + step)
        began = time.perf_counter()
        room.used(mind)
        room.request(mind)
        steps.append((time.perf_counter() - began) * 1000)
    report("room and request of step 200, p50 of 20", statistics.median(steps), "ms", 2)


def _session(steps: int) -> Session:
    session = Session(MemoryStore("0" * 36, "/"))
    session.append(MessageAdded(user("Read them all.")))
    for step in range(steps):
        _add(session, step)
    return session


def _add(session: Session, step: int) -> None:
    call = ToolCall(f"c{step}", "read", {"path": f"src/file{step % 50}.py"})
    usage = Usage(input=1000, output=10, estimated=True)
    session.append(MessageAdded(Message("assistant", (Text("I look."), call)), ReplyFacts(stop="toolUse", usage=usage)))
    session.append(MessageAdded(Message("user", (ToolResult(call.id, (Text(f"{step}\n{_TEXT}"),), tool="read"),))))


def _p50(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)
