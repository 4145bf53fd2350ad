"""A command runs as it should, says what it said, and leaves nothing alive."""

import errno
import os
import select
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from codi.protocol.effects import Runs
from codi.workspace import processes, spooling
from codi.workspace.local import LocalWorkspace
from codi.workspace.workspace import Outcome


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "sub dir").mkdir()
    return tmp_path.resolve()


def run(
    root: Path,
    command: str | tuple[str, ...],
    *,
    cwd: str = ".",
    timeout_s: float = 20,
    keep: tuple[int, int] = (1000, 9000),
    env: Mapping[str, str] | None = None,
    tell: Callable[[str], None] | None = None,
    shell: str | None = None,
) -> Outcome:
    workspace = LocalWorkspace(str(root), spool=str(root), shell=shell)

    async def ran() -> Outcome:
        return await workspace.run(
            Runs(command, cwd), timeout_s=timeout_s, keep_head=keep[0], keep_tail=keep[1], env=env, tell=tell
        )

    return anyio.run(ran)


def said(outcome: Outcome) -> bytes:
    assert outcome.spill is None
    return outcome.head + outcome.tail


def watched(outcome: bytes) -> list[int]:
    """Descriptors of the processes whose numbers a command said, to wait for their end."""
    found = []
    for word in outcome.split():
        try:
            found.append(os.pidfd_open(int(word)))
        except ProcessLookupError:
            continue
    return found


def assert_ended(descriptors: list[int], within_s: float) -> None:
    until = time.monotonic() + within_s
    for descriptor in descriptors:
        ready, _, _ = select.select([descriptor], [], [], max(until - time.monotonic(), 0))
        os.close(descriptor)
        assert ready, "a process lives on"


def test_output_comes_in_the_order_of_arrival(root):
    outcome = run(root, "echo one; echo two >&2; echo three; printf four >&2")

    assert said(outcome) == b"one\ntwo\nthree\nfour"
    assert (outcome.total_bytes, outcome.total_lines, outcome.exit_code) == (18, 4, 0)
    assert outcome.cwd == str(root)


@pytest.mark.parametrize("command", ["exit 3", "(exit 3)", "set -e; (exit 3); echo not reached", "cd . && exit 3"])
def test_exit_codes(root, command):
    outcome = run(root, command)

    assert (outcome.exit_code, outcome.signal, said(outcome)) == (3, None, b"")


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGPIPE"])
def test_signals_are_named(root, name):
    outcome = run(root, f"kill -{name.removeprefix('SIG')} $$")

    assert (outcome.exit_code, outcome.signal) == (None, name)


def test_words_run_without_a_shell(root):
    outcome = run(root, ("printf", "%s|", "$HOME", "a b", "*"), cwd="sub dir")

    assert said(outcome) == b"$HOME|a b|*|"
    assert outcome.cwd is None


def test_standard_input_is_empty_and_no_terminal_is_there(root):
    outcome = run(
        root, 'cat; readlink /proc/self/fd/0; ls /proc/self/fd | tr "\\n" " "; (: < /dev/tty) 2>/dev/null || echo none'
    )

    assert said(outcome) == b"/dev/null\n0 1 2 3 none\n"


def test_a_missing_program_and_a_missing_directory_are_told_apart(root):
    with pytest.raises(FileNotFoundError) as program:
        run(root, ("no-such-program", "x"))
    assert program.value.filename == "no-such-program"
    with pytest.raises(FileNotFoundError) as directory:
        run(root, "true", cwd="nowhere")
    assert directory.value.filename == f"{root}/nowhere"
    with pytest.raises(OSError) as nul:
        run(root, "echo \0")
    assert nul.value.errno == errno.EINVAL


def test_the_shell_itself_names_what_it_does_not_find(root):
    outcome = run(root, "no-such-program")

    assert outcome.exit_code == 127
    assert said(outcome) == b"bash: line 1: no-such-program: command not found\n"


