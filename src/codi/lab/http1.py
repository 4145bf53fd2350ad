"""As much HTTP/1.1 as the lab needs, near enough to the socket that every kind of fault can be shown on it."""

import socket
import time
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

import anyio
import msgspec
from anyio.abc import SocketAttribute, SocketStream
from msgspec import Struct

_LONGEST_HEAD = 64 * 1024
_PIECE = 64 * 1024


class ClientGone(Exception):
    """The client closed the connection before it had its answer."""


class BadHead(Exception):
    """What came is no HTTP request."""


class HttpRequest(Struct):
    """One request as it came, redacted of nothing. Header names are in lower case; `at` is monotonic time."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at: float
    connection: int
    """Which TCP connection it came on, counted from 1."""


class Connection:
    """One TCP connection, kept alive from request to request."""

    def __init__(self, stream: SocketStream, number: int) -> None:
        self.number = number
        self._stream = stream
        self._buffer = bytearray()

    async def request(self) -> HttpRequest | None:
        """The next request; None when the client has no more. Raises BadHead and ClientGone."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > _LONGEST_HEAD:
                raise BadHead("the head of the request is too long")
            if not await self._receive():
                if self._buffer:
                    raise ClientGone
                return None
        at = time.monotonic()
        head = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        first, *lines = head.decode("latin-1").split("\r\n")
        try:
            method, target, _ = first.split(" ", 2)
            headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        except ValueError as error:
            raise BadHead(f"{first[:80]!r} begins no HTTP request") from error
        if headers.get("expect", "").lower() == "100-continue":
            await self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await self._body(headers)
        path, _, query = target.partition("?")
        return HttpRequest(method, path, dict(parse_qsl(query)) if query else {}, headers, body, at, self.number)

    async def send(self, content: bytes) -> None:
        """Raises ClientGone."""
        try:
            await self._stream.send(content)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise ClientGone from error

    async def rest(self, seconds: float) -> None:
        """Wait; raises ClientGone as soon as the client closes the connection."""
        with anyio.move_on_after(seconds):
            while True:
                if not await self._receive():
                    raise ClientGone

    async def hang(self) -> None:
        """Neither read nor write, as if the cable were cut."""
        await anyio.sleep_forever()

    def reset_on_close(self) -> None:
        """From here on closing sends RST in place of FIN."""
        raw = self._stream.extra(SocketAttribute.raw_socket)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    async def _body(self, headers: Mapping[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return await self._chunks()
        try:
            return await self._exactly(int(headers.get("content-length") or 0))
        except ValueError as error:
            raise BadHead("content-length is no number") from error

    async def _chunks(self) -> bytes:
        chunks = bytearray()
        while True:
            try:
                size = int((await self._line()).split(b";", 1)[0], 16)
            except ValueError as error:
                raise BadHead("the size of a chunk is no number") from error
            chunks += await self._exactly(size)
            trailer = await self._line()
            if size == 0:
                while trailer:
                    trailer = await self._line()
                return bytes(chunks)

    async def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if not await self._receive():
                raise ClientGone
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    async def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if not await self._receive():
                raise ClientGone
        content = bytes(self._buffer[:size])
        del self._buffer[:size]
        return content

    async def _receive(self) -> bool:
        try:
            self._buffer += await self._stream.receive(_PIECE)
        except anyio.EndOfStream:
            return False
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise ClientGone from error
        return True


def head_of(status: int, headers: Mapping[str, str]) -> bytes:
    """The head of an answer."""
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Unknown"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {reason}\r\n{lines}\r\n".encode("latin-1")


def chunk_of(content: bytes) -> bytes:
    """A piece of an answer whose length is not known beforehand."""
    return b"%x\r\n%b\r\n" % (len(content), content) if content else b""


LAST_CHUNK = b"0\r\n\r\n"


def date_of(seconds: float) -> str:
    """A point in time as headers write it."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(seconds))


def timestamp_of(seconds: float) -> str:
    """A point in time as JSON writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def plain_of(body: bytes) -> object:
    """The body as plain data; None where it is no JSON."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
