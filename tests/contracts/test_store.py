"""What every store of sessions promises."""

import pytest

from codi.protocol.errors import SessionError
from codi.protocol.events import Entry, MessageAdded, ModelChosen, Noted, TitleGiven, Unknown
from codi.protocol.messages import Text, user
from codi.sessions.jsonl import JsonlStore
from codi.sessions.memory import MemoryStore
from codi.sessions.session import Session


def in_memory(directory):
    return MemoryStore("session-1", "/work")


def in_a_file(directory):
    return JsonlStore.new(str(directory / "sessions"), "/work", at=1_700_000_000.0, session_id="session-1")


@pytest.fixture(params=[in_memory, in_a_file])
def store(request, tmp_path):
    store = request.param(tmp_path)
    yield store
    store.close()


def entry(number, fact):
    return Entry(f"{number:08x}", f"{number - 1:08x}" if number > 1 else None, float(number), fact)


ENTRIES = [
    entry(1, ModelChosen("p", "m")),
    entry(2, MessageAdded(user("hello"))),
    entry(3, Noted("plugin", {"a": [1]})),
    entry(4, TitleGiven("n")),
]


def test_it_says_whose_session_it_is(store):
    assert store.session_id == "session-1"
    assert store.cwd == "/work"
    assert store.warnings == []
    assert store.path is None or store.path.endswith("_session-1.jsonl")


def test_entries_come_back_in_order(store):
    for kept in ENTRIES:
        store.append(kept)

    assert list(store) == ENTRIES
    assert list(store) == ENTRIES


def test_a_sync_is_allowed_at_any_time(store):
    store.sync()
    store.append(ENTRIES[0])
    store.sync()
    store.append(ENTRIES[1])
    store.sync()

    assert list(store) == ENTRIES[:2]


def test_a_closed_store_takes_nothing(store):
    store.append(ENTRIES[0])
    store.close()
    store.close()

    with pytest.raises(SessionError):
        store.append(ENTRIES[1])
    assert list(store) == ENTRIES[:1]


def test_a_session_stands_on_it(store):
    session = Session(store, clock=lambda: 12.3456)
    first = session.append(MessageAdded(user("hello")))
    second = session.append(TitleGiven("n"))

    assert list(store) == [first, second] == session.path()
    assert first.at == 12.346 and first.fact.message.blocks == (Text("hello"),)
    assert not any(isinstance(kept.fact, Unknown) for kept in store)
