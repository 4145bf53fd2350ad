"""The terminal itself: found as it was, made ours, and left as it was found.

Whatever way the program ends, the saved modes come back: on a normal end and an exception here, after SIGKILL by a small child
that waits for its parent to be gone.
"""

import os
import select
import signal
import termios
from contextlib import suppress

_FALLBACK_SIZE = (24, 80)

_ENTER = "\x1b[?2004h\x1b[?1004h"  # pastes come in brackets; focus is told
_ASK_BACKGROUND = "\x1b]11;?\x1b\\"
_ASK_KEYS = "\x1b[?u\x1b[c"  # a terminal with kitty's keys answers the first; every one answers the second
_KITTY_KEYS, _NO_KITTY_KEYS = "\x1b[>7u", "\x1b[<u"
_OTHER_KEYS, _NO_OTHER_KEYS = "\x1b[>4;2m", "\x1b[>4;0m"
_LEAVE = "\x1b[?2026l\x1b[?2004l\x1b[?1004l\x1b[0m\x1b[?25h"
_ALTERNATE, _MAIN = "\x1b[?1049h", "\x1b[?1049l"


class Terminal:
    """The terminal behind the descriptors `inp` and `out`. Use between `enter` and `leave`."""

    def __init__(self, inp: int = 0, out: int = 1) -> None:
        self.inp = inp
        self.out = out
        self.is_entered = False
        self.is_full = False
        self._saved: list[int | list[bytes | int]] | None = None
        self._keys = ""
        self._watchdog: tuple[int, int] | None = None

    def enter(self) -> None:
        """Raw input, pastes in brackets, focus told. The terminal is asked for its background and which keys it can tell apart."""
        self._saved = termios.tcgetattr(self.inp)
        self._make_raw()
        self.is_entered = True
        self.write(_ENTER + _ASK_BACKGROUND + _ASK_KEYS)

    def use_keys(self, protocol: str) -> None:
        """Have keys told by the `kitty` protocol or by xterm's modifyOtherKeys (`other`), once that is known."""
        if self._keys or not self.is_entered:
            return
        self._keys = protocol
        self.write(_KITTY_KEYS if protocol == "kitty" else _OTHER_KEYS)

    def guard(self) -> None:
        """Have a child put the terminal back within a second should this process be killed. Call it while nothing else runs."""
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            self._watch(ours, theirs)
        os.close(ours)
        os.set_inheritable(theirs, False)
        self._watchdog = (child, theirs)

    def leave(self) -> None:
        """Everything as it was found; nothing that the terminal still answers is left for the shell."""
        if not self.is_entered:
            return
        self.is_entered = False
        with suppress(OSError, termios.error):
            self.write(self._farewell())
            self._drain()
            self._restore()
        self._keys, self.is_full = "", False
        self.unguard()

    def unguard(self) -> None:
        if self._watchdog:
            child, pipe = self._watchdog
            self._watchdog = None
            with suppress(OSError):
                os.write(pipe, b".")
            os.close(pipe)
            with suppress(ChildProcessError):
                os.waitpid(child, 0)

    def suspend(self) -> None:
        """Give the terminal back and stop, as Ctrl-Z does; go on when somebody says so. Screens must be painted anew."""
        keys = self._keys
        self.write(self._farewell())
        self._restore()
        was = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, was)
        self.come_back(keys)

    def hand_over(self) -> str:
        """Give the terminal to another program, an editor say; `come_back` with what this returns takes it again."""
        keys = self._keys
        self.write(self._farewell())
        self._restore()
        return keys

    def come_back(self, keys: str) -> None:
        self._make_raw()
        self._keys = ""
        self.write(_ENTER)
        if keys:
            self.use_keys(keys)

    def full(self, on: bool) -> None:
        """The alternate screen for a while: what is on the main one stays."""
        self.is_full = on
        self.write(_ALTERNATE if on else _MAIN)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns, at least 1 each."""
        try:
            columns, rows = os.get_terminal_size(self.out)
        except OSError:
            rows, columns = _FALLBACK_SIZE
        return (max(rows, 1), max(columns, 1)) if rows and columns else _FALLBACK_SIZE

    def write(self, text: str) -> None:
        """Send all of it, also where the terminal takes it slowly. Raises OSError when it is gone."""
        rest = memoryview(text.encode(errors="replace"))
        while rest:
            try:
                rest = rest[os.write(self.out, rest) :]
            except BlockingIOError:
                select.select([], [self.out], [])

    def _make_raw(self) -> None:
        mode = termios.tcgetattr(self.inp)
        mode[0] &= ~(termios.BRKINT | termios.ICRNL | termios.INPCK | termios.ISTRIP | termios.IXON | termios.INLCR)
        mode[1] &= ~termios.OPOST
        mode[2] = mode[2] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
        mode[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self.inp, termios.TCSANOW, mode)

    def _restore(self) -> None:
        if self._saved is not None:
            termios.tcsetattr(self.inp, termios.TCSANOW, self._saved)

    def _farewell(self) -> str:
        keys = {"kitty": _NO_KITTY_KEYS, "other": _NO_OTHER_KEYS}.get(self._keys, "")
        return (_MAIN if self.is_full else "") + keys + _LEAVE

    def _drain(self) -> None:
        """Take what the terminal has answered and nobody has read: the answer to one more question comes last."""
        self.write("\x1b[5n")
        seen = b""
        while b"\x1b[0n" not in seen and len(seen) < 65536:
            readable, _, _ = select.select([self.inp], [], [], 0.05)
            if not readable:
                break
            piece = os.read(self.inp, 4096)
            if not piece:
                break
            seen += piece

    def _watch(self, ours: int, theirs: int) -> None:
        """In the child: wait until the parent has said goodbye, or is gone without a word."""
        try:
            os.close(theirs)
            os.setsid()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTTOU):
                signal.signal(number, signal.SIG_IGN)
            if os.read(ours, 1) != b".":
                with suppress(OSError, termios.error):
                    self.write(
                        (_MAIN + _NO_KITTY_KEYS if self.is_full else _NO_KITTY_KEYS) + _NO_OTHER_KEYS + _LEAVE + "\r\n"
                    )
                    self._restore()
        finally:
            os._exit(0)
