"""A real terminal with the installed program in it, and an eye on its screen."""

import copy
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import tty
from collections.abc import Callable
from pathlib import Path

import pyte

from conftest import PROGRAM, TIMEOUT_S, Codi


class Screen(pyte.HistoryScreen):
    """With the alternate screen, which pyte does not know."""

    def select_graphic_rendition(self, *attributes: int, private: bool = False) -> None:
        if not private:  # `CSI > ... m` is about keys
            super().select_graphic_rendition(*attributes)

    def set_mode(self, *modes: int, **kwargs: bool) -> None:
        super().set_mode(*modes, **kwargs)
        if 1049 in modes:
            self._main = copy.deepcopy(self.buffer), (self.cursor.y, self.cursor.x)
            self.erase_in_display(2)

    def reset_mode(self, *modes: int, **kwargs: bool) -> None:
        super().reset_mode(*modes, **kwargs)
        if 1049 in modes:
            buffer, (self.cursor.y, self.cursor.x) = self._main
            self.buffer.clear()
            self.buffer.update(buffer)


class Strings:
    """Takes out what pyte would print: strings for the device and for applications, which pictures are sent in."""

    def __init__(self) -> None:
        self._rest = b""

    def without(self, piece: bytes) -> bytes:
        text = self._rest + piece
        text = re.sub(rb"\x1b[P_][^\x1b]*\x1b\\", b"", text)
        begun = max(text.rfind(b"\x1bP"), text.rfind(b"\x1b_"), len(text) - 1 if text.endswith(b"\x1b") else -1)
        self._rest, text = (text[begun:], text[:begun]) if begun >= 0 else (b"", text)
        return text


class Terminal:
    """`raw` is all that was sent to the terminal, `modes` what its settings were before."""

    def __init__(
        self,
        codi: Codi,
        *words: str,
        rows: int = 40,
        columns: int = 120,
        term: str = "xterm-256color",
        program: str | Path = PROGRAM,
        **env: str,
    ) -> None:
        self.cwd = codi.cwd
        self.screen = Screen(columns, rows, history=20_000, ratio=1)
        self._stream = pyte.ByteStream(self.screen)
        self._strings = Strings()
        self._here, self._there = pty.openpty()
        self.screen.write_process_input = lambda answer: self.type(answer)  # type: ignore[method-assign]
        self._set_size(rows, columns)
        self.modes = termios.tcgetattr(self._there)
        self.raw = b""
        self.process = subprocess.Popen(
            [program, *words], cwd=codi.cwd, env=codi.env | {"TERM": term} | env,
            stdin=self._there, stdout=self._there, stderr=self._there, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip

    @property
    def shown(self) -> str:
        """All that was printed, scrollback first."""
        above = ["".join(row[at].data for at in range(self.screen.columns)).rstrip() for row in self.screen.history.top]
        return "\n".join([*above, *self.rows]).rstrip()

    @property
    def rows(self) -> list[str]:
        """The screen as it is."""
        return [row.rstrip() for row in self.screen.display]

    def wait_for(self, *texts: str, times: int = 1) -> None:
        """Until all these texts stand there, each so often."""
        self._until(lambda: all(self.shown.count(text) >= times for text in texts), f"no {texts}")

    def wait_for_one(self, *texts: tuple[str, int]) -> str:
        """Until one of these texts stands there so often; which."""

        def found() -> list[str]:
            return [text for text, times in texts if self.shown.count(text) >= times]

        self._until(found, f"none of {texts}")
        return found()[0]

    def wait_until_gone(self, text: str) -> None:
        """Until this text is not on the screen any more."""
        self._until(lambda: not any(text in row for row in self.rows), f"still {text!r}")

    def time_until(self, *, typed: str, sent: bytes) -> float:
        """The seconds from a key to bytes that answer it; the eye, which is slow, looks at them afterwards."""
        began = time.monotonic()
        self.type(typed)
        new = b""
        while sent not in new:
            readable = select.select([self._here], [], [], max(began + TIMEOUT_S - time.monotonic(), 0))[0]
            assert readable, f"no {sent!r} on:\n{self.shown}\n{new[-2000:]!r}"
            new += os.read(self._here, 65536)
        took = time.monotonic() - began
        self.raw += new
        self._stream.feed(new)
        return took

    def until(self, is_so: Callable[[], bool], complaint: str) -> None:
        """Look on until something is so."""
        end = time.monotonic() + TIMEOUT_S
        while not is_so():
            assert time.monotonic() < end, f"{complaint}:\n{self.shown}"
            self._take(0.02)

    def _until(self, is_so: object, complaint: str) -> None:
        end = time.monotonic() + TIMEOUT_S
        while not is_so():  # type: ignore[operator]
            readable = select.select([self._here], [], [], max(end - time.monotonic(), 0))[0]
            assert readable, f"{complaint} on:\n{self.shown}"
            try:
                piece = os.read(self._here, 65536)
            except OSError:
                raise AssertionError(f"it ended, {complaint}:\n{self.shown}") from None
            self.raw += piece
            self._stream.feed(self._strings.without(piece))

    def type(self, text: str) -> None:
        self.type_bytes(text.encode())

    def type_bytes(self, data: bytes) -> None:
        os.write(self._here, data)

    def resize(self, rows: int, columns: int) -> None:
        self.screen.resize(rows, columns)
        self._set_size(rows, columns)

    def stty(self) -> str:
        """The modes as `stty -g` tells them."""
        return subprocess.run(["stty", "-g"], stdin=self._there, capture_output=True, text=True).stdout.strip()

    def watch(self, seconds: float) -> None:
        """Look on for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._take(left)

    def hang_up(self) -> None:
        """Close the window."""
        os.close(self._there)
        os.close(self._here)
        self._here = self._there = -1

    def unread(self) -> bytes:
        """What the terminal has sent and nobody has read: a shell would take it for typed."""
        tty.setraw(self._there, termios.TCSANOW)
        found = b""
        while select.select([self._there], [], [], 0)[0]:
            found += os.read(self._there, 65536)
        return found

    def wait_until_restored(self, within_s: float) -> None:
        """Until the modes are those it had before, whoever sees to it."""
        end = time.monotonic() + within_s
        while termios.tcgetattr(self._there) != self.modes or not self.raw.endswith(b"\x1b[J"):
            assert time.monotonic() < end, f"not restored: {self.raw[-200:]!r}"
            self._take(0.01)

    def end(self) -> int:
        """The exit status, and the terminal as it was found."""
        end = time.monotonic() + TIMEOUT_S
        while self.process.poll() is None and time.monotonic() < end:
            self._take(0.02)
        while self._take(0):
            pass
        assert self.process.poll() is not None, f"it does not end:\n{self.shown}"
        assert termios.tcgetattr(self._there) == self.modes
        return self.process.returncode

    def _take(self, patience_s: float) -> bool:
        if not select.select([self._here], [], [], patience_s)[0]:
            return False
        piece = os.read(self._here, 65536)
        self.raw += piece
        self._stream.feed(self._strings.without(piece))
        return True

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for descriptor in (self._here, self._there):
            if descriptor >= 0:
                os.close(descriptor)

    def _set_size(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._there, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
