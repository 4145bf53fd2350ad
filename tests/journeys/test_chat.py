"""The plain conversation in a real terminal: what a person sees, types, allows, stops and leaves."""

import os
import select
import signal
import time
from collections.abc import Callable
from functools import partial

import pytest
from test_ends import SLOW

from conftest import Codi, call, commands_in, says
from eye import Terminal

CTRL_C, CTRL_D = "\x03", "\x04"


@pytest.fixture
def terminal(terminals: Callable[..., Terminal]) -> Callable[..., Terminal]:
    """One that can do no more than print."""
    return partial(terminals, term="dumb")


def test_a_prompt_is_answered_and_ctrl_d_leaves(lab, terminal):
    lab([says("The answer is 42."), says("Still 42.")])
    chat = terminal()
    chat.wait_for("anthropic/x", "You:")
    chat.type("what is it?\n")
    chat.wait_for("The answer is 42.", "[1 step,")
    chat.type("sure?\n")
    chat.wait_for("Still 42.", "[1 step,", times=1)
    chat.wait_for("You:", times=3)
    chat.type(CTRL_D)
    assert chat.end() == 0


def test_a_prompt_on_the_command_line_begins_the_conversation(lab, terminal):
    server = lab([says("One."), says("Two.")])
    chat = terminal("first")
    chat.wait_for("One.", "You:")
    chat.type("second\n/exit\n")
    chat.wait_for("Two.")
    assert chat.end() == 0
    assert server.connections == 1


def test_the_answer_streams(lab, terminal):
    server = lab([SLOW])
    chat = terminal("talk")
    chat.wait_for("word word word")
    assert not server.requests[0].ended
    chat.type(CTRL_C)
    chat.wait_for("interrupted")


def asks(lab, command: str = "echo made > x", after: str = "Done.") -> None:
    lab([says("I run it.", call("shell", command=command)), says(after), says("And again.", call("shell", command=command)),
         says("Twice.")])  # fmt: skip


def test_yes_runs_it(codi: Codi, lab, terminal):
    asks(lab)
    chat = terminal("go")
    chat.wait_for("shell wants to:", "runs echo made > x", "Approve: y or n")
    assert not (codi.cwd / "x").exists()
    chat.type("y\n")
    chat.wait_for("Done.")
    assert (codi.cwd / "x").exists()


def test_no_with_a_reason_is_read_by_the_model(codi: Codi, lab, terminal):
    server = lab([says("", call("shell", command="echo made > x")), says("As you wish.")])
    chat = terminal("go")
    chat.wait_for("say why not")
    chat.type("use the write tool\n")
    chat.wait_for("As you wish.")
    (result,) = server.requests[-1].json["messages"][-1]["content"]
    assert result["content"] in (
        "The user denied this call. use the write tool Do not repeat it; choose another way or ask.",
        [
            {
                "type": "text",
                "text": "The user denied this call. use the write tool Do not repeat it; choose another way or ask.",
            }
        ],
    )
    assert not (codi.cwd / "x").exists()


@pytest.mark.parametrize("answer", ["n", "", "no"])
def test_no_and_an_untouched_enter_are_no(codi: Codi, lab, terminal, answer):
    asks(lab, after="Not done.")
    chat = terminal("go")
    chat.wait_for("Approve: y or n")
    chat.type(f"{answer}\n")
    chat.wait_for("Not done.")
    assert not (codi.cwd / "x").exists()


def test_a_yes_for_the_session_is_not_asked_again(lab, terminal):
    asks(lab)
    chat = terminal("go")
    chat.wait_for("s for this session")
    chat.type("s\n")
    chat.wait_for("Done.", "You:")
    chat.type("again\n")
    chat.wait_for("Twice.")
    assert chat.shown.count("wants to:") == 1


def test_stop_ends_the_turn_and_the_next_prompt_works(codi: Codi, lab, terminal):
    server = lab([says("", call("shell", command="echo made > x")), says("Hello again.")])
    chat = terminal("go")
    chat.wait_for("x end the turn")
    chat.type("x\n")
    chat.wait_for("interrupted", "You:")
    chat.type("hello\n")
    chat.wait_for("Hello again.")
    assert not (codi.cwd / "x").exists() and len(server.requests) == 2


def test_ctrl_c_stops_the_turn_and_a_second_prompt_works(lab, terminal):
    lab([SLOW, says("Here I am.")])
    chat = terminal("talk")
    chat.wait_for("word word")
    began = time.monotonic()
    chat.type(CTRL_C)
    chat.wait_for("interrupted", "You:")
    assert time.monotonic() - began < 1
    chat.type("still there?\n")
    chat.wait_for("Here I am.")
    chat.type(CTRL_C)
    assert chat.end() == 0


def test_ctrl_c_while_a_question_stands_stops_the_turn(codi: Codi, lab, terminal):
    lab([says("", call("shell", command="echo made > x")), says("Here I am.")])
    chat = terminal("go")
    chat.wait_for("say why not")
    chat.type(CTRL_C)
    chat.wait_for("interrupted", "You:")
    chat.type("still there?\n")
    chat.wait_for("Here I am.")
    assert not (codi.cwd / "x").exists()


