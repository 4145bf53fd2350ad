"""Jobs and terminals: started, looked at, written to, resized, ended, and none left."""

import os
import re
import time

import anyio
import pytest

from codi.protocol.effects import Runs
from codi.tools.tool import ToolFailed, ToolOutput
from codi.workspace.grant import Grant
from codi.workspace.workspace import UndeclaredEffect


class Session:
    """Several calls in one session, whose jobs end with it."""

    def __init__(self, bench):
        self._bench = bench
        self.workspace = bench.workspace

    async def __call__(self, **arguments) -> ToolOutput:
        try:
            action = self._bench.toolbox.resolve("shell", arguments).action
            output = await action.run(Grant(self.workspace, list(action.effects()), self._bench.told.append))
        except ToolFailed as error:
            return ToolOutput(text=str(error), is_error=True)
        return output

    def play(self, story):
        async def played():
            try:
                await story(self)
            finally:
                await self.workspace.aclose()

        anyio.run(played)


@pytest.fixture
def session(bench):
    return Session(bench)


def pid_of(text: str) -> int:
    return int(re.search(r"pid (\d+)", text)[1])


def lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_job_is_started_looked_at_and_its_end_is_told(session):
    async def story(shell):
        began = time.monotonic()
        output = await shell(command="echo one; read line; echo got $line; exit 3", background=True)
        assert re.fullmatch(r"Job 1 started \(pid \d+\)", output.text) and time.monotonic() - began < 2
        assert output.details == {"job": {"id": "1", "pid": pid_of(output.text), "state": "running"}}

        output = await shell(job="1", wait_s=10)
        assert re.fullmatch(r"Job 1 \(pid \d+\): running for \d+ s\n\none\n", output.text) and not output.is_error
        assert (await shell(job="1")).text.endswith("\n\n(no new output)")

        output = await shell(job=1, input="hello\n", wait_s=10)
        output = output if "exited" in output.text else await shell(job=1, wait_s=10)
        assert re.search(r"Job 1 \(pid \d+\): exited with code 3 after \d+\.\d s", output.text)
        assert output.is_error and output.details["exitCode"] == 3 and output.details["job"]["state"] == "ended"

    session.play(story)


def test_output_between_two_looks_is_shown_once(session):
    async def story(shell):
        await shell(command="while read x; do echo [$x]; done", background=True)
        for word in ("a", "b"):
            output = await shell(job="1", input=f"{word}\n", wait_s=10)
            assert output.text.endswith(f"\n\n[{word}]\n")

    session.play(story)


def test_a_job_and_all_it_started_is_killed(session):
    async def story(shell):
        output = await shell(command="sleep 97.531 & sleep 97.531", background=True)
        pid = pid_of(output.text)
        assert lives(pid)
        output = await shell(job="1", kill=True)
        assert "killed by SIGTERM" in output.text
        assert not lives(pid)

    session.play(story)


def test_the_end_of_the_session_leaves_no_process(session):
    pids = []

    async def story(shell):
        for ignored in ("", "trap '' TERM; "):
            output = await shell(command=f"{ignored}sleep 96.1 & echo $!; wait; sleep 96.1", background=True, wait_s=5)
            pids.append(pid_of(output.text))
            pids.append(int(output.text.splitlines()[-1]))

    began = time.monotonic()
    session.play(story)
    assert time.monotonic() - began < 8
    assert not any(map(lives, pids))


def test_eight_jobs_and_no_more(session):
    async def story(shell):
        for _ in range(8):
            await shell(command="sleep 95", background=True)
        output = await shell(command="sleep 95", background=True)
        assert output.is_error and output.text.startswith("8 jobs run already: 1, 2, 3, 4, 5, 6, 7, 8.")
        await shell(job="3", kill=True)
        assert (await shell(command="sleep 95", background=True)).text.startswith("Job 9 started")

    session.play(story)


def test_a_time_limit_of_a_job(session):
    async def story(shell):
        await shell(command="sleep 94", background=True, timeout_s=1)
        await session.workspace.jobs.job("1").ended()
        assert "timed out after 1 s" in (await shell(job="1")).text

    session.play(story)


def test_a_job_has_no_limit_by_default(session, bench):
    tool = next(tool for tool in bench.toolbox.tools if tool.spec.name == "shell")
    assert tool.prepare({"command": "x", "background": True}).action.timeout_s is None
    assert tool.prepare({"command": "x"}).action.timeout_s == 120


def test_news_of_jobs_that_ended_unseen_come_once(session):
    async def story(shell):
        jobs = session.workspace.jobs
        await shell(command="exit 4", background=True)
        await shell(command="exit 5", background=True)
        for id in ("1", "2"):
            await jobs.job(id).ended()
        await shell(job="2")
        (news,) = jobs.news()
        assert re.fullmatch(
            r"Job 1 exited with code 4 after \d+\.\d s: exit 4\n"
            r'Nobody has looked at it since\. Its output: shell\(job="1"\)\.',
            news,
        )
        assert jobs.news() == []

    session.play(story)


