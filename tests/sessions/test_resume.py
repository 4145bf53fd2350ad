"""Which session is meant, and what a fork takes with it."""

import json
import os
from pathlib import Path

import pytest
from session_facts import EXAMPLES, reply, said

from codi.protocol.conversation import SessionSummary
from codi.protocol.errors import SessionError, UsageError
from codi.protocol.events import Noted, TitleGiven
from codi.sessions import resume
from codi.sessions.jsonl import JsonlStore
from codi.sessions.reading import read
from codi.sessions.session import Session


def summary(id, name="", cwd="/here", modified=1.0, readable=True):
    return SessionSummary(path=f"/s/{id}.jsonl", id=id, cwd=cwd, name=name, modified=modified, readable=readable)


SESSIONS = [
    summary("0190aaaa-1", "login bug", modified=3.0),
    summary("0190aaab-2", "Docs", modified=5.0),
    summary("0190cccc-3", "docs", cwd="/there", modified=9.0),
    summary("0191dddd-4", "0190", cwd="/there"),
    summary("", cwd="", modified=99.0, readable=False),
]


def test_the_newest_of_this_directory():
    assert resume.newest(SESSIONS, "/here").id == "0190aaab-2"
    assert resume.newest(SESSIONS, "/elsewhere") is None


@pytest.mark.parametrize(
    ("text", "cwd", "id"),
    [
        ("0190aaaa", "/here", "0190aaaa-1"),
        ("0190AAAB", "/here", "0190aaab-2"),
        ("0190aaaa-1", "/here", "0190aaaa-1"),
        ("0190", "/there", "0190cccc-3"),
        ("0191", "/here", "0191dddd-4"),
        ("login bug", "/there", "0190aaaa-1"),
        ("docs", "/here", "0190aaab-2"),
        ("docs", "/there", "0190cccc-3"),
    ],
)
def test_who_is_meant(text, cwd, id):
    assert resume.find(text, SESSIONS, cwd).id == id
    assert resume.path_of(text, SESSIONS, cwd) == f"/s/{id}.jsonl"


@pytest.mark.parametrize(
    ("text", "cwd", "ids"), [("0190", "/here", 2), ("docs", "/elsewhere", 2), ("0190", "/elsewhere", 3)]
)
def test_several_are_meant(text, cwd, ids):
    with pytest.raises(UsageError) as refused:
        resume.find(text, SESSIONS, cwd)
    assert refused.value.exit_status == 2
    assert sum(session.id in str(refused.value) for session in SESSIONS if session.id) == ids


@pytest.mark.parametrize("text", ["019", "zzzz", "log", ""])
def test_none_is_meant(text):
    with pytest.raises(SessionError) as refused:
        resume.find(text, SESSIONS, "/here")
    assert str(refused.value) == f"No session found matching '{text}'" and refused.value.exit_status == 1
    assert sum(session.id in refused.value.hint for session in SESSIONS if session.id) == 3


def test_a_name_may_be_begun():
    assert resume.find("login", SESSIONS, "/here").id == "0190aaaa-1"


def test_near_ones_are_near():
    with pytest.raises(SessionError) as refused:
        resume.find("logim bug", SESSIONS, "/here")
    assert refused.value.hint.index("0190aaaa-1") < refused.value.hint.index(", ")


def test_where_there_are_no_sessions():
    with pytest.raises(SessionError) as refused:
        resume.find("x", [], "/here")
    assert refused.value.hint


def test_a_path_must_be_there(tmp_path):
    (tmp_path / "x.jsonl").write_text("")

    assert resume.path_of("x.jsonl", [], str(tmp_path)) == str(tmp_path / "x.jsonl")
    assert resume.path_of("./x.jsonl", [], str(tmp_path)) == os.path.join(str(tmp_path), "./x.jsonl")
    for missing in ("y.jsonl", "sub/0190aaaa-1", str(tmp_path / "z")):
        with pytest.raises(SessionError, match="No session found matching"):
            resume.path_of(missing, SESSIONS, str(tmp_path))
    assert os.listdir(tmp_path) == ["x.jsonl"]


def test_a_fork_has_every_line_and_a_header_of_its_own(tmp_path):
    source = Session(JsonlStore.new(str(tmp_path / "from"), "/work", at=1.0))
    source.append(said("x"))
    source.append_all(EXAMPLES.values())
    source.branch_from(source.entries[3].id)
    source.close()
    path = Path(source.store.path)
    path.write_bytes(path.read_bytes() + b'{"type": "x_new", "id": "1", "parentId": "gone"}\nbroken\n{"type": "x_torn')
    before = path.read_bytes()
    forked = resume.fork(str(path), str(tmp_path / "to"), "/elsewhere", at=2.0)
    content = Path(forked.path).read_bytes()
    header = json.loads(content.split(b"\n")[0])

    assert path.read_bytes() == before and forked.warning is None
    assert content.split(b"\n")[1:-1] == before.split(b"\n")[1:-2]
    assert header["cwd"] == "/elsewhere" and header["parentSession"] == str(path)
    assert header["id"] != source.store.session_id and header["id"] in forked.path
    assert os.listdir(tmp_path / "to") == [os.path.basename(forked.path)]
    opened = JsonlStore.open(forked.path)
    assert list(opened) == list(JsonlStore.open(str(path), read_only=True))
    opened.close()


def test_the_fork_of_a_newer_format_says_what_it_left_out(tmp_path):
    source = Session(JsonlStore.new(str(tmp_path), "/work", at=1.0))
    first, second, third = source.append_all([said("x"), reply(), TitleGiven("n")])
    source.close()
    path = Path(source.store.path)
    strange = b'{"type":"x_new","id":"strange","parentId":"%s","timestamp":""}\n' % second.id.encode()
    foreign = b'{"type":"custom","customType":"x","data":1,"id":"foreign","parentId":"strange","timestamp":""}\n'
    content = path.read_bytes().replace(b'"version":3', b'"version":9')
    path.write_bytes(content + strange + foreign)
    forked = resume.fork(str(path), str(tmp_path), "/work", at=2.0)
    reading = read(Path(forked.path).read_bytes())

    assert forked.warning == "1 entry was not understood and left out of the fork."
    assert reading.problems == [] and reading.header.version == 3
    assert [(entry.id, entry.parent) for entry in reading.entries] == [
        (first.id, None),
        (second.id, first.id),
        (third.id, second.id),
        ("foreign", second.id),
    ]


def test_an_old_session_is_forked_as_version_3(tmp_path):
    path = tmp_path / "old.jsonl"
    path.write_text('{"type":"session","id":"s"}\n{"type":"message","message":{"role":"user","content":"x"}}\n')
    forked = resume.fork(str(path), str(tmp_path), "/work", at=2.0)
    store = JsonlStore.open(forked.path)

    assert [entry.fact for entry in store] == [said("x")]
    assert store.header.version == 3 and store.cwd == "/work"
    assert Session(store).append(Noted("p", 1)) == list(store)[-1]
    store.close()


@pytest.mark.parametrize("content", [None, b"text"])
def test_what_cannot_be_forked(tmp_path, content):
    path = tmp_path / "x.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SessionError):
        resume.fork(str(path), str(tmp_path / "to"), "/work", at=2.0)
    assert not (tmp_path / "to").exists()
