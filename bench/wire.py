"""What it costs to speak with a service: to make a provider, to put a conversation into its format, and to read what it streams."""

import statistics
import time
from collections.abc import Callable

import msgspec

from bench.measure import report
from codi.protocol.messages import Message, Origin, Text, ToolCall, ToolResult, user
from codi.providers.anthropic import Anthropic
from codi.providers.anthropic_format import Format
from codi.providers.anthropic_reply import Assembly
from codi.providers.provider import ModelEntry, NoKey, Request
from codi.providers.sse import SseReader
from codi.providers.transport import Transport

_MODEL = ModelEntry(id="m", service="anthropic")
_ORIGIN = Origin("anthropic-messages", "anthropic", "m")
_CHUNK = 4096


def run() -> None:
    line = Transport("http://127.0.0.1:9", service="anthropic")
    report("a provider is made, p50 of 99", _p50(lambda: Anthropic(_MODEL, NoKey(), line), 99), "ms", 1)
    messages = _conversation(500)
    report(
        "1,000 messages put into the format, p50 of 9",
        _p50(lambda: _body(Format(_MODEL, _ORIGIN), messages), 9),
        "ms",
        50,
    )
    known = Format(_MODEL, _ORIGIN)
    _body(known, messages)
    report("the same with 2 messages more, p50 of 9", _p50(lambda: _body(known, [*messages, *_turn(999)]), 9), "ms", 3)
    stream = _stream(4_000_000)
    _report_reading("server-sent events read", lambda: _events(stream), len(stream), bound=15)
    small = _stream(400_000)
    _report_reading("a streamed answer put together", lambda: _answer(small), len(small), bound=25)


def _report_reading(what: str, work: Callable[[], object], size: int, *, bound: float) -> None:
    ms_per_mb = _p50(work, 5) / (size / 1e6)
    report(f"{what}, p50 of 5, for a MB", ms_per_mb, "ms", bound, beside=f"{1000 / ms_per_mb:.0f} MB/s")


def _body(form: Format, messages: list[Message]) -> None:
    form.body(Request(system=("You are codi.",), messages=messages))


def _conversation(turns: int) -> list[Message]:
    return [user("Read them all."), *(message for number in range(turns) for message in _turn(number))]


def _turn(number: int) -> list[Message]:
    call = ToolCall(f"c{number}", "read", {"path": f"src/file{number}.py"})
    result = ToolResult(call.id, (Text(f"{number}\n" + "some words of a result\n" * 40),), tool="read")
    return [Message("assistant", (Text("I look."), call), _ORIGIN), Message("user", (result,))]


def _stream(size: int) -> bytes:
    def event(name: str, **data: object) -> bytes:
        return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode({"type": name, **data}))

    message = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": {}}
    begun = event("message_start", message=message) + event(
        "content_block_start", index=0, content_block={"type": "text", "text": ""}
    )
    word = event("content_block_delta", index=0, delta={"type": "text_delta", "text": " some words of an answer"})
    ended = event("content_block_stop", index=0)
    ended += event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 5})
    return begun + word * (size // len(word)) + ended + event("message_stop")


def _events(stream: bytes) -> int:
    reader = SseReader()
    found = sum(len(reader.feed(stream[at : at + _CHUNK])) for at in range(0, len(stream), _CHUNK))
    return found + len(reader.close())


def _answer(stream: bytes) -> None:
    reader, assembly = SseReader(), Assembly(_ORIGIN, sent=100, key_source="")
    for at in range(0, len(stream), _CHUNK):
        for event in reader.feed(stream[at : at + _CHUNK]):
            for _ in assembly.add(event.data):
                pass
    assert assembly.done


def _p50(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.process_time()
        work()
        taken.append((time.process_time() - began) * 1000)
    return statistics.median(taken)
