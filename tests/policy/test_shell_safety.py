"""What a command line may do without anybody being asked: nothing but look. Shown by a corpus, and by running what is allowed."""

import os
import statistics
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import pytest
from attacks import ATTACKS, HELD_BACK, LOOKS
from mutants import mutants
from scratch import Scratch
from shell_lines import BENIGN, HOSTILE

from codi.policy.modes import policy_of
from codi.policy.policy import Policy
from codi.policy.territory import Territory
from codi.protocol.effects import Allow, Ask, Deny, Runs

ROOT = "/home/ada/project"
HERE = Territory(root=ROOT, home="/home/ada", codi_home="/home/ada/.codi")
PROGRAMS = sorted({line.split()[0] for line in [*BENIGN, *LOOKS]}) + [
    "git " + line.split()[1] for line in BENIGN if line.startswith("git ")
]
SOAK = os.environ.get("CODI_SOAK")


def allowed(lines: Iterable[str], policy: Policy, root: str) -> list[str]:
    return [line for line in lines if isinstance(policy.judge([Runs(line, root)]), Allow)]


def test_the_corpus_is_large_enough():
    assert len(HOSTILE) == 17 and all(HOSTILE.values())
    assert len({line for lines in HOSTILE.values() for line in lines}) >= 775
    assert len(set(BENIGN)) >= 240


@pytest.mark.parametrize("mode", ["default", "accept-edits"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_no_hostile_line_runs_unasked(kind, mode):
    assert allowed(HOSTILE[kind], policy_of(mode, HERE), ROOT) == []


def test_what_leans_on_the_table_is_many_and_new():
    old = {line for lines in HOSTILE.values() for line in lines}
    assert len({line for lines in ATTACKS.values() for line in lines} - old) >= 900
    assert len(set(LOOKS)) >= 300 and len(set(LOOKS) - set(BENIGN)) >= 230


@pytest.mark.parametrize("mode", ["default", "accept-edits"])
@pytest.mark.parametrize("kind", ATTACKS)
def test_nothing_that_leans_on_the_table_runs_unasked(kind, mode):
    assert allowed(ATTACKS[kind], policy_of(mode, HERE), ROOT) == []


def test_nearly_all_that_people_type_to_look_around_runs_unasked():
    asked = set(LOOKS) - set(allowed(LOOKS, policy_of("default", HERE), ROOT))
    assert len(asked) <= 0.05 * len(set(LOOKS)), asked
    assert allowed(HELD_BACK, policy_of("default", HERE), ROOT) == []


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_question_names_the_part_that_raised_it(kind):
    policy = policy_of("default", HERE)
    for line in HOSTILE[kind]:
        verdict = policy.judge([Runs(line, ROOT)])
        assert (isinstance(verdict, Ask) and all(verdict.reasons)) or (isinstance(verdict, Deny) and verdict.reason), (
            line
        )


def test_nearly_all_plain_looks_run_unasked():
    asked = set(BENIGN) - set(allowed(BENIGN, policy_of("default", HERE), ROOT))
    assert len(asked) <= 0.05 * len(set(BENIGN)), asked


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path.resolve() / "scratch")


def test_what_is_allowed_changes_nothing_when_it_is_run(scratch: Scratch, tmp_path: Path):
    """Mutants of plain looks, run for real in a tree with traps in it."""
    root = str(scratch.root)
    territory = Territory(root=root, home=str(scratch.home), codi_home=f"{scratch.home}/.codi", real=os.path.realpath)
    lines = [line for line in dict.fromkeys([*BENIGN, *LOOKS]) if not line.startswith(("find / ", "seq"))]
    count, seed = (200_000, 1) if SOAK else (1_500, 2)
    tried = dict.fromkeys(islice(mutants(seed, lines, PROGRAMS), count))
    runnable = allowed((line for line in tried if "\0" not in line), policy_of("default", territory), root)
    assert len(runnable) > count / 20
    before = scratch.state()
    for begin in range(0, len(runnable), 500):
        batch = runnable[begin : begin + 500]
        scratch.run(batch)
        changed = {path for path, _ in before.items() ^ scratch.state().items()}
        assert not changed, _culprit(batch, tmp_path)


def _culprit(batch: list[str], place: Path) -> str:
    """The first line that changes an untouched tree."""
    for number, line in enumerate(batch):
        scratch = Scratch(place / f"again-{number}")
        before = scratch.state()
        scratch.run([line])
        if changed := {path for path, _ in before.items() ^ scratch.state().items()}:
            return f"{line!r} changed {changed}"
    return f"one of these changed something together with others: {batch}"


def test_a_decision_takes_no_time():
    policy = policy_of("default", HERE)
    taken = []
    for line in [*BENIGN, *(line for lines in HOSTILE.values() for line in lines if len(line) < 200)]:
        began = time.thread_time()
        policy.judge([Runs(line, ROOT)])
        taken.append(time.thread_time() - began)
    assert statistics.median(taken) < 0.000_5 and statistics.quantiles(taken, n=100)[98] < 0.005


@pytest.mark.parametrize(
    "piece",
    [
        "(",
        "{ ",
        "$(",
        "'",
        "\\",
        "a=(",
        "<<a ",
        "[ ",
        "`",
        "case ",
        "a ",
        "ls;",
        "ls|",
        "if ",
        "ls && ",
        "! ",
        "\U0001f600",
        "\x00",
        "\xff",
        "sed -n '\n",
        "awk ' ",
    ],
)
@pytest.mark.parametrize("size", [8_000, 1_000_000])
def test_no_line_is_too_long_or_too_strange(piece, size):
    began = time.thread_time()
    policy_of("default", HERE).judge([Runs("ls " + piece * (size // len(piece)), ROOT)])
    assert time.thread_time() - began < 2
