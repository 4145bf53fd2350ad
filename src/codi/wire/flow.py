"""TCP connections for the HTTP library, whose bytes are read a picture at a time and not a packet at a time.

Services send an answer in hundreds of packets a second. To wake up for one costs far more than the few bytes in it are worth,
and no screen shows them sooner. So while an answer flows, the socket is left alone for the time of a picture after each look,
and what came meanwhile is taken at once, however many packets or TLS records it came in.
"""

import asyncio
import select
import ssl
from collections.abc import Iterable
from typing import Any, cast

import anyio
import httpcore2

_PICTURE_S = 0.016
_AT_ONCE_S = 0.1
"""The beginning of an answer, and so the whole of a short one, is read as it comes."""

_SMALL = 8 * 1024
"""Where more than this comes at a time, something is being downloaded, and nothing is gained by waiting."""

_MOST = 1024 * 1024
"""What nobody has asked for yet; the sender waits meanwhile."""

_ConnectFailures = (OSError, anyio.BrokenResourceError, anyio.EndOfStream)


class FlowingBackend(httpcore2.AsyncNetworkBackend):
    """Connects by TCP. Raises what the library's own backends raise."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        try:
            with anyio.fail_after(timeout):
                stream = await anyio.connect_tcp(host, port, local_host=local_address)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(error) from error
        except _ConnectFailures as error:
            raise httpcore2.ConnectError(error) from error
        # The name is looked up and all its addresses are tried; the transport beneath is handed out nowhere.
        transport = cast(asyncio.Transport, cast(Any, stream)._transport)
        for option in socket_options or ():
            transport.get_extra_info("socket").setsockopt(*option)
        flow = _Flow(transport)
        transport.set_protocol(flow)
        transport.resume_reading()
        return _FlowStream(transport, flow, transport)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


class _Flow(asyncio.Protocol):
    """What has arrived and was not asked for yet. `socket` is the transport at the bottom, below all TLS."""

    def __init__(self, socket: asyncio.Transport) -> None:
        self.is_over = False
        self.failure: Exception | None = None
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []
        self._held = 0
        self._began_at: float | None = None
        self._is_resting = False
        self._arrival: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None

    @property
    def holds(self) -> bool:
        return bool(self._pieces)

    def begin(self) -> None:
        """Something is asked; what comes next is the beginning of an answer."""
        self._began_at = None

    def data_received(self, data: bytes) -> None:
        self._pieces.append(data)
        self._held += len(data)
        _wake(self._arrival)
        now = self._loop.time()
        if self._began_at is None:
            self._began_at = now
        if self._held > _MOST:
            self._socket.pause_reading()
        elif len(data) < _SMALL and now - self._began_at > _AT_ONCE_S and not self._is_resting:
            self._is_resting = True
            self._socket.pause_reading()
            self._loop.call_later(_PICTURE_S, self._look_again)

    def connection_lost(self, failure: Exception | None) -> None:
        self.is_over, self.failure = True, failure
        _wake(self._arrival)
        _wake(self._room)

    def eof_received(self) -> None:
        self.is_over = True
        _wake(self._arrival)

    def pause_writing(self) -> None:
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        _wake(self._room)
        self._room = None

    async def arrived(self) -> None:
        """Return once there is something, or nothing more will come."""
        if not self._pieces and not self.is_over:
            self._arrival = self._loop.create_future()
            try:
                await self._arrival
            finally:
                self._arrival = None

    async def room(self) -> None:
        """Return once most of what was written has gone out."""
        if self._room:
            await self._room

    def take(self, most: int) -> bytes:
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        rest = data[most:]
        self._pieces = [rest] if rest else []
        was_full, self._held = self._held > _MOST, len(rest)
        if was_full and self._held <= _MOST and not self._is_resting:
            self._socket.resume_reading()
        return data[:most] if rest else data

    def _look_again(self) -> None:
        self._is_resting = False
        if self._held <= _MOST:
            self._socket.resume_reading()


class _FlowStream(httpcore2.AsyncNetworkStream):
    def __init__(self, transport: asyncio.Transport, flow: _Flow, socket: asyncio.Transport) -> None:
        self._transport = transport
        self._flow = flow
        self._socket = socket

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            with anyio.fail_after(timeout):
                await self._flow.arrived()
        except TimeoutError as error:
            raise httpcore2.ReadTimeout(error) from error
        if not self._flow.holds and self._flow.failure:
            raise httpcore2.ReadError(self._flow.failure) from self._flow.failure
        return self._flow.take(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._flow.begin()
        self._transport.write(buffer)
        try:
            with anyio.fail_after(timeout):
                await self._flow.room()
        except TimeoutError as error:
            raise httpcore2.WriteTimeout(error) from error
        if self._transport.is_closing():
            raise httpcore2.WriteError(self._flow.failure or "the connection was closed") from self._flow.failure

    async def aclose(self) -> None:
        self._socket.abort()
        await asyncio.sleep(0)  # the socket is closed in the loop's next round

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        flow = _Flow(self._socket)
        try:
            with anyio.fail_after(timeout):
                transport = await asyncio.get_running_loop().start_tls(
                    self._transport, flow, ssl_context, server_hostname=server_hostname
                )
        except BaseException as error:
            await self.aclose()
            if isinstance(error, TimeoutError):
                raise httpcore2.ConnectTimeout(error) from error
            if isinstance(error, OSError):
                raise httpcore2.ConnectError(error) from error
            raise
        assert transport is not None
        return _FlowStream(transport, flow, self._socket)

    def get_extra_info(self, info: str) -> Any:
        match info:
            case "ssl_object" | "socket":
                return self._transport.get_extra_info(info)
            case "client_addr":
                return self._transport.get_extra_info("sockname")
            case "server_addr":
                return self._transport.get_extra_info("peername")
            case "is_readable":
                return self._flow.is_over or self._flow.holds or _is_readable(self._transport.get_extra_info("socket"))
        return None


def _is_readable(socket: Any) -> bool:
    """Whether something waits in the system of which the event loop has not heard yet."""
    return bool(select.select([socket], [], [], 0)[0])


def _wake(future: "asyncio.Future[None] | None") -> None:
    if future and not future.done():
        future.set_result(None)
