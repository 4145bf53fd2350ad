"""A session is run again, offline, and is held step by step beside what it was."""

import json
import shutil
from pathlib import Path

import pytest

from conftest import Codi, call, says


@pytest.fixture
def worked(codi: Codi, lab):
    """Two turns that change files, by tools and by commands."""
    (codi.cwd / "a.txt").write_text("one\n")
    server = lab(
        [
            says("I look.", call("read", path="a.txt")),
            says("", call("write", path="a.txt", content="two\n"), call("shell", command="cat a.txt; date")),
            says("Now it says {{n}} two."),
            says("", call("write", path=f"{codi.cwd}/b.txt", content="b\n"), call("shell", command="sort a.txt b.txt")),
            says("Sorted."),
        ]
    )
    run = codi("-p", "--permission-mode", "full-access", "change it", "and another")
    assert run.status == 0, run
    codi.server = server
    return codi


def path_of(codi: Codi) -> str:
    return str(codi.sessions()[0])


def test_a_replay_of_what_was_recorded_is_the_same_and_touches_nothing(worked: Codi):
    (worked.cwd / "a.txt").write_text("mine now\n")
    (worked.cwd / "b.txt").unlink()
    before, asked = Path(path_of(worked)).read_bytes(), len(worked.server.requests)
    run = worked("replay", path_of(worked))
    assert run.status == 0, run
    assert run.out.splitlines() == [f"step {number}: same" for number in range(1, 6)]
    assert len(worked.server.requests) == asked and Path(path_of(worked)).read_bytes() == before
    assert (worked.cwd / "a.txt").read_text() == "mine now\n" and not (worked.cwd / "b.txt").exists()
    assert len(worked.sessions()) == 1


def test_turns_may_be_replayed_alone(worked: Codi):
    rows = worked("replay", path_of(worked), "--from", "2", "--json").lines
    assert [(row["turn"], row["same"]) for row in rows] == [(2, True), (2, True)]
    assert worked("replay", path_of(worked), "--to", "1").out.count("same") == 3
    assert worked("replay", path_of(worked), "--from", "7").status == 2


def test_a_tool_that_became_another_is_named_at_its_step(worked: Codi):
    path = Path(path_of(worked))
    lines = path.read_text().splitlines()
    at = next(
        at for at, line in enumerate(lines) if '"toolResult"' in line and "sort" not in line and "b\\ntwo" in line
    )
    line = json.loads(lines[at])
    line.pop("_c")
    line["message"]["content"][0]["text"] = line["message"]["content"][0]["text"].replace("b\ntwo", "b\ntwx")
    lines[at] = json.dumps(line)
    path.write_text("\n".join(lines) + "\n")
    run = worked("replay", str(path))
    assert run.status == 1, run
    assert run.out.count("same") == 3 and "step 4: result of shell differs at byte " in run.out
    assert "twx" in run.out and "two" in run.out
    (last,) = [row for row in worked("replay", str(path), "--json").lines if not row["same"]]
    assert last["difference"]["what"] == "result of shell" and last["difference"]["offset"] > 0


def test_recorded_results_need_no_tools(worked: Codi):
    run = worked("replay", path_of(worked), "--tools=recorded")
    assert run.status == 0 and run.out.count("same") == 5, run


def test_what_is_not_there_cannot_be_replayed(worked: Codi):
    for folder in worked.home.glob("undo*"):
        shutil.rmtree(folder)
    run = worked("replay", path_of(worked))
    assert run.status == 2 and "snapshot" in run.err


def test_a_denial_is_a_denial_again(codi: Codi, lab):
    lab([says("", call("write", path="a.txt", content="x")), says("I may not.")])
    assert codi("-p", "write").status == 3
    run = codi("replay", path_of(codi))
    assert run.status == 0 and run.out.count("same") == 2, run


def test_another_model_says_something_else_in_a_session_of_its_own(worked: Codi, lab):
    server = lab([says("Quite another answer.")])
    run = worked("replay", path_of(worked), "--from", "2", "--model", "anthropic/other", "--json")
    assert run.status == 0, run
    made = run.result
    assert made["path"] != path_of(worked) and len(worked.sessions()) == 2
    assert server.requests[0].json["model"] == "other"
    sent = json.dumps(server.requests[0].json["messages"])
    assert "change it" in sent and "and another" in sent
    assert (Path(made["work"]) / "a.txt").read_text() == "two\n" and not (Path(made["work"]) / "b.txt").exists()


