"""Windows, streams and terminals as they should not be: nothing is lost, nothing hangs, no traceback."""

import os
import pty
import select
import subprocess

import pytest

from codi.frontends.tui.composer import Composer
from codi.frontends.tui.keymap import Keymap
from codi.frontends.tui.keys import Keys
from conftest import PROGRAM, TIMEOUT_S, call, says

ENTER = "\r"


def test_ten_megabytes_are_pasted_as_one(lab, terminals):
    lab([says("never")])
    talk = terminals()
    talk.wait_for("codi 0")
    data = b"\x1b[200~/" + (b"0123456789abcdef" * 64 + b"\n") * 9600 + b"the end\x1b[201~ and more"
    for at in range(0, len(data), 4096):
        assert select.select([], [talk._here], [], TIMEOUT_S)[1], f"nobody reads after {at} bytes"
        talk.type_bytes(data[at : at + 4096])
    talk.wait_for("[paste #1 +9601 lines] and more")
    talk.type("\x7f" * len(" and more]"))  # the marker goes as one sign
    talk.wait_until_gone("[paste #1")
    talk.type("\x1f")
    talk.wait_for("[paste #1 +9601 lines]")


def test_what_was_pasted_is_sent_whole():
    keys, sent = Keys(), []
    composer = Composer(Keymap(), sent.append, lambda action: False)
    pasted = "/" + ("0123456789abcdef" * 64 + "\n") * 9600 + "the end"
    data = b"before \x1b[200~" + pasted.encode() + b"\x1b[201~ after\r"
    for at in range(0, len(data), 4093):
        for what in keys.feed(data[at : at + 4093]):
            composer.take(what)
    assert [typed.text for typed in sent] == [f"before {pasted} after"]


def test_a_flood_is_shown_and_stopped(lab, terminals):
    lab([says("flood " * 50 + "\n", copies=2_000, chunk=4096, pause_ms=20), says("Calm.")])
    talk = terminals(rows=24, columns=80)
    talk.type("go" + ENTER)
    talk.wait_for("flood flood")
    talk.type("\x1b")
    talk.wait_for("interrupted")
    talk.type("again" + ENTER)
    talk.wait_for("Calm.")


@pytest.mark.parametrize("term", ["dumb", "unknown", "nonsense-of-a-terminal", "vt100", "linux", ""])
def test_terminals_that_can_little_or_are_unknown(lab, terminals, term):
    lab([says("Heard.")])
    talk = terminals(term=term)
    talk.type("hello" + ("\n" if term in ("dumb", "") else ENTER))
    talk.wait_for("Heard.")
    talk.wait_for("1 step,")
    talk.type("\x04")
    assert talk.end() == 0


@pytest.mark.parametrize("closed", [0, 1])
def test_a_stream_that_is_closed(codi, lab, closed):
    lab([says("Heard.")])
    here, there = pty.openpty()
    done = subprocess.run(
        [PROGRAM, "hello"],
        cwd=codi.cwd,
        env=codi.env | {"TERM": "xterm"},
        stdin=there,
        stdout=there,
        stderr=there,
        preexec_fn=lambda: os.close(closed),
        timeout=TIMEOUT_S,
        check=False,
    )
    os.close(there)
    os.close(here)
    assert done.returncode in (0, 1, 2) and not (codi.home / "log/failures.log").exists()


def test_windows_of_a_single_cell_and_storms_keep_the_conversation(lab, terminals):
    lab([says("One answer.", call("read", path="nowhere")), says("Another.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")])
    talk = terminals(rows=1, columns=1)
    talk.watch(0.3)
    talk.type("go" + ENTER)
    for number in range(60):
        talk.resize(1 + number * 7 % 50, 1 + number * 13 % 180)
        talk.watch(0.005)
    talk.resize(40, 120)
    talk.wait_for("Another.")
    talk.type("\x03\x03")
    assert talk.end() == 0


def test_bytes_that_are_no_text_and_halves_of_sequences(lab, terminals):
    server = lab([says("Heard.")])
    talk = terminals()
    talk.wait_for("codi 0")
    for data in (
        b"\xff\xfe",
        b"\xc3",
        b"\x1b[",
        b"\x1b]0;never ended",
        b"\x1b[200",
        b"\x1bP",
        b"\x1b[<1;2",
        b"\xf0\x9f",
    ):
        talk.type_bytes(data)
        talk.watch(0.12)
    talk.type("\x15plain" + ENTER)
    talk.wait_for("Heard.")
    assert "plain" in str(server.requests[-1].json["messages"])
