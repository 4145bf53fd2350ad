"""Tests are found, run, narrowed and counted; what cannot be read is unknown and has no numbers."""

import json
import os
import subprocess
import sys

import pytest

from codi.protocol.effects import Runs
from codi.tools.reports_of_tests import report_in

PYTEST = """\
============================= test session starts ==============================
collected 6 items

tests/test_a.py .F.s                                                     [100%]

=================================== FAILURES ===================================
=========================== short test summary info ============================
FAILED tests/test_a.py::test_add[1-2] - assert 3 == 4
ERROR tests/test_b.py::test_set_up - RuntimeError: no database
============= 1 failed, 2 passed, 1 skipped, 1 error in 0.12s ==============
"""
VITEST = """\
 ❯ src/sum.test.ts (3 tests | 1 failed) 5ms

⎯⎯⎯⎯⎯⎯⎯ Failed Tests 1 ⎯⎯⎯⎯⎯⎯⎯

 FAIL  src/sum.test.ts > sum > adds
AssertionError: expected 3 to be 4

 Test Files  1 failed (1)
      Tests  1 failed | 2 passed | 1 skipped (4)
   Start at  10:00:00
   Duration  312ms (transform 20ms)
"""
JEST = """\
FAIL src/sum.test.js
  ● sum › adds

    expect(received).toBe(expected)

Test Suites: 1 failed, 1 total
Tests:       1 failed, 1 todo, 3 passed, 5 total
Snapshots:   0 total
Time:        1.204 s
Ran all test suites.
"""
GO = "\n".join(
    json.dumps(event)
    for event in [
        {"Action": "run", "Package": "x/a", "Test": "TestA"},
        {"Action": "pass", "Package": "x/a", "Test": "TestA", "Elapsed": 0.1},
        {"Action": "output", "Package": "x/a", "Test": "TestB", "Output": "    a_test.go:7: got 1\n"},
        {"Action": "fail", "Package": "x/a", "Test": "TestB", "Elapsed": 0.2},
        {"Action": "skip", "Package": "x/a", "Test": "TestC", "Elapsed": 0},
        {"Action": "fail", "Package": "x/a", "Elapsed": 0.31},
    ]
)
CARGO = """\
running 2 tests
test tests::ok ... ok
test tests::bad ... FAILED

failures:

---- tests::bad stdout ----
thread 'tests::bad' panicked at src/lib.rs:9:9:
assertion failed: false

failures:
    tests::bad

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s

running 1 test
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s
"""
UNITTEST = """\
.F.s
======================================================================
FAIL: test_add (test_a.Adding.test_add)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "test_a.py", line 5, in test_add
    self.assertEqual(1, 2)
AssertionError: 1 != 2

----------------------------------------------------------------------
Ran 4 tests in 0.002s

FAILED (failures=1, skipped=1)
"""
MOCHA = """\
  sum
    ✔ adds
    1) subtracts

  2 passing (12ms)
  1 pending
  1 failing

  1) sum
       subtracts:
     AssertionError: 1 == 2

"""
JUNIT = """\
<?xml version="1.0"?>
<testsuites><testsuite name="s" tests="3">
<testcase classname="a" name="one" time="0.5"/>
<testcase classname="a" name="two" time="0.25"><failure message="no">trace</failure></testcase>
<testcase classname="a" name="three"><skipped/></testcase>
</testsuite></testsuites>
"""
BUN = "(fail) sum > adds [1.00ms]\n\n 3 pass\n 1 fail\n 2 skip\nRan 6 tests across 1 files. [12.00ms]\n"
TAP = "TAP version 13\nnot ok 2 - subtracts\n# tests 3\n# pass 2\n# fail 1\n# skipped 0\n# duration_ms 52.3\n"


