"""What flows, for the HTTP library: its connections, read as `flow` reads them."""

import asyncio
import select
import ssl
from collections.abc import Iterable
from typing import Any

import anyio
import httpcore2

from codi.wire.flow import Flow, flow_of

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
        transport, flow = flow_of(stream)
        for option in socket_options or ():
            transport.get_extra_info("socket").setsockopt(*option)
        return _FlowStream(transport, flow, transport)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


class _FlowStream(httpcore2.AsyncNetworkStream):
    def __init__(self, transport: asyncio.Transport, flow: Flow, socket: asyncio.Transport) -> None:
        self._transport = transport
        self._flow = flow
        self._socket = socket

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not await self._flow.arrived(timeout):
            raise httpcore2.ReadTimeout(f"nothing came for {timeout:g} s")
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
        flow = Flow(self._socket)
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