def test_the_environment_is_built_from_a_list(root, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    monkeypatch.setenv("SOMETHING_ELSE", "x")
    monkeypatch.setenv("LC_TIME", "C")
    monkeypatch.setenv("BASH_ENV", "/dev/null")
    outcome = run(root, ("env",), env={"CI": "true", "OPENAI_API_KEY": "secret", "PAGER": "cat"})

    names = {line.partition(b"=")[0].decode() for line in said(outcome).splitlines()}
    base = {"PATH", "HOME", "LANG", "LC_TIME", "TERM", "TZ", "USER", "LOGNAME", "SHELL", "TMPDIR"}
    assert {"CI", "PAGER", "GIT_TERMINAL_PROMPT", "PATH", "LC_TIME"} <= names
    of_git = {name for name in names if name.startswith("GIT_")}
    assert names - base - of_git <= {"CI", "PAGER"} | {n for n in os.environ if n.startswith("LC_")}
    assert {"GIT_CONFIG_COUNT", "GIT_OPTIONAL_LOCKS", "GIT_PAGER"} <= of_git


@pytest.mark.parametrize(
    "command",
    [
        "cd 'sub dir'",
        "cd 'sub dir'; exit 4",
        "set -eu; cd 'sub dir'; false",
        "trap 'echo bye' EXIT; cd 'sub dir'",
        "cd 'sub dir'; trap 'echo bye $?' EXIT; trap; exit 2",
        "cd 'sub dir'; trap 'true' EXIT; trap - EXIT",
        "pushd 'sub dir' >/dev/null; (cd /; trap 'echo in' EXIT)",
        "eval 'c''d sub\\ dir'",
        "cd 'sub dir' # a comment",
        "cd 'sub dir'; exec 3>&1 9>&1; set -- ; trap 'false' ERR; (exit 1)",
        "cd 'sub dir'; return 3",
    ],
)
def test_where_the_shell_stood_is_told_and_nothing_else_changes(root, command):
    plain = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", command], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    outcome = run(root, command)

    assert outcome.cwd == f"{root}/sub dir"
    assert outcome.exit_code == plain.returncode
    assert (
        said(outcome).replace(b"\n__codi_tell_place", b"").replace(b"trap -- '__codi_tell_place' EXIT\n", b"")
        == plain.stdout
    )


def test_a_shell_that_became_another_program_cannot_tell(root):
    outcome = run(root, "cd 'sub dir'; exec pwd")

    assert (outcome.cwd, said(outcome)) == (None, f"{root}/sub dir\n".encode())


def test_sh_does_where_there_is_no_bash(root):
    assert processes.shell_in("/nowhere") == "sh"
    assert said(run(root, "echo $0", shell="sh")) == b"sh\n"


def test_the_time_limit_ends_all_of_it(root):
    outcome = run(root, "sleep 100 & echo $!; sleep 100 & echo $!; echo $$; sleep 100", timeout_s=0.3)

    assert outcome.timed_out and outcome.signal == "SIGTERM"
    assert outcome.duration_ms < 1300
    assert watched(said(outcome)) == []


def test_who_ignores_term_is_killed_two_seconds_later(root):
    outcome = run(root, "trap '' TERM; echo $$; sleep 100 & echo $!; wait; sleep 100", timeout_s=0.2)

    assert outcome.timed_out and outcome.signal == "SIGKILL"
    assert 2000 <= outcome.duration_ms < 3000
    assert watched(said(outcome)) == []


def test_a_stopped_process_is_ended_as_well(root):
    outcome = run(root, "sleep 100 & kill -STOP $!; echo $!; kill -STOP $$", timeout_s=0.3)

    assert outcome.timed_out and outcome.duration_ms < 1300
    assert watched(said(outcome)) == []


@pytest.mark.parametrize(
    "command",
    [
        "sleep 100 & echo $!",
        "setsid sleep 100 & echo $!",
        "(setsid bash -c '(setsid sleep 100 & echo $!)' &) ; sleep 0.2",
        "(trap '' TERM HUP; sleep 100) & echo $!",
        "python3 -c 'import os,time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\nprint(os.getpid(), flush=True); time.sleep(100)'; sleep 0.2",
    ],
)
def test_a_daemon_that_holds_the_output_delays_the_result_by_less_than_a_second(root, command):
    began = time.monotonic()
    outcome = run(root, f"{command}; echo 1$(date +%s%N)")

    assert not outcome.timed_out and outcome.exit_code == 0
    words = said(outcome).split()
    ended_ago = time.time() - int(words[-1][1:]) / 1e9
    assert ended_ago < 1.2 and time.monotonic() - began < 3
    assert len(words) == 2
    assert watched(words[0]) == []


def test_what_is_said_shortly_after_the_shell_ended_still_counts(root):
    outcome = run(root, "(sleep 0.1; echo late) & echo early")

    assert said(outcome) == b"early\nlate\n"


def test_a_daemon_that_holds_nothing_ends_with_its_command(root):
    outcome = run(root, "setsid sleep 100 >/dev/null 2>&1 & echo $!")

    assert outcome.duration_ms < 400
    assert watched(said(outcome)) == []


def test_long_output_is_kept_at_both_ends_and_spooled(root):
    outcome = run(root, "seq 1 20000", keep=(100, 1000))
    whole = "".join(f"{number}\n" for number in range(1, 20001)).encode()

    assert (outcome.head, outcome.tail) == (whole[:100], whole[-1000:])
    assert (outcome.total_bytes, outcome.total_lines) == (len(whole), 20000)
    assert outcome.spill is not None and Path(outcome.spill).parent == root
    assert Path(outcome.spill).read_bytes() == whole
    assert Path(outcome.spill).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("size", [0, 1, 100, 1099, 1100])
def test_what_fits_is_whole(root, size):
    outcome = run(root, f"head -c {size} /dev/zero", keep=(100, 1000))

    assert said(outcome) == b"\0" * size


def test_memory_stays_small_while_much_is_said(root):
    run(root, "true")  # what is loaded once does not count
    tracemalloc.start()
    try:
        outcome = run(root, "yes | head -c 50000000; head -c 10000000 /dev/zero", keep=(5_000, 46_200))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert outcome.total_bytes == 60_000_000
    assert outcome.tail == b"\0" * 46_200
    assert outcome.spill is not None and os.path.getsize(outcome.spill) == 60_000_000
    assert peak < 2 * 51_200 + (1 << 20)


def test_a_flood_is_stopped(root, monkeypatch):
    monkeypatch.setattr(spooling, "FLOOD_BYTES", 1 << 20)
    outcome = run(root, "trap '' TERM; echo $$; yes")

    assert outcome.flooded and outcome.signal == "SIGKILL" and not outcome.timed_out
    assert outcome.spill is not None and os.path.getsize(outcome.spill) < 2 << 20
    assert watched(outcome.head.split(b"\n")[0]) == []


def test_without_room_for_the_whole_both_ends_must_do(root):
    workspace = LocalWorkspace(str(root), spool=f"{root}/nowhere")

    async def ran() -> Outcome:
        return await workspace.run(Runs("seq 1 1000"), timeout_s=20, keep_head=10, keep_tail=10)

    outcome = anyio.run(ran)
    assert (outcome.spill, outcome.head, outcome.tail) == (None, b"1\n2\n3\n4\n5\n", b"998\n999\n1000\n"[-10:])


def test_progress_is_told_while_it_runs_and_not_too_often(root):
    told: list[tuple[float, str]] = []
    run(
        root,
        "for i in $(seq 1 60); do echo $i; sleep 0.005; done; printf 'half \\xc3'; sleep 0.15; printf '\\xa9\\xff end'",
        tell=lambda text: told.append((time.monotonic(), text)),
    )

    assert "".join(text for _, text in told) == "".join(f"{i}\n" for i in range(1, 61)) + "half é\ufffd end"
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(told[:-1])]
    assert len(told) >= 4 and min(gaps) >= 0.099


