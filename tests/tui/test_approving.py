"""Every answer to the question whether something may be done, typed in a real terminal."""

import json

import pytest

from codi.frontends.tui.questions import Questions
from codi.protocol.events import ApprovalAsked, Entry
from codi.protocol.ops import Answer
from conftest import call, says
from eye import Terminal

ENTER, ESC = "\r", "\x1b"
ASKED = "› n no"


def write(name: str) -> dict:
    return call("write", path=name, content=f"{name}\n")


@pytest.fixture
def asked(lab, terminals):
    """A conversation in which the model has asked for these calls, one step each."""

    def start(*calls: dict, **more) -> Terminal:
        start.server = lab([*(says("", each) for each in calls), says("The end.")])
        talk = terminals(**more)
        talk.type("go" + ENTER)
        talk.wait_for(ASKED)
        return talk

    return start


@pytest.mark.parametrize(
    ("key", "is_done"), [("y", True), ("Y", True), ("n", False), ("N", False), (ENTER, False), (ESC, False)]
)
def test_yes_and_no_and_no_is_the_default(asked, folder, key, is_done):
    talk = asked(write("a.txt"))
    talk.type(key)
    talk.wait_for("The end.")
    assert (folder / "a.txt").exists() is is_done


def test_each_other_answer(codi, asked, folder):
    talk = asked(
        call("shell", command="echo one > one"),
        call("shell", command="echo one > one"),
        call("shell", command="make two"),
        write("three.txt"),
        write("four.txt"),
        write("five.txt"),
    )
    talk.type("v")
    talk.wait_for("q leave")
    talk.type("q")
    talk.wait_for(ASKED)
    talk.type("S")
    talk.wait_for("runs make two", ASKED)
    assert (folder / "one").read_text() == "one\n" and talk.shown.count("✓ shell echo one") == 2
    talk.type("a")
    talk.wait_for("This rule will be kept for this project", "> run(make two")
    talk.type("\t")
    talk.wait_for("for you everywhere (tab: for this project)")
    talk.type("\x15run(make two *)" + ENTER)
    talk.wait_for("three.txt", ASKED)
    assert "run(make two *)" in codi("policy", "list").out
    talk.type("e")
    talk.wait_for('{"path":"three.txt"')
    talk.type("\x15no object" + ENTER)
    talk.wait_for("this is no JSON object")
    talk.type('\x15{"path":"other.txt","content":"other"}' + ENTER)
    talk.wait_for("four.txt", ASKED)
    assert (folder / "other.txt").read_text() == "other" and not (folder / "three.txt").exists()
    talk.type("D")
    talk.wait_for("What should it do instead?")
    talk.type("ask me first" + ENTER)
    talk.wait_for("five.txt", ASKED)
    told = json.dumps(asked.server.requests[-1].json)
    assert "ask me first" in told and not (folder / "four.txt").exists()
    talk.type("x")
    talk.wait_for("interrupted")
    assert not (folder / "five.txt").exists()


def test_what_is_dangerous_needs_the_whole_word(asked, folder):
    (folder / "kept").mkdir()
    dangerous = call("shell", command="eval 'rm -r kept'")
    talk = asked(call("shell", command="eval 'rm -r other'"), dangerous)
    assert "s for this session" not in talk.shown and "always" not in talk.shown
    talk.type("y")
    talk.wait_for("Type yes to let it run:")
    talk.type("y" + ENTER)
    talk.wait_for(ASKED)
    assert (folder / "kept").exists()
    talk.type("n")
    talk.wait_for("denied", ASKED)
    talk.type("y")
    talk.wait_for("Type yes to let it run:")
    talk.type("YES" + ENTER)
    talk.wait_for("The end.")
    assert not (folder / "kept").exists()


def test_what_was_typed_before_answers_nothing(lab, terminals, folder):
    lab([says("", write("a.txt"), delay_ms=500), says("The end."), says("Heard.")])
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type("go" + ENTER + "yyyy" * 5)
    talk.wait_for(ASKED)
    assert not (folder / "a.txt").exists()
    talk.type(ESC)
    talk.wait_for("The end.", "yyyy")


def test_those_that_wait_are_counted():
    answers: list[Answer] = []
    questions = Questions(answers.append, lambda: None)
    for number in range(3):
        fact = ApprovalAsked(tool_call_id=str(number), tool_name="write", arguments={}, effects=(), risk=3, reasons=())
        questions.hear(Entry(id=str(number), parent=None, at=0.0, fact=fact))
    assert "wants to: (1 of 3)" in "".join(text for line in questions.dialog.view(24, 80).lines for text, _ in line)


def test_the_calls_of_one_step_are_asked_about_one_after_the_other_and_counted(lab, terminals, folder):
    lab([says("", write("a.txt"), write("b.txt"), write("c.txt")), says("The end.")])
    talk = terminals()
    talk.type("go" + ENTER)
    for place, name, answer in (("1 of 3", "a.txt", "y"), ("1 of 2", "b.txt", "n"), ("", "c.txt", "y")):
        talk.wait_for(f"wants to: ({place})" if place else "wants to:", f"{name}: new file", ASKED)
        assert bool(place) == (" of " in next(row for row in talk.rows[::-1] if "wants to:" in row))
        talk.type(answer)
    talk.wait_for("The end.")
    assert sorted(path.name for path in folder.glob("*.txt")) == ["a.txt", "c.txt"]


def test_signs_that_are_not_seen_are_spelled_out(asked):
    talk = asked(call("shell", command="echo a\u202eb\u200bc\U000e0041d" + " " * 60 + "; touch evil"))
    talk.wait_for("\\u{202E}", "\\u{200B}", "\\u{E0041}", "touch evil", "not what they seem")
    assert not set("\u202e\u200b\U000e0041") & set(talk.raw.decode(errors="replace"))
