"""From what is said, and what goes wrong with it, to the answer as it goes over the wire."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from codi.lab.exchange import Exchange, Format, encoded
from codi.lab.faults import End, Rest, course_of, headers_of, page, refusal_of
from codi.providers.script import Fault

_JSON = "application/json"
_HTML = "text/html; charset=utf-8"


class Answer(Struct, kw_only=True):
    """`format` is empty for what is no answer of a model. `before` happens ahead of the first byte; a `length` that is known goes into the head, else the body is chunked.
    `pause_s` passes between two pieces."""

    status: int
    content_type: str
    format: str = ""
    course: Iterable[bytes | Rest | End]
    headers: dict[str, str] = {}
    length: int | None = None
    before: Rest | End | None = None
    pause_s: float = 0.0


def spoken(form: Format, exchange: Exchange, *, streams: bool, now: float) -> Answer:
    """A step as the service says it; `now` is seconds since 1970."""
    played = exchange.played
    fault = played.fault
    frames = form.stream(exchange) if streams else iter([form.whole(exchange)])
    content_type = form.STREAM_TYPE if streams else _JSON
    if fault is None:
        answer = _text(200, content_type, b"".join(frames)) if not streams else None
        answer = answer or Answer(status=200, content_type=content_type, course=frames)
        answer.headers = form.headers(exchange)
    else:
        answer = _faulty(form, fault, frames, content_type)
        headers = form.headers(exchange) | headers_of(fault, now)
        answer.content_type = headers.pop("content-type", answer.content_type)
        answer.headers = headers
        if fault.kind == "slow_first_byte":
            answer.before = Rest(1.0 if fault.seconds is None else fault.seconds)
        elif fault.kind == "reset" and fault.at is None:
            answer.before = End("reset")
    if played.delay_ms and answer.before is None:
        answer.before = Rest(played.delay_ms / 1000)
    answer.pause_s = played.pause_ms / 1000
    answer.format = form.NAME
    return answer


def refused(form: Format, status: int, message: str, kind: str = "") -> Answer:
    """An error of the service."""
    answer = _text(status, _JSON, form.error(status, message, kind))
    answer.headers = {"x-should-retry": "false"}
    answer.format = form.NAME
    return answer


def told(plain: Any) -> Answer:
    """Plain data."""
    return _text(200, _JSON, encoded(plain))


def _faulty(form: Format, fault: Fault, frames: Iterable[bytes], content_type: str) -> Answer:
    match fault.kind:
        case "status":
            status, message = refusal_of(fault, form.TOO_LONG)
            body = form.error(status, message, "" if fault.type == "context" else fault.type)
            return _text(status, _JSON, body if fault.body is None else fault.body.encode())
        case "html":
            return _text(fault.status or 200, _HTML, page(fault))
        case "json_in_stream":
            return _text(200, _JSON, form.error(500, fault.message or "Internal server error", fault.type))
    return Answer(status=200, content_type=content_type, course=course_of(fault, frames, form.error_event))


def _text(status: int, content_type: str, body: bytes) -> Answer:
    return Answer(status=status, content_type=content_type, course=[body], length=len(body))