@pytest.mark.parametrize(
    ("output", "numbers", "seconds", "failures"),
    [
        (PYTEST, (2, 2, 1), 0.12, ["tests/test_a.py::test_add[1-2]: assert 3 == 4", "tests/test_b.py::test_set_up: RuntimeError: no database"]),
        ("2 passed, 1 failed in 0.12s\n", (2, 1, 0), 0.12, []),
        ("1 failed, 2 passed in 0.12s\n", (2, 1, 0), 0.12, []),
        ("===== 3 passed, 2 warnings in 65.20s (0:01:05) =====\n", (3, 0, 0), 65.2, []),
        ("no tests ran in 0.01s\n", (0, 0, 0), 0.01, []),
        (VITEST, (2, 1, 1), 0.312, ["src/sum.test.ts > sum > adds: AssertionError: expected 3 to be 4"]),
        (JEST, (3, 1, 1), 1.204, ["sum › adds: expect(received).toBe(expected)"]),
        (GO, (1, 1, 1), 0.31, ["x/a.TestB: a_test.go:7: got 1"]),
        (CARGO, (4, 1, 1), 0.03, ["tests::bad: thread 'tests::bad' panicked at src/lib.rs:9:9:\nassertion failed: false"]),
        (UNITTEST, (2, 1, 1), 0.002, ["test_add (test_a.Adding.test_add): AssertionError: 1 != 2"]),
        ("\n----\nRan 3 tests in 1.000s\n\nOK\n", (3, 0, 0), 1.0, []),
        (MOCHA, (2, 1, 1), 0.012, ["sum subtracts: AssertionError: 1 == 2"]),
        (JUNIT, (1, 1, 1), 0.75, ["a::two: no"]),
        (BUN, (3, 1, 2), 0.012, ["sum > adds"]),
        (TAP, (2, 1, 0), 0.052, ["subtracts"]),
    ],
)  # fmt: skip
def test_reports(output, numbers, seconds, failures):
    report = report_in(output)
    assert (report.passed, report.failed, report.skipped) == numbers and report.total == sum(numbers)
    assert report.seconds == seconds and list(report.failures) == failures


@pytest.mark.parametrize(
    "output",
    ["", "all good\n", "I passed 3 exams in 2020\n", "3 passed", "Tests: many\n", '{"Action": "start"}\n',
     "<testsuite><testcase></testsuite>", '<!DOCTYPE x [<!ENTITY a "b">]><testsuite>&a;</testsuite>'],
)  # fmt: skip
def test_what_is_no_report_has_no_numbers(output):
    assert report_in(output) is None


def command(bench, **arguments):
    (effect,) = bench.toolbox.resolve("run_tests", arguments).action.effects()
    return effect.line


@pytest.mark.parametrize(
    ("files", "line", "with_filter"),
    [
        ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, "python3 -m pytest -rfE", "python3 -m pytest -rfE -k 'a b'"),
        ({"tests/conftest.py": "", "package.json": "{}"}, "python3 -m pytest -rfE", "python3 -m pytest -rfE -k 'a b'"),
        ({"test_x.py": "def test_x(): pass\n"}, "python3 -m pytest -rfE", "python3 -m pytest -rfE -k 'a b'"),
        ({"test_x.py": "import unittest\n"}, "python3 -m unittest discover", "python3 -m unittest discover -k 'a b'"),
        ({"tests/test_x.py": "import unittest\n"}, "python3 -m unittest discover -s tests -t tests", None),
        ({"package.json": '{"scripts": {"test": "vitest"}}'}, "npm run test", "npm run test -- -t 'a b'"),
        ({"package.json": '{"scripts": {"test": "jest"}}', "yarn.lock": ""}, "yarn run test", "yarn run test -t 'a b'"),
        ({"package.json": '{"scripts": {"test": "mocha"}}', "pnpm-lock.yaml": ""}, "pnpm run test", "pnpm run test --grep 'a b'"),
        ({"package.json": '{"devDependencies": {"vitest": "1"}}'}, "npx vitest run", "npx vitest run -t 'a b'"),
        ({"package.json": "{}", "bun.lock": ""}, "bun test", "bun test -t 'a b'"),
        ({"go.mod": ""}, "go test -json ./...", "go test -json -run 'a b' ./..."),
        ({"Cargo.toml": ""}, "cargo test", "cargo test 'a b'"),
        ({"Makefile": "all:\ntest: all\n\ttrue\n"}, "make test", None),
    ],
)  # fmt: skip
def test_the_command_is_found(bench, files, line, with_filter):
    for path, content in files.items():
        bench.write(path, content)
    assert command(bench) == line
    if with_filter:
        assert command(bench, filter="a b") == with_filter


def test_an_environment_of_the_project_is_used(bench):
    bench.write("pytest.ini")
    bench.write(".venv/bin/python").chmod(0o755)
    assert command(bench) == ".venv/bin/python -m pytest -rfE"