@pytest.mark.parametrize(
    ("first", "last", "limit_s"),
    [("", "sleep 100; sleep 100", 1.0), ("trap '' TERM;", "sleep 100; sleep 100", 2.5), ("", "yes", 1.0)],
)
def test_cancelling_ends_all_of_it(root, first, last, limit_s):
    workspace = LocalWorkspace(str(root), spool=str(root))
    told: list[bytes] = []

    async def cancelled() -> float:
        ready = anyio.Event()

        def tell(text: str) -> None:
            told.append(text.encode())
            ready.set()

        async def run_it() -> None:
            await workspace.run(
                Runs(f"{first} setsid sleep 100 & echo $! $$; head -c 100000 /dev/zero; {last}"),
                timeout_s=100, keep_head=10, keep_tail=10, tell=tell,
            )  # fmt: skip

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run_it)
            await ready.wait()
            began = time.monotonic()
            tasks.cancel_scope.cancel()
        return time.monotonic() - began

    assert anyio.run(cancelled) < limit_s
    assert watched(b"".join(told).replace(b"\0", b"")) == []
    assert os.listdir(root) == ["sub dir"]


PARENT = """
import anyio, sys
from codi.protocol.effects import Runs
from codi.workspace.local import LocalWorkspace

def tell(text):
    sys.stdout.write(text)
    sys.stdout.flush()

async def main():
    await LocalWorkspace(".").run(Runs(sys.argv[1]), timeout_s=100, keep_head=100, keep_tail=100, tell=tell)

anyio.run(main)
"""


