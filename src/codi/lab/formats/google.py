"""Google's Gemini API (v1beta), as the service speaks it. Calls carry no ids; order tells them apart."""

from collections.abc import Iterator
from typing import Any

import msgspec

from codi.lab.exchange import Billed, CacheKind, Exchange, Segment, encoded
from codi.lab.seals import seal
from codi.providers.player import Played, SeenResult, View

NAME = "google"
STREAM_TYPE = "text/event-stream"
CACHE: CacheKind = "automatic"
CACHE_STEP = 1
TOO_LONG = "The input token count (1213410) exceeds the maximum number of tokens allowed (1048576)."

STOPS = {
    "end": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "stop_sequence": "STOP",
    "refused": "PROHIBITED_CONTENT",
    "filtered": "SAFETY",
    "paused": "OTHER",
    "unknown": "OTHER",
}

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

_USUAL_CHUNK = 48


def normal(body: dict[str, Any]) -> dict[str, Any]:
    """The request with the names of all fields in camel case: the service accepts snake case as well."""
    return {_camel(name): value if name in _OPAQUE else _normal(value) for name, value in body.items()}


def parse(body: dict[str, Any], model: str) -> View:
    contents = body.get("contents") or []
    last = contents[-1].get("parts") or [] if contents else []
    answers = [part["functionResponse"] for part in last if "functionResponse" in part]
    results = tuple(
        SeenResult(answer.get("id", ""), _said(answer), "error" in (answer.get("response") or {})) for answer in answers
    )
    texts = [_said(part["functionResponse"]) if "functionResponse" in part else part.get("text", "") for part in last]
    declared = [each for tool in body.get("tools") or () for each in tool.get("functionDeclarations") or ()]
    system = body.get("systemInstruction") or {}
    return View(
        model=model,
        message="\n".join(text for text in texts if text),
        first=_text(contents[0]) if contents else "",
        system=_text(system),
        results=results,
        tools=tuple(each.get("name", "") for each in declared),
        plain=lambda: body,
    )


def thinks(exchange: Exchange) -> bool:
    config = (exchange.body.get("generationConfig") or {}).get("thinkingConfig") or {}
    return config.get("thinkingBudget") != 0


def headers(exchange: Exchange) -> dict[str, str]:
    return {"x-gemini-service-tier": "standard", "server-timing": "gfet4t7; dur=1"}


def stream(exchange: Exchange) -> Iterator[bytes]:
    if exchange.played.raw_stop in _BLOCKED:
        yield b"data: %b\r\n\r\n" % encoded(_blocked(exchange))
        return
    groups = _groups(exchange)
    for number, parts in enumerate(groups):
        ends = number == len(groups) - 1
        yield b"data: %b\r\n\r\n" % encoded(_response(exchange, parts, ends=ends))


def whole(exchange: Exchange) -> bytes:
    if exchange.played.raw_stop in _BLOCKED:
        return encoded(_blocked(exchange))
    return encoded(_response(exchange, list(_parts(exchange)), ends=True))


