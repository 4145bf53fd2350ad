"""Old files become version 3 once, and their old selves are kept."""

import json
import os

import pytest

from codi.protocol.events import ContextAdded, ContextCompacted, TitleGiven, Unknown
from codi.sessions.jsonl import JsonlStore
from codi.sessions.migration import migrated
from codi.sessions.reading import read
from codi.sessions.session import Session

STAMP = "2025-01-01T00:00:00.000Z"


def lines(*objects):
    return "".join(json.dumps(json_object) + "\n" for json_object in objects).encode()


def message(role, text, **more):
    return {"type": "message", "timestamp": STAMP, "message": {"role": role, "content": text, "timestamp": 1} | more}


LIST = lines(
    {"type": "session", "id": "s1", "timestamp": STAMP, "cwd": "/work", "provider": "p", "branchedFrom": "/old.jsonl"},
    message("user", "one"),
    message("hookMessage", "hook", customType="h", display=True),
    message("user", "two"),
    {"type": "compaction", "timestamp": STAMP, "summary": "s", "firstKeptEntryIndex": 3, "tokensBefore": 5},
    {"type": "x_new", "timestamp": STAMP, "x": 0.1},
)
TREE = lines(
    {"type": "session", "version": 2, "id": "s1", "timestamp": STAMP, "cwd": "/work"},
    message("user", "one") | {"id": "a", "parentId": None},
    message("hookMessage", "hook", customType="h", display=True) | {"id": "b", "parentId": "a"},
)


def test_a_list_becomes_a_tree():
    reading = read(migrated(LIST))
    entries = reading.entries

    assert reading.problems == [] and reading.header.version == 3 and reading.header.parent_session == "/old.jsonl"
    assert [entry.parent for entry in entries] == [None, *(entry.id for entry in entries[:-1])]
    assert all(len(entry.id) == 8 and int(entry.id, 16) >= 0 for entry in entries)
    assert isinstance(entries[1].fact, ContextAdded) and entries[1].fact.kind == "h"
    assert entries[3].fact == ContextCompacted(summary="s", first_kept=entries[2].id, tokens_before=5)
    assert isinstance(entries[4].fact, Unknown)


@pytest.mark.parametrize("version", ["1", 1.0, "2", 2.0])
def test_a_version_is_read_as_javascript_reads_it(tmp_path, version):
    path = tmp_path / "old.jsonl"
    body = LIST if float(version) < 2 else TREE
    header, _, rest = body.partition(b"\n")
    path.write_bytes(json.dumps(json.loads(header) | {"version": version}).encode() + b"\n" + rest)
    store = JsonlStore.open(str(path))
    store.close()

    assert not store.warnings and json.loads(path.read_text().splitlines()[0])["version"] == 3
    assert any(isinstance(entry.fact, ContextAdded) for entry in store)


def test_an_index_that_is_no_number_stays():
    old = lines({"type": "session", "id": "s1", "timestamp": STAMP, "cwd": "/work"},
                {"type": "compaction", "timestamp": STAMP, "summary": "s", "firstKeptEntryIndex": "x", "tokensBefore": 5})  # fmt: skip

    assert json.loads(migrated(old).splitlines()[1])["firstKeptEntryIndex"] == "x"


def test_only_what_has_another_name_is_written_anew():
    new = migrated(TREE)

    assert new.split(b"\n")[1] == TREE.split(b"\n")[1]
    assert json.loads(new.split(b"\n")[2])["message"]["role"] == "custom"
    assert [entry.id for entry in read(new).entries] == ["a", "b"]


@pytest.mark.parametrize("old", [LIST, TREE])
def test_migrating_twice_changes_nothing_more(old):
    assert read(migrated(migrated(old))) == read(migrated(old))
    assert migrated(old) == migrated(old)


@pytest.mark.parametrize("old", [LIST, LIST[:-1], TREE, LIST + b"broken\n"])
def test_a_file_is_migrated_when_it_is_opened(tmp_path, old):
    path = tmp_path / "old.jsonl"
    path.write_bytes(old)
    session = Session(JsonlStore.open(str(path)))
    added = session.append(TitleGiven("n"))
    session.close()

    assert sorted(os.listdir(tmp_path)) == ["old.jsonl", "old.jsonl.bak"]
    assert (tmp_path / "old.jsonl.bak").read_bytes() == old
    assert path.read_bytes().startswith(migrated(old))
    again = Session(JsonlStore.open(str(path)))
    assert again.entries == session.entries and again.leaf == added.id
    again.close()


def test_reading_alone_migrates_in_memory(tmp_path):
    path = tmp_path / "old.jsonl"
    path.write_bytes(LIST)
    store = JsonlStore.open(str(path), read_only=True)

    assert len(list(store)) == 5
    assert os.listdir(tmp_path) == ["old.jsonl"] and path.read_bytes() == LIST
