"""The list of sessions is right, whatever happened to the catalog."""

import os
import subprocess
import sys

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_facts import answered, entries, reply, said

from codi.protocol.events import ModelChosen, SessionOpened, TitleGiven, TurnStarted
from codi.protocol.messages import Usage
from codi.sessions import paths
from codi.sessions.catalog import Catalog
from codi.sessions.jsonl import JsonlStore
from codi.sessions.session import Session
from codi.sessions.summaries import Tally
from codi.sessions.version3 import Header, header_line, line_of


@pytest.fixture
def home(tmp_path):
    return str(tmp_path / "home")


def begin(home, cwd, *facts, at=1000.0):
    ticks = iter(range(int(at), int(at) + 1000))
    session = Session(JsonlStore.new(paths.directory_of(home, cwd), cwd, at=at), clock=lambda: float(next(ticks)))
    session.append_all(facts)
    return session


def listing(home, cwd=None):
    return Catalog(os.path.join(home, "catalog.db")).sessions(paths.directories(home), cwd)


def catalog_file(home):
    return os.path.join(home, "catalog.db")


def some_sessions(home):
    for number in range(3):
        begin(home, f"/work{number}", said(f"prompt {number}"), reply(), at=1000.0 * (number + 1)).close()


def test_a_session_as_a_list_shows_it(home):
    session = begin(
        home,
        "/work",
        SessionOpened("0.1.0", git={"branch": "main"}),
        ModelChosen("p", "m"),
        said("Fix the\n  bug"),
        TurnStarted(1),
        reply("I look."),
        answered("c"),
        reply("Done."),
        TitleGiven("bug"),
    )
    session.close()
    (summary,) = listing(home)

    assert summary.path == session.store.path and summary.id == session.store.session_id and summary.cwd == "/work"
    assert (summary.name, summary.first_message, summary.branch) == ("bug", "Fix the bug", "main")
    assert (summary.messages, summary.turns, summary.model) == (4, 1, "anthropic/claude")
    assert (summary.created, summary.modified) == (1000.0, 1006.0)
    assert summary.tokens == 34 and summary.cost == 2 * 0.9375
    assert summary.readable and summary.size == os.path.getsize(summary.path)


def test_an_unknown_price_makes_the_cost_unknown(home):
    begin(home, "/work", said("x"), reply(), reply(usage=Usage(input=1))).close()

    assert listing(home)[0].cost is None


def test_the_newest_comes_first_and_empty_ones_do_not_come(home):
    some_sessions(home)
    open(os.path.join(paths.directories(home)[0], "empty.jsonl"), "w").close()

    assert [summary.first_message for summary in listing(home)] == ["prompt 2", "prompt 1", "prompt 0"]


def test_working_directories_that_share_a_folder_list_apart(home):
    for cwd in ("/a-b", "/a/b"):
        begin(home, cwd, said(cwd)).close()

    assert len(paths.directories(home)) == 1 and len(listing(home)) == 2
    assert [summary.first_message for summary in listing(home, "/a-b")] == ["/a-b"]
    assert [summary.first_message for summary in listing(home, "/a/b")] == ["/a/b"]


def test_a_very_long_working_directory(home):
    cwd = "/" + "/".join(["x" * 99] * 6)
    begin(home, cwd, said("far away")).close()

    assert [summary.cwd for summary in listing(home, cwd)] == [cwd]


def test_what_was_appended_is_added(home):
    session = begin(home, "/work", said("x"))
    listing(home)
    session.append_all([reply(), TitleGiven("n")])
    (grown,) = listing(home)
    os.unlink(catalog_file(home))

    assert (grown.messages, grown.name) == (2, "n")
    assert listing(home) == [grown]
    session.close()


@pytest.mark.parametrize("cut", range(0, 500, 7))
def test_a_file_in_the_midst_of_being_written_is_counted_once(home, cut):
    session = begin(home, "/work", said("x"), reply(), TitleGiven("n"))
    session.close()
    path = session.store.path
    with open(path, "rb") as file:
        content = file.read()
    (whole,) = listing(home)
    os.unlink(catalog_file(home))
    with open(path, "wb") as file:
        file.write(content[:-cut] if cut else content)
    listing(home)
    with open(path, "ab") as file:
        file.write(content[-cut:] if cut else b"")

    assert listing(home) == [whole]