def test_a_project_in_a_folder(bench):
    bench.write("sub/go.mod")
    (effect,) = bench.toolbox.resolve("run_tests", {"cwd": "sub"}).action.effects()
    assert effect == Runs(("go", "test", "-json", "./..."), "sub")


def test_a_command_of_ones_own(bench):
    assert command(bench, command="tox -e py") == "tox -e py"
    assert command(bench, command="pytest tests", filter="a b") == "pytest tests -k 'a b'"
    assert command(bench, command=["npx", "jest"], filter="x") == "npx jest -t x"
    output = bench.call("run_tests", command="tox", filter="x")
    assert output.is_error and output.text == "tox takes no filter. Give the whole command."


def test_no_tests(bench):
    output = bench.call("run_tests")
    assert output.is_error and output.text.startswith("No tests were found here:")
    bench.write("package.json", '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}')
    assert bench.call("run_tests").is_error
    bench.write("Makefile", "test:\n")
    assert bench.call("run_tests", filter="x").text == "make test takes no filter. Give the whole command."


def test_a_look_at_a_project_stays_in_the_workspace(bench, tmp_path):
    (tmp_path / "go.mod").write_text("")
    (bench.root / "out").symlink_to(tmp_path)
    assert bench.call("run_tests", cwd="..").text.startswith("No tests were found here:")
    assert bench.call("run_tests", cwd="out").text.startswith("No tests were found here:")


def test_tests_of_what_changed(bench):
    for path in ("src/parser.py", "src/other.py", "tests/test_parser.py", "tests/test_other.py", "tests/test_new.py"):
        bench.write(path, "x = 1\n")
    bench.write("pytest.ini")

    def git(*words):
        subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *words], cwd=bench.root, check=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "x")
    assert bench.call("run_tests", changed_only=True).text == (
        "No changed file has tests that could be found; nothing was run."
    )
    bench.write("src/parser.py", "x = 2\n")
    bench.write("tests/test_fresh.py")
    assert command(bench, changed_only=True) == "python3 -m pytest -rfE tests/test_fresh.py tests/test_parser.py" or (
        command(bench, changed_only=True) == "python3 -m pytest -rfE tests/test_parser.py tests/test_fresh.py"
    )


def test_a_run(bench, monkeypatch):
    monkeypatch.setenv("PATH", f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}")
    bench.write("pytest.ini", "[pytest]\n")
    bench.write(
        "test_x.py", "import os\ndef test_a(): assert os.environ['CI'] == 'true'\ndef test_b(): assert 1 == 2\n"
    )
    output = bench.call("run_tests")
    lines = output.text.splitlines()
    assert lines[0].startswith("passed 1, failed 1, skipped 0, total 2, in ")
    assert lines[2:6] == [
        "Failures:", "1. test_x.py::test_b: assert 1 == 2", "", "Command: python3 -m pytest -rfE"
    ]  # fmt: skip
    assert lines[6] == "Exit code: 1" and output.is_error
    assert output.details["tests"] == {
        "command": "python3 -m pytest -rfE", "status": "failed", "passed": 1, "failed": 1, "skipped": 0, "total": 2
    }  # fmt: skip
    output = bench.call("run_tests", filter="test_a")
    assert output.text.startswith("passed 1, failed 0, skipped 0, total 1, in ") and not output.is_error


def test_what_cannot_be_read_is_unknown(bench):
    output = bench.call("run_tests", command="echo fine")
    assert output.text == (
        "unknown: the output holds no count of tests that could be read\n\nCommand: echo fine\nExit code: 0\n\nfine\n"
    )
    assert output.details == {"tests": {"command": "echo fine", "status": "unknown"}}


def test_a_long_output_is_cut_and_counted_all_the_same(bench):
    output = bench.call("run_tests", command="seq 1 30000; echo '5 passed in 1.00s'; exit 2")
    assert output.text.startswith("passed 5, failed 0, skipped 0, total 5, in 1 s\n") and output.is_error
    assert "Exit code: 2" in output.text and 'Full output: recall(id="run_tests_' in output.text


def test_a_timeout(bench):
    output = bench.call("run_tests", command="echo begun; sleep 91", timeout_s=1)
    assert output.is_error and "Timed out after 1 seconds" in output.text and output.text.startswith("unknown")
