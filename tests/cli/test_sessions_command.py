"""`codi sessions`, through the installed program."""

import fcntl
import json
import os
import pty

import pytest

from conftest import PROGRAM, Codi, says


@pytest.fixture
def talked(codi, lab):
    """A session of this directory with a name, and a nameless one of another directory."""
    lab("hello")
    other = codi.cwd.parent / "other"
    other.mkdir()
    assert codi("-p", "What is a larder?", "--name", "Larders").status == 0
    assert codi("-p", "And what is\ta\nledger?", cwd=other).status == 0
    return codi


def ids(codi, *words):
    return [line["id"] for line in codi("sessions", "--json", *words).lines]


def test_the_list_is_of_this_project_newest_first(talked):
    (row,) = talked("sessions").rows
    assert row[1:3] == ["Larders", str(talked.cwd)]
    assert row[4] == "1" and row[5] == "anthropic/x" and row[6] == "?"

    titles = [row[1] for row in talked("sessions", "list", "--all").rows]
    assert titles == ["And what is a ledger?", "Larders"]


def test_an_unknown_cost_is_null_for_programs(talked):
    (line,) = talked("sessions", "--json").lines
    assert line["cost"] is None and line["title"] == "Larders" and line["turns"] == 1
    assert line["readable"] and os.path.exists(line["path"])


def test_the_list_can_be_narrowed(talked):
    assert len(ids(talked, "--all")) == 2
    assert len(ids(talked, "--all", "--limit", "1")) == 1
    assert len(ids(talked, "--all", "--model", "ANTHROPIC")) == 2
    assert ids(talked, "--all", "--model", "gpt") == []
    assert len(ids(talked, "--all", "--since", "1h")) == 2
    assert ids(talked, "--all", "--since", "2999-01-01") == []
    assert talked("sessions", "--cwd", str(talked.cwd.parent / "other")).rows[0][1] == "And what is a ledger?"


def test_an_empty_list_is_no_failure(codi):
    assert codi("sessions").status == 0
    assert codi("sessions", "--json").out == ""


def test_on_a_terminal_the_list_is_a_table_with_a_head(talked):
    ours, theirs = pty.openpty()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.dup2(theirs, 1)
        os.chdir(talked.cwd)
        os.execve(os.fspath(PROGRAM), ["codi", "sessions"], talked.env)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    lines = shown.decode().splitlines()
    assert lines[0].split() == ["id", "title", "project", "age", "turns", "model", "cost", "branch"]
    assert "\t" not in lines[1] and "Larders" in lines[1]


def test_show_path_and_dir(talked):
    (id,) = ids(talked)
    shown = talked("sessions", "show", id[:8])
    assert "Larders" in shown.out and "What is a larder?" in shown.out
    assert talked("sessions", "show", "larders", "--json").lines[0]["id"] == id
    path = talked("sessions", "path", "Larders").out.strip()
    assert path.endswith(f"_{id}.jsonl") and os.path.exists(path)
    assert talked("sessions", "dir").out.strip() == os.path.dirname(path)
    assert talked("sessions", "show", path, "--json").lines[0]["id"] == id


def test_rename_adds_to_the_file_and_takes_nothing_away(talked):
    path = talked("sessions", "path", "Larders").out.strip()
    with open(path, "rb") as file:
        before = file.read()

    assert talked("sessions", "rename", "Larders", "Things", "to eat").status == 0

    with open(path, "rb") as file:
        assert file.read().startswith(before)
    assert talked("sessions").rows[0][1] == "Things to eat"
    assert talked("sessions", "rename", "Things to eat", "x" * 61).status == 2


def damaged(codi):
    """The session file with a torn line, an orphan and an id that is there twice."""
    path = codi("sessions", "path", "Larders").out.strip()
    with open(path, encoding="utf-8") as file:
        header, *lines = file.read().splitlines()
    one = json.loads(lines[1])
    orphan = json.dumps(
        {"type": "custom", "customType": "x", "id": "0000aaaa", "parentId": "nowhere0", "timestamp": one["timestamp"]}
    )
    twice = json.dumps({k: v for k, v in one.items() if k != "_c"})
    text = "\n".join([header, *lines, '{"type":"mess', orphan, twice]) + "\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path, text


def test_verify_names_the_lines_that_are_damaged(talked):
    assert talked("sessions", "verify", "--all").status == 0
    _, text = damaged(talked)
    last = text.count("\n")

    verified = talked("sessions", "verify", "Larders")

    assert verified.status == 1
    assert [row[1:3] for row in verified.rows] == [
        [str(last - 2), "skipped"],
        [str(last - 1), "re-attached"],
        [str(last), "renamed"],
    ]
    (line,) = talked("sessions", "verify", "Larders", "--json").lines
    assert not line["ok"] and [each["line"] for each in line["problems"]] == [last - 2, last - 1, last]