def test_much_output_is_cut_and_kept(session, bench):
    async def story(shell):
        await shell(command="seq 1 40000; echo end", background=True)
        await session.workspace.jobs.job("1").ended()
        output = await shell(job="1")
        assert "[... lines " in output.text and "end\n\n[Showing lines" in output.text
        id = re.search(r'recall\(id="([^"]+)"\)', output.text)[1]
        assert list(bench.results.lines(id))[20000] == "20001"

    session.play(story)


def test_what_cannot_be_asked_for(session):
    async def story(shell):
        assert (await shell(job="7")).text == 'There is no job "7". No job was started.'
        await shell(command="true", background=True)
        await session.workspace.jobs.job("1").ended()
        assert re.fullmatch(
            r'There is no job "7"\. Jobs: 1 \(exited with code 0 after \d+\.\d s\)\.', (await shell(job="7")).text
        )
        output = await shell(job="1", input="x\n")
        assert output.is_error and output.text.startswith("Job 1 takes no input: it exited with code 0")
        assert (await shell(job="1", size=[80, 24])).text == "Job 1 has no terminal. Start it with pty=true."
        for wrong in (
            {},
            {"command": "x", "job": "1"},
            {"command": "x", "kill": True},
            {"command": "x", "input": "y"},
            {"job": "1", "wait_s": 61},
            {"command": "x", "pty": True, "size": [80]},
        ):
            assert (await shell(**wrong)).text.startswith('Validation failed for tool "shell":')
        missing = await shell(command=["no-such-program"], background=True)
        assert missing.text == "Program not found: no-such-program"
        missing = await shell(command="true", background=True, cwd="nowhere")
        assert missing.text == "Working directory not found: nowhere"

    session.play(story)  # fmt: skip


def test_looking_needs_no_approval_and_writing_is_judged_as_what_runs_and_what_is_written(session, bench):
    async def story(shell):
        await shell(command="bash", background=True)

        def effects(**arguments):
            return list(bench.toolbox.resolve("shell", arguments).action.effects())

        assert effects(job="1") == effects(job="1", kill=True) == []
        assert effects(job="1", input="rm -rf /\n") == [Runs("bash"), Runs("rm -rf /\n", ".")]
        job = session.workspace.job("1")
        with pytest.raises(UndeclaredEffect):
            await Grant(session.workspace, [Runs("cat")], print).feed(job, b"x")
        with pytest.raises(UndeclaredEffect):
            await Grant(session.workspace, [Runs("cat")], print).start(Runs("dog"), timeout_s=None, keep=10)

    session.play(story)


def test_a_command_in_a_terminal(session):
    async def story(shell):
        output = await shell(command="tty -s && echo yes; stty size; printf '\\033[31mred\\033[0m'", pty=True)
        assert output.text == "yes\n24 80\nred\n[cursor: row 3, column 4]"
        output = await shell(command="stty size; exit 2", pty=True, size=[100, 30])
        assert output.text == "30 100\n[cursor: row 2, column 1]\n\nCommand exited with code 2" and output.is_error
        output = await shell(command="echo a; sleep 93", pty=True, timeout_s=1)
        assert output.text.endswith("Command timed out after 1 seconds")

    session.play(story)


def test_a_job_in_a_terminal_is_polled_written_to_resized_and_killed(session):
    async def story(shell):
        script = "trap 'stty size' WINCH; echo ready; while true; do read -r x && echo \"<$x>\"; done"
        await shell(command=script, background=True, pty=True)
        output = await shell(job="1", wait_s=10)
        assert "\n\nready\n[cursor: row 2, column 1]" in output.text
        output = await shell(job="1", input="hi\n", wait_s=10)
        assert "ready\nhi\n<hi>\n" in output.text
        output = await shell(job="1", size=[120, 40], wait_s=10)
        output = output if "40 120" in output.text else await shell(job="1", input="\n", wait_s=10)
        assert "40 120" in output.text
        await shell(job="1", kill=True)
        assert not session.workspace.job("1").state.running

    session.play(story)


def test_a_terminal_answers_what_a_program_asks(session):
    async def story(shell):
        ask = "stty raw -echo; printf 'ab\\033[6n'; head -c 6 | od -c | head -1; stty sane"
        assert "033   [   1   ;   3   R" in (await shell(command=ask, pty=True)).text

    session.play(story)


def test_an_interrupt_ends_what_runs_in_a_terminal(session):
    async def story(shell):
        with anyio.move_on_after(0.5):
            await shell(command="sleep 92", pty=True)
        job = session.workspace.job("1")
        with anyio.fail_after(5):
            await job.ended()
        assert not lives(job.pid)

    session.play(story)


def test_no_descriptor_is_left_open(session):
    async def story(shell):
        await shell(command="true", background=True)
        await session.workspace.jobs.aclose()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(5):
            await shell(command="true", background=True, pty=True)
            await shell(command="cat", background=True)
        await session.workspace.jobs.aclose()
        assert len(os.listdir("/proc/self/fd")) == before

    session.play(story)
