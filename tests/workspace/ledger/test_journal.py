"""What was written is read again, whatever stands beside it, and numbers are given once."""

import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from codi.workspace.ledger.journal import Journal, line_of, record_of
from codi.workspace.ledger.states import ABSENT, Cause, Change, Directory, File, Gap, Link, Special, Step, Uncovered

names = st.binary(min_size=1, max_size=12).map(
    lambda name: name.replace(b"\0", b"").decode("utf-8", "surrogateescape") or "x"
)
states = st.one_of(
    st.just(ABSENT),
    st.builds(File, st.integers(0, 0o7777), st.just("ab" * 32), st.integers(0, 10**12)),
    st.builds(Uncovered, st.integers(0, 0o7777), st.integers(0, 10**12), st.integers(0, 10**18)),
    st.builds(Link, names),
    st.builds(Directory, st.integers(0, 0o7777)),
    st.builds(Special, st.sampled_from(["fifo", "socket", "device"]), st.integers(0, 0o7777)),
)
steps = st.builds(
    Step,
    n=st.integers(1, 10**6),
    at=st.floats(0, 10**10),
    owner=st.sampled_from(["agent", "person", "undo", "redo", "restore"]),
    changes=st.lists(st.builds(Change, names, states, states, st.none() | names, st.booleans()), max_size=3).map(tuple),
    cause=st.builds(Cause, session=st.just("s"), title=st.text(max_size=5)),
    gaps=st.lists(st.builds(Gap, names, st.just("why")), max_size=2).map(tuple),
)


@given(steps)
def test_a_line_holds_its_record(step: Step):
    line = line_of(step)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert record_of(line[:-1]) == step


@given(steps, st.integers(0, 400), st.integers(1, 255))
def test_one_changed_byte_is_noticed(step: Step, at: int, by: int):
    line = bytearray(line_of(step)[:-1])
    at %= len(line)
    line[at] ^= by
    if bytes(line).lower() != line_of(step)[:-1].lower():
        assert record_of(bytes(line)) is None


WRITES = """
import sys
from codi.workspace.ledger.journal import Journal
from codi.workspace.ledger.states import Step
journal = Journal(sys.argv[1])
for number in range(40):
    journal.append(Step(n=0, at=1.0, owner="agent", changes=(), began=sys.argv[2]))
"""


def test_processes_that_write_at_the_same_time_lose_nothing(tmp_path: Path):
    writers = [subprocess.Popen([sys.executable, "-c", WRITES, tmp_path, str(number)]) for number in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    journal = Journal(str(tmp_path))
    journal.read()
    assert [step.n for step in journal.steps()] == list(range(1, 161))
    assert journal.damaged == []


def test_a_line_that_was_cut_off_is_told_and_the_next_is_whole(tmp_path: Path):
    journal = Journal(str(tmp_path))
    step = Step(n=0, at=1.0, owner="agent", changes=())
    journal.append(step)
    with open(journal.path, "ab") as file:
        file.write(line_of(step)[:-9])
    again = Journal(str(tmp_path))
    again.append(step, step)
    assert [step.n for step in again.steps()] == [1, 2, 3] and again.damaged == [2]
    journal.read()
    assert [step.n for step in journal.steps()] == [1, 2, 3]
