"""How long it takes to begin, over a bare interpreter of the same environment."""

import sys

from bench.instant import InstantModel, says
from bench.measure import CODI, cost_of, environment, folder, medians, report


def run() -> None:
    home = folder()
    model = InstantModel([says("Hello.")])
    env = environment(home, ANTHROPIC_BASE_URL=model.url, ANTHROPIC_API_KEY="bench")
    bare, version, shot = medians(
        15,
        lambda: cost_of([sys.executable, "-c", "pass"], env=env, cwd=home),
        lambda: cost_of([CODI, "--version"], env=env, cwd=home),
        lambda: cost_of([CODI, "-p", "hi"], env=env, cwd=home),
    )
    assert version.status == shot.status == 0, "the measured runs fail"
    model.close()
    beside = f"bare interpreter {bare.cpu_ms:.1f} ms"
    report("codi --version, CPU over the bare interpreter", version.cpu_ms - bare.cpu_ms, "ms", 10, beside=beside)
    # The whole run is measured, its end included: what is under the bound for all of it is under it at the first request.
    report("codi -p to its end, CPU over the bare interpreter", shot.cpu_ms - bare.cpu_ms, "ms", 150, beside=beside)
    report("codi -p to its end, memory at the peak", shot.peak_mb, "MB", 60)
