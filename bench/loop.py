"""What a step costs between the end of a reply and the next request on the wire, with a file read in between."""

import os
import statistics

from bench.instant import InstantModel, calls, says
from bench.measure import CODI, cost_of, environment, folder, report

STEPS = 200


def run() -> None:
    home = folder()
    for number in range(20):
        with open(os.path.join(home, f"file{number}.txt"), "w") as file:
            file.write(f"line {number}\n" * 40)
    replies = [calls(step, "read", {"path": f"file{step % 20}.txt", "offset": 1 + step // 20}) for step in range(STEPS)]
    model = InstantModel([*replies, says("Done.")])
    env = environment(home, ANTHROPIC_BASE_URL=model.url, ANTHROPIC_API_KEY="bench")
    cost = cost_of([CODI, "-p", "read the files", "--max-turns", "0"], env=env, cwd=home)
    assert cost.status == 0 and len(model.came) == STEPS + 1, "the measured run fails"
    gaps = [(came - went) * 1000 for went, came in zip(model.went, model.came[1:])]
    first, last = statistics.median(gaps[:50]), statistics.median(gaps[-50:])
    model.close()
    report("a step, end of reply to next request, p50 of steps 1-50", first, "ms", 3)
    report(
        "a step, end of reply to next request, p50 of steps 151-200",
        last,
        "ms",
        3,
        beside=f"{last / first:.2f} x the first",
    )
    report("memory of a run of 200 steps at its peak", cost.peak_mb, "MB", 60)
    report("connections of a run of 200 steps", model.connections, "", 1)
