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
from bench.sessions import filled
from bench.speaking import Speaker
from codi.lab.running import running
from codi.sessions import paths

_ROUNDS = 11
_ROWS, _COLUMNS = 40, 120
_RULE = "─".encode()
_PATIENCE_S = 30.0
_LETTERS = "".join(chr(code) for code in range(ord("а"), ord("я")))
"""Which nothing else on the screen has."""
_KEPT_TITLE = b"\x1b[22;"
"""What the interface tells the terminal as it takes over from the opening, right before its first frame."""


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
        self.typed = 0

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

    def follow(self, words: dict[bytes, float], last: bytes) -> list[float]:
        """Read until `last` is seen; the milliseconds from when each of the words was said to when it came."""
        delays: dict[bytes, float] = {}
        behind = b""
        end = time.perf_counter() + _PATIENCE_S
        while last not in delays:
            assert select.select([self.descriptor], [], [], max(end - time.perf_counter(), 0))[0], self.seen[-500:]
            data = os.read(self.descriptor, 1 << 16)
            now = time.perf_counter()
            self.seen += data
            for word in re.findall(rb"w[0-9]{5}", behind + data):
                if word in words:
                    delays.setdefault(word, (now - words[word]) * 1000)
            behind = data[-5:]
        return list(delays.values())

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
    _delays(home)
    _one_line(home)
    _opening()
    _loud_tool(home)
    _at_rest(home)


def environment_of(home: str, url: str) -> dict[str, str]:
    more = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "bench"}
    return {**environment(home), **more}


def _start(home: str) -> None:
    model = InstantModel([says("Hello.")])
    env = environment_of(home, model.url)
    bare, painted, echoed, ready, drawn, answered = [], [], [], [], [], []
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
        window = Window([CODI], env, home)
        window.until(lambda seen: b"\x1b[0m" in seen.partition(_KEPT_TITLE)[2])
        drawn.append(window.cpu_ms())
        window.close()
    floor = statistics.median(bare)
    beside = f"bare interpreter {floor:.1f} ms"
    report("prompt painted, CPU over the bare interpreter", statistics.median(painted) - floor, "ms", 10, beside=beside)
    report("first key echoed, CPU over it", statistics.median(echoed) - floor, "ms", 20, beside=beside)
    report("runtime ready, CPU over it", statistics.median(ready) - floor, "ms", 80, beside=beside)
    report("interface drawn, CPU over it", statistics.median(drawn) - floor, "ms", 100, beside=beside)
    report("  a prompt sent then, to its answer, by the clock", statistics.median(answered), "ms", 300)
    model.close()


def _streaming(home: str, rate: int, bound: float) -> None:
    """`rate` pieces of five characters a second, for four seconds; a key now and then."""
    words = "".join(f"word{number % 10} " + ("\n\n" if number % 60 == 59 else "") for number in range(6000))
    with running([{"text": words, "chunk": 5, "pause_ms": 1000 / rate}]) as server:
        window = Window([CODI], environment_of(home, server.url), home)
        window.until(lambda seen: b"codi 0" in seen)
        window.type("go\r")
        window.until(lambda seen: b"word5" in seen)
        before, sent, began = window.cpu_ms(), len(window.seen), time.perf_counter()
        keys = []
        for _ in range(8):
            window.read_for(0.5)
            keys.append(key_ms(window))
        passed = time.perf_counter() - began
        share = (window.cpu_ms() - before) / 10 / passed
        streamed = rate * 5 * passed
        report(f"streaming {rate} pieces a second, CPU", share, "% of a core", bound)
        report("  bytes to the terminal per streamed byte", (len(window.seen) - sent) / streamed, "", 3.5)
        report("  a key to the screen, worst", max(keys), "ms", 16)
        window.close()


def _delays(home: str) -> None:
    """From a word of the model's to the terminal, and from a key while it speaks: in a new conversation and in a long one."""
    long = "".join(f"line {number} of a long answer\n\n" for number in range(5000))
    _delays_in(home, "", ())
    _delays_in(home, " after 10,000 lines", (long,))


