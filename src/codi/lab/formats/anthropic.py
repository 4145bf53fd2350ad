"""Anthropic's Messages API, as the service speaks it (version 2023-06-01)."""

from collections.abc import Iterator
from typing import Any

from codi.lab.exchange import Billed, CacheKind, Exchange, Segment, encoded
from codi.lab.seals import seal
from codi.providers.player import SeenResult, View

NAME = "anthropic-messages"
STREAM_TYPE = "text/event-stream; charset=utf-8"
CACHE: CacheKind = "marked"
CACHE_STEP = 1
TOO_LONG = "prompt is too long: 208310 tokens > 200000 maximum"

STOPS = {
    "end": "end_turn",
    "tool_calls": "tool_use",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "refused": "refusal",
    "filtered": "refusal",
    "paused": "pause_turn",
    "unknown": "end_turn",
}

_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}

_USUAL_CHUNK = 24


def parse(body: dict[str, Any], model: str) -> View:
    messages = body.get("messages") or []
    blocks = _blocks(messages[-1]) if messages else []
    results = tuple(
        SeenResult(block.get("tool_use_id", ""), _text(block.get("content")), bool(block.get("is_error")))
        for block in blocks
        if block.get("type") == "tool_result"
    )
    texts = [_text(block.get("content")) if block.get("type") == "tool_result" else _text([block]) for block in blocks]
    return View(
        model=model,
        message="\n".join(text for text in texts if text),
        first=_text(messages[0].get("content")) if messages else "",
        system=_text(body.get("system")),
        results=results,
        tools=tuple(tool.get("name", "") for tool in body.get("tools") or ()),
        plain=lambda: body,
    )


def thinks(exchange: Exchange) -> bool:
    thinking = exchange.body.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") in ("enabled", "adaptive")


def headers(exchange: Exchange) -> dict[str, str]:
    return {"request-id": exchange.id("req_01"), "anthropic-organization-id": "lab"}


def stream(exchange: Exchange) -> Iterator[bytes]:
    played = exchange.played
    message = _message(exchange, [], None, _usage(exchange.billed, 1))
    yield _event("message_start", {"type": "message_start", "message": message})
    index = 0
    if played.thinking and thinks(exchange):
        seal_ = seal(exchange.model, played.thinking)
        if played.redacted:
            yield _start(index, {"type": "redacted_thinking", "data": seal_})
        else:
            yield _start(index, {"type": "thinking", "thinking": "", "signature": ""})
            yield _PING
            yield from _deltas(index, "thinking_delta", "thinking", played.pieces(played.thinking, _USUAL_CHUNK))
            yield from _deltas(index, "signature_delta", "signature", [seal_])
        yield _stop(index)
        index += 1
    if played.text:
        yield _start(index, {"type": "text", "text": ""})
        if index == 0:
            yield _PING
        yield from _deltas(index, "text_delta", "text", played.pieces(played.text, _USUAL_CHUNK))
        yield _stop(index)
        index += 1
    for call in played.calls:
        yield _start(index, {"type": "tool_use", "id": call.id, "name": call.name, "input": {}})
        pieces = ["", *played.pieces(call.arguments, _USUAL_CHUNK)]
        yield from _deltas(index, "input_json_delta", "partial_json", pieces)
        yield _stop(index)
        index += 1
    delta = {"stop_reason": _raw_stop(exchange), "stop_sequence": _stop_sequence(exchange)}
    usage = _usage(exchange.billed)
    yield _event("message_delta", {"type": "message_delta", "delta": delta, "usage": usage})
    yield _event("message_stop", {"type": "message_stop"})


def whole(exchange: Exchange) -> bytes:
    played = exchange.played
    content: list[dict[str, Any]] = []
    if played.thinking and thinks(exchange):
        seal_ = seal(exchange.model, played.thinking)
        if played.redacted:
            content.append({"type": "redacted_thinking", "data": seal_})
        else:
            content.append({"type": "thinking", "thinking": played.thinking, "signature": seal_})
    if played.text:
        content.append({"type": "text", "text": played.text})
    content += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": call.plain or {}} for call in played.calls
    ]
    return encoded(_message(exchange, content, _raw_stop(exchange), _usage(exchange.billed)))


def error(status: int, message: str, kind: str = "") -> bytes:
    kind = kind or _ERRORS.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return encoded({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_lab"})


def error_event(message: str, kind: str = "") -> bytes:
    return b"event: error\ndata: %b\n\n" % error(529, message or "Overloaded", kind or "overloaded_error")


def seals(exchange: Exchange) -> tuple[str, ...]:
    return ()


def segments(body: dict[str, Any]) -> Iterator[Segment]:
    for tool in body.get("tools") or ():
        yield _segment(b"tool", tool)
    system = body.get("system") or ()
    for block in [{"type": "text", "text": system}] if isinstance(system, str) else system:
        yield _segment(b"system", block)
    for message in body.get("messages") or ():
        for block in _blocks(message):
            yield _segment(message.get("role", "").encode(), block)


def _segment(kind: bytes, block: dict[str, Any]) -> Segment:
    control = block.get("cache_control")
    if control is None:
        return Segment(kind + encoded(block))
    bare = {key: value for key, value in block.items() if key != "cache_control"}
    ttl_s = 3600.0 if isinstance(control, dict) and control.get("ttl") == "1h" else 300.0
    return Segment(kind + encoded(bare), breakpoint=True, ttl_s=ttl_s)


_PING = b'event: ping\ndata: {"type":"ping"}\n\n'


def _event(name: str, data: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), encoded(data))


def _start(index: int, block: dict[str, Any]) -> bytes:
    return _event("content_block_start", {"type": "content_block_start", "index": index, "content_block": block})


def _stop(index: int) -> bytes:
    return b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n' % index


def _deltas(index: int, kind: str, field: str, pieces: list[str]) -> Iterator[bytes]:
    before = (
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":'
        % (index, kind.encode(), field.encode())
    )
    for piece in pieces:
        yield b"%b%b}}\n\n" % (before, encoded(piece))


def _message(exchange: Exchange, content: list[Any], stop: str | None, usage: dict[str, Any] | None) -> dict[str, Any]:
    message = {
        "id": exchange.id("msg_01"),
        "type": "message",
        "role": "assistant",
        "model": exchange.model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None if stop is None else _stop_sequence(exchange),
    }
    return message if usage is None else {**message, "usage": usage}


def _usage(billed: Billed | None, output: int | None = None) -> dict[str, Any] | None:
    if billed is None:
        return None
    return {
        "input_tokens": billed.input,
        "cache_creation_input_tokens": billed.written,
        "cache_read_input_tokens": billed.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": billed.written - billed.written_1h,
            "ephemeral_1h_input_tokens": billed.written_1h,
        },
        "output_tokens": billed.output if output is None else output,
        "service_tier": "standard",
    }


def _raw_stop(exchange: Exchange) -> str:
    return exchange.played.raw_stop or STOPS[exchange.played.stop]


def _stop_sequence(exchange: Exchange) -> str | None:
    if _raw_stop(exchange) != "stop_sequence":
        return None
    return next(iter(exchange.body.get("stop_sequences") or ()), None)


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content or () if block.get("type") == "text")