def test_a_file_that_was_replaced_is_counted_anew(home):
    session = begin(home, "/work", said("x"), reply())
    session.close()
    before = listing(home)
    other = begin(home, "/work", said("another prompt"), reply(), reply(), reply())
    other.close()
    os.replace(other.store.path, session.store.path)
    (after,) = listing(home)

    assert before[0].messages == 2
    assert (after.messages, after.first_message, after.id) == (4, "another prompt", other.store.session_id)


def test_a_deleted_session_is_gone(home):
    some_sessions(home)
    first, *rest = listing(home)
    os.unlink(first.path)

    assert listing(home) == rest


def test_a_damaged_file_is_shown_and_blocks_nothing(home):
    some_sessions(home)
    folder = paths.directories(home)[0]
    with open(os.path.join(folder, "damaged.jsonl"), "w") as file:
        file.write("no session\n")
    os.mkdir(os.path.join(folder, "folder.jsonl"))

    for _ in range(2):
        damaged = [summary for summary in listing(home) if not summary.readable]
        assert [(summary.first_message, summary.id) for summary in damaged] == [("(unreadable)", "")]
        assert len(listing(home)) == 4
    assert len(listing(home, "/work0")) == 2


@pytest.mark.parametrize(
    "damage", ["delete", "garbage", "cut", "holes", "empty", "folder", "another table", "wrong rows"]
)
def test_a_broken_catalog_gives_the_same_listing(home, damage):
    some_sessions(home)
    right = listing(home)
    path = catalog_file(home)
    with open(path, "rb") as file:
        content = file.read()
    match damage:
        case "delete":
            os.unlink(path)
        case "garbage":
            content = b"garbage" * 1000
        case "cut":
            content = content[: len(content) // 2 + 100]
        case "holes":
            content = content[:4096] + b"\0" * (len(content) - 4096)
        case "empty":
            content = b""
        case "folder":
            os.unlink(path)
            os.mkdir(path)
        case "another table":
            database = apsw.Connection(path)
            database.execute("DROP TABLE session; CREATE TABLE session (x)")
            database.close()
        case "wrong rows":
            database = apsw.Connection(path)
            database.execute("UPDATE session SET name = 'wrong', messages = 'x'")
            database.close()
    if damage in ("garbage", "cut", "holes", "empty"):
        with open(path, "wb") as file:
            file.write(content)

    assert listing(home) == right
    assert listing(home) == right
    if damage != "folder":
        assert apsw.Connection(path).execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_home_that_cannot_be_written_still_lists(home, tmp_path):
    some_sessions(home)
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")

    assert Catalog(str(in_the_way / "catalog.db")).sessions(paths.directories(home)) == listing(home)


def test_names_that_are_not_unicode(home):
    folder = paths.directory_of(home, "/work")
    session = begin(home, "/work", said("x"))
    session.close()
    os.rename(os.fsencode(session.store.path), os.fsencode(folder) + b"/\xff.jsonl")

    assert [summary.first_message for summary in listing(home)] == ["x"]
    assert [summary.first_message for summary in listing(home)] == ["x"]


LIST_OFTEN = """
import sys
from codi.sessions import paths
from codi.sessions.catalog import Catalog
home = sys.argv[1]
for _ in range(15):
    found = Catalog(home + "/catalog.db").sessions(paths.directories(home))
    assert len(found) == 3, found
"""


def test_two_processes_at_once(home):
    some_sessions(home)
    session = begin(home, "/work0", said("busy"), at=9000.0)
    os.rename(session.store.path, session.store.path + ".hidden")
    children = [subprocess.Popen([sys.executable, "-c", LIST_OFTEN, home], stderr=subprocess.PIPE) for _ in range(2)]
    busy = listing(home)[0].path
    for number in range(50):
        with open(busy, "ab") as file:
            file.write(b'{"type":"x_new","id":"%08x","parentId":null,"timestamp":""}\n' % number)

    for child in children:
        _, error = child.communicate()
        assert child.returncode == 0, error.decode()
    session.close()
    assert apsw.Connection(catalog_file(home)).execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert len(listing(home)) == 3


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=30) | entries.map(line_of), max_size=6), st.integers(0))
def test_a_file_read_in_two_parts_counts_the_same(lines, cut):
    content = header_line(Header(3, "s1", "2026-01-01T00:00:00.000Z", "/work")) + b"\n".join(lines) + b"\n"
    cut = content.index(b"\n") + cut % (len(content) - content.index(b"\n"))
    whole, parts = Tally("x"), Tally("x")
    whole.take(content)
    parts.take(content[:cut])
    parts.take(content[parts.offset :])

    assert parts == whole
    assert isinstance(whole.summary().messages, int)
