"""A damaged file is read as far as it can be, the same way each time, and no byte of it changes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_facts import trees

from codi.protocol.events import Entry, TitleGiven
from codi.sessions.reading import read, told
from codi.sessions.version3 import Header, header_line, line_of

HEADER = header_line(Header(3, "s1", "2026-01-01T00:00:00.000Z", "/work"))


def line(id, parent, name="n"):
    return line_of(Entry(id, parent, 1.0, TitleGiven(name)))


A, B, C = line("a", None), line("b", "a"), line("c", "b")


def tree(reading):
    return [(entry.id, entry.parent) for entry in reading.entries]


def reread(content):
    reading = read(content)
    assert read(content) == reading
    return reading


@pytest.mark.parametrize(
    ("content", "ids", "warning"),
    [
        (HEADER, "", None),
        (HEADER + A + B + C, "abc", None),
        (HEADER[:-1], "", None),
        (b"\xef\xbb\xbf" + HEADER + A, "a", None),
        ((HEADER + A + B).replace(b"\n", b"\r\n"), "ab", None),
        (HEADER + A + b"\n\n  \n" + B, "ab", None),
        (HEADER + A + B[:-1], "ab", None),
        (HEADER + A + B[:-9], "a", "1 line skipped (line 3)."),
        (HEADER + A + b"not json\n" + B, "ab", "1 line skipped (line 3)."),
        (HEADER + A + b"\0" * 90 + b"\n" + B, "ab", "1 line skipped (line 3)."),
        (HEADER + A + b"\xff\xfe\n" + b"[1]\n" + B, "ab", "2 lines skipped (lines 3, 4)."),
        (HEADER + A[:-1] + B + C, "abc", "1 line split (line 2)."),
        (HEADER + A[:-1] + b" " + B[:-1] + C, "abc", "1 line split (line 2)."),
        (HEADER + A[:-1] + B[:-5] + b"\n" + C, "c", "1 line skipped (line 2), 1 entry re-attached."),
        (HEADER + A + B.replace(b'"n"', b'"m"') + C, "ac", "1 line skipped (line 3), 1 entry re-attached."),
        (HEADER + A + HEADER + B, "ab", "1 line skipped (line 3)."),
    ],
)
def test_damage_and_what_is_left(content, ids, warning):
    reading = reread(content)

    assert "".join(entry.id for entry in reading.entries) == ids
    assert told(reading.problems) == (warning and f"Session repaired on reading: {warning}")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"x", HEADER[:-20], A, b"\n" + HEADER, b"\xef\xbb\xbf", b'{"type":"session","id":5}\n', b"[]\n"],
)
def test_what_is_no_session(content):
    assert read(content) is None


def test_an_orphan_stands_on_the_entry_before_it():
    reading = reread(HEADER + A + line("b", "gone") + line("c", "gone") + line("d", "c"))

    assert tree(reading) == [("a", None), ("b", "a"), ("c", "b"), ("d", "c")]
    assert told(reading.problems) == "Session repaired on reading: 2 entries re-attached."


def test_the_first_orphan_is_a_root():
    assert tree(reread(HEADER + line("b", "gone"))) == [("b", None)]


def test_the_first_of_two_keeps_its_id():
    reading = reread(HEADER + A + B + line("b", "a", "other") + line("c", "b"))
    (_, _, renamed, last) = reading.entries

    assert [entry.id for entry in reading.entries[:2]] == ["a", "b"]
    assert renamed.id not in "abc" and renamed.parent == "a" and last.parent == "b"
    assert told(reading.problems) == "Session repaired on reading: 1 id renewed."


def test_a_cycle_is_cut_at_its_later_entry():
    reading = reread(HEADER + A + line("b", "d") + line("c", "b") + line("d", "c") + line("e", "d"))

    assert tree(reading) == [("a", None), ("b", "d"), ("c", "b"), ("d", "a"), ("e", "d")]
    assert told(reading.problems) == "Session repaired on reading: 1 entry re-attached."


def test_an_entry_that_is_its_own_parent():
    assert tree(reread(HEADER + line("a", "a") + line("b", "a"))) == [("a", None), ("b", "a")]


def test_a_parent_may_come_later():
    assert tree(reread(HEADER + line("b", "a") + A)) == [("b", "a"), ("a", None)]


def test_an_entry_without_id_or_parent_gets_both():
    bare = json.dumps({"type": "session_info", "name": "x"}).encode() + b"\n"
    reading = reread(HEADER + A + bare + bare)

    assert len({entry.id for entry in reading.entries}) == 3
    assert [entry.parent for entry in reading.entries] == [None, "a", reading.entries[1].id]


def is_tree(entries):
    parents = {entry.id: entry.parent for entry in entries}
    assert len(parents) == len(entries)
    for id in parents:
        seen = set()
        at = id
        while at is not None:
            assert at not in seen
            seen.add(at)
            at = parents[at]


@settings(max_examples=60, deadline=None)
@given(trees(), st.data())
def test_any_prefix_of_a_session_is_a_session(entries, data):
    content = HEADER + b"".join(map(line_of, entries))
    end = data.draw(st.integers(len(HEADER) - 1, len(content)))
    reading = read(content[:end])

    assert reading.entries == entries[: len(reading.entries)]
    assert len(reading.entries) >= content[:end].count(b"\n") - 1


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.none() | st.sampled_from("abcdefx")) | st.binary(max_size=20),
        max_size=9,
    )
)
def test_whatever_stands_in_a_file_a_tree_is_read(lines):
    content = HEADER + b"".join(part + b"\n" if isinstance(part, bytes) else line(*part) for part in lines)
    is_tree(reread(content).entries)


@settings(max_examples=150, deadline=None)
@given(trees(), st.lists(st.tuples(st.integers(0), st.binary(max_size=6), st.booleans()), max_size=4))
def test_random_damage_is_never_an_error(entries, damages):
    content = HEADER + b"".join(map(line_of, entries))
    for at, noise, replaces in damages:
        at %= len(content) + 1
        content = content[:at] + noise + content[at + (len(noise) if replaces else 0) :]
    reading = read(content)
    if reading is not None:
        is_tree(reading.entries)
        assert read(content) == reading


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_random_bytes_are_never_an_error(lines):
    assert read(b"\n".join(lines)) is None or lines[0]
    is_tree(read(HEADER + b"\n".join(lines)).entries)
