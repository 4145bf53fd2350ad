"""What commands, jobs, terminals and tests tell a model, and that nothing of them is left."""

import os
import sys
import time
from pathlib import Path

import pytest

from calling import results
from conftest import Codi, call, says


def shell(command, **more):
    return call("shell", command=command, **more)


def job(id: str, **more):
    return call("shell", job=id, **more)


def marked(codi: Codi) -> list[str]:
    """The command lines of the processes that live and were started below this codi's home of a person."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if f"HOME={codi.env['HOME']}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (OSError, ValueError):
            continue
    return [line for line in found if line]


def test_streams_statuses_and_signals(codi, lab, folder):
    codi.set_up("[agent]\nmax_failed_steps = 1000\n")
    told = results(
        codi,
        lab,
        shell("echo out; echo err >&2; echo out; exit 3"),
        shell("true"),
        shell("kill -9 $$"),
        shell(["echo", "$HOME", "a b"]),
        shell("nonesuch"),
        shell("mkdir d; cd d"),
        shell("pwd; read x || echo closed; tty"),
        shell(r"printf '\033[31mred\033[0m 1%%\r100%%\xff\n\033]0;title\007'"),
        shell("echo x", cwd="nowhere"),
    )
    assert told == [
        "ERROR: out\nerr\nout\n\nCommand exited with code 3",
        "(no output)",
        "ERROR: (no output)\n\nCommand killed by SIGKILL",
        "$HOME a b\n",
        "ERROR: bash: line 1: nonesuch: command not found\n\nCommand exited with code 127",
        "(no output)\n\n[cwd: d]",
        f"ERROR: {folder}/d\nclosed\nnot a tty\n\nCommand exited with code 1",
        "100%\ufffd\n",
        "ERROR: Working directory not found: nowhere",
    ]


@pytest.mark.parametrize(
    ("command", "partial"),
    [
        ("echo part; sleep 100 & sleep 100", "part\n"),
        ("echo part; trap '' TERM; sleep 100 & wait; sleep 100", "part\n"),
        ("echo part; for i in $(seq 40); do sleep 100 & done; wait", "part\n"),
        ("yes", "y\n"),
        ("(trap '' TERM HUP; setsid sleep 100 &) ; echo part; sleep 100", "part\n"),
    ],
    ids=["group", "deaf", "many", "flood", "daemon"],
)
def test_after_the_time_is_up_nothing_runs_on(codi, lab, command, partial):
    (told,) = results(codi, lab, shell(command, timeout_s=1))
    assert told.startswith(f"ERROR: {partial}") and "Command timed out after 1 seconds" in told, told[-300:]
    assert marked(codi) == []


def test_who_holds_the_output_delays_nothing(codi, lab):
    begun = time.monotonic()
    (told,) = results(codi, lab, shell("(sleep 60 &); (setsid sleep 60 &); echo done"))
    assert told == "done\n" and time.monotonic() - begun < 8 and marked(codi) == []


def test_much_output_is_held_on_disk_and_recalled(codi, lab, folder):
    (folder / "say.py").write_text(
        "import sys\n"
        "for n in range(200000): sys.stdout.write(f'line {n:06}' + 'x' * 88 + '\\n')\n"
        "sys.stdout.write('y' * 10_000_000)\n"
    )
    told, noise = results(codi, lab, shell([sys.executable, "say.py"]), shell("head -c 3000 /dev/urandom"))
    assert len(told.encode()) < 60_000 and told.startswith("line 000000") and "\0" not in noise
    assert 'Full output: recall(id="shell_' in told.rpartition("\n")[2] and "omitted" in told
    id = told.rpartition('recall(id="')[2].partition('"')[0]
    lab([says("", call("recall", action="get", id=id, offset=100_001, limit=3)), says("Done.")])
    (made,) = codi.json("again", "-c").result["toolCalls"]
    assert [f"line {n:06}" + "x" * 88 in made["result"] for n in (100_000, 100_002, 100_003)] == [True, True, False]


def test_a_job_is_polled_written_to_and_killed(codi, lab):
    codi.set_up("[agent]\nmax_failed_steps = 1000\n")
    told = results(
        codi,
        lab,
        shell("read x; echo got: $x; read y; exit 4", background=True),
        job("1"),
        job("1", input="hello\n", wait_s=10),
        job("1", input="\n", wait_s=10),
        job("1", wait_s=10),
        shell("trap 'echo bye; exit' TERM; echo up; while true; do sleep 0.05; done", background=True),
        job("2", wait_s=10),
        job("2", kill=True, wait_s=10),
        job("9"),
        *[shell("sleep 100", background=True) for _ in range(9)],
    )
    assert told[0].startswith("Job 1 started (pid ") and "(no new output)" in told[1] and ": running for " in told[1]
    assert told[2].endswith("got: hello\n")
    assert any("exited with code 4" in each for each in told[3:5])
    assert "up\n" in told[6] and "exited with code 0" in told[7] and "bye" in told[7]
    assert told[8].startswith('ERROR: There is no job "9". Jobs: 1 (exited with code 4')
    assert all(each.startswith("Job ") for each in told[9:17]) and told[17].startswith("ERROR: "), "at most eight"
    assert marked(codi) == []


def test_a_terminal_shows_its_screen_and_is_resized(codi, lab):
    watching = "trap 'stty size' WINCH; stty size; while true; do read -r x && echo \"<$x>\"; done"
    told = results(
        codi,
        lab,
        shell("stty size; tty -s && echo tty; printf 'a\\033[5Cb\\033[1;1HX'", pty=True),
        shell(watching, background=True, pty=True),
        job("2", wait_s=10),
        job("2", input="yes\n", wait_s=10),
        job("2", size=[100, 30], wait_s=1),
        job("2", input="\n", wait_s=10),
        job("2", kill=True, wait_s=10),
        job("1", input="late\n"),
    )
    assert told[0] == "X4 80\ntty\na     b\n[cursor: row 1, column 2]"
    assert "24 80\n[cursor: row 2, column 1]" in told[2] and "yes\n<yes>\n" in told[3]
    assert "30 100" in told[4] + told[5] and marked(codi) == []
    assert told[7].startswith("Job 1 (pid ") and ": exited with code 0 after " in told[7]


PYTEST = "def test_one():\n    pass\n\n\ndef test_two():\n    assert 1 == 2\n"
UNITTEST = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test_one(self):\n        pass\n"
NODE = {
    "vitest": "      Tests  1 failed | 2 passed | 1 skipped (4)",
    "jest": "Tests:       1 failed, 3 passed, 4 total",
}


@pytest.fixture
def testing(codi: Codi) -> Codi:
    """With the pytest of this project to be found."""
    codi.env["PATH"] = f"{os.path.dirname(sys.executable)}:{codi.env['PATH']}"
    return codi


def test_tests_are_found_run_narrowed_and_counted(testing, lab, folder):
    (folder / "test_it.py").write_text(PYTEST)
    (folder / "pytest.ini").write_text("[pytest]\nnorecursedirs = plain\n")
    (folder / "plain").mkdir()
    (folder / "plain" / "test_plain.py").write_text(UNITTEST)
    told = results(
        testing,
        lab,
        call("run_tests"),
        call("run_tests", filter="one"),
        call("run_tests", command="python3 -m unittest", cwd="plain"),
        call("run_tests", command="echo all 5 tests are fine"),
        call("run_tests", command="echo broken; false"),
    )
    assert told[0].startswith("ERROR: passed 1, failed 1, skipped 0, total 2, in ") and "test_two" in told[0]
    assert told[1].startswith("passed 1, failed 0, skipped 0, total 1, in ")
    assert told[2].startswith("passed 1, failed 0, skipped 0, total 1, in ")
    for each in told[3:]:
        first = each.removeprefix("ERROR: ").partition("\n")[0]
        assert "unknown" in first and not any(character.isdigit() for character in first.partition("exit")[0]), each
    kept = [line["data"] for line in testing.session() if line.get("customType") == "codi/evidence"]
    assert len(kept) == 5 and [each["exitCode"] for each in kept] == [1, 0, 0, 0, 1]


@pytest.mark.parametrize("runner", NODE)
def test_the_reports_of_other_runners_are_read(testing, lab, folder, runner):
    (folder / "package.json").write_text(f'{{"scripts": {{"test": "{runner}"}}}}')
    programs = folder / "node_modules" / ".bin"
    programs.mkdir(parents=True)
    (programs / runner).write_text(f"#!/bin/sh\necho CI=$CI \"$@\"\necho '{NODE[runner]}'\nexit 1\n")
    (programs / runner).chmod(0o755)
    testing.env["PATH"] = f"{programs}:{testing.env['PATH']}"
    (told,) = results(testing, lab, call("run_tests", command=f"{runner} run"))
    passed, skipped = (2, 1) if runner == "vitest" else (3, 0)
    assert told.startswith(f"ERROR: passed {passed}, failed 1, skipped {skipped}, total 4"), told
    assert "CI=true run" in told or "CI=1 run" in told
