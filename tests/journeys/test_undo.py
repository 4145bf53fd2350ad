"""What the agent did is told, taken back, put back, attributed and found again, by the installed program."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from test_chat import terminal  # noqa: F401

from conftest import call, says

YES = ("--permission-mode", "full-access")


def hash_of(path: Path) -> str:
    done = subprocess.run(["git", "hash-object", str(path)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def shell(command: str):
    return call("shell", command=command)


def told(run):
    assert run.status == 0, run
    return json.loads(run.out)


@pytest.fixture
def changed(codi, lab, folder):
    """Two turns: the first writes a file and runs a command, the second deletes everything."""
    (folder / "a.txt").write_text("one\ntwo\nthree\n")
    (folder / "b.sh").write_text("echo b\n")
    lab(
        [
            says("", call("write", path="new.txt", content="fresh\n")),
            says("", shell("sed -i s/two/TWO/ a.txt; chmod 755 b.sh; mkdir empty")),
            says("Done."),
            says("", shell("rm -r a.txt b.sh empty new.txt")),
            says("Gone."),
        ]
    )
    assert codi("-p", "change it", *YES).status == 0
    return folder


def test_the_shells_changes_are_facts(codi, changed):
    effects = [line["data"] for line in codi.session() if line.get("customType") == "codi/effect"]
    assert [(change["path"], change["kind"]) for effect in effects for change in effect["changes"]] == [
        ("new.txt", "created"),
        ("a.txt", "modified"),
        ("b.sh", "mode"),
    ]
    snapshots = [line["data"] for line in codi.session() if line.get("customType") == "codi/snapshot"]
    assert [snapshot["when"] for snapshot in snapshots] == ["before", "after", "after"]
    assert len({snapshot["tree"] for snapshot in snapshots}) == 3


def test_a_turn_is_taken_back_and_put_back(codi, changed):
    after = (changed / "a.txt").read_text()
    shown = codi("undo", "--dry-run")
    assert shown.status == 0 and "restore   a.txt" in shown.out and "delete    new.txt" in shown.out
    assert (changed / "a.txt").read_text() == after
    assert codi("undo").status == 0
    assert (changed / "a.txt").read_text() == "one\ntwo\nthree\n"
    assert stat.S_IMODE((changed / "b.sh").stat().st_mode) == 0o644
    assert sorted(os.listdir(changed)) == ["a.txt", "b.sh"]
    assert codi("undo").status == 1
    assert codi("redo").status == 0
    assert (changed / "a.txt").read_text() == after
    assert sorted(os.listdir(changed)) == ["a.txt", "b.sh", "empty", "new.txt"]
    assert codi("redo").status == 1


def test_only_the_last_turn_goes_and_a_session_that_is_continued_can_go_back_further(codi, changed):
    assert codi("-p", "-c", "delete it", *YES).status == 0
    assert os.listdir(changed) == []
    assert codi("undo").status == 0
    assert sorted(os.listdir(changed)) == ["a.txt", "b.sh", "empty", "new.txt"]
    assert codi("undo", "1").status == 0
    assert (changed / "a.txt").read_text() == "one\ntwo\nthree\n" and (changed / "new.txt").exists()
    assert codi("undo", "--all").status == 0
    assert not (changed / "new.txt").exists()


def test_what_a_person_wrote_since_is_kept(codi, changed):
    with (changed / "a.txt").open("a") as file:
        file.write("mine\n")
    (changed / "own.txt").write_text("mine too\n")
    run = codi("undo")
    assert run.status == 0, run
    assert (changed / "a.txt").read_text() == "one\ntwo\nthree\nmine\n"
    assert (changed / "own.txt").read_text() == "mine too\n"


def test_a_conflict_is_shown_and_nothing_is_guessed(codi, changed):
    (changed / "a.txt").write_text("one\nMINE\nthree\n")
    run = codi("undo", "--json")
    assert run.status == 1 and "a.txt" in run.err
    assert [row["path"] for row in json.loads(run.out)["conflicts"]] == ["a.txt"]
    assert (changed / "a.txt").read_text() == "one\nMINE\nthree\n"
    assert (changed / "a.txt.codi-undo").read_text() == "one\ntwo\nthree\n"
    assert not (changed / "new.txt").exists()


def test_changes_have_the_ids_of_git_and_their_owners(codi, changed):
    (changed / "b.sh").write_text("echo c\n")
    files = {(row["path"], row["owner"]): row for row in told(codi("changes", "--json"))["files"]}
    assert set(files) == {("a.txt", "agent"), ("new.txt", "agent"), ("b.sh", "agent"), ("b.sh", "person")}
    assert files["a.txt", "agent"]["after"] == hash_of(changed / "a.txt")
    assert files["b.sh", "person"]["after"] == hash_of(changed / "b.sh")
    assert (files["a.txt", "agent"]["added"], files["a.txt", "agent"]["removed"]) == (1, 1)
    assert files["a.txt", "agent"]["tool"] == "shell" and files["new.txt", "agent"]["tool"] == "write"
    assert "+TWO" in codi("changes", "--patch").out.splitlines()
    assert ["a.txt", "1", "1"] in codi("changes", "--stat").rows


def test_what_is_not_covered_is_told(codi, changed):
    (changed / "node_modules").mkdir()
    (changed / "node_modules" / "x.js").write_text("x")
    assert {"path": "node_modules", "why": "excluded by undo.exclude"} in told(codi("changes", "--json"))["notCovered"]
    status = told(codi("undo", "--status", "--json"))
    assert status["undoable"] == 2 and 0 < status["usedBytes"] < status["quotaBytes"]
    assert {"path": "network", "why": "never"} in status["notCovered"]


def test_lines_are_attributed(codi, changed):
    with (changed / "a.txt").open("a") as file:
        file.write("mine\n")
    lines = told(codi("blame", "a.txt", "--json"))["lines"]
    assert [(line["owner"], line.get("prompt"), line.get("tool")) for line in lines] == [
        (None, None, None),
        ("agent", "change it", "shell"),
        (None, None, None),
        ("person", None, None),
    ]
    assert [line["line"] for line in told(codi("blame", "a.txt:2-3", "--json"))["lines"]] == [2, 3]
    assert codi("blame", "a.txt:9").status == 2


def test_a_planted_bug_is_found_and_its_prompt_named(codi, lab, folder):
    steps = [says("", call("write", path=f"m{number}.py", content=f"OK = {number != 11}\n")) for number in range(20)]
    lab([*steps, says("Done.")])
    assert codi("-p", "make twenty modules", *YES, "--max-turns", "0").status == 0
    run = codi("bisect", "--json", "--", "! grep -l False *.py")
    found = told(run)
    assert found["runs"] <= 5
    assert found["steps"][0]["prompt"] == "make twenty modules" and found["steps"][0]["files"] == ["m11.py"]
    assert len(list(folder.glob("*.py"))) == 20


def test_a_bug_in_one_of_a_hundred_calls_is_found_in_seven_runs(codi, lab, folder):
    steps = [says("", shell(f"echo {'bug' if number == 63 else 'fine'} {number} >> log")) for number in range(100)]
    lab([*steps, says("Done.")])
    assert codi("-p", "write the log, line by line", *YES, "--max-turns", "0").status == 0
    found = told(codi("bisect", "--json", "--", "! grep -q bug log"))
    assert found["runs"] <= 7
    assert found["steps"][0]["prompt"] == "write the log, line by line" and found["steps"][0]["files"] == ["log"]
    assert (folder / "log").read_text().count("\n") == 100


def test_snapshots_are_named_compared_and_restored(codi, changed):
    assert codi("snapshot", "create", "good").status == 0
    (changed / "a.txt").write_text("spoilt\n")
    os.unlink(changed / "new.txt")
    (changed / "more.txt").write_text("x\n")
    assert "good" in [row[2] for row in codi("snapshot", "list").rows]
    assert "-spoilt" not in codi("snapshot", "diff", "good").out and "+spoilt" in codi("snapshot", "diff", "good").out
    run = codi("snapshot", "restore", "good", "new.txt")
    assert run.status == 0 and (changed / "new.txt").read_text() == "fresh\n"
    assert (changed / "a.txt").read_text() == "spoilt\n"
    assert codi("snapshot", "restore", "good").status == 0
    assert (changed / "a.txt").read_text() == "one\nTWO\nthree\n" and not (changed / "more.txt").exists()
    assert codi("undo").status == 0
    assert (changed / "a.txt").read_text() == "spoilt\n" and (changed / "more.txt").exists()
    assert codi("snapshot", "delete", "good").status == 2
    assert codi("snapshot", "delete", "good", "--yes").status == 0
    assert "good" not in codi("snapshot", "list").out
    assert codi("snapshot", "restore", "s0").status == 0
    assert sorted(os.listdir(changed)) == ["a.txt", "b.sh"]


def test_a_session_does_not_take_anothers_steps(codi, lab, folder):
    lab([says("", shell("echo one > one")), says("Done."), says("", shell("echo two > two")), says("Done.")])
    first = codi.json("-p", "first", *YES).result["sessionId"]
    codi("-p", "second", *YES)
    assert codi("undo", "--all", "--session", first).status == 0
    assert os.listdir(folder) == ["two"]


def test_it_can_be_switched_off(codi, lab, folder):
    codi.set_up("undo.enabled = false")
    lab([says("", shell("echo one > one")), says("Done.")])
    codi("-p", "first", *YES)
    assert (folder / "one").exists() and not (codi.home / "undo").exists()
    assert codi("undo").status == 1


def test_what_cannot_be_taken_back_is_asked_first(codi, lab, folder):
    codi.set_up("undo.max_file_mb = 1")
    (folder / "big.txt").write_text("x" * 1_100_000 + "\n")
    lab([says("", call("write", path="big.txt", content="small\n")), says("Done.")])
    run = codi.json("-p", "shrink it", "--permission-mode", "accept-edits")
    assert run.status == 3 and (folder / "big.txt").stat().st_size > 1_000_000


def test_nobody_else_may_read_it(codi, changed):
    for folder, folders, names in os.walk(codi.home):
        for name in [*folders, *names]:
            assert stat.S_IMODE(os.lstat(os.path.join(folder, name)).st_mode) & 0o077 == 0, name


def test_in_a_conversation(changed, codi, terminal):  # noqa: F811
    chat = terminal("-c")
    chat.wait_for("\nYou:")
    chat.type("/changes\n")
    chat.wait_for("modified  a.txt +1 -1")
    chat.type("/undo\n")
    chat.wait_for("would be taken back:", "Take this back?")
    chat.type("y\n")
    chat.wait_for("is taken back:")
    assert (changed / "a.txt").read_text() == "one\ntwo\nthree\n"
    chat.type("/redo\n")
    chat.wait_for("Put this back?")
    chat.type("y\n")
    chat.wait_for("is put back:")
    assert (changed / "a.txt").read_text() == "one\nTWO\nthree\n"
    chat.type("/exit\n")
    assert chat.end() == 0


def test_what_a_background_job_may_have_done_stays_unless_it_is_named(codi, lab, folder):
    lab(
        [
            says("", call("shell", command="sleep 0.4; echo job > job.txt; sleep 60", background=True)),
            says("", shell("while ! test -e job.txt; do sleep 0.05; done; echo fore > fore.txt")),
            says("", shell("sleep 0.1; echo more > more.txt")),
            says("Done."),
        ]
    )
    assert codi("-p", "start it", *YES).status == 0
    assert codi("undo").status == 0
    assert set(os.listdir(folder)) <= {"job.txt"}


def test_a_command_in_a_folder_with_a_first_look_under_way_is_stopped_at_once(codi, lab, folder):
    for number in range(3000):
        (folder / f"f{number}").write_text(str(number))
    lab([says("", shell("sleep 60"))])
    run = codi.start("run it", *YES)
    run.wait_for("tool_execution_start")
    run.signal(2)
    assert run.end().status == 130
    assert codi("undo").status == 1


def test_its_settings(codi, lab, folder):
    codi.set_up("undo = {quota_mb = 1, exclude = ['skipped'], snapshot_count = 1}")
    command = "mkdir -p skipped dist; echo x > skipped/x; echo x > dist/x; head -c 450000 /dev/urandom > blob"
    lab([step for _ in range(3) for step in (says("", shell(command)), says("Done."))])
    for _ in range(3):
        assert codi("-p", "go", *YES).status == 0
    assert len(codi("snapshot", "list").rows) == 1
    status = told(codi("undo", "--status", "--json"))
    assert status["undoable"] == 1 and status["usedBytes"] < 1_100_000
    assert {"path": "skipped", "why": "excluded by undo.exclude"} in status["notCovered"]
    assert "dist" not in [gap["path"] for gap in status["notCovered"]]
    codi.set_up("undo = {snapshot_days = 1}")
    journal = next((codi.home / "undo").glob("*/journal.jsonl"))
    assert journal.exists() and len(codi("snapshot", "list").rows) == 1


def test_the_room_is_named_before_a_command_is_allowed(codi, lab, folder):
    (folder / "node_modules").mkdir()
    lab([says("", shell("touch x")), says("Done."), says("", call("write", path="w", content="w")), says("Done.")])
    asked = codi.stream("-p", "go").of_type("approval_asked")[0]
    assert asked["undoCover"].startswith("files of the workspace and the state of git; not: ")
    assert "network" in asked["undoCover"] and "node_modules" in asked["undoCover"]
    assert codi.stream("-p", "go").of_type("approval_asked")[0]["undoCover"] == "all of it"


def test_a_file_that_comes_back_has_its_time_again(codi, lab, folder):
    for name in ("edited.txt", "run.txt", "gone.txt"):
        (folder / name).write_text("old\n")
        os.utime(folder / name, ns=(5_000_000_000, 1_600_000_000_123_456_789))
    lab(
        [
            says("", call("read", path="edited.txt")),
            says("", call("edit", path="edited.txt", old_text="old", new_text="new")),
            says("", shell("echo new > run.txt; rm gone.txt")),
            says("Done."),
        ]
    )
    assert codi("-p", "change it", *YES).status == 0
    times = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}

    assert codi("undo").status == 0
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == dict.fromkeys(
        ("edited.txt", "run.txt", "gone.txt"), 1_600_000_000_123_456_789
    )
    assert codi("redo").status == 0
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == times
    assert codi("snapshot", "restore", "s0", "gone.txt").status == 0
    assert (folder / "gone.txt").stat().st_mtime_ns == 1_600_000_000_123_456_789
