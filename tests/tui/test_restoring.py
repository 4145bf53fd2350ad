"""However the interface ends, the terminal is as it was found: its modes, its cursor, its title, and nothing unread."""

import random
import re
import shutil
import signal
import time
from pathlib import Path

import pytest

from conftest import PROGRAM, SOAK, TIMEOUT_S, call, commands_in, says
from eye import Terminal

CTRL_C, CTRL_D, CTRL_G, CTRL_O, CTRL_Z, ENTER = "\x03", "\x04", "\x07", "\x0f", "\x1a", "\r"
READY = "codi 0"
PAIRS = (
    (b"\x1b[?2026h", b"\x1b[?2026l"),
    (b"\x1b[?1049h", b"\x1b[?1049l"),
    (b"\x1b[>7u", b"\x1b[<u"),
    (b"\x1b[22;2t", b"\x1b[23;2t"),
)
SWITCHES = (b"?25", b"?2004", b"?1004", b"?2026")


def is_left_as_found(talk: Terminal) -> bool:
    """Every mode is off that was switched on, the cursor shows, every pair is closed, and nothing waits for the shell."""
    raw = talk.raw
    for switch in SWITCHES:
        found = re.findall(rb"\x1b\[" + re.escape(switch) + rb"([hl])", raw)
        assert not found or found[-1] == (b"h" if switch == b"?25" else b"l"), switch
    for begins, ends in PAIRS:
        if begins in raw:
            assert raw.rfind(ends) > raw.rfind(begins), begins
    keys = re.findall(rb"\x1b\[>4;([0-9])m", raw)
    assert not keys or keys[-1] == b"0"
    assert talk.unread() == b""
    return True


def ready(talk: Terminal) -> Terminal:
    talk.wait_for(READY)
    return talk


@pytest.mark.parametrize("keys", [CTRL_D, CTRL_C + CTRL_C, "/exit" + ENTER, "text" + CTRL_C + CTRL_D])
def test_leaving(lab, terminals, keys):
    lab([says("never")])
    talk = ready(terminals())
    talk.type(keys)
    assert talk.end() == 0
    assert is_left_as_found(talk)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("where", ["prompt", "pager", "answer"])
def test_ended_by_a_signal(lab, terminals, number, where):
    lab([says("word " * 2000, chunk=5, pause_ms=5) if where == "answer" else says("never")])
    talk = ready(terminals())
    if where == "pager":
        talk.type(CTRL_O)
        talk.wait_for("q leave")
    elif where == "answer":
        talk.type("go" + ENTER)
        talk.wait_for("word word")
    talk.process.send_signal(number)
    began = time.monotonic()
    assert talk.end() == 128 + number
    assert time.monotonic() - began < 2
    assert is_left_as_found(talk)


def test_a_bug_of_the_interface_is_one_error_and_a_log(codi, lab, terminals, tmp_path):
    """A library that fails on one character stands for the bug."""
    (tmp_path / "wcwidth.py").write_text(
        "def wcswidth(text):\n"
        "    if '漢' in text: raise RuntimeError('the bug')\n"
        "    return len(text)\n"
        "iter_graphemes = iter\n"
    )
    lab([says("never")])
    talk = ready(terminals(PYTHONPATH=str(tmp_path)))
    talk.type("漢")
    assert talk.end() == 1
    log = codi.home / "log/failures.log"
    assert "error: codi failed: RuntimeError: the bug" in talk.shown
    assert str(log) in talk.shown.replace("\n", "") and "Traceback" not in talk.shown
    assert "the bug" in log.read_text()
    assert is_left_as_found(talk)


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_again(lab, terminals, tmp_path):
    bash = shutil.which("bash")
    if not bash:
        pytest.skip("no shell with job control is installed")
    lab([says("Back again.")])
    talk = terminals("--norc", "--noprofile", "-i", program=bash, PS1="shell: ")
    talk.wait_for("shell:")
    talk.type(f"stty -g > before; {PROGRAM}{ENTER}")
    ready(talk)
    talk.type("draft")
    talk.wait_for("draft")
    talk.type(CTRL_Z)
    talk.wait_for("Stopped")
    talk.type(f"stty -g > between; echo went{ENTER}")
    talk.wait_for("\nwent")
    talk.type(f"fg{ENTER}")
    talk.wait_for("draft", times=2)
    talk.type(ENTER)
    talk.wait_for("Back again.")
    talk.type(CTRL_D)
    talk.wait_for("shell:", times=4)
    talk.type(f"stty -g > after; echo left{ENTER}")
    talk.wait_for("\nleft")
    before, between, after = ((Path(talk.cwd) / name).read_text() for name in ("before", "between", "after"))
    assert before == between == after
    talk.type(CTRL_D)


