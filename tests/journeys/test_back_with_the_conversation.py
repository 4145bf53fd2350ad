"""The files and the conversation go back together, and a conversation can look back: by the installed program."""

import json

import pytest
from test_chat import terminal  # noqa: F401

from conftest import call, says

YES = ("--permission-mode", "full-access")


def shell(command: str):
    return call("shell", command=command)


@pytest.fixture
def two_turns(codi, lab, folder):
    """Two turns of one session: the first writes two files, the second changes one of them."""
    (folder / "c.txt").write_text("mine\n")
    server = lab(
        [
            says("", call("write", path="a.txt", content="one\n")),
            says("", call("write", path="b.txt", content="b\n")),
            says("First done."),
            says("", shell("sed -i s/one/two/ a.txt")),
            says("Second done."),
            says("", shell("echo three >> a.txt")),
            says("Third done."),
        ]
    )
    assert codi("-p", "first prompt", *YES).status == 0
    assert codi("-p", "-c", "second prompt", *YES).status == 0
    return server


def leaf_moves(codi):
    return [line["data"] for line in codi.session() if line.get("customType") == "codi/leaf"]


def test_a_snapshot_brings_the_conversation_back_too(codi, two_turns, folder):
    before = codi.session()
    run = codi("snapshot", "restore", "s2", "--conversation")
    assert run.status == 0, run
    assert "the conversation goes on from before “second prompt”" in run.out and "what was there is s3" in run.out
    assert (folder / "a.txt").read_text() == "one\n"

    after = codi.session()
    assert after[: len(before)] == before, "a session is only ever appended to"
    (moved,) = leaf_moves(codi)
    assert moved["from"] == before[-1]["id"] and after[-1]["parentId"] == moved["to"]

    assert codi("-p", "-c", "another way", *YES).status == 0
    sent = two_turns.requests[-1].body.decode()
    assert "first prompt" in sent and "another way" in sent and "second prompt" not in sent
    assert (folder / "a.txt").read_text() == "one\nthree\n"


def test_the_middle_of_a_turn_is_behind_the_result_of_its_call(codi, two_turns, folder):
    run = codi("snapshot", "restore", "s1", "--conversation", "--json")
    assert run.status == 0, run
    told = json.loads(run.out)
    assert told["snapshot"] == "s3" and not (folder / "b.txt").exists()
    (entry,) = [line for line in codi.session() if line.get("id") == told["conversation"]["to"]]
    assert entry["message"]["role"] == "toolResult" and "a.txt" in json.dumps(entry)

    assert codi("undo").status == 0  # of the files
    assert (folder / "b.txt").read_text() == "b\n" and (folder / "a.txt").read_text() == "two\n"


def test_a_name_knows_its_moment(codi, two_turns, folder):
    assert codi("snapshot", "create", "here").status == 0
    assert codi("-p", "-c", "third prompt", *YES).status == 0
    last = codi.session()[-1]["id"]
    told = json.loads(codi("snapshot", "restore", "here", "a.txt", "--conversation", "--json").out)
    assert (folder / "a.txt").read_text() == "two\n"
    entries = codi.session()
    (entry,) = [line for line in entries if line.get("id") == told["conversation"]["to"]]
    assert entry["customType"] == "codi/turn_end" and entry["data"]["turn"] == 2
    assert leaf_moves(codi) == [{"from": last, "to": entry["id"]}]


def test_a_session_that_is_gone_leaves_the_files_alone(codi, two_turns, folder):
    for path in codi.sessions():
        path.unlink()
    run = codi("snapshot", "restore", "s0", "--conversation")
    assert run.status == 1 and "No session found" in run.err
    assert (folder / "a.txt").read_text() == "two\n"


def test_undo_of_a_talk_takes_the_conversation_along_and_back(codi, two_turns, folder, terminal):  # noqa: F811
    chat = terminal("-c")
    chat.wait_for("\nYou:")
    chat.type("/undo --conversation --dry-run\n")
    chat.wait_for("would be taken back:", "the conversation would go on from before “second prompt”", "Go on with it?")
    assert (folder / "a.txt").read_text() == "two\n" and not leaf_moves(codi)
    chat.type("n\n")
    chat.type("/undo --conversation\n")
    chat.wait_for("Take this back?")
    chat.type("y\n")
    chat.wait_for("is taken back:", "the conversation goes on from before “second prompt”")
    assert (folder / "a.txt").read_text() == "one\n" and len(leaf_moves(codi)) == 1
    chat.type("/mode full-access\n")
    chat.wait_for("mode: full-access")
    chat.type("another way\n")
    chat.wait_for("Third done.")
    sent = two_turns.requests[-1].body.decode()
    assert "first prompt" in sent and "second prompt" not in sent
    chat.type("/snapshot restore s0 --conversation\n")
    chat.wait_for("is brought back:", "the conversation goes on from before “first prompt”")
    assert sorted(path.name for path in folder.iterdir()) == ["c.txt"]
    chat.type("/undo --conversation\n")
    chat.wait_for("Take this back?", times=2)
    chat.type("y\n")
    chat.wait_for("is taken back:", times=2)
    assert (folder / "a.txt").read_text() == "one\nthree\n"
    moves = leaf_moves(codi)
    assert len(moves) == 3 and moves[2]["to"] == moves[1]["from"]
    chat.type("/exit\n")
    assert chat.end() == 0


