"""How long it takes to begin, over a bare interpreter of the same environment."""

import statistics
import sys

from bench.instant import InstantModel, says
from bench.measure import CODI, Cost, cost_of, cpu_ms_of, environment, folder, medians, report


def run() -> None:
    home = folder()
    model = InstantModel([says("Hello.")])
    env = environment(home, ANTHROPIC_BASE_URL=model.url, ANTHROPIC_API_KEY="bench")
    child = 0
    at_request: list[float] = []

    def started(pid: int) -> None:
        nonlocal child
        child = pid

    def shoot() -> Cost:
        return cost_of([CODI, "-p", "hi"], env=env, cwd=home, started=started)

    model.on_request = lambda: at_request.append(cpu_ms_of(child))
    bare, version, shot = medians(
        15,
        lambda: cost_of([sys.executable, "-c", "pass"], env=env, cwd=home),
        lambda: cost_of([CODI, "--version"], env=env, cwd=home),
        shoot,
    )
    assert version.status == shot.status == 0, "the measured runs fail"
    model.close()
    beside = f"bare interpreter {bare.cpu_ms:.1f} ms"
    report("codi --version, CPU over the bare interpreter", version.cpu_ms - bare.cpu_ms, "ms", 10, beside=beside)
    first = statistics.median(at_request[1:])
    report("codi -p to the first request, CPU over the bare interpreter", first - bare.cpu_ms, "ms", 150, beside=beside)
    report("codi -p to its end, CPU over the bare interpreter", shot.cpu_ms - bare.cpu_ms, "ms", 180, beside=beside)
    report("codi -p to its end, memory at the peak", shot.peak_mb, "MB", 60)
