"""A tiny HTTP server on the loopback that says what a test tells it, byte by byte, and remembers what it heard."""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

HANG = "hang"
"""Say no more, and wait until the client hangs up."""
WAIT = "wait"
"""Go on when the test sets `go_on`."""
RESET = "reset"
"""Cut the connection."""


class Heard(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Loopback:
    """Each request gets the next of `answers`: pieces of bytes and of the words above; the last one is said for ever."""

    def __init__(self, *answers: Iterable[bytes | str]) -> None:
        self._answers = [list(answer) for answer in answers]
        self.heard: list[Heard] = []
        self.connections = 0
        self.hung_up = asyncio.Event()
        self.go_on = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Loopback":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**24)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        self.connections += 1
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.CancelledError, ConnectionError):
            self.hung_up.set()
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            self.hung_up.set()
            return False
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, path, _ = first.split(" ")
        self.heard.append(Heard(method, path, headers, body))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        for piece in answer:
            if piece == HANG:
                await reader.read()
                self.hung_up.set()
                return False
            if piece == RESET:
                return False
            if piece == WAIT:
                await self.go_on.wait()
                continue
            writer.write(piece)
            await writer.drain()
        return True


def answer(status: int, body: bytes, **headers: str) -> list[bytes]:
    """One answer of known length."""
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ["\r\n".join(lines).encode() + b"\r\n\r\n" + body]


def head(content_type: str = "text/event-stream") -> bytes:
    """The beginning of an answer in chunks."""
    return f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n".encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


END = b"0\r\n\r\n"


def stream(*pieces: bytes, content_type: str = "text/event-stream") -> list[bytes]:
    """One whole answer in chunks."""
    return [head(content_type), *(chunk(piece) for piece in pieces), END]
