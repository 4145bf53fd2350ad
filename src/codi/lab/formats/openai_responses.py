"""OpenAI's Responses API, as the service speaks it; Azure's differs in the path alone."""

from collections.abc import Iterator
from typing import Any

from codi.lab.exchange import Billed, CacheKind, Exchange, Segment, encoded
from codi.lab.formats import openai_chat
from codi.lab.seals import seal
from codi.providers.player import PlayedCall, SeenResult, View

NAME = "openai-responses"
STREAM_TYPE = "text/event-stream; charset=utf-8"
CACHE: CacheKind = "automatic"
CACHE_STEP = 128
TOO_LONG = "Your input exceeds the context window of this model. Please adjust your input and try again."

_USUAL_CHUNK = 24

_ECHOED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "metadata": {},
}


def parse(body: dict[str, Any], model: str) -> View:
    items = _items(body)
    since = next((at for at in range(len(items), 0, -1) if not _is_asked(items[at - 1])), 0)
    asked = [item for item in items[since:] if item.get("role") not in ("system", "developer")]
    results = tuple(
        SeenResult(item.get("call_id", ""), _text(item.get("output")))
        for item in asked
        if item.get("type") == "function_call_output"
    )
    first: dict[str, Any] = next((item for item in items if item.get("role") == "user"), {})
    system = [item for item in items if item.get("role") in ("system", "developer")]
    told = [body.get("instructions") or "", *(_text(item.get("content")) for item in system)]
    return View(
        model=model,
        message="\n".join(_text(item.get("output", item.get("content"))) for item in asked),
        first=_text(first.get("content")),
        system="\n\n".join(text for text in told if text),
        results=results,
        tools=tuple(tool.get("name", "") for tool in body.get("tools") or ()),
        plain=lambda: body,
    )


def thinks(exchange: Exchange) -> bool:
    reasoning = exchange.body.get("reasoning")
    return isinstance(reasoning, dict) and reasoning.get("effort", "medium") not in (None, "none")


def headers(exchange: Exchange) -> dict[str, str]:
    return openai_chat.headers(exchange)


def stream(exchange: Exchange) -> Iterator[bytes]:
    events = _Events()
    started = _response(exchange, "in_progress", [])
    yield events.event("response.created", response=started)
    yield events.event("response.in_progress", response=started)
    output: list[dict[str, Any]] = []
    for item in _output(exchange):
        index = len(output)
        match item["type"]:
            case "reasoning":
                yield from _reasoning(exchange, events, index, item)
            case "message":
                yield from _message(exchange, events, index, item)
            case _:
                yield from _call(exchange, events, index, item)
        output.append(item)
    status, _ = _outcome(exchange)
    yield events.event(f"response.{status}", response=_response(exchange, status, output))


def whole(exchange: Exchange) -> bytes:
    return encoded(_response(exchange, _outcome(exchange)[0], list(_output(exchange))))


def error(status: int, message: str, kind: str = "") -> bytes:
    if status == 400 and message == TOO_LONG:
        plain = {
            "message": message,
            "type": "invalid_request_error",
            "param": "input",
            "code": "context_length_exceeded",
        }
        return encoded({"error": plain})
    return openai_chat.error(status, message, kind)


def error_event(message: str, kind: str = "") -> bytes:
    plain = {
        "type": "error",
        "sequence_number": 0,
        "code": kind or "server_error",
        "message": message or "The server had an error while processing your request.",
        "param": None,
    }
    return b"event: error\ndata: %b\n\n" % encoded(plain)


def seals(exchange: Exchange) -> tuple[str, ...]:
    return ()


def segments(body: dict[str, Any]) -> Iterator[Segment]:
    yield Segment(str(body.get("prompt_cache_key") or "").encode())
    for part in (*(body.get("tools") or ()), body.get("instructions") or "", *_items(body)):
        yield Segment(encoded(part), breakpoint=True)


class _Events:
    """Numbers the events of one answer."""

    def __init__(self) -> None:
        self._number = 0

    def event(self, kind: str, **fields: Any) -> bytes:
        data = encoded({"type": kind, "sequence_number": self._number, **fields})
        self._number += 1
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)

    def deltas(self, kind: str, pieces: list[str], **fields: Any) -> Iterator[bytes]:
        before = b'event: %b\ndata: {"type":"%b",%b,"delta":' % (kind.encode(), kind.encode(), encoded(fields)[1:-1])
        for piece in pieces:
            yield b'%b%b,"sequence_number":%d}\n\n' % (before, encoded(piece), self._number)
            self._number += 1


def _output(exchange: Exchange) -> Iterator[dict[str, Any]]:
    played = exchange.played
    if played.thinking and thinks(exchange):
        reasoning = exchange.body.get("reasoning") or {}
        shown = bool(reasoning.get("summary")) and not played.redacted
        item = {
            "id": exchange.id("rs_"),
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": played.thinking}] if shown else [],
        }
        if "reasoning.encrypted_content" in (exchange.body.get("include") or ()):
            item["encrypted_content"] = seal(exchange.model, played.thinking)
        yield item
    if played.text:
        kind = "refusal" if played.stop == "refused" else "output_text"
        part: dict[str, Any] = {"type": kind, ("refusal" if kind == "refusal" else "text"): played.text}
        if kind == "output_text":
            part |= {"annotations": [], "logprobs": []}
        status = "incomplete" if _outcome(exchange)[0] == "incomplete" and not played.calls else "completed"
        message = {"id": exchange.id("msg_"), "type": "message", "status": status, "role": "assistant"}
        yield message | {"content": [part]}
    for number, call in enumerate(played.calls):
        yield _call_item(exchange, number, call)


