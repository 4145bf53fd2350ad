"""Lines of standard input, read without a thread that could not be stopped."""

import os
import sys
import termios

import anyio


class TypedLines:
    def __init__(self) -> None:
        self._rest = b""
        self._is_over = False

    @property
    def is_terminal(self) -> bool:
        return sys.stdin.isatty()

    def forget(self) -> None:
        """What was typed before a question stood there is no answer to it. A pipe has no such moment."""
        if self.is_terminal:
            self._rest = b""
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

    async def read(self) -> str | None:
        """The next line without its end; None at the end of input."""
        while b"\n" not in self._rest and not self._is_over:
            piece = await self._piece()
            self._rest += piece
            self._is_over = not piece
        if not self._rest:
            self._is_over = self._is_over and not self.is_terminal
            return None
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode(errors="replace").removesuffix("\r")

    async def _piece(self) -> bytes:
        descriptor = sys.stdin.fileno()
        try:
            await anyio.wait_readable(descriptor)
        except PermissionError:
            pass  # a file is always ready, and the system refuses to tell when
        try:
            return os.read(descriptor, 65536)
        except OSError:
            return b""  # the terminal is gone