def error(status: int, message: str, kind: str = "") -> bytes:
    kind = kind or _STATUSES.get(status, "INTERNAL" if status >= 500 else "FAILED_PRECONDITION")
    plain: dict[str, Any] = {"code": status, "message": message, "status": kind}
    if status == 401:
        plain["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
    return encoded({"error": plain})


def error_event(message: str, kind: str = "") -> bytes:
    return b"data: %b\r\n\r\n" % error(503, message or "The model is overloaded. Please try again later.", kind)


def segments(body: dict[str, Any]) -> Iterator[Segment]:
    yield Segment(encoded([body.get("systemInstruction"), body.get("tools")]), breakpoint=True)
    for content in body.get("contents") or ():
        yield Segment(encoded(content), breakpoint=True)


def seals(exchange: Exchange) -> tuple[str, ...]:
    return tuple(part["thoughtSignature"] for part in _parts(exchange) if "thoughtSignature" in part)


def seal_of_call(model: str, name: str, arguments: dict[str, Any]) -> str:
    """The signature that stands on a call's part. The order of the arguments is no part of a call."""
    return seal(model, f"{name}{msgspec.json.encode(arguments, order='sorted').decode()}")


# What is below these is the caller's own, with the caller's own names.
_OPAQUE = frozenset(
    ("args", "response", "properties", "parametersJsonSchema", "parameters_json_schema", "labels", "default", "example")
)


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        return normal(value)
    return [_normal(each) for each in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


_BLOCKED = frozenset({"BLOCK_SAFETY", "BLOCK_PROHIBITED_CONTENT", "BLOCK_OTHER", "BLOCK_BLOCKLIST"})


def _blocked(exchange: Exchange) -> dict[str, Any]:
    reason = (exchange.played.raw_stop or "").removeprefix("BLOCK_")
    return {"promptFeedback": {"blockReason": reason, "safetyRatings": []}} | _tail(exchange, ends=True)


def _groups(exchange: Exchange) -> list[list[dict[str, Any]]]:
    # One event for each piece of text; calls come whole, and all of a reply's in one event each.
    return [[part] for part in _streamed_parts(exchange)] or [[{"text": ""}]]


def _streamed_parts(exchange: Exchange) -> Iterator[dict[str, Any]]:
    for part in _parts(exchange):
        if "text" not in part:
            yield part
            continue
        pieces = exchange.played.pieces(part["text"], _USUAL_CHUNK)
        signature = part.pop("thoughtSignature", None)
        yield from (part | {"text": piece} for piece in pieces)
        if signature is not None:  # streamed apart, on a part of its own
            yield {"text": "", "thoughtSignature": signature}


def _parts(exchange: Exchange) -> Iterator[dict[str, Any]]:
    played = exchange.played
    thought = bool(played.thinking) and thinks(exchange)
    if thought and _shows_thoughts(exchange) and not played.redacted:
        yield {"text": played.thinking, "thought": True}
    calls = _sound(played)
    if played.text:
        part: dict[str, Any] = {"text": played.text}
        if thought and not calls:
            part["thoughtSignature"] = seal(exchange.model, played.text)
        yield part
    for number, (name, arguments) in enumerate(calls):
        part = {"functionCall": {"name": name, "args": arguments}}
        if number == 0:
            part["thoughtSignature"] = seal_of_call(exchange.model, name, arguments)
        yield part


def _shows_thoughts(exchange: Exchange) -> bool:
    config = (exchange.body.get("generationConfig") or {}).get("thinkingConfig") or {}
    return bool(config.get("includeThoughts"))


def _sound(played: Played) -> list[tuple[str, dict[str, Any]]]:
    # The service parses the model's calls itself: what is cut never reaches the client.
    return [(call.name, plain) for call in played.calls if (plain := call.plain) is not None]


def _response(exchange: Exchange, parts: list[dict[str, Any]], *, ends: bool) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if ends:
        candidate["finishReason"] = _finish(exchange)
    return {"candidates": [candidate]} | _tail(exchange, ends=ends)


def _finish(exchange: Exchange) -> str:
    played = exchange.played
    if played.raw_stop is not None:
        return played.raw_stop
    if played.stop == "tool_calls" and len(_sound(played)) < len(played.calls):
        return "MALFORMED_FUNCTION_CALL"
    return STOPS[played.stop]


def _tail(exchange: Exchange, *, ends: bool) -> dict[str, Any]:
    tail: dict[str, Any] = {"modelVersion": exchange.model, "responseId": exchange.id("")}
    if exchange.billed is not None:
        tail["usageMetadata"] = _usage(exchange.billed, ends=ends)
    return tail


def _usage(billed: Billed, *, ends: bool) -> dict[str, Any]:
    usage = {"promptTokenCount": billed.prompt, "totalTokenCount": billed.prompt}
    if billed.read:
        usage["cachedContentTokenCount"] = billed.read
    if ends:
        usage["candidatesTokenCount"] = billed.output - billed.thinking
        usage["totalTokenCount"] += billed.output
        if billed.thinking:
            usage["thoughtsTokenCount"] = billed.thinking
    return usage


def _text(content: dict[str, Any]) -> str:
    return "\n".join(part["text"] for part in content.get("parts") or () if part.get("text"))


def _said(answer: dict[str, Any]) -> str:
    response = answer.get("response") or {}
    for name in ("output", "result", "error"):
        if isinstance(response.get(name), str):
            return str(response[name])
    return encoded(response).decode()