def _call_item(exchange: Exchange, number: int, call: PlayedCall) -> dict[str, Any]:
    is_cut = exchange.played.stop == "length" and number == len(exchange.played.calls) - 1
    return {
        "id": exchange.id("fc_", number),
        "type": "function_call",
        "status": "incomplete" if is_cut else "completed",
        "arguments": call.arguments,
        "call_id": call.id,
        "name": call.name,
    }


def _reasoning(exchange: Exchange, events: _Events, index: int, item: dict[str, Any]) -> Iterator[bytes]:
    place = {"item_id": item["id"], "output_index": index}
    yield events.event("response.output_item.added", output_index=index, item=item | {"summary": []})
    for number, part in enumerate(item["summary"]):
        at = place | {"summary_index": number}
        empty = {"type": "summary_text", "text": ""}
        yield events.event("response.reasoning_summary_part.added", **at, part=empty)
        pieces = exchange.played.pieces(part["text"], _USUAL_CHUNK)
        yield from events.deltas("response.reasoning_summary_text.delta", pieces, **at)
        yield events.event("response.reasoning_summary_text.done", **at, text=part["text"])
        yield events.event("response.reasoning_summary_part.done", **at, part=part)
    yield events.event("response.output_item.done", output_index=index, item=item)


def _message(exchange: Exchange, events: _Events, index: int, item: dict[str, Any]) -> Iterator[bytes]:
    begun = item | {"status": "in_progress", "content": []}
    yield events.event("response.output_item.added", output_index=index, item=begun)
    (part,) = item["content"]
    at = {"item_id": item["id"], "output_index": index, "content_index": 0}
    field = "refusal" if part["type"] == "refusal" else "text"
    yield events.event("response.content_part.added", **at, part=part | {field: ""})
    pieces = exchange.played.pieces(part[field], _USUAL_CHUNK)
    if field == "refusal":
        yield from events.deltas("response.refusal.delta", pieces, **at)
        yield events.event("response.refusal.done", **at, refusal=part["refusal"])
    else:
        yield from events.deltas("response.output_text.delta", pieces, **at, logprobs=[])
        yield events.event("response.output_text.done", **at, text=part["text"], logprobs=[])
    yield events.event("response.content_part.done", **at, part=part)
    yield events.event("response.output_item.done", output_index=index, item=item)


def _call(exchange: Exchange, events: _Events, index: int, item: dict[str, Any]) -> Iterator[bytes]:
    begun = item | {"status": "in_progress", "arguments": ""}
    yield events.event("response.output_item.added", output_index=index, item=begun)
    at = {"item_id": item["id"], "output_index": index}
    pieces = exchange.played.pieces(item["arguments"], _USUAL_CHUNK)
    yield from events.deltas("response.function_call_arguments.delta", pieces, **at)
    if item["status"] == "completed":
        yield events.event("response.function_call_arguments.done", **at, arguments=item["arguments"])
    yield events.event("response.output_item.done", output_index=index, item=item)


def _outcome(exchange: Exchange) -> tuple[str, dict[str, Any] | None]:
    played = exchange.played
    if played.raw_stop in ("completed", "failed", "cancelled"):
        return played.raw_stop, None
    if played.raw_stop is not None:
        return "incomplete", {"reason": played.raw_stop}
    if played.stop == "length":
        return "incomplete", {"reason": "max_output_tokens"}
    if played.stop == "filtered":
        return "incomplete", {"reason": "content_filter"}
    return "completed", None


def _response(exchange: Exchange, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    ended = status != "in_progress"
    body = exchange.body
    response = {
        "id": exchange.id("resp_"),
        "object": "response",
        "created_at": exchange.created,
        "status": status,
        "background": False,
        "completed_at": exchange.created if status == "completed" else None,
        "error": {"code": "server_error", "message": "The response failed."} if status == "failed" else None,
        "incomplete_details": _outcome(exchange)[1] if ended else None,
        "model": exchange.model,
        "output": output,
        "usage": _usage(exchange.billed) if ended and exchange.billed is not None else None,
    }
    # The service repeats what it was asked, which makes its events long.
    return response | {
        name: body.get(name, usual) for name, usual in _ECHOED.items() if body.get(name, usual) is not None
    }


def _usage(billed: Billed) -> dict[str, Any]:
    return {
        "input_tokens": billed.prompt,
        "input_tokens_details": {"cached_tokens": billed.read, "cache_write_tokens": billed.written},
        "output_tokens": billed.output,
        "output_tokens_details": {"reasoning_tokens": billed.thinking},
        "total_tokens": billed.prompt + billed.output,
    }


def _items(body: dict[str, Any]) -> list[dict[str, Any]]:
    items = body.get("input")
    return [{"role": "user", "content": items}] if isinstance(items, str) else list(items or ())


def _is_asked(item: dict[str, Any]) -> bool:
    return item.get("type") == "function_call_output" or item.get("role") in ("user", "system", "developer")


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(
        part["text"] for part in content or () if part.get("type") in ("input_text", "output_text", "text")
    )
