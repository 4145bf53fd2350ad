"""TCP connections whose bytes are read a picture at a time and not a packet at a time.

Services send an answer in hundreds of packets a second. To wake up for one costs far more than the few bytes in it are worth,
and no screen shows them sooner. So while an answer flows, the socket is left alone for the time of a picture after each look,
and what came meanwhile is taken at once, however many packets or TLS records it came in.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import anyio
from anyio.abc import ByteStream

from codi.wire.mishaps import Late

_PICTURE_S = 0.016
_AT_ONCE_S = 0.1
"""The beginning of an answer, and so the whole of a short one, is read as it comes."""

_SMALL = 8 * 1024
"""Where more than this comes at a time, something is being downloaded, and nothing is gained by waiting."""

_MOST = 1024 * 1024
"""What nobody has asked for yet; the sender waits meanwhile."""


class Flow(asyncio.Protocol):
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
        # To register with the selector and to be woken by it costs more than a look that finds nothing. Only some loops let one.
        self._look: Callable[[], object] | None = getattr(socket, "_read_ready", None)
        self._arrival: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._until = 0.0
        self._alarm: asyncio.TimerHandle | None = None

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
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None

    def eof_received(self) -> None:
        self.is_over = True
        _wake(self._arrival)

    def pause_writing(self) -> None:
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        _wake(self._room)
        self._room = None

    async def arrived(self, timeout: float | None) -> bool:
        """Wait until there is something, or nothing more will come; False if neither was so in time."""
        if self._pieces or self.is_over:
            await asyncio.sleep(0)  # who is flooded still hears everybody else
            return True
        self._arrival = self._loop.create_future()
        if timeout is not None:
            self._set_alarm(self._loop.time() + timeout)
        else:
            self._until = math.inf
        try:
            await self._arrival
        finally:
            self._arrival = None
        return bool(self._pieces) or self.is_over

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

    def _set_alarm(self, until: float) -> None:
        """A whole cancel scope for each look would cost as much as the look, and an alarm that is set and taken back not much less:
        one that goes off too early is set anew."""
        self._until = until
        if self._alarm and self._alarm.when() > until:
            self._alarm.cancel()
            self._alarm = None
        if self._alarm is None:
            self._alarm = self._loop.call_at(until, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        if self._arrival and self._until <= self._loop.time():
            _wake(self._arrival)
        elif self._arrival and self._until < math.inf:
            self._set_alarm(self._until)

    def _look_again(self) -> None:
        self._is_resting = False
        if self._held > _MOST or self._socket.is_closing():
            return
        if self._look:
            self._look()
        if not self._is_resting and self._held <= _MOST:
            self._socket.resume_reading()


def flow_of(stream: ByteStream) -> tuple[asyncio.Transport, Flow]:
    """What anyio has connected, read so from now on; its transport, which anyio hands out nowhere."""
    transport = cast(asyncio.Transport, cast(Any, stream)._transport)
    flow = Flow(transport)
    transport.set_protocol(flow)
    transport.resume_reading()
    return transport, flow


class FlowStream(ByteStream):
    """The same for who reads and writes as anyio does."""

    def __init__(self, stream: ByteStream) -> None:
        self._until: float | None = None
        self._stream = stream
        self._transport, self._flow = flow_of(stream)
        self._now = asyncio.get_running_loop().time

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return self._stream.extra_attributes

    def give_up_after(self, seconds: float | None) -> None:
        """From then on Late is raised by who waits to receive something. A whole cancel scope around each wait would cost more than
        what is received is worth. None: never."""
        self._until = None if seconds is None else self._now() + seconds

    async def receive(self, max_bytes: int = 65536) -> bytes:
        if not await self._flow.arrived(None if self._until is None else max(self._until - self._now(), 0)):
            raise Late
        if self._flow.holds:
            return self._flow.take(max_bytes)
        if self._flow.failure:
            raise anyio.BrokenResourceError from self._flow.failure
        raise anyio.EndOfStream

    async def send(self, item: bytes) -> None:
        self._flow.begin()
        self._transport.write(item)
        await self._flow.room()
        if self._transport.is_closing():
            raise anyio.BrokenResourceError from self._flow.failure

    async def send_eof(self) -> None:
        self._transport.write_eof()

    async def aclose(self) -> None:
        self._transport.abort()
        await asyncio.sleep(0)  # the socket is closed in the loop's next round


def _wake(future: "asyncio.Future[None] | None") -> None:
    if future and not future.done():
        future.set_result(None)