def _delays_in(home: str, what: str, before: tuple[str, ...]) -> None:
    speaker = Speaker(*before, (600, 200), (1000, 200))
    window = Window([CODI], environment_of(home, speaker.url), home)
    window.until(lambda seen: b"codi 0" in seen)
    for _ in before:
        window.type("go\r")
        window.until(lambda seen: b"line 4999" in seen and b"1 step" in seen)
    window.type("go\r")
    delays = window.follow(speaker.said, b"w00599")
    report(f"a word to the terminal{what}, p95", percentile(delays[100:], 95), "ms", 18)
    window.until(lambda seen: seen.count(b"1 step") > len(before))
    at = len(window.seen)
    window.type("go\r")
    window.until(lambda seen: b"w00000" in seen[at:])
    keys = []
    for number in range(100):
        window.read_for(0.03 + 0.001 * (number * 7 % 17))
        keys.append(key_ms(window))
    report(f"a key to the screen while it streams{what}, p99", percentile(keys, 99), "ms", 16)
    window.close()
    speaker.close()


def percentile(figures: list[float], share: int) -> float:
    return sorted(figures)[min(len(figures) * share // 100, len(figures) - 1)]


def _one_line(home: str) -> None:
    """A key changes one line; a window of another size is painted anew."""
    speaker = Speaker("".join(f"line {number} of an answer that fills the screen\n\n" for number in range(100)))
    window = Window([CODI], environment_of(home, speaker.url), home)
    window.until(lambda seen: b"codi 0" in seen)
    window.type("go\r")
    window.until(lambda seen: b"1 step" in seen)
    window.read_for(1)
    before = len(window.seen)
    window.type("~")
    window.read_for(0.5)
    line, before = len(window.seen) - before, len(window.seen)
    fcntl.ioctl(window.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS - 1, 0, 0))
    window.read_for(1)
    report("bytes for one changed line, of a full repaint", 100 * line / (len(window.seen) - before), "%", 5)
    window.close()
    speaker.close()


def _opening() -> None:
    """A session of 1,000 messages: from the start of the program to what was said last."""
    took = []
    for _ in range(5):
        own, cwd = folder(), folder()
        filled(paths.directory_of(os.path.join(own, ".codi"), cwd), 1000, time.time(), cwd=cwd)
        window = Window([CODI, "-c"], environment_of(own, "http://127.0.0.1:9"), cwd)
        took.append(window.until(lambda seen: b"249: the quick" in seen))
        window.close()
    report("a session of 1,000 messages, its first screen", statistics.median(took), "ms", 150)


def _loud_tool(home: str) -> None:
    """Keys while a command prints ten megabytes, and while its result is taken up."""
    command = "seq -f 'line %.0f of very much output that a command prints' 180000 | head -c 10000000"
    script = [{"calls": [{"name": "shell", "arguments": {"command": command}}]}, {"text": "Done."}]
    with running(script) as server:
        window = Window([CODI, "--permission-mode", "full-access"], environment_of(home, server.url), home)
        window.until(lambda seen: b"codi 0" in seen)
        window.type("go\r")
        worst = 0.0
        while b"Done." not in window.seen:
            worst = max(worst, key_ms(window))
            window.read_for(0.005)
        report("a key while a tool prints 10 MB, worst", worst, "ms", 50)
        window.close()


def key_ms(window: Window) -> float:
    """The milliseconds from a key to its character on the screen."""
    if window.typed == len(_LETTERS):  # a letter is typed once, so that it is on the screen only for having been typed
        window.type("\x7f" * window.typed)
        window.read_for(0.1)
        window.typed = 0
    letter = _LETTERS[window.typed]
    window.typed += 1
    at = len(window.seen)
    began = time.perf_counter()
    window.type(letter)
    window.until(lambda seen: letter.encode() in seen[at:])
    return (time.perf_counter() - began) * 1000


def _at_rest(home: str) -> None:
    with running([{"text": "Hello."}]) as server:
        window = Window([CODI], environment_of(home, server.url), home)
        window.until(lambda seen: b"codi 0" in seen)
        window.read_for(2)
        before = window.cpu_ms()
        window.read_for(5)
        report("at rest, CPU", (window.cpu_ms() - before) / 50, "% of a core", 0.1)
        report("memory at the prompt", window.memory_mb(), "MB", 45)
        window.close()
