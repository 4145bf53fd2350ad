"""A model asks the person, and is told how full its context is."""

import re

from codi.agent.questions import Questions
from codi.agent.record import Record
from codi.protocol.events import MessageAdded, QuestionAsked
from codi.protocol.messages import ToolResult
from codi.protocol.ops import Interrupt, Reply
from codi.sessions.memory import MemoryStore
from codi.sessions.session import Session
from codi.tools.ask_person import NO_ANSWER
from conftest import call, says
from stage import Stage


def results(stage: Stage) -> list[ToolResult]:
    return [result for fact in stage.facts if isinstance(fact, MessageAdded) for result in fact.message.tool_results]


def asking(tmp_path, reply, **arguments):
    stage = Stage(tmp_path, [says("", call("ask_person", **arguments)), says("Thanks.")])
    ended = stage.play("go", reply=reply)
    assert ended.reason == "done"
    return stage, results(stage)[0]


def test_an_option_is_chosen(tmp_path):
    stage, result = asking(
        tmp_path, lambda asked: Reply(asked.id, chosen=(1,)), question="Which?", options=["tabs", "spaces"]
    )
    assert (result.text, result.is_error) == ("The person chose: spaces", False)
    (asked,) = [fact for fact in stage.facts if isinstance(fact, QuestionAsked)]
    assert (asked.question, asked.options, asked.multiple, asked.free_text) == (
        "Which?", ("tabs", "spaces"), False, True
    )  # fmt: skip


def test_several_and_words_of_their_own(tmp_path):
    _, result = asking(
        tmp_path,
        lambda asked: Reply(asked.id, chosen=(0, 2), text=" and quickly "),
        question="Which?",
        options=["a", "b", "c"],
        multiple=True,
    )
    assert result.text == "The person chose: a, c\nThe person said: and quickly"


def test_no_answer(tmp_path):
    assert asking(tmp_path, lambda asked: Reply(asked.id), question="Why?")[1].text == NO_ANSWER


def test_words_where_none_were_asked_for_do_not_count(tmp_path):
    _, result = asking(tmp_path, lambda asked: Reply(asked.id, text="x"), question="?", options=["a"], free_text=False)
    assert result.text == NO_ANSWER


def test_two_questions_come_one_after_the_other(tmp_path):
    stage = Stage(
        tmp_path, [says("", call("ask_person", question="one?"), call("ask_person", question="two?")), says("Thanks.")]
    )
    stage.play("go", reply=lambda asked: Reply(asked.id, text=f"to {asked.question}"))
    assert [result.text for result in results(stage)] == ["The person said: to one?", "The person said: to two?"]


def test_who_is_asked_may_stop_the_turn(tmp_path):
    stage = Stage(tmp_path, [says("", call("ask_person", question="one?")), says("Thanks.")])
    assert stage.play("go", reply=lambda asked: Interrupt()).reason == "interrupted"
    assert results(stage)[0].text.startswith("Interrupted by the user after ")


def test_an_answer_to_no_question_is_not_taken(tmp_path):
    session = Session(MemoryStore("0" * 36, str(tmp_path)))
    assert not Questions(Record(session, lambda event: None)).answer(Reply("other", text="x"))


def test_arguments(tmp_path):
    for wrong in (
        {},
        {"question": ""},
        {"question": "?", "options": list("abcdefg")},
        {"question": "?", "free_text": False},
    ):
        _, result = asking(tmp_path, lambda asked: Reply(asked.id), **wrong)
        assert result.is_error and result.text.startswith('Validation failed for tool "ask_person":')


def test_how_full_the_context_is(tmp_path):
    (tmp_path / "a.txt").write_text("x" * 4000)
    stage = Stage(
        tmp_path,
        [
            says("", call("read", path="a.txt"), call("write", path="b.txt", content="b")),
            says(
                "",
                call("context_status"),
                call("get_context_status", include=["changes", "cached", "tools"], query="undo"),
            ),
            says("Done."),
        ],
        mode="accept-edits",
    )
    stage.play("a prompt of thirty characters.")
    tokens, others = [result.text for result in results(stage)[2:]]
    assert re.match(r"Context of \S+: ~(\d+) of \d+ tokens \(\d+ %, HEALTHY\)\n", tokens)
    counts = {name: int(count) for name, count in re.findall(r"^  ([a-z ]+): (\d+)$", tokens, re.MULTILINE)}
    assert int(re.search(r"~(\d+)", tokens)[1]) == sum(counts.values())
    assert counts["messages"] >= 8 and counts["tool results"] >= 400 and counts["tools"] > 1000
    assert others.startswith("(Mapped: ") and "  created: b.txt" in others
    assert "Results kept for recall: 0 (0B)\nLast request: " in others
    assert 'No tool has "undo" in its name or description.' in others
