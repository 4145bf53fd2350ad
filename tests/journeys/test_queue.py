"""What is said while the model works waits in a line that can be seen and changed; and commands that the person types themselves."""

import json

from conftest import Codi, call, commands_in, says

ESC, ENTER, LATER, ALT_UP, CTRL_D = "\x1b", "\r", "\x1b\r", "\x1b[1;3A", "\x04"
HOLD = says("I wait.", call("shell", command="until test -e go; do sleep 0.02; done"))


def prompts(server) -> list[str]:
    """What the person is seen to have said, in the last request."""
    said = []
    for message in server.requests[-1].json["messages"]:
        parts = (
            [{"type": "text", "text": message["content"]}]
            if isinstance(message["content"], str)
            else message["content"]
        )
        said += [part["text"] for part in parts if message["role"] == "user" and part["type"] == "text"]
    return said


def kept(codi: Codi, kind: str) -> list[dict]:
    return [line["data"] for line in codi.session() if line.get("customType") == kind]


def test_a_steer_goes_with_the_next_request_and_prompts_follow_in_order(codi: Codi, lab, terminals):
    server = lab([HOLD, says("I heard."), says("Second."), says("Third.")])
    talk = terminals("-y", "--permission-mode", "full-access")
    talk.type("first" + ENTER)
    talk.wait_for("until test")
    talk.type("not so fast" + ENTER + "then this" + LATER + "and that" + LATER)
    talk.wait_for("1. steer not so fast", "2. next then this", "3. next and that")
    (codi.cwd / "go").touch()
    talk.wait_for("Third.", "4 steps")
    assert prompts(server) == ["first", "not so fast", "then this", "and that"]
    assert [len(prompts_of) for prompts_of in (kept(codi, "codi/turn_end"), kept(codi, "codi/queue"))] == [1, 0]
    talk.type(CTRL_D)
    assert talk.end() == 0


def test_the_line_is_listed_changed_and_survives_esc_and_leaving(codi: Codi, lab, terminals):
    server = lab([HOLD, says("Again."), says("Two it is."), says("After all.")])
    talk = terminals("--permission-mode", "full-access")
    talk.type("go" + ENTER)
    talk.wait_for("until test")
    talk.type("one" + LATER + "two" + LATER + "three" + LATER)
    talk.wait_for("3. next three")
    talk.type("/queue drop 1" + ENTER)
    talk.wait_for("dropped: one", "2. next three")
    talk.type("/queue edit 1 two it is" + ENTER)
    talk.wait_for("1. next two it is")
    talk.type("/queue" + ENTER)
    talk.wait_for("ctrl+d drop", "› 1. next two it is")
    talk.type(ESC)
    talk.wait_until_gone("ctrl+d drop")
    talk.type(ALT_UP)
    talk.wait_until_gone("2. next three")
    talk.type(" bits" + ESC)
    talk.wait_for("interrupted", "1. next two it is")
    assert len(server.requests) == 1
    talk.type("\x03" + "/exit" + ENTER)
    assert talk.end() == 0
    assert kept(codi, "codi/queue") == [{"steering": [], "followUp": [{"text": "two it is"}]}]
    again = terminals("-c", "--permission-mode", "full-access")
    again.wait_for("1. next two it is")
    assert len(server.requests) == 1, "it runs by itself"
    again.type("go on" + ENTER)
    again.wait_for("Again.", "Two it is.")
    again.type("/exit" + ENTER)
    assert again.end() == 0
    assert kept(codi, "codi/queue")[-1] == {"steering": [], "followUp": []}


def test_the_last_prompt_is_asked_again_beside_its_first_answer(codi: Codi, lab, terminals):
    server = lab([says("First answer."), says("Second answer.")])
    talk = terminals()
    talk.type("what?" + ENTER)
    talk.wait_for("First answer.", "1 step")
    talk.type("/retry" + ENTER)
    talk.wait_for("Second answer.")
    assert prompts(server) == ["what?"] and "First answer" not in json.dumps(server.requests[-1].json["messages"])


