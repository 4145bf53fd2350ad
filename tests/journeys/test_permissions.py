"""One choke point for all calls, and modes that hold whatever is tried."""

import hashlib
import json
from pathlib import Path

import pytest

from codi.protocol.effects import Allow
from codi.protocol.ops import Answer
from conftest import Codi, call, says
from stage import Stage

FOLDERS = [".", "src", "src/deep", "..", "/tmp", "~", "src/../.git", "link", "@src"]
WRITES = [
    *(call("write", path=f"{folder}/n{{{{n}}}}.txt", content="x") for folder in FOLDERS),
    call("edit", path="src/a.py", old_text="a", new_text="b"),
    call("edit", path="src/a.py", edits=[{"old_text": "a", "new_text": "b"}]),
    call("apply_patch", patch="--- a/src/a.py\n+++ b/src/a.py\n@@ -1 +1 @@\n-a = 1\n+a = 2\n"),
    call("apply_patch", patch="*** Begin Patch\n*** Add File: new.py\n+x\n*** End Patch\n"),
    call("string_replace", path="src/a.py", old_str="a", new_str="b"),
    call("create_file", path="x", content="y"),
]
COMMANDS = [
    "touch x", "echo x > x", "cat src/a.py > y", "ls; touch x", "ls && touch x", "ls | tee x", "$(touch x)", "`touch x`",
    "git status; touch x", "git -c core.pager='touch x' log", "find . -exec touch x {} ;", "find . -delete", "sed -i s/a/b/ src/a.py",
    "git commit -am x", "git checkout -- .", "env touch x", "bash -c 'touch x'", "python3 -c 'open(\"x\",\"w\")'", "sort -o x src/a.py",
    "tar cf x.tar src", "xargs touch < src/a.py", "cp src/a.py z", "mv src/a.py z", "rm src/a.py", "ln -s src x", "mkdir x",
    "git diff --output=x", "tee x < src/a.py", "dd if=src/a.py of=x", "awk 'BEGIN{print > \"x\"}'", "ls >x", "ls 2>x", "cat <(touch x)",
    "ls &\ntouch x", "ls\ntouch x", "\\touch x", "command touch x", "exec touch x", "nohup touch x", "time touch x", "! touch x",
]  # fmt: skip


def digest(root: Path) -> str:
    told = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        told.update(f"{path} {path.lstat().st_mode} {path.read_bytes() if path.is_file() else b''!r}".encode())
    return told.hexdigest()


@pytest.mark.parametrize("mode", ["plan", "read-only"])
def test_300_attempts_to_write_leave_the_tree_as_it_was(folder: Path, mode):
    (folder / "src" / "deep").mkdir(parents=True)
    (folder / "src" / "a.py").write_text("a = 1\n")
    (folder / "link").symlink_to("src")
    attempts = [*WRITES, *(call(name, command=line) for line in COMMANDS for name in ("shell", "bash"))]
    attempts += [call("shell", command=["touch", f"{number}"]) for number in range(300 - len(attempts) * 2)]
    steps = [{"repeat": 2, **says("", *attempts)}, says("I may not.")]
    before = digest(folder)
    stage = Stage(folder, steps, mode=mode)
    assert stage.play("Go.", answer=lambda asked: Answer(asked.tool_call_id, Allow(by="person"))).reason == "done"
    assert digest(folder) == before
    assert stage.model.requests[-1].messages[-1].tool_results, "it never came to the calls"


def test_plan_mode_is_told_to_the_model_and_denies(codi: Codi, lab):
    server = lab([says("", call("write", path="x", content="y")), says("Here is my plan.")])
    run = codi.json("go", "--permission-mode", "plan", "-y")
    assert run.status == 0 and not (codi.cwd / "x").exists()
    assert run.result["permissions"][0]["by"] == "mode"
    assert "plan" in json.dumps(server.requests[0].json["system"]).lower()


def test_a_call_by_hand_meets_the_same_policy(codi: Codi):
    wish = json.dumps({"path": "x", "content": "y"})
    run = codi("tool", "call", "write", wish)
    assert run.status == 3 and not (codi.cwd / "x").exists()
    assert codi("tool", "call", "write", wish, "--deny", "write(**)", "-y").status == 3
    assert codi("tool", "call", "write", wish, "--permission-mode", "plan", "-y").status == 3
    assert not (codi.cwd / "x").exists()
    assert codi("tool", "call", "write", wish, "--allow", "write(x)").status == 0
    assert (codi.cwd / "x").read_text() == "y"


def test_a_call_by_hand_is_offline_and_confined_as_it_is_told(codi: Codi):
    page = json.dumps({"url": "http://example.com/"})
    run = codi("tool", "call", "web_fetch", page, "--offline", "--permission-mode", "full-access")
    assert run.status == 1 and "Offline" in run.result["content"][0]["text"], run
    beyond = codi.home.parent / "person/beyond"
    touch = json.dumps({"command": f"python3 -c \"open('{beyond}', 'w')\""})
    for level, is_written in ("require", False), ("off", True):
        codi("tool", "call", "shell", touch, "--allow", "shell", "--sandbox", level)
        assert beyond.exists() == is_written
    assert codi("tool", "call", "shell", json.dumps({"command": "sudo true"}), "-y").status == 3


def test_changed_arguments_are_judged_anew(folder: Path):
    def elsewhere(asked):
        return Answer(asked.tool_call_id, Allow(by="person"), changed={"command": "mkfs.nothing x"})

    stage = Stage(folder, [says("", call("shell", command="touch x")), says("No.")])
    assert stage.play("Go.", answer=elsewhere).reason == "done"
    (result,) = stage.model.requests[-1].messages[-1].tool_results
    assert result.is_error and "codi never runs this" in result.text


def test_rules_that_deny_win(codi: Codi, lab):
    lab([says("", call("shell", command="touch x")), says("No.")])
    assert codi.json("go", "--allow", "run(touch *)", "--deny", "run(touch x)").status == 0
    assert not (codi.cwd / "x").exists()
