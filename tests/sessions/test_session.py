"""A session is a tree, and the path to its leaf is the conversation."""

import itertools

import pytest
from session_facts import said

from codi.protocol.errors import SessionError
from codi.protocol.events import LeafMoved, TitleGiven
from codi.sessions.jsonl import JsonlStore
from codi.sessions.memory import MemoryStore
from codi.sessions.session import Session


def in_memory(**more):
    return Session(MemoryStore("s1", "/work"), clock=itertools.count(1).__next__, **more)


def test_each_entry_stands_on_the_one_before():
    session = in_memory()
    assert session.leaf is None and session.path() == []
    first, second = session.append_all([said("a"), TitleGiven("n")])

    assert (first.parent, second.parent, session.leaf) == (None, first.id, second.id)
    assert session.path() == session.entries == [first, second]
    assert (first.at, second.at) == (1, 2)
    assert session.entry(first.id) is first and session.entry("none") is None


def test_a_branch_leaves_the_old_one_in_the_tree():
    session = in_memory()
    first, second = session.append_all([said("a"), said("b")])
    moved = session.branch_from(first.id)
    third = session.append(said("c"))

    assert moved.fact == LeafMoved(second.id, first.id) and moved.parent == first.id
    assert session.path() == [first, moved, third]
    assert session.entries == [first, second, moved, third]


def test_work_can_go_on_from_the_very_beginning():
    session = in_memory()
    first = session.append(said("a"))
    moved = session.branch_from(None)

    assert moved.fact == LeafMoved(first.id, None) and moved.parent is None
    assert session.path() == [moved]


def test_a_reload_stands_where_the_session_stood(tmp_path):
    session = Session(JsonlStore.new(str(tmp_path), "/work", at=1.0))
    first, _, third = session.append_all([said("a"), said("b"), said("c")])
    session.branch_from(third.id)
    session.branch_from(first.id)
    session.close()
    again = Session(JsonlStore.open(session.store.path, read_only=True))

    assert again.leaf == session.leaf and again.path() == session.path() and again.entries == session.entries


def test_no_branch_begins_at_what_does_not_exist():
    session = in_memory()
    first = session.append(said("a"))

    with pytest.raises(SessionError):
        session.branch_from("none")
    assert session.leaf == first.id and session.path() == [first]


def test_a_refused_entry_is_not_in_the_tree(tmp_path):
    session = in_memory()
    first, second = session.append_all([said("a"), said("b")])
    session.close()

    with pytest.raises(SessionError):
        session.append(said("c"))
    with pytest.raises(SessionError):
        session.branch_from(first.id)
    assert session.leaf == second.id and session.path() == session.entries == [first, second]


def test_ids_are_drawn_until_one_is_free():
    drawn = iter(["aaaaaaaa"] * 5 + ["bbbbbbbb"])
    session = in_memory(draw=drawn.__next__)

    assert [entry.id for entry in session.append_all([said("a"), said("b")])] == ["aaaaaaaa", "bbbbbbbb"]


def test_when_no_id_is_free_a_longer_one_is_made():
    session = in_memory(draw=lambda: "aaaaaaaa")
    first, second = session.append_all([said("a"), said("b")])

    assert first.id == "aaaaaaaa" and len(second.id) == 36


def test_ids_are_eight_hex_digits():
    session = in_memory()

    for entry in session.append_all([said("a")] * 20):
        assert len(entry.id) == 8 and int(entry.id, 16) >= 0 and entry.id == entry.id.lower()


def test_what_path_gives_is_the_callers_own():
    session = in_memory()
    session.append(said("a"))
    session.path().clear()

    assert len(session.path()) == 1
