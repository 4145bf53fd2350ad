"""Estimates learn from what services count, each model's by itself; and what costs much is told before it is done."""

from pathlib import Path

import pytest

from codi.agent.room.calibration import Calibration
from codi.commands.context_words import op_of
from codi.protocol.errors import UsageError
from codi.protocol.events import StatusDelta
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
from conftest import says
from stage import Stage


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