def test_ctrl_c_kills_a_running_command(codi: Codi, lab, terminal):
    lab([says("", call("shell", command="echo rea''dy; sleep 60")), says("Here I am.")])
    chat = terminal("--permission-mode", "full-access", "go")
    chat.wait_for("ready")
    descriptor = os.pidfd_open(commands_in(codi.cwd)[-1])
    chat.type(CTRL_C)
    chat.wait_for("interrupted")
    assert select.select([descriptor], [], [], 2)[0]
    os.close(descriptor)


def test_ctrl_c_at_the_prompt_leaves(lab, terminal):
    lab("hello")
    chat = terminal()
    chat.wait_for("You:")
    chat.type(CTRL_C)
    assert chat.end() == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_other_signals_end_it_in_good_order(codi: Codi, lab, terminal, number, status):
    lab([says("", call("shell", command="echo rea''dy; sleep 60"))])
    chat = terminal("--permission-mode", "full-access", "go")
    chat.wait_for("ready")
    descriptor = os.pidfd_open(commands_in(codi.cwd)[-1])
    chat.process.send_signal(number)
    assert chat.end() == status
    assert select.select([descriptor], [], [], 2)[0]
    os.close(descriptor)
    assert [line.get("customType") for line in codi.session()][-1] == "codi/turn_end"


def test_model_and_mode_are_chosen_by_name(codi: Codi, lab, terminal):
    server = lab([says("First."), says("", call("write", path="x", content="y")), says("It is denied."), says("Back.")])
    chat = terminal()
    chat.wait_for("You:")
    chat.type("hello\n")
    chat.wait_for("First.")
    chat.type("/model anthropic/other\n")
    chat.wait_for("model: anthropic/other")
    chat.type("/mode plan\n")
    chat.wait_for("mode: plan")
    chat.type("write\n")
    chat.wait_for("It is denied.")
    chat.type("/model mistral/x\n")
    chat.wait_for("error: ")
    chat.type("/model anthropic/x\n")
    chat.wait_for("model: anthropic/x")
    chat.type("back\n")
    chat.wait_for("Back.")
    assert [request.json["model"] for request in server.requests] == ["x", "other", "other", "x"]
    assert not (codi.cwd / "x").exists()
    assert server.connections == 1


def test_what_a_model_writes_does_nothing_to_the_terminal(lab, terminal):
    lab([says("\x1b]0;owned\x07\x1b[2Jred \u202egreen")])
    chat = terminal("go")
    chat.wait_for("^[]0;owned^G^[[2Jred", "\\u{202E}green")
    assert b"\x1b]0" not in chat.raw and b"\x1b[2J" not in chat.raw


def test_a_long_wait_is_shown_with_its_cause(codi: Codi, lab, terminal):
    codi.set_up(
        "[providers.anthropic.timeouts]\nidle_s = 2\nfirst_byte_s = 2\nthinking_first_byte_s = 2\n[retry]\ntries = 1\n"
    )
    lab([says("word " * 100, fault={"kind": "stall", "at": 1500, "seconds": 30, "times": 0})])
    chat = terminal("go")
    chat.wait_for("waiting for anthropic (1 s)")
    chat.wait_for("error: ", "hint: ")


def test_a_question_is_answered_by_number_and_by_words(codi: Codi, lab, terminal):
    server = lab(
        [
            says("", call("ask_person", question="Which style?", options=["tabs", "spaces"])),
            says("", call("ask_person", question="How wide?")),
            says("Thank you."),
        ]
    )
    opened = terminal()
    opened.wait_for("You:")
    opened.type("format it\n")
    opened.wait_for("Which style?", "1. tabs", "2. spaces", "a number or your words (Enter: no answer):")
    opened.type("2\n")
    opened.wait_for("tool: ask_person How wide?", "\nAnswer: your words (Enter: no answer):")
    opened.type("4 columns\n")
    opened.wait_for("Thank you.")
    told = str(server.requests[-1].json["messages"])
    assert "The person chose: spaces" in told and "The person said: 4 columns" in told


def test_headless_nobody_is_asked(codi: Codi, lab):
    server = lab("hello")
    codi("-p", "hi")
    offered = {tool["name"] for tool in server.requests[-1].json["tools"]}
    assert "ask_person" not in offered and "context_status" in offered


def test_claims_are_marked_and_evidence_tells_why(codi: Codi, lab, terminal):
    (codi.cwd / "test_x.py").write_text("import unittest\nclass X(unittest.TestCase):\n    def test_x(self): pass\n")
    lab([says("", call("shell", command="python3 -B -m unittest -q")), says("All tests pass. The linter is clean.")])
    chat = terminal("-y", "--allow", "run(python3 *)")
    chat.wait_for("You:")
    chat.type("/evidence\n")
    chat.wait_for("no claims and no evidence yet")
    chat.type("check it\n")
    chat.wait_for("The linter is clean [no evidence]", "[2 steps,")
    assert "All tests pass [" not in chat.shown
    chat.type("/evidence\n")
    chat.wait_for(
        "All tests pass [backed] by ev_", "no linter was run", "python3 -B -m unittest -q (test, exit status 0)"
    )
    chat.type("/exit\n")
    assert chat.end() == 0
