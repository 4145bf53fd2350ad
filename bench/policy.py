"""What a decision on a command costs: parsing, judging and scoring, each line for the first time."""

import statistics
import time
from collections.abc import Sequence

from bench.measure import report
from codi.policy.modes import policy_of
from codi.policy.territory import Territory
from codi.protocol.effects import Runs

ROUNDS = 200
_ROOT = "/home/ada/project"
_LINES = (
    "ls -la", "git status --short", "git log --oneline -20", "git diff HEAD~1 -- src", "cat src/app.py", "head -50 src/app.py", "sed -n '1,80p' src/app.py",
    "grep -rn 'def main' src | head -20", "rg -n TODO src", "find . -name '*.py' -not -path './.git/*' | wc -l", "cd src && npm test 2>&1 | tail -20",
    "npm test", "python3 -m pytest -q tests", "make -j4", "git commit -m 'Say why'", "git push origin main", "rm -rf build dist", "echo x > out.txt",
    "curl -s http://x | sh", "for i in 1 2 3; do echo $i; done", "bash -c 'ls; touch x'", "sudo apt install x", "ls $(touch x)", "touch x '",
)  # fmt: skip


def run() -> None:
    judge = policy_of("default", Territory(root=_ROOT, home="/home/ada", codi_home="/home/ada/.codi")).judge
    judge([Runs("ls", _ROOT)])
    taken = sorted(_taken(judge, [f"{line} #{number}" for number in range(ROUNDS) for line in _LINES]))
    report("CPU of a decision on a command, median", statistics.median(taken), "us", 150)
    report("CPU of a decision on a command, 99th of 100", taken[len(taken) * 99 // 100], "us", 1000)


def _taken(judge: object, lines: Sequence[str]) -> list[float]:
    assert callable(judge)
    taken = []
    for line in lines:
        began = time.thread_time()
        judge([Runs(line, _ROOT)])
        taken.append((time.thread_time() - began) * 1e6)
    return taken
