"""A model server on the loopback interface that answers what it is told to, and remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec import Struct

from codi.providers.provider import Provider, Reply, Request

EVENTS = (("content-type", "text/event-stream"),)
JSON = (("content-type", "application/json"),)


class Canned(Struct, kw_only=True):
    """An answer. With `hold` the connection stays open after the chunks, with `cut` it breaks there."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = EVENTS
    chunks: tuple[bytes, ...] | list[bytes] = ()
    hold: bool = False
    cut: bool = False


class Asked(Struct):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    def __init__(self, answers: tuple[Canned, ...]) -> None:
        self._answers = list(answers)
        self.asked: list[Asked] = []
        self.connections = 0
        self.closed = asyncio.Event()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(head.decode(), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.closed.set()
            writer.close()

    async def _answer(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = head.strip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.asked.append(Asked(method, path, headers, body))
        answer = self._answers.pop(0)
        told = {**dict(answer.headers), "transfer-encoding": "chunked"}
        start = f"HTTP/1.1 {answer.status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in told.items())
        writer.write(start.encode() + b"\r\n")
        for chunk in answer.chunks:
            writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            await writer.drain()
        if answer.hold:
            await reader.readexactly(1)
        if answer.cut:
            raise ConnectionError
        writer.write(b"0\r\n\r\n")
        await writer.drain()


@asynccontextmanager
async def serving(*answers: Canned) -> AsyncIterator[Server]:
    server = Server(answers)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()


def events(*data: object, done: bool = True) -> list[bytes]:
    """One chunk for each event of a chat stream."""
    return [b"data: %s\n\n" % json.dumps(one).encode() for one in data] + ([b"data: [DONE]\n\n"] if done else [])


def error(status: int, **said: object) -> Canned:
    return Canned(status=status, headers=JSON, chunks=[json.dumps({"error": said}).encode()])


class Key:
    source = "TEST_KEY"

    def __init__(self, secret: str | None = "k-123") -> None:
        self._secret = secret

    async def secret(self) -> str | None:
        return self._secret


async def parts_of(provider: Provider, request: Request) -> tuple[list[Any], Reply]:
    """The deltas, and the reply that must be the last."""
    *deltas, reply = [part async for part in provider.stream(request)]
    assert isinstance(reply, Reply)
    return deltas, reply
