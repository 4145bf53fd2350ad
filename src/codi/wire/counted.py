"""Connections of the HTTP library that are told of: where each led, for what, and how much went over it.

It stands below the library's pool, so that it sees every socket, those to a proxy included, and what is encrypted as it travels.
"""

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore2
import httpx2

from codi.protocol.network import Errand
from codi.wire.chunks import JoinedChunks
from codi.wire.flowing import FlowingBackend


def count(client: httpx2.AsyncClient, errand: Errand) -> httpx2.AsyncClient:
    """The same client, of which every connection is told."""
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx2.AsyncHTTPTransport):
            count_transport(transport, errand)
    return client


def count_transport(
    transport: httpx2.AsyncHTTPTransport, errand: Errand, *, host: str = ""
) -> httpx2.AsyncHTTPTransport:
    """The same transport; `host` is the name that stands behind the address to which it connects."""
    # The library takes another backend for its pool, but hands none through.
    transport._pool._network_backend = _Counting(FlowingBackend(), errand, host)
    return transport


class _Counting(httpcore2.AsyncNetworkBackend):
    def __init__(self, inner: httpcore2.AsyncNetworkBackend, errand: Errand, host: str) -> None:
        self._inner = inner
        self._errand = errand
        self._host = host

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        at = time.time()
        try:
            stream = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        except BaseException as error:
            why, address = str(error) or type(error).__name__, host if self._host else ""
            self._errand.failed(at, self._host or host, port, why, address)
            raise
        place = stream.get_extra_info("server_addr")
        address = str(place[0]) if isinstance(place, tuple) and place else host
        return _Counted(stream, _Account(at, self._host or host, address, port, self._errand))

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _Account:
    """What went over one connection; told when it is closed."""

    def __init__(self, at: float, host: str, address: str, port: int, errand: Errand) -> None:
        self.up = self.down = 0
        self._told = False
        self._begun = (at, host, address, port)
        self._errand = errand

    def close(self) -> None:
        if self._told:
            return
        self._told = True
        self._errand.closed(*self._begun, self.up, self.down)


class _Counted(httpcore2.AsyncNetworkStream):
    def __init__(self, inner: httpcore2.AsyncNetworkStream, account: _Account) -> None:
        self._inner = inner
        self._account = account
        self._chunks = JoinedChunks()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while piece := await self._inner.read(max_bytes, timeout):
            self._account.down += len(piece)
            if told := self._chunks.feed(piece):
                return told
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._chunks.begin()
        await self._inner.write(buffer, timeout)
        self._account.up += len(buffer)

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            self._account.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        return _Counted(await self._inner.start_tls(ssl_context, server_hostname, timeout), self._account)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
