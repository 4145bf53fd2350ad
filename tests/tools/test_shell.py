"""`shell` shows what a command said and how it ended, in fixed words."""

import os
import signal
import subprocess

import anyio
import pytest
from tool_bench import Bench

from codi.protocol.effects import Runs
from codi.tools.output import Cap
from codi.workspace.grant import Grant


def test_output_is_shown_as_it_came(bench):
    output = bench.call("shell", command="echo out; echo err >&2; printf last")
    assert (output.text, output.is_error, output.details) == ("out\nerr\nlast", False, None)


def test_nothing_said(bench):
    assert bench.call("shell", command="true").text == "(no output)"


def test_an_exit_status_is_told_after_a_blank_line(bench):
    output = bench.call("shell", command="echo before; exit 3")
    assert output.text == "before\n\nCommand exited with code 3"
    assert output.is_error and output.details == {"exitCode": 3}
    assert bench.call("shell", command="exit 42").text == "(no output)\n\nCommand exited with code 42"


def test_a_signal_is_named(bench):
    output = bench.call("shell", command="echo a; kill -TERM $$")
    assert output.text == "a\n\nCommand killed by SIGTERM"
    assert output.is_error and output.details is None


def test_a_timeout_keeps_what_was_said(bench):
    output = bench.call("shell", command="echo begun; sleep 98.7613 & sleep 98.7613", timeout_s=1)
    assert output.text == "begun\n\nCommand timed out after 1 seconds"
    assert output.is_error
    left = subprocess.run(["pgrep", "-f", "^sleep 98.7613$"], capture_output=True, text=True)
    assert left.stdout == ""


@pytest.mark.parametrize("timeout_s", [0, 1801, "soon"])
def test_timeouts_out_of_range_are_refused(bench, timeout_s):
    output = bench.call("shell", command="true", timeout_s=timeout_s)
    assert output.text.startswith('Validation failed for tool "shell":\n - timeout_s: ')


def test_words_run_without_a_shell(bench):
    assert bench.call("shell", command=["echo", "$HOME", "a b"]).text == "$HOME a b\n"
    assert bench.call("shell", command=["no-such-program"]).text == "Program not found: no-such-program"
    assert bench.call("shell", command=[]).text == "There is no command to run."
    assert bench.call("shell", command="").text == "There is no command to run."


def test_a_missing_program_is_told_by_the_shell(bench):
    output = bench.call("shell", command="no-such-program")
    assert "no-such-program: command not found" in output.text
    assert output.text.endswith("\n\nCommand exited with code 127")


def test_the_directory_is_kept(bench):
    (bench.root / "sub/deep").mkdir(parents=True)

    assert bench.call("shell", command="cd sub").text == "(no output)\n\n[cwd: sub]"
    assert bench.call("shell", command="pwd").text == f"{bench.root}/sub\n"
    assert bench.call("shell", command="cd deep && pwd").text == f"{bench.root}/sub/deep\n\n[cwd: sub/deep]"
    assert bench.call("shell", command="pwd", cwd=".").text == f"{bench.root}\n"
    assert bench.call("shell", command="cd ../..").text == "(no output)\n\n[cwd: .]"
    assert bench.call("shell", command="cd sub; false").text == (
        "(no output)\n\n[cwd: sub]\n\nCommand exited with code 1"
    )


def test_a_directory_outside_of_the_workspace_is_not_kept(bench):
    assert bench.call("shell", command="cd /").text == "(no output)"
    assert bench.call("shell", command="pwd").text == f"{bench.root}\n"


def test_a_kept_directory_is_declared_before_anybody_judges(bench):
    (bench.root / "sub").mkdir()
    bench.call("shell", command="cd sub")
    assert list(bench.toolbox.resolve("shell", {"command": "ls"}).action.effects()) == [Runs("ls", "sub")]


def test_a_missing_directory(bench):
    bench.write("file.txt")
    assert bench.call("shell", command="pwd", cwd="no/where").text == "Working directory not found: no/where"
    assert bench.call("shell", command="pwd", cwd="file.txt").text == "Working directory not found: file.txt"


