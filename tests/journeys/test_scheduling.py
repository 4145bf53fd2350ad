"""What does not collide runs side by side, what collides one after the other, and all results keep the order of the calls."""

from collections.abc import Iterable
from pathlib import Path

import anyio
import pytest
from msgspec import Struct

from codi.agent.scheduling import collide
from codi.protocol.effects import Allow, Effect, Reaches, Reads, Runs, Writes
from codi.protocol.events import CallEndDelta, CallIntended, CallStartDelta, Entry, MessageAdded, TodoWritten
from codi.protocol.ops import Answer
from codi.tools.struct_tool import StructTool
from codi.workspace.workspace import Workspace
from conftest import call, says
from stage import Stage

MET: list[str] = []


class Meet(Struct, frozen=True):
    """Ends when as many have begun as are to meet."""

    path: str
    count: int
    writes: bool = False

    def effects(self) -> Iterable[Effect]:
        yield Writes(self.path) if self.writes else Reads(self.path)

    async def run(self, workspace: Workspace) -> str:
        MET.append(self.path)
        with anyio.fail_after(5):
            while len(MET) < self.count:
                await anyio.lowlevel.checkpoint()
        return f"met at {self.path}"


def yes(asked):
    return Answer(asked.tool_call_id, Allow(by="person"))


@pytest.fixture
def meet():
    MET.clear()
    return StructTool(Meet)


def test_reads_run_side_by_side(folder: Path, meet):
    calls = [call("meet", path=name, count=3) for name in ("a", "b", "c")]
    stage = Stage(folder, [says("", *calls), says("Done.")], tools=[meet])
    assert stage.play("Go.").reason == "done"
    results = [
        fact.message.tool_results[0]
        for fact in stage.facts
        if isinstance(fact, MessageAdded) and fact.message.tool_results
    ]
    assert [result.text for result in results] == ["met at a", "met at b", "met at c"]
    assert all(result.duration_ms is not None for result in results)


def test_no_more_run_side_by_side_than_are_allowed(folder: Path, meet):
    calls = [call("meet", path=str(number), count=2) for number in range(6)]
    stage = Stage(folder, [says("", *calls), says("Done.")], tools=[meet])
    stage.calls.parallel = 2
    assert stage.play("Go.").reason == "done"
    running = most = 0
    for event in stage.seen:
        running += isinstance(event, CallStartDelta) - isinstance(event, CallEndDelta)
        most = max(most, running)
    assert most == 2 and running == 0


def test_two_writes_of_one_file_and_a_command_wait_for_each_other(folder: Path):
    calls = [
        call("write", path="a", content="1"),
        call("shell", command="cat a > b; echo 2 >> a"),
        call("read", path="a"),
    ]
    stage = Stage(folder, [says("", *calls), says("Done.")])
    assert stage.play("Go.", answer=yes).reason == "done"
    told = [
        (type(event).__name__, event.tool if isinstance(event, CallStartDelta) else event.result.tool)
        for event in stage.seen
        if isinstance(event, CallStartDelta | CallEndDelta)
    ]
    assert told == [(kind, tool) for tool in ("write", "shell", "read") for kind in ("CallStartDelta", "CallEndDelta")]
    assert (folder / "b").read_text() == "1"


def test_questions_come_in_order_and_before_anything_with_an_effect(folder: Path):
    calls = [call("write", path=name, content=name) for name in ("a", "b", "c")]
    asked: list[str] = []

    def answer(question):
        asked.append(question.arguments["path"])
        assert not list(folder.iterdir())
        return yes(question)

    stage = Stage(folder, [says("", *calls), says("Done.")])
    assert stage.play("Go.", answer=answer).reason == "done"
    assert asked == ["a", "b", "c"] == sorted(path.name for path in folder.iterdir())


def test_a_failure_does_not_stop_the_others(folder: Path):
    (folder / "a").write_text("a")
    calls = [call("read", path="missing"), call("read", path="a"), call("read", path="missing too")]
    stage = Stage(folder, [says("", *calls), says("Done.")])
    assert stage.play("Go.").reason == "done"
    results = [
        fact.message.tool_results[0]
        for fact in stage.facts
        if isinstance(fact, MessageAdded) and fact.message.tool_results
    ]
    assert [result.is_error for result in results] == [True, False, True]


def test_an_effect_is_intended_on_disk_before_it_begins(folder: Path):
    stage = Stage(folder, [says("", call("write", path="a", content="a")), says("Done.")])
    stage.play("Go.", answer=yes)
    kinds = [type(event.fact if isinstance(event, Entry) else event) for event in stage.seen]
    assert kinds.index(CallIntended) < kinds.index(CallEndDelta)
    assert kinds.index(MessageAdded) < kinds.index(CallIntended)


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        (Reads("/a"), Reads("/a"), False),
        (Reads("/a"), Writes("/a"), True),
        (Writes("/a"), Writes("/a/b"), True),
        (Writes("/a"), Writes("/ab"), False),
        (Runs("x"), Runs("y"), True),
        (Runs("x"), Writes("/a"), True),
        (Runs("x"), Reads("/a"), True),
        (Reaches("host"), Runs("x"), False),
        (Reaches("host"), Reaches("host"), False),
    ],
)
def test_what_collides(one, other, wanted):
    assert collide([one], [other]) is wanted and collide([other], [one]) is wanted


def test_the_todo_list_is_kept(folder: Path):
    items = [{"content": "look", "status": "completed"}, {"content": "mend", "status": "in_progress"}]
    stage = Stage(folder, [says("", call("todo", items=items)), says("Done.")])
    assert stage.play("Go.").reason == "done"
    (fact,) = [fact for fact in stage.facts if isinstance(fact, TodoWritten)]
    assert [(item.content, item.status) for item in fact.items] == [("look", "completed"), ("mend", "in_progress")]