def test_it_can_be_watched(worked: Codi):
    run = worked("replay", path_of(worked), "--ui", "--speed", "1000")
    assert run.status == 0 and "› change it" in run.out and "Sorted." in run.out


def test_a_bundle_for_a_bug_report_holds_files_and_versions(worked: Codi):
    run = worked("bundle", path_of(worked), "--yes")
    bundle = json.loads(Path(run.out.strip()).read_text())
    assert bundle["format"] == "codi-share" and bundle["versions"]["codi"]
    changes = [change for step in bundle["files"].values() for change in step["changes"]]
    assert {"path": "a.txt", "before": "one\n", "after": "two\n"} in changes
    assert worked("bundle", path_of(worked)).status == 2


def differs(run) -> dict:
    """The one step that is not the same."""
    (last,) = [row for row in run.lines if not row["same"]]
    assert run.status == 1 and last == run.lines[-1]
    return last


def test_a_request_that_became_another_is_named_by_its_piece(codi: Codi, lab):
    (codi.cwd / "AGENTS.md").write_text("Be brief, and kind.\n")
    (codi.cwd / "a.txt").write_text("one\n")
    lab([says("I look.", call("read", path="a.txt")), says("One."), says("", call("list")), says("Two files.")])
    assert codi("-p", "what is it?", "and what else?").status == 0
    path = path_of(codi)
    assert codi("replay", path).out.count("same") == 4

    (codi.cwd / "AGENTS.md").write_text("Be brief, and bold.\n")
    told = differs(codi("replay", path, "--json"))
    assert told["step"] == 1 and told["difference"]["what"] == f"request (system:{codi.cwd}/AGENTS.md)"
    assert told["difference"]["then"].startswith("sha256 ")
    (codi.cwd / "AGENTS.md").write_text("Be brief, and kind.\n")

    codi.set_up("[tools]\ndisabled = ['tree']\n")
    told = differs(codi("replay", path, "--json"))
    assert told["step"] == 1 and told["difference"]["what"] == "request (system:tools)"
    codi.set_up("")

    content = Path(path).read_text()
    said = next(line for line in content.splitlines() if '"I look."' in line)
    changed = json.loads(said.replace("I look.", "I looked."))
    changed.pop("_c")
    Path(path).write_text(content.replace(said, json.dumps(changed)))
    told = differs(codi("replay", path, "--json"))
    assert told["step"] == 2 and told["difference"]["what"] == "request (message:2)"


def test_a_replay_reaches_nobody(worked: Codi, lab):
    asked = lab([says("", call("web_fetch", url="http://127.0.0.1:9/")), says("Nobody is there.")])
    worked.set_up("web.allow_private = ['127.0.0.1']\n")
    assert worked("-p", "-c", "--permission-mode", "full-access", "look it up").status == 0
    requests = len(asked.requests)
    told = differs(worked("replay", path_of(worked), "--from", "3", "--json"))
    assert told["difference"]["what"] == "result of web_fetch" and "offline" in told["difference"]["now"].lower()
    assert len(asked.requests) == requests
    same = worked("replay", path_of(worked), "--from", "3", "--tools=recorded")
    assert same.status == 0 and same.out.count("same") == 2, same


def test_a_question_is_answered_as_it_was(codi: Codi, lab, terminals):
    lab([says("", call("ask_person", question="Which colour?", options=["red", "blue"])), says("Blue it is.")])
    talk = terminals("paint it")
    talk.wait_for("Which colour?", "blue")
    talk.watch(0.5)  # a dialog that opens by itself takes no key at first
    talk.type("\x1b[B\r")
    talk.wait_for("Blue it is.")
    talk.type("\x04")
    assert talk.end() == 0 and "The person chose: blue" in codi.sessions()[0].read_text()
    run = codi("replay", path_of(codi))
    assert run.status == 0 and run.out.count("same") == 2, run