def test_a_kept_directory_that_went_away(bench):
    (bench.root / "sub").mkdir()
    bench.call("shell", command="cd sub")
    assert bench.call("shell", command="rmdir ../sub").text == "(no output)"
    assert bench.call("shell", command="pwd").text == "Working directory not found: sub"
    assert bench.call("shell", command="pwd", cwd=".").text.startswith(f"{bench.root}\n")


def test_long_output_shows_both_ends_and_is_kept_whole(bench):
    output = bench.call("shell", command="seq 5000; exit 1")
    lines = output.text.split("\n")
    assert lines[:200] == [str(n) for n in range(1, 201)]
    assert lines[200] == "[... lines 201-3200 omitted ...]"
    assert lines[201:2001] == [str(n) for n in range(3201, 5001)]
    id = output.text.rpartition('recall(id="')[2].removesuffix('")]')
    assert lines[2001:] == [
        "", "Command exited with code 1", "", f'[Showing lines 3201-5000 of 5000. Full output: recall(id="{id}")]'
    ]  # fmt: skip
    assert output.details["exitCode"] == 1
    assert output.details["truncation"]["outputLines"] == 2000
    assert list(bench.results.lines(id)) == [str(n) for n in range(1, 5001)]
    assert bench.call("recall", action="get", id=id, offset=3000, limit=2).text.split("\n")[1:] == [
        "3000", "3001", "", "[1999 more lines in file. Use offset=3002 to continue.]"
    ]  # fmt: skip


def test_output_larger_than_memory_should_hold(bench):
    output = bench.call("shell", command="yes 'a line of text' | head -n 1000000")
    assert len(output.text) < 60_000
    assert "[Showing lines 998201-1000000 of 1000000. Full output: recall(" in output.text
    id = output.text.rpartition('recall(id="')[2].removesuffix('")]')
    assert bench.results.header(id).bytes == 15_000_000 and bench.results.header(id).lines == 1_000_000
    assert [name for name in os.listdir(bench.root.parent) if name not in ("work", "session.results")] == []


def test_cut_by_bytes(bench):
    bench.cap = Cap(bytes=2000)
    output = bench.call("shell", command="for i in $(seq 100); do printf '%0100d\\n' $i; done")
    lines = output.text.split("\n")
    assert lines[0] == "1".zfill(100) and lines[1] == "[... lines 2-83 omitted ...]"
    assert lines[2:19] == [str(n).zfill(100) for n in range(84, 101)]
    assert lines[-1].startswith("[Showing lines 84-100 of 100 (2.0KB limit). Full output: recall(id=")


def test_a_line_beyond_all_measure(bench):
    output = bench.call("shell", command="echo first; head -c 3000000 /dev/zero | tr '\\0' x")
    assert output.text.startswith("first\nxxx")
    assert '[Showing last 45.0KB of line 2 (line is 2.9MB). Full output: recall(id="shell_' in output.text
    assert output.details["truncation"]["lastLinePartial"] is True


def test_control_sequences_and_progress_are_cleaned(bench):
    output = bench.call("shell", command=r"printf '\033[31mred\033[0m\n10%%\r99%%\r100%%\nbad \377\n'")
    assert output.text == "red\n100%\nbad \ufffd\n"


def test_an_interrupt_ends_the_command(bench, tmp_path):
    mark = tmp_path / "pid"
    action = bench.toolbox.resolve(
        "shell", {"command": f"echo $$ > {mark}.new; mv {mark}.new {mark}; sleep 100"}
    ).action

    async def interrupted():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(action.run, Grant(bench.workspace, list(action.effects()), bench.told.append))
            with anyio.fail_after(10):
                while not mark.exists():
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()

    anyio.run(interrupted)
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), signal.SIG_DFL)


def test_each_bench_has_its_own_place(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one, other = Bench(tmp_path / "a"), Bench(tmp_path / "b")
    (one.root / "sub").mkdir()
    one.call("shell", command="cd sub")
    assert other.call("shell", command="pwd").text == f"{other.root}\n"
