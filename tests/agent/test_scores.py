"""Which messages matter: by how new they are, what refers to them, and what they are about."""

from pathlib import Path

from hypothesis import given, settings
from test_cut import count, paths

from codi.agent.compaction.digest import digest_of
from codi.agent.context import messages_of
from codi.agent.room.pruning import candidates
from codi.agent.scores import names_in, scores
from codi.agent.working_set import Pins, working_set
from codi.protocol.events import Entry, Fact, MessageAdded, ReplyFacts, ResultsPruned
from codi.protocol.messages import Message, Text, ToolCall, ToolResult, Usage, user
from conftest import call, says
from stage import Stage

REPLY = ReplyFacts(stop="stop", usage=Usage())


def said(text: str) -> Message:
    return Message("assistant", (Text(text),))


def path_of(*facts: Fact) -> list[Entry]:
    return [Entry(f"{at:08x}", f"{at - 1:08x}" if at else None, float(at), fact) for at, fact in enumerate(facts)]


@given(paths())
@settings(max_examples=40, deadline=None)
def test_scores_lie_between_0_and_1_and_are_always_the_same(path: list[Entry]):
    messages = messages_of(path)
    found = scores(messages)
    assert len(found) == len(messages) and all(0 < score <= 1 for score in found)
    assert found == scores(messages_of(path))


def test_the_newer_of_two_alike_matters_more():
    assert scores([said("I look around.")] * 9) == sorted(scores([said("I look around.")] * 9))


def test_what_is_spoken_of_later_matters_and_what_the_person_stresses():
    plain, other, end = said("There is one.parser here."), said("There is something here."), said("Done.")
    first, second, *_ = scores([plain, other, said("Now one.parser"), said("one.parser again"), end])
    assert first > second
    stressed, told, _ = scores([user("Never touch it."), user("Look at it."), end])
    assert stressed > told


def test_a_name_of_three_letters_refers_to_nothing():
    assert names_in("a.b a_b ./x plain a_bc src/f.py") == {"a_bc", "src/f.py"}
    once = scores([said("a_b is it."), said("Done."), said("Done.")])
    again = scores([said("a_b is it."), said("a_b"), said("a_b")])
    assert again[0] == once[0]


def test_results_of_files_that_are_worked_on_stay_longer_than_others_of_their_age():
    facts: list[Fact] = [MessageAdded(user("Go."))]
    for number, (name, arguments) in enumerate(
        [("read", {"path": "src/edited.py"}), ("shell", {"command": "ls -R"}), ("read", {"path": "src/edited.py"})]
    ):
        asked = ToolCall(f"c{number}", name, {**arguments, "offset": number + 1} if name == "read" else arguments)
        result = ToolResult(asked.id, (Text(f"{number} line of output\n" * 400),), tool=name)
        facts += [MessageAdded(Message("assistant", (asked,)), REPLY), MessageAdded(Message("user", (result,)))]
    facts += [MessageAdded(said("I go on."), REPLY), MessageAdded(user("Yes.")), MessageAdded(said("Done."), REPLY)]
    path = path_of(*facts)
    found = candidates(path, count, {}, Pins(), working_set(path))
    assert [each.call.name for each in found if each.call] == ["shell", "read", "read"]


def test_of_the_same_age_what_is_worked_on_is_pruned_last(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("".join(f"line {at} of the notes\n" for at in range(300)))
    looks = [
        call("edit", path="notes.txt", edits=[{"old": "line 1 of", "new": "line one of"}]),
        *(call("read", path="notes.txt", offset=at, limit=120) for at in (1, 60)),
        *(call("grep", pattern="line", path=".", limit=100 + at) for at in range(9)),
    ]
    stage = Stage(tmp_path, {"window": 16_000, "steps": [*(says("", look) for look in looks), says("Done.")]})
    stage.play("Look.", answer=lambda asked: None)
    pruned = [item.summary for fact in stage.facts if isinstance(fact, ResultsPruned) for item in fact.items]
    assert pruned[0].startswith("grep")  # although both reads are older


def test_a_digest_of_many_answers_keeps_those_that_matter():
    answers = [said(f"Nothing new in file{at:03}.") for at in range(80)]
    answers[3] = Message("assistant", (Text("I chose special_parser for it."), ToolCall("c", "read", {"path": "x"})))
    answers[60:62] = [said("special_parser works."), said("special_parser it is; special_parser stays.")]
    text = digest_of(path_of(*(MessageAdded(answer, REPLY) for answer in answers)), (), "", 100_000)
    assert "I chose special_parser" in text and "file004" not in text and "file079" in text
