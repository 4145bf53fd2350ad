"""What goes wrong between a service and its client, byte by byte.

A fault turns the frames of a sound answer into a course of things to do on the socket: send, rest, end in some way. The
course is plain data, so it is looked at here and carried out elsewhere.
"""

import gzip
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from codi.lab.http1 import date_of
from codi.providers.script import Fault
from codi.providers.scripted import status_of


class Rest(NamedTuple):
    """Say nothing for a while."""

    seconds: float


class End(NamedTuple):
    """Stop here: with the answer properly ended, with the connection closed or reset, or with nothing at all."""

    how: Literal["finish", "close", "reset", "hang"]


Course = Iterator[bytes | Rest | End]

_LONG_LINE = 10 * 1024 * 1024
_FOREVER_S = 3600.0

_MESSAGES = {
    400: "The request is not valid.",
    401: "The API key is not valid.",
    403: "The API key has no permission for this.",
    404: "The model does not exist.",
    408: "The request took too long.",
    413: "The request is larger than the maximum size.",
    429: "This request would exceed your rate limit of requests per minute.",
    500: "Internal server error",
    502: "Bad gateway",
    503: "The service is temporarily unavailable.",
    529: "Overloaded",
}


def course_of(fault: Fault, frames: Iterable[bytes], error_event: Callable[[str, str], bytes]) -> Course:
    """What is done in place of sending `frames` one after the other. Faults of the head alone leave them as they are."""
    match fault.kind:
        case "cut" | "unfinished" | "reset" | "half_open":
            yield from _first(fault, frames)
            how: dict[str, Literal["finish", "close", "reset", "hang"]] = {"cut": "close", "unfinished": "finish"}
            yield End(how.get(fault.kind, "reset" if fault.kind == "reset" else "hang"))
        case "stall":
            content, at = _cut_at(fault, frames)
            yield from (content[:at], Rest(_FOREVER_S if fault.seconds is None else fault.seconds), content[at:])
        case "error_event":
            yield from _whole_frames(frames, fault.at)
            yield error_event(fault.message, fault.type)
            yield End("finish")
        case "slow" | "split":
            rest = Rest(1.0 if fault.seconds is None else fault.seconds) if fault.kind == "slow" else None
            for piece in _pieces(b"".join(frames), fault.size or 1):
                yield piece
                if rest is not None:
                    yield rest
        case "garbage":
            yield from _first(fault, frames)
            yield bytes(number * 167 % 256 for number in range(fault.size or 512))
            yield End("finish")
        case "bad_utf8":
            content, at = _cut_at(fault, frames)
            yield from (content[:at], b"\xff\xfe\xc3", content[at:])
        case "crlf":
            yield from (frame.replace(b"\n", b"\r\n") for frame in frames)
        case "long_line":
            yield from _with_long_line(frames, fault.size or _LONG_LINE)
        case "gzip":
            content = gzip.compress(b"".join(frames), mtime=0)
            yield content[: fault.at]
            if fault.at is not None:
                yield End("close")
        case _:
            yield from frames


def refusal_of(fault: Fault, too_long: str) -> tuple[int, str]:
    """Status and message of a `status` fault; `too_long` is the service's text for a conversation that is too long."""
    status = status_of(fault)
    if fault.type == "context":
        return (fault.status or 400), fault.message or too_long
    return status, fault.message or _MESSAGES.get(status, "The request failed.")


def headers_of(fault: Fault, now: float) -> dict[str, str]:
    """The headers that a fault adds; `now` is seconds since 1970."""
    headers = {name.lower(): value for name, value in fault.headers.items()}
    server_now = now + fault.skew_s
    if fault.skew_s:
        headers["date"] = date_of(server_now)
    wait = fault.retry_after
    if isinstance(wait, str) and wait.startswith("date:"):
        headers["retry-after"] = date_of(server_now + float(wait.removeprefix("date:")))
    elif isinstance(wait, str) and wait.startswith("ms:"):
        headers["retry-after-ms"] = wait.removeprefix("ms:")
    elif wait is not None:
        headers["retry-after"] = f"{float(wait):g}"
    if fault.kind == "content_type":
        headers["content-type"] = fault.content_type
    elif fault.kind == "gzip":
        headers["content-encoding"] = "gzip"
    return headers


def page(fault: Fault) -> bytes:
    """What a proxy or a login page puts in place of the service's answer."""
    title = fault.message or "502 Bad Gateway"
    return (
        fault.body or f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    ).encode()


def _cut_at(fault: Fault, frames: Iterable[bytes]) -> tuple[bytes, int]:
    content = b"".join(frames)
    return content, len(content) // 2 if fault.at is None else fault.at


def _first(fault: Fault, frames: Iterable[bytes]) -> Iterator[bytes]:
    content, at = _cut_at(fault, frames)
    yield content[:at]


def _whole_frames(frames: Iterable[bytes], at: int | None) -> Iterator[bytes]:
    # Up to the frame in which the byte lies, and never the last one, after which nothing could go wrong any more.
    *all_but_last, last = frames
    left = (sum(map(len, all_but_last)) + len(last)) // 2 if at is None else at
    for frame in all_but_last:
        if left <= 0:
            return
        left -= len(frame)
        yield frame


def _pieces(content: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


def _with_long_line(frames: Iterable[bytes], size: int) -> Iterator[bytes]:
    # An event that nobody knows, in the middle of those that everybody does.
    for number, frame in enumerate(frames):
        if number == 1:
            filler = b'{"type":"filler","filler":"%b"}' % (b"x" * size)
            yield b"data: %b\n\n" % filler if frame.lstrip()[:1] != b"{" else filler + b"\n"
        yield frame
