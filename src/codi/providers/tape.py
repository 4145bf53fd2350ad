"""What services answered, kept in a file and answered from it again: a run that can be repeated without a network.

The file is JSON lines: a head, then one exchange a line, with the request as it was, its keys left out, and the pieces of the
answer with the milliseconds at which they came. A request is known by method, path and body, whatever the host; what names
the session stands for any.
"""

import base64
import json
import os
import time
from collections.abc import AsyncIterator, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from codi.protocol.errors import ConfigError, ProviderError

KIND = "codi-recording"
_VERSION = 1
_REDACTED = "(redacted)"
_SECRET_HEADERS = frozenset(
    ("authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "set-cookie", "proxy-authorization")
)
_OF_SESSION = ("prompt_cache_key", "session_id")


class Exchange(Struct):
    """One request with its answer, as a line of the file holds it. `body` is JSON where it was."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]
    hash: str
    status: int
    answer: dict[str, str]
    chunks: list[tuple[int, str]]
    used: bool = False


class Played:
    """An answer from the tape; it looks to the transport as one from the network."""

    def __init__(self, exchange: Exchange) -> None:
        self.status_code = exchange.status
        self.headers = exchange.answer
        self._exchange = exchange

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        for _, piece in self._exchange.chunks:
            yield base64.b64decode(piece)

    async def aclose(self) -> None:
        pass


class Recorded:
    """An answer on its way, which is written down when it ends, however it ends."""

    def __init__(self, response: Any, tape: "Recording", asked: Exchange) -> None:
        self.status_code = response.status_code
        self.headers = response.headers
        self._response = response
        self._tape = tape
        self._asked = asked
        self._began = time.monotonic()

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        async for piece in self._response.aiter_bytes():
            at = round((time.monotonic() - self._began) * 1000)
            self._asked.chunks.append((at, base64.b64encode(piece).decode()))
            yield piece

    async def aclose(self) -> None:
        await self._response.aclose()
        self._tape.write(self._asked)


class Recording:
    """Writes all exchanges into a new file. Raises ConfigError where it cannot."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._put("w", {"type": KIND, "version": _VERSION})

    def answer(self, response: Any, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Recorded:
        asked = asked_as(method, url, headers, body)
        asked.status = response.status_code
        # What was packed on its way is kept unpacked.
        left_out = ("content-encoding", "content-length", "transfer-encoding")
        told = {name.lower(): value for name, value in response.headers.items() if name.lower() not in left_out}
        asked.answer = _redacted(told)
        return Recorded(response, self, asked)

    def write(self, exchange: Exchange) -> None:
        row = {name: getattr(exchange, name) for name in exchange.__struct_fields__ if name != "used"}
        self._put("a", row)

    def _put(self, mode: str, row: Mapping[str, Any]) -> None:
        try:
            descriptor = os.open(
                self._path, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if mode == "w" else os.O_APPEND), 0o600
            )
            with open(descriptor, mode, encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        except OSError as error:
            raise ConfigError(
                f"--record {self._path}: {error.strerror}", hint="Name a file that can be written."
            ) from error


class Replay:
    """Answers from a file: each exchange once, the first that fits. Raises ConfigError where it is no recording."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            with open(path, encoding="utf-8") as file:
                head, *rows = (json.loads(line) for line in file if line.strip())
            if head.get("type") != KIND:
                raise ValueError("it is no recording")
            self._exchanges = [
                Exchange(**{**row, "chunks": [(at, piece) for at, piece in row["chunks"]]}) for row in rows
            ]
        except OSError as error:
            raise ConfigError(f"--replay {path}: {error.strerror}", hint="Make one with --record FILE.") from error
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"--replay {path}: {error}", hint="Make one with --record FILE.") from error

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Played:
        """Raises ProviderError, naming what is different first, for a request that was not recorded."""
        asked = asked_as(method, url, headers, body)
        for exchange in self._exchanges:
            if not exchange.used and exchange.hash == asked.hash:
                exchange.used = True
                return Played(exchange)
        left = next((exchange for exchange in self._exchanges if not exchange.used), None)
        if left is None:
            what = f"all {len(self._exchanges)} recorded requests were answered already"
        else:
            what = f"this request differs from the recorded one in {difference(_known_by(left), _known_by(asked))}"
        raise ProviderError(f"--replay {self._path}: {what}", hint="Record it anew with --record FILE.")


def asked_as(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Exchange:
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    asked = Exchange(method, path, _body(body), _redacted(headers), "", 0, {}, [])
    asked.hash = sha256(json.dumps(_known_by(asked), sort_keys=True).encode()).hexdigest()
    return asked


def difference(recorded: Any, asked: Any, place: str = "") -> str:
    """The first place at which two values differ, and how, as in `messages[2].content: "a" is now "b"`."""
    if isinstance(recorded, dict) and isinstance(asked, dict):
        for key in [*recorded, *(key for key in asked if key not in recorded)]:
            here = f"{place}.{key}" if place else str(key)
            if key not in asked or key not in recorded:
                return f"{here}: {'is new' if key in asked else 'is missing'}"
            if recorded[key] != asked[key]:
                return difference(recorded[key], asked[key], here)
    if isinstance(recorded, list) and isinstance(asked, list):
        for at, (one, other) in enumerate(zip(recorded, asked)):
            if one != other:
                return difference(one, other, f"{place}[{at}]")
        if len(recorded) != len(asked):
            return f"{place}: {len(recorded)} items are now {len(asked)}"
    return f"{place}: {_short(recorded, asked)} is now {_short(asked, recorded)}"


def _known_by(asked: Exchange) -> dict[str, Any]:
    body = asked.body
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in _OF_SESSION}
    return {"method": asked.method, "path": asked.path, "body": body}


def _body(body: bytes | None) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def _redacted(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): _REDACTED if name.lower() in _SECRET_HEADERS else value for name, value in headers.items()}


def _short(value: Any, other: Any) -> str:
    text, beside = json.dumps(value), json.dumps(other)
    if len(text) <= 80:
        return text
    same = next((at for at, (one, two) in enumerate(zip(text, beside)) if one != two), 0)
    begin = max(same - 20, 0)
    return f"{'...' if begin else ''}{text[begin : begin + 60]}..."
