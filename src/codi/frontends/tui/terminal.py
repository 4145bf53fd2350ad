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
_SAME_KITTY_KEYS = "\x1b[=7u"
_OTHER_KEYS, _NO_OTHER_KEYS = "\x1b[>4;2m", "\x1b[>4;0m"
_LEAVE = "\x1b[?2026l\x1b[?2004l\x1b[?1004l\x1b[0m\x1b[?25h"
_ALTERNATE, _MAIN = "\x1b[?1049h", "\x1b[?1049l"
_KEEP_TITLE, _RESTORE_TITLE = "\x1b[22;2t", "\x1b[23;2t"  # xterm's stack of titles

# What the watching child is told, a byte each: which of our changes must be taken back.
_FULL, _NOT_FULL, _KITTY, _OTHER, _TITLED, _HANDED_OVER, _GOODBYE = b"F", b"f", b"K", b"O", b"T", b"0", b"."
_CLEAR_BELOW = "\r\n\x1b[J"


class Terminal:
    """The terminal behind the descriptors `inp` and `out`. Use between `enter` and `leave`. `is_lost` says that it was closed, `keys` by which protocol
    keys are told ("" for none)."""

    def __init__(self, inp: int = 0, out: int = 1) -> None:
        self.inp = inp
        self.out = out
        self.is_entered = False
        self.is_full = False
        self.is_lost = False
        self._saved: list[int | list[bytes | int]] | None = None
        self.keys = ""
        self._is_titled = False
        self._watchdog: tuple[int, int] | None = None

    def enter(self) -> None:
        """Raw input, pastes in brackets, focus told. The terminal is asked for its background and which keys it can tell apart."""
        self._saved = termios.tcgetattr(self.inp)
        self._guard()
        self._make_raw()
        self.is_entered = True
        self.write(_ENTER + _ASK_BACKGROUND + _ASK_KEYS)

    def use_keys(self, protocol: str) -> None:
        """Have keys told by the `kitty` protocol or by xterm's modifyOtherKeys (`other`), once that is known."""
        if self.keys or not self.is_entered:
            return
        self.keys = protocol
        self._tell(_KITTY if protocol == "kitty" else _OTHER)
        self.write(_KITTY_KEYS if protocol == "kitty" else _OTHER_KEYS)

    def keep_title(self) -> None:
        """Put the title that the window has aside until `leave`."""
        if self.is_entered and not self._is_titled:
            self._is_titled = True
            self._tell(_TITLED)
            self.write(_KEEP_TITLE)

    def leave(self) -> None:
        """Everything as it was found; nothing that the terminal still answers is left for the shell."""
        if not self.is_entered:
            return
        self.is_entered = False
        with suppress(OSError, termios.error):
            self.write(self._farewell())
            self._drain()
            self._restore()
        self.keys, self.is_full, self._is_titled = "", False, False
        self._unguard()

    def suspend(self) -> None:
        """Give the terminal back and stop, as Ctrl-Z does; go on when somebody says so. Nobody else is told of the signals."""
        self.hand_over()
        were = [(number, signal.signal(number, signal.SIG_DFL)) for number in (signal.SIGTSTP, signal.SIGCONT)]
        os.kill(0, signal.SIGTSTP)
        for number, was in were:
            signal.signal(number, was)
        self.come_back()

    def hand_over(self) -> None:
        """Give the terminal to another program, an editor say; `come_back` takes it again."""
        self.write(self._farewell())
        self._drain()
        self._restore()
        self._tell(_HANDED_OVER)

    def come_back(self) -> None:
        """Ours again, as it was before `hand_over`."""
        keys, self.keys = self.keys, ""
        was_titled, self._is_titled = self._is_titled, False
        self._make_raw()
        self.write(_ENTER)
        if keys:
            self.use_keys(keys)
        if was_titled:
            self.keep_title()
        if self.is_full:
            self.full(True)

    def keep(self) -> None:
        """Ours still: after this process was stopped, whoever had the terminal meanwhile may have changed it."""
        self._make_raw()
        self.write(_ENTER + {"kitty": _SAME_KITTY_KEYS, "other": _OTHER_KEYS}.get(self.keys, ""))

    def full(self, on: bool) -> None:
        """The alternate screen for a while: what is on the main one stays."""
        self.is_full = on
        self._tell(_FULL if on else _NOT_FULL)
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
        """Send all of it, also where the terminal takes it slowly; nothing once it is lost."""
        rest = memoryview(text.encode(errors="replace"))
        while rest and not self.is_lost:
            try:
                rest = rest[os.write(self.out, rest) :]
            except BlockingIOError:
                select.select([], [self.out], [])
            except OSError:
                self.is_lost = True

    def read(self) -> bytes:
        """What was typed or answered; waits for it. b"" once the terminal is lost."""
        try:
            data = os.read(self.inp, 65536)
        except OSError:
            data = b""
        self.is_lost = self.is_lost or not data
        return data

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
        keys = {"kitty": _NO_KITTY_KEYS, "other": _NO_OTHER_KEYS}.get(self.keys, "")
        return (_MAIN if self.is_full else "") + keys + _LEAVE + (_RESTORE_TITLE if self._is_titled else "")

    def _drain(self) -> None:
        """Take what the terminal has answered and nobody has read: the answer to one more question comes last."""
        self.write("\x1b[5n")
        seen = b""
        while b"\x1b[0n" not in seen and len(seen) < 65536:
            readable, _, _ = select.select([self.inp], [], [], 0.05)
            if not readable:
                break
            piece = self.read()
            if not piece:
                break
            seen += piece

    def _guard(self) -> None:
        """Have a child put the terminal back should this process be killed. It is told of every change by a pipe, whose end is
        the end of this process; nothing else may run yet."""
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            self._watch(ours, theirs)
        os.close(ours)
        self._watchdog = (child, theirs)

    def _unguard(self) -> None:
        if self._watchdog:
            child, pipe = self._watchdog
            self._tell(_GOODBYE)
            self._watchdog = None
            os.close(pipe)
            with suppress(ChildProcessError):
                os.waitpid(child, 0)

    def _tell(self, change: bytes) -> None:
        if self._watchdog:
            with suppress(OSError):  # the child was killed: nobody guards any more
                os.write(self._watchdog[1], change)

    def _watch(self, ours: int, theirs: int) -> None:
        """In the child: wait until the parent has said goodbye, or is gone without a word."""
        try:
            os.close(theirs)
            os.setsid()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTTOU):
                signal.signal(number, signal.SIG_IGN)
            while told := os.read(ours, 64):
                for change in told:
                    if not self._take_over(bytes((change,))):
                        return
            with suppress(OSError, termios.error):
                self.write(self._farewell() + _CLEAR_BELOW)
                # What was typed for us is not for the shell.
                termios.tcsetattr(self.inp, termios.TCSAFLUSH, self._saved or [])
        finally:
            os._exit(0)

    def _take_over(self, change: bytes) -> bool:
        """In the child: what the parent has done; False for its goodbye."""
        if change in (_KITTY, _OTHER):
            self.keys = "kitty" if change == _KITTY else "other"
        elif change in (_FULL, _NOT_FULL):
            self.is_full = change == _FULL
        elif change == _TITLED:
            self._is_titled = True
        elif change == _HANDED_OVER:
            self.keys, self.is_full, self._is_titled = "", False, False
        return change != _GOODBYE
