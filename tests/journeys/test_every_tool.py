"""Every tool on the model's way: what is valid runs, what is not is told, what lies outside or needs approval is not done."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from codi.engine.engine import Engine
from codi.engine.places import Places
from conftest import Codi, call, says

PATCH = "--- a/{0}\n+++ b/{0}\n@@ -1 +1 @@\n-one\n+ONE\n"

VALID: dict[str, dict[str, Any]] = {
    "read": {"path": "a.txt"},
    "write": {"path": "new.txt", "content": "x"},
    "edit": {"path": "a.txt", "old_text": "one", "new_text": "ONE"},
    "apply_patch": {"patch": PATCH.format("a.txt")},
    "insert_lines": {"path": "a.txt", "line": 1, "content": "zero"},
    "replace_lines": {"path": "a.txt", "line": 1, "content": "ONE"},
    "delete_lines": {"path": "a.txt", "line": 2},
    "refactor": {"search": "one", "replace": "ONE", "glob": "*.txt"},
    "shell": {"command": "echo hello"},
    "run_tests": {"command": "true"},
    "grep": {"pattern": "one"},
    "glob": {"pattern": "*.txt"},
    "list": {},
    "tree": {},
    "move": {"source": "a.txt", "target": "b.txt"},
    "delete": {"path": "a.txt"},
    "web_fetch": {"url": "http://203.0.113.1/"},
    "view_image": {"path": "a.png"},
    "recall": {"action": "list"},
    "todo": {"items": [{"content": "look", "status": "pending"}]},
    "context_status": {},
}
"""Arguments with which a tool does what it is for. `web_fetch` would leave this machine, which no test does."""

OUTSIDE: dict[str, dict[str, Any]] = {
    "read": {"path": "{0}/a.txt"},
    "write": {"path": "{0}/new.txt", "content": "x"},
    "edit": {"path": "{0}/a.txt", "old_text": "one", "new_text": "ONE"},
    "apply_patch": {"patch": "*** Begin Patch\n*** Update File: {0}/a.txt\n@@\n-one\n+ONE\n*** End Patch\n"},
    "insert_lines": {"path": "{0}/a.txt", "line": 1, "content": "zero"},
    "replace_lines": {"path": "{0}/a.txt", "line": 1, "content": "ONE"},
    "delete_lines": {"path": "{0}/a.txt", "line": 2},
    "refactor": {"search": "one", "replace": "ONE", "path": "{0}"},
    "shell": {"command": "ls", "cwd": "{0}"},
    "run_tests": {"command": "ls", "cwd": "{0}"},
    "grep": {"pattern": "one", "path": "{0}"},
    "glob": {"pattern": "*.txt", "path": "{0}"},
    "list": {"path": "{0}"},
    "tree": {"path": "{0}"},
    "move": {"source": "a.txt", "target": "{0}/b.txt"},
    "delete": {"path": "{0}/a.txt"},
    "view_image": {"path": "{0}/a.png"},
}
"""The same beyond the workspace, for tools that take a place."""

OBSERVE = {"read", "grep", "glob", "list", "tree", "view_image", "recall", "todo", "context_status"}
"""What runs unasked here, for the table below to be checked against what the tools declare."""

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)


def filled(arguments: Any, *values: str) -> Any:
    return json.loads(json.dumps(arguments).replace("{0}", *values))


def digest(root: Path) -> str:
    told = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        told.update(f"{path} {path.lstat().st_mode} {path.read_bytes() if path.is_file() else b''!r}".encode())
    return told.hexdigest()


@pytest.fixture
def ground(codi: Codi, tmp_path: Path) -> Path:
    """A folder with two files, and its like outside of the workspace, which is what is given."""
    outside = tmp_path / "outside"
    outside.mkdir()
    for folder in (codi.cwd, outside):
        (folder / "a.txt").write_text("one\ntwo\n")
        (folder / "a.png").write_bytes(PNG)
    return outside


def test_the_table_holds_every_tool(codi: Codi, monkeypatch):
    monkeypatch.setenv("CODI_HOME", str(codi.home))
    offered = {spec.name for spec in Engine(Places.at(str(codi.cwd))).tools()}
    assert offered == set(VALID)
    assert set(OUTSIDE) == offered - {"recall", "todo", "context_status", "web_fetch"}


@pytest.mark.parametrize("tool", sorted(set(VALID) - {"web_fetch"}))
def test_what_is_valid_runs(codi: Codi, lab, ground, tool):
    script = [says("", call("read", path="a.txt")), says("", call(tool, **VALID[tool])), says("Done.")]
    server = lab(script)
    run = codi.json("go", "-y", "-m", "anthropic/claude-sonnet-4-5")
    assert run.status == 0, run
    made = run.result["toolCalls"][1]
    assert (made["name"], made["isError"]) == (tool, False), made
    assert len(server.requests) == 3


@pytest.mark.parametrize("tool", sorted(VALID))
def test_what_is_not_valid_is_told_with_its_path(codi: Codi, lab, ground, tool):
    before = digest(codi.cwd)
    lab([says("", call(tool, **VALID[tool], frobnicate=[1])), says("Done.")])
    run = codi.json("go", "-y")
    assert run.status == 0, run
    (made,) = run.result["toolCalls"]
    assert made["isError"] and made["result"].startswith(f'Validation failed for tool "{tool}":\n - frobnicate'), made
    assert "Received arguments:\n" in made["result"]
    assert digest(codi.cwd) == before


@pytest.mark.parametrize("tool", sorted(OUTSIDE))
@pytest.mark.parametrize("way", ["absolute", "dots", "link"])
def test_what_lies_outside_is_not_touched_without_approval(codi: Codi, lab, ground, tool, way):
    (codi.cwd / "link").symlink_to(ground)
    place = {"absolute": str(ground), "dots": "link/../../outside", "link": "link"}[way]
    place = {"dots": "../outside"}.get(way, place)
    before = digest(ground), digest(codi.cwd)
    lab([says("", call(tool, **filled(OUTSIDE[tool], place))), says("Done.")])
    run = codi.json("go", "--permission-mode", "accept-edits")
    assert run.status in (0, 3), run
    (made,) = run.result["toolCalls"]
    assert made["isError"], made
    assert (digest(ground), digest(codi.cwd)) == before


@pytest.mark.parametrize("tool", sorted(VALID))
def test_effects_decide_who_is_asked(codi: Codi, lab, ground, tool):
    before = digest(codi.cwd)
    lab([says("", call("read", path="a.txt")), says("", call(tool, **VALID[tool])), says("Done.")])
    run = codi.json("go", "-m", "anthropic/claude-sonnet-4-5")
    asked = [permission["name"] for permission in run.result["permissions"]]
    if tool in OBSERVE or tool in ("shell", "run_tests"):  # commands that only look are known
        assert (run.status, asked) == (0, []), run
    else:
        assert (run.status, asked) == (3, [tool]), run
        assert f"{tool} needs --allow " in run.result["toolCalls"][1]["result"]
    assert digest(codi.cwd) == before


def test_a_command_that_is_not_known_to_look_asks_by_whatever_tool(codi: Codi, lab, ground):
    lab([says("", call("shell", command="touch x"), call("run_tests", command="touch x")), says("Done.")])
    run = codi.json("go")
    assert run.status == 3 and [each["name"] for each in run.result["permissions"]] == ["shell", "run_tests"]
    assert not (codi.cwd / "x").exists()


def test_a_slip_that_looks_runs_and_one_that_writes_never_does(codi: Codi, lab, ground):
    lab(
        [
            says("", call("reed", path="a.txt")),
            says("", call("writefiel", path="x", content="y"), call("writefile", path="x", content="y")),
            says("", call("frobnicate")),
            says("Done."),
        ]
    )
    run = codi.json("go")
    slip, guess, folded, unknown = run.result["toolCalls"]
    assert slip["name"] == "read" and slip["mappedFrom"] == "reed"
    assert slip["result"].startswith('(Mapped: Tool: "reed" -> "read"') and "one" in slip["result"]
    assert guess["isError"] and guess["result"].startswith('There is no tool "writefiel". Did you mean: write (')
    assert folded["isError"] and run.status == 3, "a folded name is the tool itself, and is asked about"
    assert unknown["result"].startswith('There is no tool "frobnicate". Available: read, write, ')
    assert not (codi.cwd / "x").exists()


PROFILES = {
    "nano": ["read", "write", "edit", "shell", "grep"],
    "minimal": ["read", "write", "edit", "shell", "grep", "glob", "list", "todo"],
}


@pytest.mark.parametrize("profile", PROFILES)
def test_profiles_name_their_tools_on_the_wire_and_run_one_call_a_step(codi: Codi, lab, ground, profile):
    server = lab([says("", call("read", path="a.txt"), call("grep", pattern="one")), says("Done.")])
    run = codi.json("go", "--tool-profile", profile)
    assert [tool["name"] for tool in server.requests[0].json["tools"]] == PROFILES[profile]
    first, second = run.result["toolCalls"]
    assert not first["isError"] and second["result"] == "Only one call at a time; send it again."


def test_each_call_is_timed_on_its_own(codi: Codi, lab, ground):
    lab([says("", call("shell", command="sleep 0.3"), call("read", path="a.txt"), call("list")), says("Done.")])
    run = codi.stream("go", "-y")
    told = {line["toolName"]: line["durationMs"] for line in run.of_type("tool_execution_end")}
    assert told["shell"] >= 300 > 200 > max(told["read"], told["list"])
    assert [each["durationMs"] for each in run.result["toolCalls"]] == [told["shell"], told["read"], told["list"]]
    assert run.result["stats"]["toolCalls"] == 3 and run.result["stats"]["toolMs"] >= 300


def test_what_was_cut_is_recalled_to_the_byte_also_after_a_resume_and_by_nobody_else(codi: Codi, lab, tmp_path):
    long = "".join(f"line {number}\n" for number in range(5000))
    (codi.cwd / "long.txt").write_text(long)
    lab([says("", call("shell", command="cat long.txt")), says("Seen.")])
    first = codi.json("go", "-y").result
    kept = [path for path in codi.home.glob("sessions/*/*.results/**/*")]
    assert kept and all(path.stat().st_mode & 0o77 == path.parent.stat().st_mode & 0o77 == 0 for path in kept)
    whole = next(line["message"] for line in codi.session() if line.get("message", {}).get("role") == "toolResult")
    shown = whole["content"][0]["text"]
    name = shown.rpartition('recall(id="')[2].partition('"')[0]
    assert shown.endswith(f'Full output: recall(id="{name}")]') and "lines " in shown and " omitted ...]" in shown
    server = lab(
        [
            says("", call("recall", action="get", id=name, offset=1001, limit=100)),
            says("", call("recall", action="get", id="../x"), call("recall", action="get", id="read_" + "0" * 12)),
            says("Done."),
        ]
    )
    run = codi.json("again", "-c")
    middle, wrong, gone = [each["result"] for each in run.result["toolCalls"]]
    assert "".join(f"line {number}\n" for number in range(1000, 1100)) in middle + "\n"
    assert wrong == "Invalid id." and "read_000000000000" in gone
    assert first["sessionId"] == run.result["sessionId"] and len(server.requests) == 3
    (tmp_path / "other").mkdir()
    lab([says("", call("recall", action="get", id=name), call("recall", action="list")), says("Done.")])
    alone = codi.json("look", "--cwd", str(tmp_path / "other")).result["toolCalls"]
    assert alone[0]["isError"] and name not in alone[1]["result"]


def test_the_list_of_what_is_to_be_done_is_told_and_outlives_a_resume(codi: Codi, lab):
    def items(*states: str) -> list[dict[str, str]]:
        return [{"content": f"task {number}", "status": state} for number, state in enumerate(states)]

    lab(
        [
            says("", call("todo", items=items("completed", "in_progress", "pending"))),
            says("", call("todo", items=items("completed", "completed", "completed"))),
            says("Done."),
        ]
    )
    run = codi.stream("go")
    assert [line["args"]["items"] for line in run.of_type("tool_execution_start")] == [
        items("completed", "in_progress", "pending"), items("completed", "completed", "completed"),
    ]  # fmt: skip
    kept = [line["data"]["items"] for line in codi.session() if line.get("customType") == "codi/todo"]
    assert [sum(item["status"] == "completed" for item in each) for each in kept] == [1, 3]
    lab([says("", call("todo")), says("Done.")])
    (seen,) = codi.json("what is left?", "-c").result["toolCalls"]
    assert seen["result"].count("task ") == 3


@pytest.mark.parametrize("wire", ["anthropic", "openai-chat"])
def test_a_model_that_cannot_see_is_sent_no_bytes_of_an_image(codi: Codi, lab, ground, wire):
    seen = []
    for abilities in (["tools", "vision"], ["tools"]):
        codi.set_up(f"[models.m]\nprovider = '{wire.partition('-')[0]}'\nmodel = 'x'\nabilities = {abilities}\n")
        server = lab([says("", call("read", path="a.png")), says("Done.")], wire)
        run = codi.json("look")
        assert run.status == 0, run
        seen.append(server.requests[-1].json["messages"])
    assert "iVBORw0KGgo" in json.dumps(seen[0]) and "iVBORw0KGgo" not in json.dumps(seen[1])
    if wire == "openai-chat":
        assert [message["role"] for message in seen[0]][-2:] == ["tool", "user"]
        assert seen[0][-1]["content"][-1]["type"] == "image_url" and "image follows" in json.dumps(seen[0][-2])
