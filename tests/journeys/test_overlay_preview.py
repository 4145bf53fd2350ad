"""With `[sandbox] preview` a command runs on an overlay: what it did is shown, and becomes true when somebody says so."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import Codi, call, commands_in, says

PREVIEW = "[sandbox]\npreview = true\n"
COMMAND = "echo two > a; rm -r old; mkdir -p new/b; echo x > new/b/c; chmod 700 run; ln -s a link; mv moved here; cat a"


@pytest.fixture
def overlaid(codi: Codi) -> None:
    rows = {row["name"]: row for row in json.loads(codi("doctor", "--json").out)}
    if "level 3, own launcher" not in rows["sandbox"]["text"]:
        pytest.skip("an overlay needs level 3 by codi's own launcher")
    codi.set_up(PREVIEW)
    work = codi.cwd
    (work / "a").write_text("one\n")
    (work / "old").mkdir()
    (work / "old" / "x").write_text("x\n")
    (work / "run").write_text("#!/bin/sh\n")
    (work / "run").chmod(0o644)
    (work / "moved").write_text("moved\n")


def tree(folder: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(folder))] = (status.st_mode, content)
    return found


def test_what_it_would_change_is_shown_and_nobody_said_yes(codi: Codi, lab, overlaid):
    before = tree(codi.cwd)
    lab([says("", call("shell", command=COMMAND)), says("No.")])
    run = codi.stream("go")
    (asked,) = run.of_type("approval_asked")
    told = asked["preview"].splitlines()
    assert told[0] == COMMAND and "Nothing of this is true yet" in told[1] and "exit code 0" in told[1]
    for line in (
        "  changed a (+1 -1)", "  deleted old/ (1 file)", "  created new/", "  created new/b/", "  created new/b/c (+1 -0)",
        "  changed run (mode 100700)".replace("100", ""), "  created link -> a", "  deleted moved (+0 -1)", "  created here (+1 -0)",
        "  contacted nobody", "-one", "+two",
    ):  # fmt: skip
        assert line in told, (line, told)
    assert run.status == 3 and tree(codi.cwd) == before
    (result,) = [line for line in run.lines if line["type"] == "tool_execution_end"]
    text = result["result"]["content"][0]["text"]
    assert text.startswith("No one can approve this in non-interactive mode")


def test_a_yes_makes_it_true_and_undo_takes_it_back(codi: Codi, lab, overlaid):
    before = tree(codi.cwd)
    lab([says("", call("shell", command=COMMAND)), says("Done.")])
    run = codi.json("go", "-y")
    assert run.status == 0 and "two" in run.result["toolCalls"][0]["result"]
    after = tree(codi.cwd)
    assert after["a"][1] == b"two\n" and "old" not in after and after["new/b/c"][1] == b"x\n"
    assert after["run"][0] & 0o777 == 0o700 and after["link"][1] == "a" and "moved" not in after
    assert after["here"][1] == b"moved\n"
    changed = {row["path"] for row in json.loads(codi("changes", "--json").out)["files"]}
    assert {"a", "old/x", "new/b/c", "here", "moved"} <= changed
    assert codi("undo", "--all").status == 0 and tree(codi.cwd) == before


def test_the_mode_that_allows_everything_shows_it_first_all_the_same(codi: Codi, lab, overlaid):
    lab([says("", call("shell", command="echo two > a"), call("shell", command="true; false")), says("Done.")])
    run = codi.stream("go", "--permission-mode", "full-access")
    assert [asked["preview"].splitlines()[0] for asked in run.of_type("approval_asked")] == ["echo two > a"]
    assert run.status == 3 and (codi.cwd / "a").read_text() == "one\n"


def test_a_commit_and_protected_places(codi: Codi, lab, repository, overlaid):
    shutil.rmtree(codi.cwd)
    root = repository("calc")
    lab(
        [
            says("", call("shell", command="echo y > y; git add y; git -c user.name=A -c user.email=a@b commit -qm y")),
            says(
                "", call("shell", command="mkdir .codi; echo x > .codi/config.toml; echo x > .git/hooks/x; echo z > z")
            ),
            says("Done."),
        ]
    )
    run = codi.json("go", "-y")
    assert run.status == 0, run
    log = subprocess.run(["git", "log", "--format=%s", "-1"], cwd=root, capture_output=True, text=True).stdout
    status = subprocess.run(["git", "status", "--porcelain", "y"], cwd=root, capture_output=True, text=True).stdout
    assert log == "y\n" and status == ""
    assert not (root / ".codi").exists() and not (root / ".git" / "hooks" / "x").exists() and (root / "z").exists()
    assert "a command may not change this" in run.result["toolCalls"][1]["result"]


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(codi: Codi, terminals, lab, overlaid):
    lab([says("", call("shell", command="echo two > a; echo new > b")), says("Done.")])
    screen = terminals("go")
    screen.wait_for("created b (+1 -0)", "› n no")
    (codi.cwd / "a").write_text("mine\n")
    screen.type("y")
    screen.wait_for("Done.")
    assert "somebody else changed" in screen.shown
    assert (codi.cwd / "a").read_text() == "mine\n" and not (codi.cwd / "b").exists()


def test_jobs_and_terminals_have_no_preview_and_do_not_run(codi: Codi, lab, overlaid):
    calls = [call("shell", command="echo two > a", **more) for more in ({"background": True}, {"pty": True})]
    lab([says("", calls[0]), says("", calls[1]), says("Done.")])
    run = codi.json("go", "-y")
    assert all("Run it in the foreground" in each["result"] for each in run.result["toolCalls"])
    assert (codi.cwd / "a").read_text() == "one\n" and not commands_in(codi.cwd)


def test_where_no_overlay_is_possible_every_command_is_asked_about(codi: Codi, lab, overlaid):
    codi.set_up(f"{PREVIEW}mode = 'off'\n")
    lab([says("", call("shell", command="echo two > a"), call("shell", command="cat a")), says("No.")])
    run = codi.stream("go", "--permission-mode", "full-access")
    (asked,) = run.of_type("approval_asked")
    assert any("no preview is possible here" in reason for reason in asked["reasons"])
    assert run.status == 3 and (codi.cwd / "a").read_text() == "one\n"


def test_files_of_another_group_are_a_reason(codi: Codi, lab, overlaid):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(codi.cwd / "a", -1, 65534)
    lab([says("", call("shell", command="echo two > a")), says("No.")])
    (asked,) = codi.stream("go").of_type("approval_asked")
    assert any(
        "no preview is possible here" in reason and "another user or group" in reason for reason in asked["reasons"]
    )