def test_a_command_of_the_person_goes_with_the_next_prompt_unless_it_is_doubled(codi: Codi, lab, terminals):
    server = lab([says("I see.")])
    talk = terminals()
    talk.type("!echo one; echo two >&2; exit 3" + ENTER)
    talk.wait_for("one", "two", "(exit status 3)")
    talk.type("!!echo for $((40+2)) alone" + ENTER)
    talk.wait_for("for 42 alone")
    talk.type("look" + ENTER)
    talk.wait_for("I see.")
    sent = json.dumps(server.requests[-1].json["messages"])
    assert "Ran `echo one; echo two >&2; exit 3`" in sent and "exited with code 3" in sent and "42 alone" not in sent
    shown = [line["message"] for line in codi.session() if line.get("message", {}).get("role") == "bashExecution"]
    assert [(one["exitCode"], one.get("excludeFromContext", False)) for one in shown] == [(3, False), (0, True)]


def test_a_command_of_the_person_is_judged_recorded_and_stopped(codi: Codi, lab, terminals):
    lab([says("Well.")])
    talk = terminals("hello", "--deny", "run(touch *)")
    talk.wait_for("Well.")
    talk.type("!touch forbidden" + ENTER)
    talk.wait_for("not allowed")
    talk.type("!echo made > made.txt" + ENTER)
    talk.wait_for("✓ ! echo made")
    talk.type("!echo begun; sleep 60" + ENTER)
    talk.wait_for("begun")
    talk.type(ESC)
    talk.wait_for("cancelled")
    assert not commands_in(codi.cwd)
    assert (codi.cwd / "made.txt").exists() and not (codi.cwd / "forbidden").exists()
    assert [
        line["message"]["cancelled"]
        for line in codi.session()
        if line.get("message", {}).get("role") == "bashExecution"
    ] == [False, False, True]
    talk.type("!" + ENTER)
    talk.wait_for("!COMMAND runs a command here")


def test_limits_are_told_and_changed_on_the_way(codi: Codi, lab, terminals):
    lab([says("One.", usage={"input": 10, "output": 5}), says("never")])
    codi.env["CODI_MODEL"] = "anthropic/claude-sonnet-5"
    talk = terminals()
    talk.type("/budget" + ENTER)
    talk.wait_for("$0.0000 spent of no limit", "at most 100 steps in a turn")
    talk.type("/budget cost 0.01" + ENTER)
    talk.wait_for("spent of $0.01")
    talk.type("go" + ENTER)
    talk.wait_for("Budget reached: $0.0000 of $0.01 spent")
    talk.type("/budget off" + ENTER)
    talk.wait_for("spent of no limit", times=2)
    talk.type("go" + ENTER)
    talk.wait_for("One.")


def test_all_that_waits_may_be_taken_up_at_once(codi: Codi, lab, terminals):
    codi.set_up('[agent]\nsteering = "all"\nfollow_up = "all"\n')
    server = lab([HOLD, says("I heard both."), says("And those.")])
    talk = terminals("--permission-mode", "full-access")
    talk.type("first" + ENTER)
    talk.wait_for("until test")
    talk.type("a" + ENTER + "b" + ENTER + "c" + LATER + "d" + LATER)
    talk.wait_for("4. next d")
    (codi.cwd / "go").touch()
    talk.wait_for("And those.")
    assert prompts(server) == ["first", "a", "b", "c", "d"] and len(server.requests) == 3


def test_models_and_levels_are_cycled_through(codi: Codi, lab, terminals):
    lab([says("never")])
    talk = terminals("--models", "anthropic/claude-haiku-4-5,anthropic/claude-sonnet-4-5")
    talk.wait_for("anthropic/x")
    talk.type("\x10")
    talk.wait_for("claude-haiku-4-5")
    talk.type("\x10")
    talk.wait_for("claude-sonnet-4-5")
    talk.type("/thinking high" + ENTER)
    talk.wait_for("high")
    talk.type("/scoped-models" + ENTER)
    talk.wait_for("anthropic/claude-haiku-4-5\nanthropic/claude-sonnet-4-5")