CHOICES = {
    "1": {"a.txt": "one\n", "b.txt": "b\n"},
    "2": {"a.txt": "one\n"},
    "--turn": {"a.txt": "one\n", "b.txt": "b\n"},
    "turn": {"a.txt": "one\n", "b.txt": "b\n"},
    "--to s1": {"a.txt": "one\n"},
    "--to=2": {"a.txt": "one\n", "b.txt": "b\n"},
    "--all": {},
    "--path b.txt": {"a.txt": "two\n"},
    "b.txt": {"a.txt": "two\n"},
    "--all --path a.txt": {"b.txt": "b\n"},
}


def test_undo_takes_what_was_named(codi, two_turns, folder, terminal):  # noqa: F811
    (folder / "c.txt").unlink()
    chat = terminal("-c")
    chat.wait_for("\nYou:")
    for times, (typed, files) in enumerate(CHOICES.items(), 1):
        chat.type(f"/undo {typed}\n")
        chat.wait_for("Take this back?", times=times)
        chat.type("y\n")
        chat.wait_for("is taken back:", times=times)
        assert {path.name: path.read_text() for path in folder.iterdir()} == files, typed
        chat.type("/redo\n")
        chat.wait_for("Put this back?", times=times)
        chat.type("y\n")
        chat.wait_for("is put back:", times=times)
    chat.type("/exit\n")
    assert chat.end() == 0


def test_looking_back_while_talking(codi, two_turns, folder, terminal):  # noqa: F811
    (folder / "c.txt").write_text("mine\nmore\n")
    chat = terminal("-c")
    chat.wait_for("\nYou:")
    chat.type("/blame a.txt\n")
    chat.wait_for("    1 two  [step 3, turn 2, ", "shell: second prompt]")
    chat.type("/blame c.txt:1\n")
    chat.wait_for("    1 mine  [before codi]")
    chat.type("/blame c.txt:9\n")
    chat.wait_for("error: c.txt has 2 lines")
    chat.type("/changes --json\n")
    chat.wait_for('{"files":[{"path":"a.txt","kind":"created","before":null')
    chat.type("/snapshot create my name\n")
    chat.wait_for("is my name")
    chat.type("/snapshot\n")
    chat.wait_for("before turn 2: second prompt", "my name")
    chat.type("/snapshot diff s2 s3\n")
    chat.wait_for("--- a/a.txt", "-one", "+two")
    chat.type("/snapshot restore s1 b.txt\n")
    chat.wait_for("delete    b.txt", "what was there is s")
    assert not (folder / "b.txt").exists() and not leaf_moves(codi)
    for command, usage in [("/snapshot restore", "usage: /snapshot list"), ("/blame", "usage: /blame FILE"), ("/undo 1 --all", "usage: /undo [N"),
                           ("/bisect --from 1", "usage: /bisect"), ("/redo x", "usage: /redo"), ("/changes now", "usage: /changes")]:  # fmt: skip
        chat.type(f"{command}\n")
        chat.wait_for(usage)
    chat.type("/exit\n")
    assert chat.end() == 0


def test_a_bisection_is_judged_as_any_command_and_leaves_the_tree_alone(codi, two_turns, folder, terminal):  # noqa: F811
    chat = terminal("-c", "--permission-mode", "default")
    chat.wait_for("\nYou:")
    chat.type("/bisect -- ! grep -q two a.txt; echo ran >> log.txt; test $(cat a.txt) = one\n")
    chat.wait_for("bisect wants to:", "Approve: y")
    chat.type("n\n")
    chat.wait_for("error: the command was not run")
    chat.type('/bisect --to 3 -- touch made && test "$(cat a.txt)" = one\n')
    chat.wait_for("bisect wants to:", times=2)
    chat.type("y\n")
    chat.wait_for("good after step 2", "step 3, turn 2 of session", "prompt: second prompt", "2 runs")
    assert sorted(path.name for path in folder.iterdir()) == ["a.txt", "b.txt", "c.txt"]
    chat.type("/mode read-only\n/bisect -- touch x\n")
    chat.wait_for("error: the command was not run", times=2)
    chat.type("/mode full-access\n/bisect -- test ! -e b.txt || sleep 60\n")
    chat.wait_for("good after step 1", times=2)
    chat.type("\x03")
    chat.wait_for("it was stopped")
    chat.type("/exit\n")
    assert chat.end() == 0
