"""A person is greeted before the agent is loaded: what is said then is heard, and what goes wrong then is told."""

import os
import signal
import time

import pytest

from codi.protocol.events import MessageAdded
from codi.protocol.messages import Message, Text, user
from codi.sessions import paths
from codi.sessions.jsonl import JsonlStore
from codi.sessions.session import Session
from conftest import says

NOBODY = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}
CTRL_D, CTRL_O, ENTER = "\x04", "\x0f", "\r"


def test_a_prompt_sent_at_the_greeting_is_answered(lab, terminals):
    server = lab([says("One."), says("Two.")])
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type("first" + ENTER)
    talk.wait_for("› first", "One.", "1 step,")
    talk.type("second" + ENTER)
    talk.wait_for("Two.")
    assert len(server.requests) == 2


def test_a_command_given_at_the_greeting_is_obeyed(codi, terminals):
    codi.env |= NOBODY
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type("/name early" + ENTER)
    talk.wait_for("early")
    talk.type(CTRL_D)
    assert talk.end() == 0


def test_who_leaves_at_the_greeting_has_left(codi, terminals):
    codi.env |= NOBODY
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type(CTRL_D)
    assert talk.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_is_ended_at_the_greeting_leaves_the_terminal_as_it_was(codi, terminals, number):
    codi.env |= NOBODY
    talk = terminals()
    talk.wait_for("codi 0")
    os.kill(talk.process.pid, number)
    assert talk.end() == 128 + number


def test_a_window_that_changes_at_the_greeting_is_painted_anew(lab, terminals):
    lab([says("One.")])
    talk = terminals(columns=120)
    talk.wait_for("codi 0")
    talk.resize(30, 70)
    talk.wait_for("─" * 70 + "\n", times=2)
    talk.type("first" + ENTER)
    talk.wait_for("One.", "1 step,")
    assert not any(row.startswith("─" * 71) for row in talk.rows)


def test_a_key_pressed_at_the_greeting_that_only_the_interface_knows_is_obeyed(codi, terminals):
    codi.env |= NOBODY
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type("one\x0ftwo")
    talk.wait_for("q leave")
    talk.type("q")
    talk.wait_for("one")
    talk.type("three")
    talk.wait_for("onethree")


def test_a_small_window_has_its_prompt_before_the_greeting(codi, terminals):
    codi.env |= NOBODY
    talk = terminals(rows=5, columns=40)
    talk.wait_for("codi 0")
    talk.type("here")
    talk.wait_for("here")
    assert any("here" in row for row in talk.rows)


def test_what_goes_wrong_behind_the_greeting_is_told(codi, terminals):
    codi.env |= NOBODY
    talk = terminals("--tools", "telepathy")
    assert talk.end() == 2
    assert b"telepathy" in talk.raw and b"hint: " in talk.raw
    assert talk.raw.rindex(b"\x1b[?2004l") < talk.raw.rindex(b"hint: "), "the terminal is given back first"


def test_nobody_is_greeted_by_a_model_without_a_key(codi, terminals):
    codi.env.pop("ANTHROPIC_API_KEY", None)
    talk = terminals("--model", "anthropic/claude-sonnet-4-5")
    assert talk.end() != 0
    assert b"codi 0" not in talk.raw and b"error: " in talk.raw


def test_of_a_long_session_the_end_is_shown_and_the_rest_can_be_looked_at(codi, lab, terminals):
    server = lab([says("On.")])
    session = Session(JsonlStore.new(paths.directory_of(str(codi.home), str(codi.cwd)), str(codi.cwd), at=time.time()))
    for number in range(500):
        said = Message("assistant", (Text(f"answer {number}, " + "which takes more than one line of the window " * 4),))
        session.append_all([MessageAdded(user(f"prompt {number}")), MessageAdded(said)])
    session.close()
    talk = terminals("-c", rows=24)
    talk.wait_for("› prompt 499", "answer 499", "earlier blocks, ctrl+o to look back)")
    assert "codi 0" in talk.shown and "prompt 470" not in talk.shown, "what is looked at first is above all else"
    talk.type("go on" + ENTER)
    talk.wait_for("On.", "1 step,")
    assert len(server.requests[-1].json["messages"]) == 1001
    talk.type(CTRL_O)
    talk.wait_for("q leave")
    talk.type("g")
    talk.wait_for("prompt 252")
    assert talk.raw.count(b"\x1b]133;C") == 1, "of what was said before nothing is marked as an answer that comes now"