def test_repair_writes_a_clean_copy_and_leaves_the_original(talked):
    path, text = damaged(talked)
    title = talked("sessions").rows[0][1]

    copy = talked("sessions", "repair", path).out.strip()

    with open(path, encoding="utf-8") as file:
        assert file.read() == text
    assert os.path.dirname(copy) == os.path.dirname(path) and copy != path
    assert talked("sessions", "verify", copy).status == 0
    with open(copy, encoding="utf-8") as file:
        header = json.loads(file.readline())
    assert header["parentSession"] == path
    shown = talked("sessions", "show", copy, "--json").lines[0]
    assert shown["title"] == title and shown["messages"] == 2
    assert talked("sessions", "repair", copy).out == ""


def test_what_is_no_session_is_told_and_blocks_nothing(talked):
    folder = talked("sessions", "dir").out.strip()
    with open(os.path.join(folder, "2026-01-01T00-00-00-000Z_x.jsonl"), "w", encoding="utf-8") as file:
        file.write("no json\n")

    listed = talked("sessions")
    assert listed.status == 0
    assert [row[1] for row in listed.rows] in (["(unreadable)", "Larders"], ["Larders", "(unreadable)"])
    assert talked("sessions", "verify").status == 1
    with open(empty := os.path.join(folder, "empty.jsonl"), "w"):
        assert talked("sessions", "verify", empty).status == 0  # one that is yet to begin


def test_delete_needs_a_yes_where_nobody_can_be_asked(talked):
    refused = talked("sessions", "delete", "Larders")
    assert refused.status == 2 and "--yes" in refused.err
    assert len(ids(talked)) == 1


def test_delete_moves_to_the_trash_with_what_lies_beside(talked):
    path = talked("sessions", "path", "Larders").out.strip()
    beside = path.removesuffix(".jsonl") + ".results"
    os.makedirs(beside, exist_ok=True)

    deleted = talked("sessions", "delete", "Larders", "--yes", "--json")

    (line,) = deleted.lines
    assert not os.path.exists(path) and not os.path.exists(beside)
    assert line["path"] == path and line["trash"].startswith(str(talked.home / "trash"))
    assert os.path.exists(line["trash"]) and os.path.isdir(line["trash"].removesuffix(".jsonl") + ".results")
    assert ids(talked) == []


def test_delete_now_leaves_nothing(talked):
    assert talked("sessions", "delete", "Larders", "--now", "--yes").status == 0
    assert ids(talked) == [] and not (talked.home / "trash").exists()


def test_old_trash_goes_with_the_next_delete(talked):
    old = talked.home / "trash" / "long-ago"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    talked("sessions", "delete", "Larders", "--yes")
    assert not old.exists()


def test_a_session_that_is_written_is_not_deleted(talked):
    path = talked("sessions", "path", "Larders").out.strip()
    with open(path, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        refused = talked("sessions", "delete", "Larders", "--yes")
    assert refused.status == 1 and "Session is open in process" in refused.err
    assert os.path.exists(path)


def test_all_must_be_known_before_any_is_deleted(talked):
    assert talked("sessions", "delete", "Larders", "nonesuch", "--yes").status == 1
    assert len(ids(talked)) == 1


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["tidy"], 2, "unknown action 'tidy'"),
        (["--limit", "0"], 2, "'0' is no whole number"),
        (["--since", "yesterday"], 2, "is no time"),
        (["--al"], 2, "unknown argument --al"),
        (["show"], 2, "required"),
        (["show", "nonesuch"], 1, "No session found matching 'nonesuch'"),
        (["path", "./missing.jsonl"], 1, "No session found"),
        (["rename", "nonesuch", "x"], 1, "No session found"),
        (["--cwd", "/nowhere"], 2, "not a directory"),
    ],
)
def test_bad_input(codi, words, status, told):
    ran = codi("sessions", *words)
    assert ran.status == status and ran.out == ""
    assert told in ran.err and "\nhint: " in ran.err


def test_gc_throws_away_what_nothing_leads_to(codi: Codi, lab):
    lab("hello")
    assert codi("-p", "hi", "--name", "Larder").status == 0
    (session,) = codi.sessions()
    beside = [session.with_suffix(".results"), session.parent / "gone.results", codi.home / "trash" / "old"]
    for folder in beside:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "x.txt").write_text("12345")
    os.utime(beside[2], (0, 0))
    told = codi("sessions", "gc", "--dry-run", "--json").lines
    assert {(row["path"], row["bytes"], row["removed"]) for row in told} == {
        (str(each), 5, False) for each in beside[1:]
    }
    assert all(each.exists() for each in beside)
    assert codi("sessions", "gc").out.count("removed") == 2
    assert [each.exists() for each in beside] == [True, False, False] and session.exists()
    assert codi("sessions", "gc").out == ""


def test_a_name_may_be_cut_short_where_one_alone_begins_so(codi: Codi, lab):
    lab({"loop": True, "steps": [says("Yes.")]})
    for name in ("Larder", "Larder two", "Cellar"):
        assert codi("-p", "hi", "--name", name).status == 0
    names = [codi("sessions", "show", text, "--json").result["name"] for text in ("cell", "Larder", "larder t")]
    assert names == ["Cellar", "Larder", "Larder two"]
    assert codi("sessions", "show", "lard").status == 2 and codi("sessions", "show", "cel").status == 1