@pytest.mark.parametrize(
    "command",
    ["sleep 100 & setsid sleep 100 & echo $$ $! $PPID; wait", "trap '' TERM HUP; echo $$ $PPID; sleep 9; sleep 9"],
)
def test_when_codi_is_killed_nothing_survives_it(root, command):
    with subprocess.Popen([sys.executable, "-c", PARENT, command], cwd=root, stdout=subprocess.PIPE) as codi:
        assert codi.stdout is not None
        started = watched(codi.stdout.readline())
        codi.kill()
    assert len(started) >= 2
    assert_ended(started, within_s=2.0)


def test_a_keeper_that_was_killed_takes_its_command_along(root):
    outcome = run(root, "sleep 100 & echo $! $$; kill -9 $PPID; sleep 100")

    assert outcome.signal == "SIGKILL"
    assert_ended(watched(said(outcome)), within_s=1.0)
    assert said(run(root, "echo next")) == b"next\n"


def test_a_warden_that_was_killed_is_replaced(root):
    parent = "cut -d' ' -f4 /proc/$PPID/stat"
    warden = int(said(run(root, parent)))
    os.kill(warden, signal.SIGTERM)  # ignored
    assert int(said(run(root, parent))) == warden
    gone = os.pidfd_open(warden)
    os.kill(warden, signal.SIGKILL)
    assert_ended([gone], within_s=2.0)

    assert int(said(run(root, parent))) != warden
    os.waitpid(warden, 0)


def test_commands_run_side_by_side(root):
    workspace = LocalWorkspace(str(root), spool=str(root))
    outputs: dict[int, bytes] = {}

    async def one(number: int) -> None:
        outcome = await workspace.run(
            Runs(f"echo {number}; sleep 0.05; echo {number} >&2"), timeout_s=20, keep_head=100, keep_tail=100
        )
        outputs[number] = said(outcome)

    async def all_of_them() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(one, number)

    anyio.run(all_of_them)
    assert outputs == {number: f"{number}\n{number}\n".encode() for number in range(20)}


def test_a_request_larger_than_a_socket_holds(root):
    outcome = run(
        root, ("sh", "-c", "echo ${#big}"), env={"big": "x" * 120_000, "more": "y" * 120_000, "z": "z" * 99_999}
    )

    assert said(outcome) == b"120000\n"


def test_lines_come_one_by_one(root):
    workspace = LocalWorkspace(str(root))

    async def lines(*words: str) -> list[bytes]:
        return [line async for line in workspace.lines_of(words)]

    assert anyio.run(lines, "printf", "a\\n\\nb") == [b"a", b"", b"b"]
    assert anyio.run(lines, "sh", "-c", "echo noise >&2; exit 1") == []
    with pytest.raises(FileNotFoundError):
        anyio.run(lines, "no-such-program")
    with pytest.raises(OSError, match="bad pattern") as failed:
        anyio.run(lines, "sh", "-c", "echo a; echo bad pattern >&2; exit 2")
    assert (failed.value.errno, failed.value.filename) == (2, "sh")


def test_who_wants_no_more_lines_ends_the_program(root):
    workspace = LocalWorkspace(str(root))

    async def first() -> bytes:
        lines = workspace.lines_of(("bash", "-c", "echo $$; yes"))
        async for line in lines:
            await lines.aclose()  # type: ignore[attr-defined]
            return line
        raise AssertionError

    assert watched(anyio.run(first)) == []
