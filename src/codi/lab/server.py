"""A scripted model behind the real wire formats, on loopback.

One server speaks Anthropic Messages, OpenAI Chat and Responses (Azure's paths too), Gemini and Ollama, streamed and whole.
It is as strict as the services are, bills as they do, fails as the script says, and keeps every request. `running` in
`lab/running` puts one beside a test; `python -m codi.lab.server SCRIPT` runs one as a process.
"""

import argparse
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

import anyio
import msgspec
from anyio.abc import SocketListener, SocketStream, TaskGroup

from codi.lab.answers import Answer
from codi.lab.exchange import encoded
from codi.lab.faults import End, Rest
from codi.lab.http1 import (
    LAST_CHUNK,
    BadHead,
    ClientGone,
    Connection,
    HttpRequest,
    chunk_of,
    date_of,
    head_of,
    plain_of,
)
from codi.lab.library import script_named
from codi.lab.service import Service
from codi.protocol.errors import CodiError
from codi.providers.script import Fault, Script

_BATCH = 64 * 1024
_BACKLOG = 1024


class Received(HttpRequest):
    """A request and what became of it. `ended` tells whether the answer went out in full, the client closed the connection
    before that, or a fault ended it; it is empty while the answer is on its way."""

    format: str = ""
    status: int = 0
    sent: int = 0
    ended: Literal["", "answered", "client gone", "fault"] = ""
    ended_at: float = 0.0

    @property
    def json(self) -> Any:
        """The body as plain data; None where it is no JSON."""
        return plain_of(self.body)


