"""A conversation that goes on and on in the terminal interface: what 1,000 turns and 100,000 lines cost in memory, and keys then."""

from bench.interface import CODI, Window, environment_of, key_ms, percentile
from bench.measure import folder, report
from bench.speaking import Speaker

_LINES = "".join(f"line {number} of an answer\n\n" for number in range(500))


def run() -> None:
    home = folder()
    _turns(home)
    _lines(home)


def _turns(home: str) -> None:
    speaker = Speaker(*(f"Answer {number}, and a little more of it." for number in range(1000)))
    window = Window([CODI], environment_of(home, speaker.url), home)
    window.until(lambda seen: b"codi 0" in seen)
    for number in range(1000):
        _turn(window, f"Answer {number}, ".encode())
    report("memory after 1,000 turns", window.memory_mb(), "MB", 100)
    keys = []
    for _ in range(100):
        window.read_for(0.03)
        keys.append(key_ms(window))
    report("a key to the screen after 1,000 turns, p99", percentile(keys, 99), "ms", 16)
    window.close()
    speaker.close()


def _lines(home: str) -> None:
    """An answer of 500 lines and as many blank ones, 10 times and 100 times."""
    speaker = Speaker(*[_LINES] * 100)
    window = Window([CODI], environment_of(home, speaker.url), home)
    window.until(lambda seen: b"codi 0" in seen)
    for _ in range(10):
        _turn(window, b"line 499 of")
    before = window.memory_mb()
    for _ in range(90):
        _turn(window, b"line 499 of")
    report(
        "memory of 100,000 lines, over that of 10,000", window.memory_mb() - before, "MB", 5, beside=f"{before:.1f} MB"
    )
    window.close()
    speaker.close()


def _turn(window: Window, last: bytes) -> None:
    window.seen = b""
    window.type("go\r")
    window.until(lambda seen: last in seen and b"1 step" in seen.rpartition(last)[2])
