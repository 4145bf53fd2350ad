"""What a command says: counted, its beginning and end kept in memory, the whole in a file once that is too long, and told."""

import codecs
import os
import time
from collections.abc import Callable
from contextlib import suppress

import anyio

from codi.workspace.children import Child

FLOOD_BYTES = 1 << 30
"""A command that says more than this is ended."""
TELL_EVERY_S = 0.1

_TOLD_AT_ONCE = 16 * 1024
_CHUNK = 64 * 1024


class Output:
    """What a command said: counted, its beginning and end kept, the whole spooled when that is too little, and told."""

    def __init__(self, keep_head: int, keep_tail: int, spool: str | None, tell: Callable[[str], None] | None) -> None:
        self.head = bytearray()
        self.tail = bytearray()
        self.total_bytes = 0
        self.flooded = False
        self._keep_head = keep_head
        self._keep_tail = keep_tail
        self._line_ends = 0
        self._ends_in_line = False
        self._spool = spool
        self._spill: str | None = None
        self._spill_fd = -1
        self._may_spill = spool is not None
        self._tell = tell
        self._untold = bytearray()
        self._told_at = 0.0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def total_lines(self) -> int:
        return self._line_ends + self._ends_in_line

    def take(self, chunk: bytes) -> bool:
        """Keep a chunk. True once, when it is too much of all: the command is to be ended."""
        if self.flooded or not chunk:
            return False
        self.total_bytes += len(chunk)
        self._line_ends += chunk.count(b"\n")
        self._ends_in_line = not chunk.endswith(b"\n")
        self._spill_chunk(chunk)
        self._keep(chunk)
        if self._tell:
            self._untold += chunk
            del self._untold[:-_TOLD_AT_ONCE]
            self._tell_if_due()
        self.flooded = self.total_bytes > FLOOD_BYTES
        return self.flooded

    async def next_of(self, child: Child) -> bytes:
        """The child's next chunk; while there is none, what is still untold is told in time."""
        while self._untold:
            with anyio.move_on_after(max(self._told_at + TELL_EVERY_S - time.monotonic(), 0)):
                return await child.read()
            self._tell_if_due()
        return await child.read()

    def close(self) -> str | None:
        """Tell what is untold. The path of the file with all of the output, if it was too long to keep."""
        self._tell_now(final=True)
        if self._spill_fd >= 0:
            os.close(self._spill_fd)
            self._spill_fd = -1
        del self.tail[: max(len(self.tail) - self._keep_tail, 0)]
        return self._spill

    def forget(self) -> None:
        """Nobody will ask for the output."""
        if self._spill_fd >= 0:
            os.close(self._spill_fd)
            self._spill_fd = -1
        if self._spill is not None:
            with suppress(OSError):
                os.unlink(self._spill)
            self._spill = None

    def _keep(self, chunk: bytes) -> None:
        room = self._keep_head - len(self.head)
        if room > 0:
            self.head += chunk[:room]
            chunk = chunk[room:]
        self.tail += chunk
        if len(self.tail) > self._keep_tail + _CHUNK:  # not at every chunk: that would move all of it each time
            del self.tail[: len(self.tail) - self._keep_tail]

    def _spill_chunk(self, chunk: bytes) -> None:
        if self.total_bytes <= self._keep_head + self._keep_tail or not self._may_spill:
            return
        try:
            if self._spill is None:
                self._spill = os.path.join(self._spool or os.curdir, f"output-{os.urandom(8).hex()}.txt")
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                self._spill_fd = os.open(self._spill, flags, 0o600)
                _write(self._spill_fd, self.head + self.tail)
            _write(self._spill_fd, chunk)
        except OSError:  # a full disk does not end the command: its beginning and end must do
            self.forget()
            self._may_spill = False

    def _tell_if_due(self) -> None:
        if time.monotonic() - self._told_at >= TELL_EVERY_S:
            self._tell_now(final=False)

    def _tell_now(self, *, final: bool) -> None:
        text = self._decoder.decode(bytes(self._untold), final)
        self._untold.clear()
        self._told_at = time.monotonic()
        if self._tell and text:
            self._tell(text)


def _write(descriptor: int, content: bytes | bytearray) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
