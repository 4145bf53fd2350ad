"""A command in the hands of a keeper: starting it, hearing what it says, and how it ended.

Everything here can be waited for by a task as well as looked at without waiting.
"""

import atexit
import fcntl
import os
import select
import signal
import socket
import struct
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from errno import EAGAIN, EINVAL, EIO, EPIPE
from functools import cache
from marshal import loads
from typing import Any

import anyio
from anyio.lowlevel import checkpoint

from codi.workspace import warden

_CHUNK = 64 * 1024


class Ended:
    """What the keeper told at the end."""

    def __init__(self, status: int, timed_out: bool, notes: bytes) -> None:
        code = os.waitstatus_to_exitcode(status)
        self.exit_code = code if code >= 0 else None
        self.signal = _signal_name(-code) if code < 0 else None
        self.timed_out = timed_out
        self.notes = notes


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"  # a real-time signal


class Child:
    """A command in the hands of a keeper: its output, and the socket to the keeper. Closing it ends the command.

    With `fed` its standard input is written by `send`, with `terminal` (columns and rows) it is a terminal; else it is empty.
    `orders` confine it (`launching.launcher.Orders`).
    """

    def __init__(
        self,
        words: Sequence[str],
        cwd: str,
        environment: Mapping[str, str],
        timeout_s: float,
        notes_at: int,
        *,
        fed: bool = False,
        terminal: tuple[int, int] | None = None,
        orders: bytes = b"",
    ) -> None:
        self._program = words[0]
        self._cwd = cwd
        self._request = memoryview(warden.framed(_request(words, cwd, environment, timeout_s, notes_at, orders)))
        self._told = b""
        self._shell = 0
        self._ended: Ended | None = None
        self._output, writing = os.openpty() if terminal else os.pipe()
        given, self._input = (writing, self._output) if terminal else os.pipe() if fed else (-1, -1)
        self._keeper, keeper = socket.socketpair()
        try:
            if terminal:
                self.resize(*terminal)
            for descriptor in {self._output, self._input} - {-1}:
                os.set_blocking(descriptor, False)
            self._keeper.setblocking(False)
            handed = [keeper.fileno(), writing, self._output, *([given] if given >= 0 else [])]
            _knock(warden.CONFINED if orders else warden.PLAIN, handed)
        except BaseException:
            self.close()
            raise
        finally:
            for descriptor in {writing, given} - {-1}:
                os.close(descriptor)
            keeper.close()

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._keeper.close()
        for descriptor in {self._output, self._input} - {-1}:
            os.close(descriptor)
        self._output = self._input = -1

    @property
    def pid(self) -> int:
        """Of the shell or program, once it is started."""
        return self._shell

    async def send(self, content: bytes) -> None:
        """Write to its standard input or terminal. BrokenPipeError when nobody reads it any more."""
        rest = memoryview(content)
        while rest:
            if self._input < 0:
                raise BrokenPipeError(EPIPE, os.strerror(EPIPE), self._program)
            try:
                rest = rest[os.write(self._input, rest) :]
            except BlockingIOError:
                await anyio.wait_writable(self._input)

    def send_now(self, content: bytes) -> None:
        """Write as much of it as finds room."""
        os.write(self._input, content)

    @property
    def end(self) -> Ended | None:
        """How it ended, once that is known."""
        return self._ended

    def resize(self, columns: int, rows: int) -> None:
        """Give its terminal another size."""
        fcntl.ioctl(self._output, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def listen(self) -> Iterator[bytes]:
        """All of the output as it comes and until it ended, for a thread that has nothing else to do."""
        ready = select.poll()
        ready.register(self._keeper, select.POLLIN)
        ready.register(self._output, select.POLLIN)
        while self._ended is None:
            happened = dict(ready.poll())
            if self._output in happened:
                chunk = self._read()
                if chunk:
                    yield chunk
                elif chunk is not None:
                    ready.unregister(self._output)
            if self._keeper.fileno() in happened:
                with suppress(BlockingIOError):
                    self._ended = self._as_ended(self._told_now())
        while chunk := self.read_now():
            yield chunk

    async def read(self) -> bytes:
        """The next of the output; nothing when all that could write to it has ended."""
        await checkpoint()  # a command that never pauses must not keep everything else waiting
        while (chunk := self._read()) is None:
            await anyio.wait_readable(self._output)
        return chunk

    def read_now(self) -> bytes:
        """What of the output is there already."""
        return self._read() or b""

    def _read(self) -> bytes | None:
        """What is there of the output: None for nothing yet, no bytes at its end."""
        try:
            return os.read(self._output, _CHUNK)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno != EIO:  # how a terminal says that nobody has it open any more
                raise
            return b""

    def order(self, order: bytes) -> None:
        with suppress(OSError):  # it ended already
            self._keeper.send(order)

    async def started(self) -> None:
        """Wait the moment until it runs; a missing program or directory raises OSError."""
        while self._request:
            try:
                self._request = self._request[self._keeper.send(self._request) :]
            except BlockingIOError:
                await anyio.wait_writable(self._keeper)
            except OSError:
                break  # there is no keeper, as the next message shows
        match await self._next_told():
            case ("forked", int(shell)):
                self._shell = shell
            case _:
                raise OSError(EAGAIN, "No process could be started", self._program)
        match await self._next_told():
            case ("failed", int(number), bool(because_of_directory)):
                raise OSError(number, os.strerror(number), self._cwd if because_of_directory else self._program)

    async def ended(self) -> Ended:
        """How it ended. May be asked again, also after a wait for it was cancelled."""
        if self._ended is None:
            self._ended = self._as_ended(await self._next_told())
        return self._ended

    def _as_ended(self, told: Any) -> Ended:
        match told:
            case ("ended", int(status), bool(timed_out), bytes(notes)):
                return Ended(status, timed_out, notes)
        return self._ended_without_keeper()

    async def _next_told(self) -> Any:
        """The keeper's next message, or None when there will be none."""
        while True:
            try:
                return self._told_now()
            except BlockingIOError:
                await anyio.wait_readable(self._keeper)

    def _told_now(self) -> Any:
        """The same without waiting: BlockingIOError when it is not there yet."""
        while True:
            size = 4 + int.from_bytes(self._told[:4], "little")
            if len(self._told) >= max(size, 5):
                message, self._told = self._told[4:size], self._told[size:]
                return loads(message)
            try:
                received = self._keeper.recv(_CHUNK)
            except ConnectionResetError:
                return None
            if not received:
                return None
            self._told += received

    def _ended_without_keeper(self) -> Ended:
        """The keeper was killed; its shell dies with it, and what else is of its session is ended here."""
        for process in warden.members(self._shell):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return Ended(int(signal.SIGKILL), False, b"")


def _request(
    words: Sequence[str], cwd: str, environment: Mapping[str, str], timeout_s: float, notes_at: int, orders: bytes
) -> warden.Request:
    named = {_encoded(name): _encoded(value) for name, value in environment.items()}
    return [_encoded(word) for word in words], _encoded(cwd), named, timeout_s, notes_at, orders


def _encoded(text: str) -> bytes:
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError as error:
        raise OSError(EINVAL, "Half a character", text) from error
    if b"\0" in encoded:
        raise OSError(EINVAL, "A NUL character", text)
    return encoded


def _knock(knock: bytes, handed: list[int]) -> None:
    """Hand descriptors to the warden, which is started when there is none yet or the last one was killed."""
    try:
        socket.send_fds(_warden_of(os.getpid()), [knock], handed)
    except OSError:
        _warden_of.cache_clear()
        socket.send_fds(_warden_of(os.getpid()), [knock], handed)


@cache
def _warden_of(_codi: int) -> socket.socket:
    """The door to the warden of this process; one that was forked from it gets its own."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", warden.__file__],
            {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, theirs.fileno(), 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
        )
    atexit.register(ours.close)
    return ours