class LabServer:
    """Puts a Service on the network: `strict`, `key`, `models` and `takes_tools` are the service's. `log` is a file to which each request is
    appended as a line of JSON."""

    def __init__(
        self,
        script: Script,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        strict: bool = True,
        key: str | None = None,
        models: Sequence[str] = (),
        takes_tools: bool = True,
        log: str | None = None,
    ) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        """TCP connections accepted so far."""
        self.service = Service(script, strict=strict, key=key, models=models, takes_tools=takes_tools)
        self._log = log
        self._changed = threading.Condition()
        self._host = host
        self._socket = _bound(host, port)
        self._listener: SocketListener | None = None
        self._idle: set[anyio.CancelScope] = set()
        self._refusing: Fault | None = None
        self.port: int = self._socket.getsockname()[1]

    @property
    def url(self) -> str:
        """Where it listens, without a path: what base URLs are made from."""
        return f"http://{self._host}:{self.port}"

    @property
    def violations(self) -> list[str]:
        """What the validators refused, each with its format."""
        return self.service.violations

    @property
    def failures(self) -> list[str]:
        """Where a request was not what the script expects."""
        return self.service.failures

    @property
    def finished(self) -> bool:
        """Every step of the script was played."""
        return self.service.player.finished

    @property
    def refusing(self) -> bool:
        """Connections are refused at the moment."""
        return self._refusing is not None

    def wait_for(self, seen: Callable[["LabServer"], bool], *, timeout_s: float = 10.0) -> None:
        """Wait, from another thread, until something is so; raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: seen(self), timeout_s):
                raise TimeoutError(f"not so after {timeout_s:g} s and {len(self.requests)} requests")

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until cancelled. `ready` is called once connections are accepted, or refused if the script begins so."""
        try:
            async with anyio.create_task_group() as conversations:
                self._refusing = self._refusal_ahead()
                if self._refusing is None:
                    self._socket.listen(_BACKLOG)
                ready()
                while True:
                    await self._refuse()
                    await self._accept(conversations)
                    self._socket = _bound(self._host, self.port)
        finally:
            self._socket.close()

    async def _refuse(self) -> None:
        # Bound but not listening: the system itself refuses every connection.
        while self._refusing is not None:
            await anyio.sleep(1.0 if self._refusing.seconds is None else self._refusing.seconds)
            self.service.player.had_fault()
            following = self._refusal_ahead()
            if following is None:
                self._socket.listen(_BACKLOG)
            with self._changed:
                self._refusing = following
                self._changed.notify_all()

    async def _accept(self, conversations: TaskGroup) -> None:
        async with await SocketListener.from_socket(self._socket) as self._listener:
            while True:
                try:
                    stream = await self._listener.accept()
                except anyio.ClosedResourceError:
                    return
                conversations.start_soon(self._converse, stream)

    def _refusal_ahead(self) -> Fault | None:
        fault = self.service.player.upcoming
        return fault if fault is not None and fault.kind == "refuse" else None

    async def _stop_listening(self, fault: Fault) -> None:
        self._refusing = fault
        for idle in self._idle:
            idle.cancel()
        if self._listener is not None:
            await self._listener.aclose()

    async def _converse(self, stream: SocketStream) -> None:
        with self._changed:
            self.connections += 1
            self._changed.notify_all()
        connection = Connection(stream, self.connections)
        async with stream:
            try:
                while (request := await self._next_request(connection)) is not None:
                    received = Received(**msgspec.structs.asdict(request))
                    self._keep(received)
                    if not await self._reply(connection, received):
                        return
            except (ClientGone, BadHead):
                return

    async def _next_request(self, connection: Connection) -> HttpRequest | None:
        with anyio.CancelScope() as idle:
            self._idle.add(idle)
            try:
                return await connection.request()
            finally:
                self._idle.discard(idle)
        return None

    def _keep(self, received: Received) -> None:
        with self._changed:
            self.requests.append(received)
            self._changed.notify_all()
        if self._log is not None:
            line = {"method": received.method, "path": received.path, "query": received.query}
            line |= {"headers": received.headers, "body": received.json or received.body.decode(errors="replace")}
            with open(self._log, "ab") as file:
                file.write(encoded(line) + b"\n")

    async def _reply(self, connection: Connection, received: Received) -> bool:
        # Whether the connection may carry one more request.
        answer = self.service.answer(received, now=time.time())
        received.format, received.status = answer.format, answer.status
        refusal = self._refusal_ahead()
        keeps = refusal is None and received.headers.get("connection", "").lower() != "close"
        try:
            if refusal is not None:
                await self._stop_listening(refusal)
            if isinstance(answer.before, Rest):
                await connection.rest(answer.before.seconds)
            end = answer.before if isinstance(answer.before, End) else None
            if end is None:
                end = await self._say(connection, received, answer, keeps)
        except ClientGone:
            self._ended(received, "client gone")
            raise
        self._ended(received, "answered" if end is None else "fault")
        if end is None or end.how == "finish":
            return keeps
        if end.how == "hang":
            await connection.hang()
        elif end.how == "reset":
            connection.reset_on_close()
        return False

    async def _say(self, connection: Connection, received: Received, answer: Answer, keeps: bool) -> End | None:
        headers = {"date": date_of(time.time()), "content-type": answer.content_type}
        if answer.length is None:
            headers["transfer-encoding"] = "chunked"
        else:
            headers["content-length"] = str(answer.length)
        if not keeps:
            headers["connection"] = "close"
        waiting = [head_of(answer.status, headers | answer.headers)]
        size = 0
        end = None
        for part in answer.course:
            if isinstance(part, bytes):
                waiting.append(chunk_of(part) if answer.length is None else part)
                size += len(part)
                received.sent += len(part)
                if size < _BATCH and not answer.pause_s:
                    continue
            elif isinstance(part, End):
                end = part
                break
            await connection.send(b"".join(waiting))
            waiting.clear()
            size = 0
            if isinstance(part, Rest) or answer.pause_s:
                await connection.rest(part.seconds if isinstance(part, Rest) else answer.pause_s)
        if answer.length is None and (end is None or end.how == "finish"):
            waiting.append(LAST_CHUNK)
        await connection.send(b"".join(waiting))
        return end

    def _ended(self, received: Received, how: Literal["answered", "client gone", "fault"]) -> None:
        with self._changed:
            received.ended = how
            received.ended_at = time.monotonic()
            self._changed.notify_all()


def _bound(host: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setblocking(False)
    bound.bind((host, port))
    return bound


async def serve(script: Script, port: int, ready: Callable[[LabServer], None], *, log: str | None = None) -> None:
    """Serve a script on loopback until cancelled; `ready` is told the server once it accepts connections."""
    server = LabServer(script, port=port, log=log)
    await server.run(lambda: ready(server))


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m codi.lab.server SCRIPT`: print the URL, serve until interrupted."""
    parser = argparse.ArgumentParser(prog="codi.lab.server", description="A scripted model behind real wire formats.")
    parser.add_argument("script", metavar="SCRIPT", help="a script's path, or the name of a scenario")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--lenient", action="store_true", help="validate nothing, answer as fast as possible")
    parser.add_argument("--log", metavar="FILE", help="append each request to FILE as a line of JSON")
    asked = parser.parse_args(arguments)
    try:
        server = LabServer(script_named(asked.script), port=asked.port, strict=not asked.lenient, log=asked.log)
    except CodiError as error:
        print(f"error: {error}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_status
    try:
        anyio.run(server.run, lambda: print(server.url, flush=True))
    except KeyboardInterrupt:
        pass
    return 1 if server.failures or server.violations else 0


if __name__ == "__main__":
    sys.exit(main())