def test_stopped_from_outside(lab, terminals):
    """Here nobody is there who could continue it, so it goes on at once: given back, and taken again."""
    lab([says("Still here.")])
    talk = ready(terminals())
    talk.process.send_signal(signal.SIGTSTP)
    talk.process.send_signal(signal.SIGCONT)
    end = time.monotonic() + TIMEOUT_S
    while talk.raw.count(b"\x1b[?2004h") < 2:  # what is typed before it is ours again is for the shell
        assert time.monotonic() < end
        talk.watch(0.05)
    talk.type("hello" + ENTER)
    talk.wait_for("Still here.")
    talk.type(CTRL_D)
    assert talk.end() == 0
    assert is_left_as_found(talk)


@pytest.mark.parametrize("status", [0, 3])
def test_the_external_editor_finds_the_terminal_as_it_was(codi, lab, terminals, tmp_path, status):
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\nstty -g > "{tmp_path}/modes"\nprintf " and more" >> "$1"\nexit {status}\n')
    editor.chmod(0o755)
    lab([says("Read.")])
    talk = terminals(VISUAL=str(editor))
    before = talk.stty()
    ready(talk)
    talk.type("words" + CTRL_G)
    talk.wait_for("words and more" if status == 0 else "ended with 3; the text stays as it was")
    assert (tmp_path / "modes").read_text().strip() == before
    talk.type(ENTER)
    talk.wait_for("Read.")
    talk.type(CTRL_D)
    assert talk.end() == 0
    assert is_left_as_found(talk)


@pytest.mark.parametrize("moment", range(100 if SOAK else 5))
@pytest.mark.soak
def test_killed_at_any_moment(codi, lab, terminals, moment):
    lab([says("word " * 500, chunk=5, pause_ms=2)])
    chance = random.Random(moment)
    talk = terminals("go")
    if moment % 5 == 4:
        ready(talk)
        talk.type(CTRL_O)
        talk.wait_for("q leave")
    elif moment % 5 == 0:
        talk.wait_for("word word")
    else:
        talk.wait_for("─")
        talk.watch(chance.random() * 0.6)
    talk.process.kill()
    talk.process.wait()
    talk.wait_until_restored(1.0)
    assert is_left_as_found(talk)
    assert not watchers(codi.env["CODI_HOME"])


def watchers(home: str) -> list[int]:
    """What is left of the program a second later."""
    end = time.monotonic() + 1
    while (found := _processes_with(f"CODI_HOME={home}")) and time.monotonic() < end:
        time.sleep(0.01)
    return found


def _processes_with(variable: str) -> list[int]:
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and variable.encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def test_a_closed_window_ends_the_turn_and_all_that_runs(codi, lab, terminals, folder):
    lab([says("", call("shell", command="echo began > a; sleep 300; echo ended > b")), says("never")], used=True)
    talk = ready(terminals("-y"))
    talk.type("go" + ENTER)
    end = time.monotonic() + TIMEOUT_S
    while not (folder / "a").exists() and time.monotonic() < end:
        talk.watch(0.02)
    talk.hang_up()
    began = time.monotonic()
    talk.process.wait(TIMEOUT_S)
    assert time.monotonic() - began < 2
    assert not watchers(codi.env["CODI_HOME"])
    assert not commands_in(folder)
    assert codi.session()[-1]["data"]["reason"] == "interrupted"
