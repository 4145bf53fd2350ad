"""The n-th call of the system that a session's file needs fails, once or from then on: the file is the old one or the new one, it is
told, nothing that was told is lost, and nothing with an effect runs that is not on disk."""

import json
from errno import EACCES, EIO, ENOSPC
from pathlib import Path

import pytest

from broken_system import needs_compiler
from conftest import SOAK, Codi, call, says

pytestmark = needs_compiler
WORK = [
    says("I look.", call("list")),
    says("I write.", call("write", path="one", content="1")),
    says("I run.", call("shell", command="echo 2 > two")),
    says("Done."),
]
AGAIN = [says("Here I am.")]
FILES = "/home/sessions/"


def calls_failing() -> list[tuple[str, int, int, int]]:
    """Kind of call, the first that fails, how many fail, and how."""
    cases = [("open", 1, 1, EIO), ("open", 1, 0, EACCES), ("open", 2, 0, EIO)]
    for at in range(1, 18):
        cases += [("write", at, 1, EIO), ("write", at, 1, 0), ("write", at, 0, ENOSPC)]
    for at in range(1, 10):
        cases += [("sync", at, 1, EIO), ("sync", at, 0, EIO)]
    return cases if SOAK else cases[::7]


def words_of(message: dict) -> str:
    return json.dumps([message["role"], message["content"], message.get("toolCallId")], sort_keys=True)


@pytest.mark.parametrize("case", calls_failing(), ids=lambda case: "-".join(map(str, case)))
def test_what_was_told_is_kept_and_what_is_not_kept_is_not_done(codi: Codi, lab, broken_system, case):
    kind, at, times, error = case
    lab(WORK)
    broken = broken_system.variables(call=kind, files=FILES, at=at, times=times, error=error)
    run = codi.stream("go", "--permission-mode", "full-access", env=broken)
    told = [words_of(line["message"]) for line in run.of_type("message_end")]
    kept = [line for path in codi.sessions() for line in whole_lines(path)]
    have = [words_of(line["message"]) for line in kept if line["type"] == "message"]
    warned = "The session cannot be written to" in run.out + run.err
    for name, tool in (("one", "write"), ("two", "shell")):
        intents = [line["data"]["toolName"] for line in kept if line.get("customType") == "codi/intent"]
        assert not (codi.cwd / name).exists() or tool in intents, run
    if run.status == 0:
        assert all(each in have for each in told), run
        assert ((codi.cwd / "one").exists() and (codi.cwd / "two").exists()) or warned
    else:
        assert warned, run
        assert have == told[: len(have)]
    # It goes on where the disk is whole again, with all that was kept.
    server = lab(AGAIN)
    again = codi.json("-c" if kept else "--no-context-files", "and now?")
    assert (again.status, again.result["answer"]) == (0, "Here I am."), again
    sent = server.requests[-1].body.decode()
    assert not kept or "go" in sent
    assert not any("skipped" in warning for warning in again.result["warnings"]), again


def whole_lines(path: Path) -> list[dict]:
    """All lines of a file; only what stands behind the last line end may be a part of one."""
    *whole, _ = path.read_bytes().split(b"\n")
    return [json.loads(line) for line in whole if line]


OLDER = [
    {"type": "session", "id": "older", "timestamp": "2026-01-01T00:00:00.000Z"},
    {
        "type": "message",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "message": {"role": "user", "content": "before", "timestamp": 1},
    },
]


@pytest.mark.parametrize(
    "case", [("open", 2), ("write", 1), ("sync", 1), ("rename", 1)], ids=lambda case: f"{case[0]}-{case[1]}"
)
def test_an_older_file_is_the_old_one_or_the_new_one(codi: Codi, lab, broken_system, case):
    lab([says("Yes."), says("Yes again.")])
    folder = codi.home / "sessions" / f"-{str(codi.cwd).replace('/', '-')}--"
    folder.mkdir(parents=True)
    path = folder / "2026-01-01T00-00-00-000Z_older.jsonl"
    OLDER[0]["cwd"] = str(codi.cwd)
    content = "".join(json.dumps(line) + "\n" for line in OLDER)
    path.write_text(content)
    broken = broken_system.variables(call=case[0], files=FILES, at=case[1], times=1, error=EIO)
    run = codi("-p", "on", "--session", str(path), env=broken)
    first = json.loads(path.read_text().splitlines()[0])
    if first.get("version") == 3:
        assert Path(f"{path}.bak").read_text() == content
    else:
        assert path.read_text() == content
    assert run.status in (0, 1) and (run.status == 0 or "error: " in run.err), run
    assert not [each for each in folder.iterdir() if each.name not in (path.name, f"{path.name}.bak")], list(
        folder.iterdir()
    )
    assert codi("-p", "on", "--session", str(path)).status == 0
    assert "before" in path.read_text()
