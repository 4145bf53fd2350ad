"""The file of a session: when it comes into being, what is written to it, and what it survives."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from session_facts import EXAMPLES, reply, said

from codi.protocol.errors import SessionError
from codi.protocol.events import CommandShown, Entry, ModelChosen, ThinkingChosen, TitleGiven, Unknown
from codi.sessions.jsonl import JsonlStore
from codi.sessions.session import Session
from codi.sessions.store import Unsaved
from codi.sessions.version3 import Header, header_line, line_of

AT = 1_795_165_144.011
HEADER = header_line(Header(3, "s1", "2026-01-01T00:00:00.000Z", "/work"))


def new(directory, **more):
    return JsonlStore.new(str(directory), "/work", at=AT, **more)


def entry(id, parent, fact):
    return Entry(id, parent, 1.0, fact)


def file_with(directory, content):
    path = directory / "2026_s1.jsonl"
    path.write_bytes(content)
    return path


def in_child(code, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_nothing_is_on_disk_before_the_person_spoke(tmp_path):
    store = new(tmp_path / "deep" / "er")
    store.append(entry("a", None, ModelChosen("p", "m")))
    store.append(entry("b", "a", ThinkingChosen("off")))
    store.append(entry("c", "b", CommandShown(command="ls", output="")))
    store.sync()

    assert list(tmp_path.iterdir()) == []
    store.append(entry("d", "c", said("hello")))
    lines = Path(store.path).read_bytes().splitlines()
    assert [json.loads(line)["type"] for line in lines] == [
        "session",
        "model_change",
        "thinking_level_change",
        "message",
        "message",
    ]
    store.close()


def test_a_session_without_a_prompt_leaves_nothing(tmp_path):
    store = new(tmp_path)
    store.append(entry("a", None, ModelChosen("p", "m")))
    store.close()

    assert list(tmp_path.iterdir()) == []


def test_the_file_and_its_folders_are_for_the_person_alone(tmp_path):
    before = os.umask(0)
    try:
        store = new(tmp_path / "home" / "sessions")
        store.append(entry("a", None, said("x")))
    finally:
        os.umask(before)
    store.close()

    assert stat.S_IMODE(os.stat(store.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(tmp_path / "home").st_mode) == 0o700
    assert stat.S_IMODE(os.stat(tmp_path / "home" / "sessions").st_mode) == 0o700


def test_the_header_and_the_name_of_the_file(tmp_path):
    store = new(tmp_path, parent_session="/x.jsonl")
    store.append(entry("a", None, said("x")))
    store.close()
    header = json.loads(Path(store.path).read_bytes().splitlines()[0])

    assert list(header) == ["type", "version", "id", "timestamp", "cwd", "parentSession"]
    assert header["version"] == 3 and header["cwd"] == "/work" and header["parentSession"] == "/x.jsonl"
    assert os.path.basename(store.path) == f"2026-11-20T08-59-04-011Z_{header['id']}.jsonl"


def test_everything_comes_back(tmp_path):
    store = new(tmp_path)
    session = Session(store)
    session.append(said("begin"))
    session.append_all(EXAMPLES.values())
    session.close()
    again = JsonlStore.open(store.path)

    assert list(again) == session.entries
    assert (again.session_id, again.cwd, again.warnings) == (store.session_id, "/work", [])
    again.close()


def test_opening_and_closing_changes_no_byte(tmp_path):
    content = HEADER + b"broken\n" + line_of(entry("a", "gone", said("x"))) + b'{"torn'
    path = file_with(tmp_path, content)
    store = JsonlStore.open(str(path))
    store.sync()
    store.close()

    assert path.read_bytes() == content
    assert store.warnings == ["Session repaired on reading: 2 lines skipped (lines 2, 4), 1 entry re-attached."]
    assert JsonlStore.open(str(path), read_only=True).warnings == store.warnings


@pytest.mark.parametrize("tail", [b"", b'{"type":"mess', line_of(entry("b", "a", said("y")))[:-1], b"\0\0\0"])
def test_appending_after_a_torn_tail(tmp_path, tail):
    content = HEADER + line_of(entry("a", None, said("x"))) + tail
    path = file_with(tmp_path, content)
    session = Session(JsonlStore.open(str(path)))
    count = len(session.entries)
    added = session.append(TitleGiven("n"))
    session.append(TitleGiven("m"))
    session.close()

    assert path.read_bytes() == content + (b"\n" if tail else b"") + b"".join(map(line_of, session.entries[count:]))
    again = Session(JsonlStore.open(str(path)))
    assert again.entries == session.entries and added in again.entries
    again.close()


@pytest.mark.parametrize("content", [b"text\n", b'{"type":"message","id":"a"}\n', b"\n", b"\0"])
def test_what_is_no_session_is_left_alone(tmp_path, content):
    path = file_with(tmp_path, content)

    with pytest.raises(SessionError) as refused:
        JsonlStore.open(str(path))
    assert str(refused.value) == f"{path} is not a session file."
    assert path.read_bytes() == content and os.listdir(tmp_path) == [path.name]


def test_neither_a_missing_file_nor_a_folder_is_a_session(tmp_path):
    for path in (tmp_path, tmp_path / "none.jsonl"):
        with pytest.raises(SessionError):
            JsonlStore.open(str(path))
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_a_new_session(tmp_path):
    path = file_with(tmp_path, b"")
    session = Session(JsonlStore.open(str(path), cwd="/there"))
    assert path.read_bytes() == b""
    session.append(said("x"))
    session.close()

    again = JsonlStore.open(str(path), read_only=True)
    assert again.cwd == "/there" and again.session_id == session.store.session_id and len(list(again)) == 1


def test_reading_alone_changes_and_locks_nothing(tmp_path):
    path = file_with(tmp_path, HEADER + line_of(entry("a", None, said("x"))))
    writer = JsonlStore.open(str(path))
    reader = JsonlStore.open(str(path), read_only=True)

    with pytest.raises(SessionError):
        reader.append(entry("b", "a", TitleGiven("n")))
    assert len(list(reader)) == 1
    writer.append(entry("b", "a", TitleGiven("n")))
    writer.close()
    reader.close()


def test_a_newer_format_can_only_be_read(tmp_path):
    content = HEADER.replace(b'"version":3', b'"version":9') + line_of(entry("a", None, said("x")))
    path = file_with(tmp_path, content)
    store = JsonlStore.open(str(path))

    assert store.warnings == ["This session was written by a newer format (version 9). hint: fork it."]
    with pytest.raises(SessionError, match=r"written by a newer format \(version 9\)") as refused:
        store.append(entry("b", "a", TitleGiven("n")))
    assert refused.value.hint == "fork it."
    assert path.read_bytes() == content


OPEN_AND_WAIT = """
import sys
from codi.sessions.jsonl import JsonlStore
store = JsonlStore.open(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def test_a_second_writer_is_refused_until_the_first_is_gone(tmp_path):
    path = file_with(tmp_path, HEADER)
    child = in_child(OPEN_AND_WAIT, path, stdin=subprocess.PIPE)
    assert child.stdout.readline() == "open\n"

    with pytest.raises(SessionError) as refused:
        JsonlStore.open(str(path))
    assert str(refused.value) == f"Session is open in process {child.pid}."
    assert refused.value.hint == "use --fork"

    child.send_signal(signal.SIGKILL)
    child.communicate()
    JsonlStore.open(str(path)).close()


APPEND_FOR_EVER = """
import sys, time
from codi.protocol.events import MessageAdded, TitleGiven
from codi.protocol.messages import user
from codi.sessions.jsonl import JsonlStore
from codi.sessions.session import Session
session = Session(JsonlStore.open(sys.argv[1]))
print(session.append(MessageAdded(user("x"))).id, flush=True)
while True:
    print(session.append(TitleGiven("y" * 200)).id, flush=True)
"""


def test_what_was_acknowledged_outlives_a_kill(tmp_path):
    path = file_with(tmp_path, HEADER)
    acknowledged = []
    for round in range(20):
        child = in_child(APPEND_FOR_EVER, path)
        told = [child.stdout.readline() for _ in range(1 + 7 * round)]
        child.kill()
        told += child.stdout.readlines()
        child.wait()
        child.stdout.close()
        child.stderr.close()
        acknowledged += [line.strip() for line in told if line.endswith("\n")]
    session = Session(JsonlStore.open(str(path)))
    kept = [entry.id for entry in session.path()]

    assert len(acknowledged) > 100
    told_of = set(acknowledged)
    assert [id for id in kept if id in told_of] == acknowledged
    assert len(session.entries) == len(kept) <= len(acknowledged) + 20
    session.close()


FILL_UP = """
import os, resource, sys
from codi.protocol.errors import SessionError
from codi.protocol.events import TitleGiven, MessageAdded
from codi.protocol.messages import user
from codi.sessions.jsonl import JsonlStore
from codi.sessions.session import Session
from codi.sessions.store import Unsaved

session = Session(JsonlStore.new(sys.argv[1], "/work", at=1.0))
if sys.argv[2] == "later":
    session.append(MessageAdded(user("hello")))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (600, hard))
failed = 0
for number in range(5):
    try:
        session.append(MessageAdded(user("x" * 150)))
    except Unsaved as error:
        failed += 1
        assert error.hint
try:
    session.sync()
    print("synced")
except Unsaved:
    pass
assert os.path.getsize(session.store.path) <= 600
assert open(session.store.path, "rb").read().endswith(b"\\n") or not os.path.getsize(session.store.path)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
session.sync()
session.close()
print(failed, len(session.path()), session.store.path)
"""


@pytest.mark.parametrize("when", ["first", "later"])
def test_a_full_disk_loses_nothing_that_memory_holds(tmp_path, when):
    child = in_child(FILL_UP, tmp_path, when)
    out, error = child.communicate()
    assert child.returncode == 0, error
    failed, count, path = out.split()
    store = JsonlStore.open(path)

    assert int(failed) >= 3
    assert len(list(store)) == int(count) == (6 if when == "later" else 5)
    assert store.warnings == []
    store.close()


def test_a_folder_that_cannot_be_made_is_tried_again(tmp_path):
    in_the_way = tmp_path / "sessions"
    in_the_way.write_text("a file")
    session = Session(new(in_the_way))
    with pytest.raises(Unsaved):
        session.append(said("x"))
    assert len(session.entries) == 1
    in_the_way.unlink()
    session.append(TitleGiven("n"))
    session.close()

    assert list(JsonlStore.open(session.store.path, read_only=True)) == session.entries


def test_what_others_appended_meanwhile_stays(tmp_path):
    path = file_with(tmp_path, HEADER + line_of(entry("a", None, said("x"))))
    session = Session(JsonlStore.open(str(path)))
    with open(path, "ab") as other:
        other.write(line_of(entry("b", "a", TitleGiven("theirs"))))
    session.append(TitleGiven("ours"))
    session.close()

    names = [kept.fact.name for kept in JsonlStore.open(str(path), read_only=True) if isinstance(kept.fact, TitleGiven)]
    assert names == ["theirs", "ours"]


def test_unknown_lines_stay_in_the_tree(tmp_path):
    strange = b'{"type": "x_new", "id": "b", "parentId": "a", "timestamp": "2026-01-01T00:00:00.000Z"}\n'
    path = file_with(tmp_path, HEADER + line_of(entry("a", None, said("x"))) + strange)
    session = Session(JsonlStore.open(str(path)))
    added = session.append(reply())
    session.close()

    assert added.parent == "b" and isinstance(session.path()[1].fact, Unknown)
    assert strange in path.read_bytes()
