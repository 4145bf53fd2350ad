"""HTTP/1.1 straight to a server: what a request to a model needs, and no more.

The large HTTP library costs a start a quarter of its time, most of it for what is not used here: redirects, cookies, a second
version of the protocol, a second way to wait. It is still asked where a proxy stands between (`proxied`). The protocol itself is
h11's, sockets and TLS are anyio's.
"""

import select
import time
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from ssl import SSLContext
from typing import Any
from urllib.parse import quote, urlsplit

import anyio
import h11
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSStream
from msgspec import Struct

from codi.protocol.network import Errand
from codi.wire.chunks import JoinedChunks
from codi.wire.flow import FlowStream
from codi.wire.mishaps import CutOff, NotConnected, NotSent, NotUnpacked, NoUrl

PORTS = {"http": 80, "https": 443}

_PIECE = 64 * 1024
_MOST_HEAD = 100 * 1024
_SAFE_IN_A_PATH = "!$%&'()*+,/:;=?@[]~"


class Address(Struct, frozen=True):
    """A URL as a connection needs it. `host` is as names are looked up, `authority` and `target` as they are sent."""

    url: str
    scheme: str
    host: str
    port: int
    authority: str
    target: str
    login: str = ""
    """User and password that stand in the URL."""

    @classmethod
    def of(cls, url: str) -> "Address":
        """Raises NoUrl."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
            if not host.isascii():
                host = host.encode("idna").decode()
        except ValueError as error:
            raise NoUrl(str(error)) from error
        if parts.scheme not in PORTS:
            missing = (
                f"an unsupported protocol '{parts.scheme}://'"
                if parts.scheme
                else "an 'http://' or 'https://' protocol"
            )
            raise NoUrl(f"Request URL {'has' if parts.scheme else 'is missing'} {missing}.")
        if not host or any(character.isspace() or not character.isprintable() for character in host):
            raise NoUrl("there is no host in it")
        shown = f"[{host}]" if ":" in host else host
        authority = shown if port in (None, PORTS[parts.scheme]) else f"{shown}:{port}"
        target = quote(_without_dots(parts.path) or "/", safe=_SAFE_IN_A_PATH)
        if parts.query:
            target += "?" + quote(parts.query, safe=_SAFE_IN_A_PATH)
        login = parts.netloc.rpartition("@")[0]
        return cls(
            f"{parts.scheme}://{authority}{target}",
            parts.scheme,
            host,
            port or PORTS[parts.scheme],
            authority,
            target,
            login,
        )


def _without_dots(path: str) -> str:
    """The path as RFC 3986 5.2.4 has it: `.` and `..` are gone upon."""
    if "/." not in path:
        return path
    gone: list[str] = []
    parts = path.split("/")
    for part in parts:
        if part == "..":
            del gone[max(len(gone) - 1, 1) :]
        elif part != ".":
            gone.append(part)
    return "/".join(gone) + ("/" if parts[-1] in (".", "..") else "")


class Response:
    """An answer whose body is still to be read."""

    def __init__(self, line: "_Line", head: h11.Response, done: Callable[["_Line"], object]) -> None:
        self.status_code = head.status_code
        self.headers: dict[str, str] = {}
        for name, value in head.headers:
            key, text = name.decode("latin-1"), value.decode("latin-1")
            self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text
        self._line = line
        self._done = done
        self._is_read = False

    def give_up_after(self, seconds: float) -> None:
        """How long the next piece of the body is waited for."""
        self._line.give_up_after(seconds)

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        """The body, unpacked. Raises CutOff, NotUnpacked and Late."""
        packed = self.headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip", "deflate")
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 32) if packed else None
        while (piece := await self._line.body()) is not None:
            if unpack:
                try:
                    piece = unpack.decompress(piece)
                except zlib.error as error:
                    raise NotUnpacked(str(error)) from error
            if piece:
                yield piece
        self._is_read = True

    async def aclose(self) -> None:
        """Give the connection back; one with an answer that was not read to its end is closed."""
        if self._is_read and self._line.is_ready_again():
            self._done(self._line)
        else:
            with anyio.CancelScope(shield=True):
                await self._line.aclose()


class Direct:
    """Connections to one server, which are kept for `keep_s` and used again. `connect_s` is the time for coming about."""

    def __init__(self, certificates: SSLContext, errand: Errand, *, connect_s: float, keep_s: float) -> None:
        certificates.set_alpn_protocols(["http/1.1"])
        self._certificates = certificates
        self._errand = errand
        self._connect_s = connect_s
        self._keep_s = keep_s
        self._idle: list[tuple[float, _Line]] = []

    async def send(self, method: str, address: Address, headers: Mapping[str, str], body: bytes | None) -> Response:
        """The answer as soon as its head is there. `headers` are all that go with it. Raises NotSent."""
        line = await self._line_to(address)
        try:
            head = await line.ask(method, address.target, headers, body)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await line.aclose()
            raise
        return Response(line, head, lambda line: self._idle.append((time.monotonic() + self._keep_s, line)))

    async def aclose(self) -> None:
        idle, self._idle = self._idle, []
        for _, line in idle:
            await line.aclose()

    async def _line_to(self, address: Address) -> "_Line":
        now = time.monotonic()
        kept, self._idle = self._idle, []
        found: _Line | None = None
        for until, line in reversed(kept):
            if now >= until or line.is_at_end():
                await line.aclose()
            elif found is None and line.leads_to == (address.scheme, address.host, address.port):
                found = line
            else:
                self._idle.insert(0, (until, line))
        return found or await self._connected(address)

    async def _connected(self, address: Address) -> "_Line":
        at = time.time()
        stream: ByteStream
        try:
            with anyio.fail_after(self._connect_s):
                stream = flow = FlowStream(await anyio.connect_tcp(address.host, address.port))
        except BaseException as error:
            self._errand.failed(at, address.host, address.port, str(error) or type(error).__name__)
            if isinstance(error, OSError):
                raise NotConnected(str(error), was_late=isinstance(error, TimeoutError)) from error
            raise
        place = stream.extra(SocketAttribute.remote_address, None)
        shown = str(place[0]) if isinstance(place, tuple) and place else address.host
        counted = _Counted(stream, self._errand, (at, address.host, shown, address.port))
        try:
            carried = await self._encrypted(counted, address.host) if address.scheme == "https" else counted
        except BaseException:
            with anyio.CancelScope(shield=True):
                await counted.aclose()
            raise
        return _Line(carried, flow, (address.scheme, address.host, address.port))

    async def _encrypted(self, stream: ByteStream, host: str) -> ByteStream:
        try:
            with anyio.fail_after(self._connect_s):
                return await TLSStream.wrap(
                    stream, hostname=host, ssl_context=self._certificates, standard_compatible=False, server_side=False
                )
        except (OSError, anyio.BrokenResourceError, anyio.EndOfStream) as error:  # SSLError is an OSError
            raise NotConnected(str(error), was_late=isinstance(error, TimeoutError)) from error


class _Counted(ByteStream):
    """A connection that is told of when it is closed, with what went over it, encrypted where it is."""

    def __init__(self, inner: ByteStream, errand: Errand, begun: tuple[float, str, str, int]) -> None:
        self._inner = inner
        self._errand = errand
        self._begun = begun
        self._up = self._down = 0
        self._is_told = False

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return self._inner.extra_attributes

    async def receive(self, max_bytes: int = _PIECE) -> bytes:
        piece = await self._inner.receive(max_bytes)
        self._down += len(piece)
        return piece

    async def send(self, item: bytes) -> None:
        await self._inner.send(item)
        self._up += len(item)

    async def send_eof(self) -> None:
        await self._inner.send_eof()

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            if not self._is_told:
                self._is_told = True
                self._errand.closed(*self._begun, self._up, self._down)


class _Line:
    """One connection, on which one request follows the other. `leads_to` are scheme, host and port."""

    def __init__(self, stream: ByteStream, flow: FlowStream, leads_to: tuple[str, str, int]) -> None:
        self.leads_to = leads_to
        self._stream = stream
        self._flow = flow
        self._ahead: Any = None
        self._chunks = JoinedChunks()
        self._is_dry = False
        """Nothing is left of what was received."""
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD)

    async def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> h11.Response:
        """The head of the answer. Raises NotSent."""
        try:
            request = h11.Request(method=method, target=target, headers=list(headers.items()))
            self._chunks.begin()
            self._flow.give_up_after(None)
            data = self._state.send(request) or b""
            data += (self._state.send(h11.Data(data=body)) or b"") if body else b""
            data += self._state.send(h11.EndOfMessage()) or b""
            # A server may refuse before it has read all, and say why.
            with suppress(anyio.BrokenResourceError):
                await self._stream.send(data)
            while not isinstance(event := await self._event(), h11.Response):
                if event is None:
                    raise NotSent("Server disconnected without sending a response.")
            return event
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise NotSent(str(error)) from error
        except h11.ProtocolError as error:
            raise NotSent(str(error)) from error

    def give_up_after(self, seconds: float) -> None:
        self._flow.give_up_after(seconds)

    async def body(self) -> bytes | None:
        """The next piece of the body, None behind its end. Raises CutOff."""
        try:
            while True:
                event, self._ahead = self._ahead or await self._event(), None
                if isinstance(event, h11.ProtocolError):
                    raise event
                if isinstance(event, h11.Data):
                    return self._joined(event)
                if event is None or isinstance(event, h11.EndOfMessage):
                    return None
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError, h11.ProtocolError) as error:
            raise CutOff(str(error)) from error

    def _joined(self, first: h11.Data) -> bytes:
        """All pieces that are there: services put each few characters into a chunk of their own. What comes behind them is kept for
        the next look, also where it is none of the protocol."""
        pieces = [bytes(first.data)]
        try:
            while isinstance(event := self._state.next_event(), h11.Data):
                pieces.append(bytes(event.data))
            self._ahead = event if isinstance(event, h11.EndOfMessage) else None
            self._is_dry = event is h11.NEED_DATA
        except h11.ProtocolError as error:
            self._ahead = error
        return b"".join(pieces)

    async def _event(self) -> Any:
        """What comes next; None where the server has ended the connection between two of them."""
        while True:
            event = h11.NEED_DATA if self._is_dry else self._state.next_event()
            self._is_dry = False
            if event is h11.NEED_DATA:
                try:
                    data = await self._stream.receive(_PIECE)
                except anyio.EndOfStream:
                    data = b""
                if not data and self._state.their_state is h11.SEND_RESPONSE:
                    return None
                # Of all that is done with a chunk of a few bytes, to have it taken apart by the protocol costs the most.
                if not data or (data := self._chunks.feed(data)):
                    self._state.receive_data(data)
            elif event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return None
            else:
                return event

    def is_ready_again(self) -> bool:
        """Whether the next request may go over it."""
        if self._state.our_state is not h11.DONE or self._state.their_state is not h11.DONE:
            return False
        self._state.start_next_cycle()
        return True

    def is_at_end(self) -> bool:
        """Whether something can be read from it, which between two answers is its end."""
        socket = self._stream.extra(SocketAttribute.raw_socket)
        if socket.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(socket, select.POLLIN)
        return bool(poll.poll(0))

    async def aclose(self) -> None:
        await self._stream.aclose()
