"""OpenAI's Chat Completions API, as the service and those that imitate it speak it; Azure's differs in the path alone."""

from collections.abc import Iterator
from typing import Any

from codi.lab.exchange import Billed, CacheKind, Exchange, Segment, encoded, sse
from codi.providers.player import SeenResult, View

NAME = "openai-chat"
STREAM_TYPE = "text/event-stream; charset=utf-8"
CACHE: CacheKind = "automatic"
CACHE_STEP = 128
TOO_LONG = (
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 131450 tokens. "
    "Please reduce the length of the messages."
)

STOPS = {
    "end": "stop",
    "tool_calls": "tool_calls",
    "length": "length",
    "stop_sequence": "stop",
    "refused": "stop",
    "filtered": "content_filter",
    "paused": "stop",
    "unknown": "stop",
}

_ERRORS = {
    400: "invalid_request_error",
    401: "invalid_request_error",
    403: "invalid_request_error",
    404: "invalid_request_error",
    429: "rate_limit_exceeded",
}
_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}

_SYSTEM = ("system", "developer")
_USUAL_CHUNK = 24


def parse(body: dict[str, Any], model: str) -> View:
    messages = body.get("messages") or []
    since = next((at for at in range(len(messages), 0, -1) if messages[at - 1].get("role") == "assistant"), 0)
    results = tuple(
        SeenResult(message.get("tool_call_id", ""), _text(message.get("content")))
        for message in messages[since:]
        if message.get("role") == "tool"
    )
    first: dict[str, Any] = next((message for message in messages if message.get("role") == "user"), {})
    system = [message for message in messages if message.get("role") in _SYSTEM]
    asked = [message for message in messages[since:] if message.get("role") not in _SYSTEM]
    return View(
        model=model,
        message="\n".join(_text(message.get("content")) for message in asked),
        first=_text(first.get("content")),
        system="\n\n".join(_text(message.get("content")) for message in system),
        results=results,
        tools=tuple((tool.get("function") or {}).get("name", "") for tool in body.get("tools") or ()),
        plain=lambda: body,
    )


def thinks(exchange: Exchange) -> bool:
    return True


def headers(exchange: Exchange) -> dict[str, str]:
    return {"x-request-id": exchange.id("req_"), "openai-version": "2020-10-01", "openai-processing-ms": "1"}


def stream(exchange: Exchange) -> Iterator[bytes]:
    played = exchange.played
    chunk = _Chunk(exchange)
    yield chunk.of({"role": "assistant", "content": None if played.calls and not played.text else "", "refusal": None})
    if played.thinking:
        yield from chunk.texts("reasoning_content", played.pieces(played.thinking, _USUAL_CHUNK))
    if played.text:
        field = "refusal" if played.stop == "refused" else "content"
        yield from chunk.texts(field, played.pieces(played.text, _USUAL_CHUNK))
    for index, call in enumerate(played.calls):
        function = {"name": call.name, "arguments": ""}
        yield chunk.of({"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": function}]})
        yield from chunk.arguments(index, played.pieces(call.arguments, _USUAL_CHUNK))
    yield chunk.of({}, stop=_raw_stop(exchange))
    if exchange.billed is not None and _tells_usage(exchange):
        yield chunk.usage(exchange.billed)
    yield b"data: [DONE]\n\n"


def whole(exchange: Exchange) -> bytes:
    played = exchange.played
    message: dict[str, Any] = {"role": "assistant", "content": played.text or None, "refusal": None}
    if played.stop == "refused":
        message |= {"content": None, "refusal": played.text}
    elif not played.calls:
        message["content"] = played.text
    if played.thinking:
        message["reasoning_content"] = played.thinking
    if played.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in played.calls
        ]
    answer = _head(exchange, "chat.completion") | {
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": _raw_stop(exchange)}]
    }
    if exchange.billed is not None:
        answer["usage"] = _usage(exchange.billed)
    return encoded(answer)


def error(status: int, message: str, kind: str = "") -> bytes:
    code = _CODES.get(status)
    if status == 400 and "context length" in message:
        code = "context_length_exceeded"
    kind = kind or _ERRORS.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return encoded({"error": {"message": message, "type": kind, "param": None, "code": code}})


def error_event(message: str, kind: str = "") -> bytes:
    return b"data: %b\n\n" % error(500, message or "The server had an error while processing your request.", kind)


def seals(exchange: Exchange) -> tuple[str, ...]:
    return ()


def segments(body: dict[str, Any]) -> Iterator[Segment]:
    # The key routes requests to one machine's cache, so another key does not find what was kept under the first.
    yield Segment(str(body.get("prompt_cache_key") or "").encode())
    for part in (*(body.get("tools") or ()), *(body.get("messages") or ())):
        yield Segment(encoded(part), breakpoint=True)


class _Chunk:
    """The chunks of one answer: they differ in their delta alone."""

    def __init__(self, exchange: Exchange) -> None:
        self._head = _head(exchange, "chat.completion.chunk")
        if _tells_usage(exchange):
            self._head["usage"] = None
        before = encoded(self._head | {"choices": []})
        self._before = b"data: " + before[: -len(b"]}")] + b'{"index":0,"delta":'
        self._after = b',"logprobs":null,"finish_reason":null}]}\n\n'

    def of(self, delta: dict[str, Any], stop: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": stop}
        return sse(self._head | {"choices": [choice]})

    def texts(self, field: str, pieces: list[str]) -> Iterator[bytes]:
        before = self._before + b'{"%b":' % field.encode()
        for piece in pieces:
            yield b"%b%b}%b" % (before, encoded(piece), self._after)

    def arguments(self, index: int, pieces: list[str]) -> Iterator[bytes]:
        before = self._before + b'{"tool_calls":[{"index":%d,"function":{"arguments":' % index
        for piece in pieces:
            yield b"%b%b}}]}%b" % (before, encoded(piece), self._after)

    def usage(self, billed: Billed) -> bytes:
        return sse(self._head | {"choices": [], "usage": _usage(billed)})


def _tells_usage(exchange: Exchange) -> bool:
    return bool((exchange.body.get("stream_options") or {}).get("include_usage"))


def _head(exchange: Exchange, kind: str) -> dict[str, Any]:
    return {
        "id": exchange.id("chatcmpl-"),
        "object": kind,
        "created": exchange.created,
        "model": exchange.model,
        "service_tier": "default",
        "system_fingerprint": "fp_lab",
    }


def _usage(billed: Billed) -> dict[str, Any]:
    return {
        "prompt_tokens": billed.prompt,
        "completion_tokens": billed.output,
        "total_tokens": billed.prompt + billed.output,
        "prompt_tokens_details": {"cached_tokens": billed.read, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": billed.thinking, "audio_tokens": 0},
    }


def _raw_stop(exchange: Exchange) -> str:
    return exchange.played.raw_stop or STOPS[exchange.played.stop]


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content or () if part.get("type") in ("text", "input_text"))
