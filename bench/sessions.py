"""How long sessions take: append, open, list. Run with `python -m bench sessions`.

Times depend on the machine, so each stands beside its ratio to the least that could be done: encoding the same values
and writing them, decoding the same lines, or looking at the same files.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable

from msgspec.json import Decoder, Encoder

from codi.protocol.events import MessageAdded, ReplyFacts
from codi.protocol.messages import Cost, Message, Origin, Text, ToolCall, ToolResult, Usage, user
from codi.sessions import paths
from codi.sessions.catalog import Catalog
from codi.sessions.jsonl import JsonlStore
from codi.sessions.session import Session

CWD = "/home/ada/project"


def turn(number: int) -> list[MessageAdded]:
    """A prompt, a reply with a call, its result and a last reply, about 1.2 KB each."""
    text = f"{number}: " + "the quick brown fox " * 45
    origin = Origin("anthropic-messages", "anthropic", "claude")
    reply = ReplyFacts(stop="stop", usage=Usage(input=1000, output=200, cost=Cost(0.001, 0.002)), response_id="r1")
    call = ToolCall(f"call-{number}", "read", {"path": "src/a.py"})
    return [
        MessageAdded(user(text)),
        MessageAdded(Message("assistant", (Text(text), call), origin), reply),
        MessageAdded(Message("user", (ToolResult(call.id, (Text(text),), tool="read"),))),
        MessageAdded(Message("assistant", (Text(text),), origin), reply),
    ]


def best_of(count: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def shown(what: str, seconds: float, least: float) -> None:
    figure = f"{seconds * 1e6:.1f} us" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms"
    print(f"{what:<28} {figure:>12} {seconds / least:8.1f} x")


def filled(directory: str, entries: int, at: float = 1.0, *, cwd: str = CWD) -> str:
    session = Session(JsonlStore.new(directory, cwd, at=at))
    for number in range(entries // 4):
        session.append_all(turn(number))
    session.close()
    path = session.store.path
    assert path is not None
    return path


def bench_append(directory: str) -> None:
    session = Session(JsonlStore.new(directory, CWD, at=1.0))
    session.append_all(turn(0))
    encoder = Encoder()
    raw = os.open(os.path.join(directory, "raw"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    times, least = [], []
    for number in range(500):
        for fact in turn(number):
            began = time.perf_counter()
            session.append(fact)
            between = time.perf_counter()
            os.write(raw, encoder.encode(fact) + b"\n")
            times.append(between - began)
            least.append(time.perf_counter() - between)
    os.close(raw)
    session.close()
    shown("append, p50", statistics.median(times), statistics.median(least))
    shown("append, p99", statistics.quantiles(times, n=100)[98], statistics.quantiles(least, n=100)[98])


def bench_open(directory: str, entries: int) -> None:
    path = filled(directory, entries)
    decoder = Decoder()

    def decode_all() -> None:
        with open(path, "rb") as file:
            for line in file:
                decoder.decode(line)

    least = best_of(3, decode_all)
    shown(f"open {entries:,} entries", best_of(3, lambda: Session(JsonlStore.open(path, read_only=True))), least)


def bench_list(home: str, sessions: int) -> None:
    directory = paths.directory_of(home, CWD)
    for number in range(sessions):
        filled(directory, 8, at=float(number))
    catalog = Catalog(os.path.join(home, "catalog.db"))

    def look_at_all() -> None:
        for file in os.scandir(directory):
            file.stat()

    least = best_of(3, look_at_all)
    shown(f"list {sessions:,}, first time", best_of(1, lambda: catalog.sessions(directory)), least)
    shown(f"list {sessions:,}, warm", best_of(5, lambda: catalog.sessions(directory, CWD)), least)


def run() -> None:
    with tempfile.TemporaryDirectory() as home:
        bench_append(os.path.join(home, "append"))
        bench_open(os.path.join(home, "open"), 2_000)
        bench_open(os.path.join(home, "open"), 10_000)
        bench_open(os.path.join(home, "open"), 100_000)
        bench_list(home, 1_000)


if __name__ == "__main__":
    run()
