"""The one request that a browser brings back: a listener on this machine, on a port that the system chose."""

import re
from collections.abc import Awaitable, Callable
from types import TracebackType
from urllib.parse import parse_qsl

import anyio
from anyio.abc import Listener as AnyListener
from anyio.abc import SocketAttribute, SocketStream

PATH = "/callback"

_HEAD_LIMIT = 16 * 1024
_HEAD_S = 10.0
_REQUEST = re.compile(rb"GET (/\S*) HTTP/1\.[01]\r?$")
_PAGE = """<!doctype html><meta charset="utf-8"><title>codi</title>
<body style="font: 16px system-ui; margin: 4em auto; max-width: 30em"><p>{}</p>"""


class Listener:
    """Open while the `with` block lasts. The first request to the exact path and host counts; nothing else does."""

    async def __aenter__(self) -> "Listener":
        multi = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        self._listener: AnyListener[SocketStream] = multi.listeners[0]
        self.port: int = multi.extra(SocketAttribute.local_port)
        self._answer: dict[str, str] | None = None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._listener.aclose()

    @property
    def redirect(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    async def answer(self) -> dict[str, str]:
        """What the browser brings, by name. A name that comes twice is none."""
        async with anyio.create_task_group() as tasks:
            # Browsers open connections that they never use, so that each is heard on its own.
            tasks.start_soon(self._listener.serve, self._heard(tasks.cancel_scope.cancel))
        assert self._answer is not None
        return self._answer

    def _heard(self, end: Callable[[], None]) -> Callable[[SocketStream], Awaitable[None]]:
        async def hear(stream: SocketStream) -> None:
            async with stream:
                try:
                    with anyio.move_on_after(_HEAD_S):
                        head = await _head(stream)
                        status, text = self._judged(head)
                        await stream.send(_response(status, text))
                        await stream.send_eof()
                except (OSError, anyio.BrokenResourceError, anyio.EndOfStream, anyio.ClosedResourceError):
                    pass  # whatever it wanted, it went away; what it brought counts
            if self._answer is not None:
                end()

        return hear

    def _judged(self, head: bytes) -> tuple[str, str]:
        first, *lines = head.split(b"\n")
        found = _REQUEST.match(first)
        hosts = [line[5:].strip() for line in lines if line[:5].lower() == b"host:"]
        if hosts != [f"127.0.0.1:{self.port}".encode()]:
            return "421 Misdirected Request", "This address is for one answer alone."
        if not found:
            return "400 Bad Request", "This address is for one answer alone."
        path, _, query = found[1].decode("ascii", "replace").partition("?")
        if path != PATH:
            return "404 Not Found", "There is nothing here."
        if self._answer is not None:
            return "410 Gone", "The answer has come already."
        self._answer = values_of(query)
        if "code" in self._answer:
            return "200 OK", "codi has the answer. You can close this window and go back to the terminal."
        return "400 Bad Request", "The login did not succeed. The terminal says why."


def values_of(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}


async def _head(stream: SocketStream) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and b"\n\n" not in head:
        if len(head) > _HEAD_LIMIT:
            return b""
        head += await stream.receive(4096)
    return head


def _response(status: str, text: str) -> bytes:
    page = _PAGE.format(text).encode()
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(page)}\r\n"
        "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\nConnection: close\r\n\r\n"
    ).encode() + page
