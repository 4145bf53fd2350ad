"""What a program costs: CPU time and memory of a finished child, as the system accounts for it."""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

CODI = os.path.join(os.path.dirname(sys.executable), "codi")


class Cost(Struct, frozen=True):
    """Milliseconds of CPU and of the clock, megabytes at the peak, and the exit status."""

    cpu_ms: float
    wall_ms: float
    peak_mb: float
    status: int


def cost_of(
    words: Sequence[str], *, env: Mapping[str, str], cwd: str, started: Callable[[int], None] = lambda pid: None
) -> Cost:
    """Run a program to its end; its output goes nowhere. `started` is told its process."""
    began = time.perf_counter()
    with open(os.devnull, "r+b") as nothing:
        actions = [(os.POSIX_SPAWN_DUP2, nothing.fileno(), number) for number in (0, 1, 2)]
        here = os.getcwd()
        os.chdir(cwd)
        try:
            child = os.posix_spawn(words[0], words, env, file_actions=actions)
        finally:
            os.chdir(here)
        started(child)
        _, status, used = os.wait4(child, 0)
    wall_ms = (time.perf_counter() - began) * 1000
    return Cost(
        (used.ru_utime + used.ru_stime) * 1000, wall_ms, used.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)
    )


def cpu_ms_of(pid: int) -> float:
    """Milliseconds of CPU that a living process has used, all its threads together, to the nanosecond."""
    used = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
            used += int(file.read().split()[0])
    return used / 1e6


def medians(runs: int, *measured: Callable[[], Cost]) -> list[Cost]:
    """The medians of several programs, run in turn so that a slow moment meets all of them."""
    rounds = [[measure() for measure in measured] for _ in range(runs + 1)][1:]
    return [
        Cost(
            statistics.median(cost.cpu_ms for cost in costs),
            statistics.median(cost.wall_ms for cost in costs),
            statistics.median(cost.peak_mb for cost in costs),
            max(cost.status for cost in costs),
        )
        for costs in zip(*rounds)
    ]


def environment(home: str, **more: str) -> dict[str, str]:
    """A constructed environment: no keys of this machine, codi's home in a folder of its own."""
    return {"PATH": os.environ["PATH"], "HOME": home, "CODI_HOME": os.path.join(home, ".codi"), **more}


def folder() -> str:
    return tempfile.mkdtemp(prefix="codi-bench-")


def report(what: str, figure: float, unit: str, bound: float, *, beside: str = "") -> None:
    """One line: what, the figure, its bound, and whether it holds."""
    holds = "ok  " if figure <= bound else "OVER"
    print(
        f"{holds}  {what:<58} {figure:9.2f} {unit:<4} bound {bound:g} {unit}{'  ' + beside if beside else ''}",
        flush=True,
    )
