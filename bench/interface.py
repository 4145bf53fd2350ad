"""The terminal interface, measured in a real terminal from outside: first frame, first echo, streaming, keys, rest.

CPU is that of the program's process alone, over a bare interpreter in the same kind of terminal. What is streamed comes from a
scripted service on loopback, in another process.
"""

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import termios
import time
from collections.abc import Callable
from typing import Any

from bench.instant import InstantModel, says
from bench.measure import CODI, cpu_ms_of, environment, folder, report
from codi.lab.running import running

_ROUNDS = 11
_ROWS, _COLUMNS = 40, 120
_RULE = "─".encode()
_PATIENCE_S = 30.0


class Window:
    """A program in a terminal. `seen` is what it has sent."""

    def __init__(self, argv: list[str], env: dict[str, str], cwd: str) -> None:
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execve(argv[0], argv, env)
        self.began = time.perf_counter()
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        self.seen = b""

    def until(self, found: Callable[[bytes], Any]) -> float:
        """Read until `found` holds of what came; the milliseconds since the start of the program."""
        end = time.perf_counter() + _PATIENCE_S
        while not found(self.seen):
            assert select.select([self.descriptor], [], [], max(end - time.perf_counter(), 0))[0], self.seen[-500:]
            self.seen += os.read(self.descriptor, 1 << 16)
        return (time.perf_counter() - self.began) * 1000

    def read_for(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.descriptor], [], [], left)[0]:
                self.seen += os.read(self.descriptor, 1 << 16)

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def cpu_ms(self) -> float:
        return cpu_ms_of(self.pid)

    def memory_mb(self) -> float:
        with open(f"/proc/{self.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024  # type: ignore[index]

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.descriptor)


def run() -> None:
    home = folder()
    _start(home)
    for rate, bound in ((200, 3.0), (500, 8.0)):
        _streaming(home, rate, bound)
    _at_rest(home)


def _environment(home: str, url: str) -> dict[str, str]:
    more = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "bench"}
    return {**environment(home), **more}


def _start(home: str) -> None:
    model = InstantModel([says("Hello.")])
    env = _environment(home, model.url)
    bare, painted, echoed, ready, answered = [], [], [], [], []
    for _ in range(_ROUNDS):
        window = Window([sys.executable, "-c", "print('x', flush=True); input()"], env, home)
        window.until(lambda seen: b"x" in seen)
        bare.append(window.cpu_ms())
        window.close()
        window = Window([CODI], env, home)
        window.until(lambda seen: _RULE in seen)
        painted.append(window.cpu_ms())
        window.type("q")
        window.until(lambda seen: b"q" in seen.rpartition(_RULE)[2] or b"q" in seen)
        echoed.append(window.cpu_ms())
        greeted = window.until(lambda seen: b"codi 0" in seen)
        ready.append(window.cpu_ms())
        window.type("\r")  # at once, while the rest is loaded
        answered.append(window.until(lambda seen: b"Hello." in seen) - greeted)
        window.close()
    floor = statistics.median(bare)
    beside = f"bare interpreter {floor:.1f} ms"
    report("prompt painted, CPU over the bare interpreter", statistics.median(painted) - floor, "ms", 10, beside=beside)
    report("first key echoed, CPU over it", statistics.median(echoed) - floor, "ms", 20, beside=beside)
    report("runtime ready, CPU over it", statistics.median(ready) - floor, "ms", 80, beside=beside)
    report("  a prompt sent then, to its answer, by the clock", statistics.median(answered), "ms", 300)
    model.close()


def _streaming(home: str, rate: int, bound: float) -> None:
    """`rate` pieces of five characters a second, for four seconds; a key now and then."""
    words = "".join(f"word{number % 10} " + ("\n\n" if number % 60 == 59 else "") for number in range(6000))
    with running([{"text": words, "chunk": 5, "pause_ms": 1000 / rate}]) as server:
        window = Window([CODI], _environment(home, server.url), home)
        window.until(lambda seen: b"codi 0" in seen)
        window.type("go\r")
        window.until(lambda seen: b"word5" in seen)
        before, sent, began = window.cpu_ms(), len(window.seen), time.perf_counter()
        keys = []
        for _ in range(8):
            window.read_for(0.5)
            keys.append(_key(window))
        passed = time.perf_counter() - began
        share = (window.cpu_ms() - before) / 10 / passed
        streamed = rate * 5 * passed
        report(f"streaming {rate} pieces a second, CPU", share, "% of a core", bound)
        report("  bytes to the terminal per streamed byte", (len(window.seen) - sent) / streamed, "", 3.5)
        report("  a key to the screen, worst", max(keys), "ms", 16)
        window.close()


def _key(window: Window) -> float:
    """The milliseconds from a key to its character on the screen; the key is taken back."""
    at = len(window.seen)
    began = time.perf_counter()
    window.type("~")
    window.until(lambda seen: b"~" in seen[at:])
    took = (time.perf_counter() - began) * 1000
    window.type("\x7f")
    return took


def _at_rest(home: str) -> None:
    with running([{"text": "Hello."}]) as server:
        window = Window([CODI], _environment(home, server.url), home)
        window.until(lambda seen: b"codi 0" in seen)
        window.read_for(2)
        before = window.cpu_ms()
        window.read_for(5)
        report("at rest, CPU", (window.cpu_ms() - before) / 50, "% of a core", 0.1)
        report("memory at the prompt", window.memory_mb(), "MB", 45)
        window.close()
