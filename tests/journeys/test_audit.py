"""What was asked, decided and done is on record, and nobody can change the record without its being seen."""

import json
import stat
import subprocess
from shutil import rmtree

import pytest

from conftest import Codi, call, says

STORY = [
    says("I look and write.", call("read", path="a.txt"), call("read", path="b.txt"), call("write", path="c.txt", content="c"),
         call("shell", command="rm -rf x")),
    says("Done."),
]  # fmt: skip


@pytest.fixture
def recorded(codi: Codi, lab):
    lab(STORY)
    for name in "ab":
        (codi.cwd / f"{name}.txt").write_text(name)
    run = codi.json("look and write", "--audit", "--allow", "write(*)", "--deny", "run(rm *)")
    assert run.status == 0, run
    return codi


def lines(codi: Codi) -> list[dict]:
    return [json.loads(line) for line in codi("audit", "show", "--json").out.splitlines()]


def file(codi: Codi):
    (path,) = codi.home.glob("audit/*.jsonl")
    return path


def test_call_decision_and_result_are_joined_by_one_id(recorded):
    told = lines(recorded)
    assert [line["n"] for line in told] == list(range(1, len(told) + 1))
    types = [line["type"] for line in told]
    assert types[0] == "session_start" and types[-1] == "session_end"
    for kind in ("model_chosen", "credential_used", "prompt", "api_request", "api_response", "network"):
        assert kind in types, types
    calls = {line["call_id"]: line["data"] for line in told if line["type"] == "tool_call"}
    results = {line["call_id"]: line["data"] for line in told if line["type"] == "tool_result"}
    assert set(calls) == set(results) and len(calls) == 4
    reads = {data["arguments"]["path"]: results[id]["text"] for id, data in calls.items() if data["tool"] == "read"}
    assert "a" in reads["a.txt"] and "b" in reads["b.txt"] and reads["a.txt"] != reads["b.txt"]
    (denied,) = [line for line in told if line["type"] == "approval" and line["data"]["decision"] == "deny"]
    assert (
        calls[denied["call_id"]]["tool"] == "shell"
        and denied["data"]["by"] == "rule"
        and results[denied["call_id"]]["is_error"]
    )
    assert stat.S_IMODE(file(recorded).stat().st_mode) == 0o600
    assert stat.S_IMODE(file(recorded).parent.stat().st_mode) == 0o700


def test_it_can_be_looked_through(recorded):
    session = lines(recorded)[0]["session"]
    assert len(recorded("audit", "show", session[:13]).rows) == len(lines(recorded))
    assert recorded("audit", "show", "nothing").status == 1
    assert [row[2] for row in recorded("audit", "grep", "rm -rf").rows][:1] == ["tool_call"]
    assert recorded("audit", "grep", "never said").status == 1
    assert recorded("audit", "verify").out.endswith(": ok\n")


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (lambda all: all[:2] + all[3:], 3),
        (lambda all: [*all[:2], all[2].replace(b'"type"', b'"Type"', 1), *all[3:]], 3),
        (lambda all: [*all[:2], all[2].replace(b"a", b"b", 1), *all[3:]], 3),
        (lambda all: [*all[:2], all[3], all[2], *all[4:]], 3),
        (lambda all: all[1:], 1),
        (lambda all: [*all[:-1], all[-1][:-5]], -1),
    ],
    ids=["removed", "no line", "changed", "reordered", "beginning", "cut"],
)
def test_the_first_damaged_line_is_named(recorded, damage, line):
    path = file(recorded)
    before = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(damage(before)))
    run = recorded("audit", "verify", str(path))
    assert run.status == 1 and f"{path}:{line if line > 0 else len(before)}: " in run.err
    assert recorded("audit", "verify", "--json").status == 1


def test_a_file_names_the_one_before_it(recorded, lab):
    first = file(recorded)
    lab([says("Again.")])
    assert recorded.json("again", "--audit").status == 0
    assert recorded("audit", "verify").status == 0
    cut = first.read_bytes().splitlines(keepends=True)[:-1]
    first.write_bytes(b"".join(cut))
    rmtree(recorded.home / "audit.heads")
    run = recorded("audit", "verify")
    assert run.status == 1 and "in the file before" in run.err


@pytest.mark.parametrize(
    "kept, told", [(-1, "removed: the file went on"), (-3, "removed: the file went on"), (None, "changed")]
)
def test_what_was_at_the_end_is_missed_too(recorded, kept, told):
    path = file(recorded)
    before = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(before[:kept]) if kept else path.read_bytes().replace(b'"closed"', b'"other"'))
    run = recorded("audit", "verify")
    line = len(before) + 1 + kept if kept else len(before)
    assert run.status == 1 and f"{path}:{line}: {told}" in run.err


def test_nothing_is_recorded_unless_it_is_wanted(codi, lab):
    lab([says("Hello.")] * 3)
    codi.json("hello")
    assert not (codi.home / "audit").exists()
    codi.json("hello", env={"CODI_AUDIT": "true"})
    codi.set_up("audit.enabled = true\n")
    codi.json("hello")
    assert len(list(codi.home.glob("audit/*.jsonl"))) == 2
    (codi.cwd / ".codi").mkdir()
    (codi.cwd / ".codi/config.toml").write_text("audit.enabled = false\n")
    lab([says("Hello.")])
    codi.json("hello", "--trust-project")
    assert len(list(codi.home.glob("audit/*.jsonl"))) == 3


def test_what_cannot_be_recorded_does_not_happen(codi, lab):
    server = lab([says("Hello.")])
    codi.home.mkdir(exist_ok=True)
    (codi.home / "audit").write_text("")
    run = codi("-p", "hello", "--audit")
    assert run.status == 1 and "the audit log cannot be written" in run.err and not server.requests


def test_secrets_are_not_in_it(codi, lab):
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    (codi.cwd / "a.txt").write_text(f"token = {secret}\n")
    lab([says("", call("read", path="a.txt")), says(f"It is {secret}.")])
    codi.json("read it", "--audit")
    assert subprocess.run(["grep", "-rl", secret, codi.home / "audit"], capture_output=True).stdout == b""
