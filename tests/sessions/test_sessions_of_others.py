"""Files that the other program wrote: opened, listed, carried on, and not a byte of them lost."""

import json
import os
import shutil
from pathlib import Path

import pytest
from session_facts import said

from codi.protocol.events import (
    BranchSummarised,
    CommandShown,
    ContextAdded,
    ContextCompacted,
    Labelled,
    MessageAdded,
    ModelChosen,
    ThinkingChosen,
    TitleGiven,
    Unknown,
)
from codi.sessions import folds, resume
from codi.sessions.catalog import Catalog
from codi.sessions.jsonl import JsonlStore
from codi.sessions.reading import read
from codi.sessions.session import Session
from codi.sessions.version3 import line_of
from codi.wire.version3 import message_fact, message_json

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("CODI_SHARED", ROOT.parent / "shared")) / "fixtures"
NAMES = [
    "autocompact.session.jsonl",
    "foreign_v3.before.jsonl",
    "json_think.session.jsonl",
    "print_tools.session.jsonl",
    "rpc_fork.session.jsonl",
    "rpc_tree.session.jsonl",
]

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(not SHARED.is_dir(), reason=f"no recorded sessions at {SHARED}"),
]


def copied(name, directory):
    path = directory / name
    shutil.copyfile(SHARED / "v3-sessions" / name, path)
    path.chmod(0o600)
    return path


def meaning(json_line):
    """A line without what may be said in several ways: its check sum, texts as blocks, numbers as floats."""

    def plain(value):
        if isinstance(value, dict):
            return {name: plain(inner) for name, inner in value.items() if name != "_c"}
        return [plain(inner) for inner in value] if isinstance(value, list) else value

    meant = plain(json_line)
    for holder in (meant, meant.get("message", {})):
        if isinstance(holder.get("content"), str):
            holder["content"] = [{"type": "text", "text": holder["content"]}]
        holder.pop("timestamp", None)
    return meant


@pytest.mark.parametrize("name", NAMES)
def test_every_line_means_the_same_when_codi_writes_it(name):
    reading = read((SHARED / "v3-sessions" / name).read_bytes(), with_lines=True)

    assert len(reading.entries) == len(reading.lines) > 2
    for entry, line in zip(reading.entries, reading.lines):
        assert meaning(json.loads(line_of(entry))) == meaning(json.loads(line))


@pytest.mark.parametrize("name", NAMES)
def test_work_goes_on_behind_what_was_there(tmp_path, name):
    path = copied(name, tmp_path)
    before = path.read_bytes()
    session = Session(JsonlStore.open(str(path)))
    session.append(said("more"))
    session.close()

    assert path.read_bytes().startswith(before)
    again = Session(JsonlStore.open(str(path), read_only=True))
    assert again.entries == session.entries and again.leaf == session.leaf


def test_a_tree_with_everything_in_it(tmp_path):
    session = Session(JsonlStore.open(str(copied("rpc_tree.session.jsonl", tmp_path))))
    kinds = {type(entry.fact) for entry in session.entries}
    session.close()

    assert kinds == {
        ModelChosen,
        ThinkingChosen,
        MessageAdded,
        TitleGiven,
        CommandShown,
        Labelled,
        ContextAdded,
        BranchSummarised,
        Unknown,
    }
    assert len(session.entries) == 31 and session.leaf == "670d1a75"
    assert [entry.id for entry in session.path()] == [
        "9ac7c3a1",
        "77b2ed69",
        "5dc40990",
        "bf670595",
        "506d0619",
        "670d1a75",
    ]
    assert folds.turns(session.path()) == 2
    assert folds.usage(session.entries).cost is not None


def test_compactions(tmp_path):
    session = Session(JsonlStore.open(str(copied("autocompact.session.jsonl", tmp_path))))
    compactions = [entry.fact for entry in session.path() if isinstance(entry.fact, ContextCompacted)]
    session.close()

    assert [fact.first_kept for fact in compactions] == ["a1cc46ce", "9023b6aa"]
    assert all(session.entry(fact.first_kept) for fact in compactions)


def test_the_oldest_format(tmp_path):
    path = copied("v1-to-migrate.jsonl", tmp_path)
    before = path.read_bytes()
    session = Session(JsonlStore.open(str(path)))
    session.close()
    header = json.loads(path.read_bytes().split(b"\n")[0])

    assert len(session.path()) == 6 and session.store.warnings == []
    assert session.entries[-1].fact.first_kept == session.entries[3].id
    assert isinstance(session.entries[2].fact, ContextAdded)
    assert header["version"] == 3 and header["modelId"] == "mock-1"
    assert (tmp_path / "v1-to-migrate.jsonl.bak").read_bytes() == before


def test_all_of_them_are_listed_and_forked(tmp_path):
    for name in [*NAMES, "v1-to-migrate.jsonl"]:
        copied(name, tmp_path)
    summaries = Catalog(str(tmp_path / "catalog.db")).sessions(str(tmp_path))

    assert len(summaries) == 7 and all(summary.readable for summary in summaries)
    named = [summary for summary in summaries if summary.name == "My Session"]
    assert [(summary.first_message, summary.model, summary.turns) for summary in named] == [
        ("hello one", "mock/mock-1", 9)
    ]
    for summary in summaries:
        forked = resume.fork(summary.path, str(tmp_path / "forks"), "/work", at=1.0)
        reading, original = read(Path(forked.path).read_bytes()), JsonlStore.open(summary.path, read_only=True)
        assert reading.entries == list(original)
        assert reading.header.parent_session == summary.path


def test_messages_of_the_event_stream():
    messages = []
    for line in (SHARED / "v3-streams" / "json_mode.jsonl").read_bytes().splitlines():
        event = json.loads(line)
        if event["type"] == "message_end":
            messages.append(event["message"])

    assert {message["role"] for message in messages} == {"user", "assistant", "toolResult"}
    for message in messages:
        written = message_json(message_fact(message), message["timestamp"] / 1000)
        assert {name: value for name, value in written.items() if name != "usage"} == {
            name: value for name, value in message.items() if name != "usage"
        }
        assert list(written)[:2] == list(message)[:2]
