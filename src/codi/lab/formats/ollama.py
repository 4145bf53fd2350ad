"""Ollama's own API, as its server speaks it: lines of JSON, each with a piece of the message."""

from collections.abc import Iterator
from typing import Any

from codi.lab.exchange import CacheKind, Exchange, Segment, encoded
from codi.lab.http1 import timestamp_of
from codi.providers.player import SeenResult, View

NAME = "ollama"
STREAM_TYPE = "application/x-ndjson"
CACHE: CacheKind = "none"
CACHE_STEP = 1
TOO_LONG = "the input length exceeds the context length"

STOPS = {"length": "length"}

_USUAL_CHUNK = 12


def parse(body: dict[str, Any], model: str) -> View:
    messages = body.get("messages") or []
    since = next((at for at in range(len(messages), 0, -1) if messages[at - 1].get("role") == "assistant"), 0)
    results = tuple(
        SeenResult(message.get("tool_call_id", ""), message.get("content", ""))
        for message in messages[since:]
        if message.get("role") == "tool"
    )
    first: dict[str, Any] = next((message for message in messages if message.get("role") == "user"), {})
    asked = [message for message in messages[since:] if message.get("role") != "system"]
    return View(
        model=model,
        message="\n".join(message.get("content", "") for message in asked),
        first=first.get("content", ""),
        system="\n\n".join(message.get("content", "") for message in messages if message.get("role") == "system"),
        results=results,
        tools=tuple((tool.get("function") or {}).get("name", "") for tool in body.get("tools") or ()),
        plain=lambda: body,
    )


def thinks(exchange: Exchange) -> bool:
    return exchange.body.get("think", True) is not False


def headers(exchange: Exchange) -> dict[str, str]:
    return {}


def stream(exchange: Exchange) -> Iterator[bytes]:
    played = exchange.played
    before = encoded(_head(exchange))[:-1] + b',"message":'
    if played.thinking and thinks(exchange):
        for piece in played.pieces(played.thinking, _USUAL_CHUNK):
            message = {"role": "assistant", "content": "", "thinking": piece}
            yield b'%b%b,"done":false}\n' % (before, encoded(message))
    for piece in played.pieces(played.text, _USUAL_CHUNK):
        yield b'%b{"role":"assistant","content":%b},"done":false}\n' % (before, encoded(piece))
    for call in _calls(exchange):
        calling = {"role": "assistant", "content": "", "tool_calls": [call]}
        yield b'%b%b,"done":false}\n' % (before, encoded(calling))
    last = _head(exchange) | {"message": {"role": "assistant", "content": ""}} | _tail(exchange)
    yield encoded(last) + b"\n"


def whole(exchange: Exchange) -> bytes:
    played = exchange.played
    message: dict[str, Any] = {"role": "assistant", "content": played.text}
    if played.thinking and thinks(exchange):
        message["thinking"] = played.thinking
    if calls := _calls(exchange):
        message["tool_calls"] = calls
    return encoded(_head(exchange) | {"message": message} | _tail(exchange))


def error(status: int, message: str, kind: str = "") -> bytes:
    return encoded({"error": message})


def error_event(message: str, kind: str = "") -> bytes:
    return encoded({"error": message or "an error was encountered while running the model"}) + b"\n"


def seals(exchange: Exchange) -> tuple[str, ...]:
    return ()


def segments(body: dict[str, Any]) -> Iterator[Segment]:
    for part in (*(body.get("tools") or ()), *(body.get("messages") or ())):
        yield Segment(encoded(part))


def _head(exchange: Exchange) -> dict[str, Any]:
    return {"model": exchange.model, "created_at": timestamp_of(exchange.created)}


def _tail(exchange: Exchange) -> dict[str, Any]:
    played = exchange.played
    tail: dict[str, Any] = {"done": True, "done_reason": played.raw_stop or STOPS.get(played.stop, "stop")}
    billed = exchange.billed
    if billed is None:
        return tail
    return tail | {
        "total_duration": 1_000_000,
        "load_duration": 100_000,
        "prompt_eval_count": billed.prompt,
        "prompt_eval_duration": 400_000,
        "eval_count": billed.output,
        "eval_duration": 500_000,
    }


def _calls(exchange: Exchange) -> list[dict[str, Any]]:
    # The server parses the model's calls itself: what is cut never reaches the client.
    sound = [(call, plain) for call in exchange.played.calls if (plain := call.plain) is not None]
    return [
        {"id": call.id, "function": {"index": index, "name": call.name, "arguments": plain}}
        for index, (call, plain) in enumerate(sound)
    ]
