"""Estimates learn from what services count, each model's by itself; and what costs much is told before it is done."""

from base64 import b64encode
from pathlib import Path

import pytest

from codi.agent.counting import Counter, framing
from codi.agent.room.calibration import Calibration
from codi.commands.context_words import op_of
from codi.protocol.errors import UsageError
from codi.protocol.events import StatusDelta
from codi.protocol.messages import Block, Image, Message, Text, Thinking, ToolCall, ToolResult
from codi.protocol.ops import (
    ChooseWindow,
    ClearContext,
    Compact,
    EditMemory,
    Forget,
    Pin,
    Remember,
    SetCompaction,
    SetProfile,
    ShowCompaction,
    ShowContext,
    ShowFiles,
    ShowMemories,
    Uncompact,
)
from codi.protocol.tooling import ToolSpec
from conftest import says
from stage import Stage

PIXEL = b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01").decode()


def test_two_models_never_change_each_others_ratio():
    learned = Calibration()
    one, other = ("a", "one"), ("a", "other")
    for _ in range(2):
        learned.add(one, real=150, estimated=100)
    assert learned.ratio(one) == 1.0
    for _ in range(5):
        learned.add(one, real=150, estimated=100)
        learned.add(other, real=900, estimated=100)
    assert learned.ratio(one) == 1.5 and learned.ratio(other) == 2.0 and learned.ratio(("b", "one")) == 1.0


def test_what_breaks_much_of_the_cache_is_told_with_its_price(tmp_path: Path):
    stage = Stage(tmp_path, [says("Yes.", usage={"input": 10, "cache_read": 30_000, "output": 5})])
    stage.play("Hello.")
    told: list[object] = []
    stage.conversation._record._listen = told.append
    room, mind = stage.conversation._agent.room, stage.conversation._agent.mind
    room.guard(mind, "another model")
    (warning,) = told
    assert isinstance(warning, StatusDelta) and warning.text.startswith("another model breaks 30000 cached tokens")


@pytest.mark.parametrize(
    ("line", "op"),
    [
        ("context", ShowContext()),
        ("compact", Compact()),
        ("compact keep names --llm --force", Compact("keep names", "llm", force=True)),
        ("compact preview --mechanical", Compact(how="mechanical", preview=True)),
        ("compact status", ShowCompaction()),
        ("compact undo", Uncompact()),
        ("compact undo 1a2b3c4d", Uncompact("1a2b3c4d")),
        ("compact auto off", SetCompaction(auto=False)),
        ("compact compress on", SetCompaction(compress=True)),
        ("clear context", ClearContext()),
        ("pin README.md", Pin("README.md")),
        ("close README.md", Pin("README.md", pinned=False)),
        ("files", ShowFiles()),
        ("context-max 9000", ChooseWindow(9000)),
        ("remember style: use tabs --project", Remember("use tabs", "style", "project")),
        ("forget tabs", Forget("tabs")),
        ("memories", ShowMemories()),
        ("memories edit 1a2b3c4d use spaces", EditMemory("1a2b3c4d", "use spaces")),
        ("profile set name Ada L", SetProfile("name", "Ada L")),
        ("profile unset name", SetProfile("name")),
    ],
)
def test_each_command_asks_for_its_op(line: str, op: object):
    name, *words = line.split()
    assert op_of(name, words) == op


@pytest.mark.parametrize("line", ["context now", "compact --llm --mechanical", "context-max many", "profile set name"])
def test_words_that_mean_nothing_are_refused(line: str):
    name, *words = line.split()
    with pytest.raises(UsageError):
        op_of(name, words)


def test_everything_that_is_sent_counts():
    counter = Counter()
    said = Message("user", (Text("Look."),))
    parts: list[Block] = [
        Thinking("I think about it for a while.", "seal"),
        Image(PIXEL, "image/png"),
        ToolCall("c", "read", {"path": "a.txt"}),
        ToolResult("c", (Text("what it says"),)),
        ToolResult("c", (Text("what it says"), Image(PIXEL, "image/png"))),
    ]
    for part in parts:
        assert counter.message(Message("user", (*said.blocks, part))) > counter.message(said)
    assert counter.message(Message("user", ())) > 0
    tool = ToolSpec("read", "Read a file.", {"type": "object", "properties": {"path": {"type": "string"}}})
    assert counter.system(["Be brief."], [tool]) > counter.system(["Be brief."], []) > 0
    assert framing("anthropic-messages", tools=True, thinking=True) > framing(
        "anthropic-messages", tools=True, thinking=False
    )
    assert framing("openai-completions", tools=True, thinking=True) == 0


def test_an_image_counts_by_its_size_and_one_that_cannot_be_read_as_1200():
    wide = b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (1500).to_bytes(4) + (1000).to_bytes(4)).decode()
    assert Counter().block(Image(wide, "image/png")) == 1500 * 1000 // 750
    assert Counter().block(Image("AAAA", "image/png")) == 1200
