"""No room, damage, files that are no files, and more than anybody wants to keep: said, and never a silent gap."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from codi.protocol.errors import WorkspaceError
from codi.workspace.ledger.books import workspace_id
from codi.workspace.ledger.coverage import UndoSettings
from codi.workspace.ledger.states import Cause
from workspace.ledger.changed_trees import Place

MB = 1024 * 1024


def test_the_oldest_steps_go_when_there_is_no_room(tmp_path: Path):
    place = Place(tmp_path, UndoSettings(quota_mb=3))
    for number in range(12):
        place.shell(f"head -c 700000 /dev/urandom > blob; echo {number} > n")
        assert place.ledger.contents.used() <= 3 * MB
    steps = place.steps()
    assert 1 <= len(steps) < 12 and steps[-1].n == 12
    undone = place.ledger.reversal.undo(steps)
    assert not undone.plan.conflicts and not undone.failed
    assert (place.root / "n").read_text() == f"{12 - len(steps) - 1}\n"
    again = Place(tmp_path)
    again.ledger.open()
    assert again.ledger.journal.newest() == 13


def test_a_thousand_steps_stay_under_the_quota(tmp_path: Path):
    place = Place(tmp_path, UndoSettings(quota_mb=1))
    for number in range(300):
        place.write(f"f{number % 7}", os.urandom(9000))
    assert place.ledger.contents.used() <= MB


def test_what_is_too_big_is_named_and_never_silently_skipped(tmp_path: Path):
    place = Place(tmp_path, UndoSettings(max_file_mb=1))
    big = place.root / "big"
    big.write_bytes(os.urandom(MB + 1))
    assert "larger than undo keeps" in (place.ledger.refusal([str(big)], runs=False) or "")
    place.shell("echo x > x")
    assert [(gap.path, gap.why) for gap in place.last.gaps] == [("big", "larger than 1 MB (undo.max_file_mb)")]
    place.shell("rm big; echo y > y")
    undone = place.ledger.reversal.undo(place.steps())
    assert [(action.path, action.what) for action in undone.plan.conflicts] == [("big", "lost")]
    assert set(place.digest()) == set()
    assert place.ledger.reversal.lost() == []


def test_a_quota_too_small_for_one_file(tmp_path: Path):
    place = Place(tmp_path, UndoSettings(quota_mb=1))
    (place.root / "big").write_bytes(os.urandom(2 * MB))
    assert place.ledger.refusal([str(place.root / "big")], runs=False)
    place.shell("echo x > x")
    assert [gap.why for gap in place.last.gaps] == ["no room in the undo store (undo.quota_mb)"]


def test_the_home_folder_is_asked_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "work"))
    place = Place(tmp_path)
    (place.root / "f").write_text("a")
    assert "is not kept" in (place.ledger.refusal([], runs=True) or "")
    assert place.ledger.refusal([str(place.root / "f")], runs=False) is None
    place.shell("echo b > f")
    assert place.last.changes == () and place.last.gaps[0].path == "."


@pytest.mark.parametrize("damaged", ["object", "emptied object", "journal", "torn journal", "tree"])
def test_what_is_damaged_is_said_and_the_rest_comes_back(tmp_path: Path, damaged: str):
    place = Place(tmp_path)
    (place.root / "a").write_text("a" * 50)
    (place.root / "b").write_text("b" * 50)
    place.shell("echo 1 > a")
    place.shell("echo 2 > b")
    place.ledger.close()
    folder = Path(place.ledger.folder)
    journal = folder / "journal.jsonl"
    first = place.steps()[0].changes[0].before
    assert not isinstance(first, str)
    if damaged == "tree":
        (folder / "tree").write_bytes(b"\xff" * 40)
    elif damaged == "torn journal":
        journal.write_bytes(journal.read_bytes() + b'{"record":"st')
    elif damaged == "journal":
        lines = journal.read_bytes().split(b"\n")
        lines[:2] = [line.replace(b"a", b"z", 1) for line in lines[:2]]
        journal.write_bytes(b"\n".join(lines))
    else:
        path = folder / "objects" / first.id[:2] / first.id[2:]  # type: ignore[union-attr]
        path.write_bytes(b"" if damaged == "emptied object" else path.read_bytes()[:-3] + b"xyz")
    again = Place(tmp_path)
    again.ledger.open()
    assert again.ledger.reversal.lost() == ([1] if "object" in damaged else [])
    assert again.ledger.journal.damaged == ([1, 2] if damaged == "journal" else [])
    again.shell("echo 3 > c")
    undone = again.ledger.reversal.undo(again.steps())
    assert {action.path for action in undone.plan.conflicts} == ({"a"} if "object" in damaged else set())
    assert (again.root / "b").read_text() == "b" * 50 and not (again.root / "c").exists()


def test_what_is_no_file(tmp_path: Path):
    place = Place(tmp_path)
    os.mkfifo(place.root / "fifo", 0o640)
    (place.root / "folder").mkdir(mode=0o500)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place.root / "socket"))
        before = place.digest()
        place.shell("rm fifo; mkfifo other; ln -s /nowhere/at/all link; ln -s . loop; mkdir -m 700 folder/inner")
        undone = place.ledger.reversal.undo(place.steps())
    assert not undone.plan.conflicts and not undone.failed
    assert place.digest() == before


def test_names_that_are_no_text(tmp_path: Path):
    place = Place(tmp_path)
    odd = os.path.join(os.fsencode(place.root), b"a\xff\nb\x00c"[:4])
    with open(odd, "wb") as file:
        file.write(b"1")
    before = place.digest()
    place.shell("for f in *; do echo 2 > \"$f\"; done; mkdir $'d\\xfe'; ln -s $'t\\xfd' l")
    again = Place(tmp_path)
    again.ledger.reversal.undo(again.steps() or (again.ledger.open(), again.steps())[1])
    assert place.digest() == before


FULL = """
import resource, sys
from codi.protocol.errors import WorkspaceError
from codi.workspace.ledger.ledger import Ledger
from codi.workspace.ledger.states import Cause
ledger = Ledger(sys.argv[1], sys.argv[2])
ledger.open()
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    ledger.begin(Cause(), (sys.argv[2] + "/f",), False)
except WorkspaceError as error:
    print(error, error.hint)
"""


@pytest.mark.parametrize("room", [0, 100, 4000])
def test_a_full_disk_refuses_the_action_before_it_begins(tmp_path: Path, room: int):
    place = Place(tmp_path)
    (place.root / "f").write_bytes(os.urandom(9000))
    done = subprocess.run(
        [sys.executable, "-c", FULL, place.home, place.root, str(room)], capture_output=True, text=True, check=True
    )
    assert "cannot be kept for undo" in done.stdout and "Make room" in done.stdout
    place.shell("echo x >> f")
    place.ledger.reversal.undo(place.steps())
    assert not [name for name in os.listdir(Path(place.ledger.folder) / "objects") if name.endswith(".tmp")]


def test_a_planted_link_is_not_followed(tmp_path: Path):
    place, elsewhere = Place(tmp_path), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (place.home / "undo").mkdir(parents=True)
    os.symlink(elsewhere, place.home / "undo" / workspace_id(str(place.root)))
    with pytest.raises(WorkspaceError):
        place.ledger.begin(Cause(), (str(place.root / "f"),), False)
    assert not list(elsewhere.iterdir())


def test_folders_of_one_name_have_ledgers_of_their_own(tmp_path: Path):
    assert workspace_id("/a/work") != workspace_id("/b/work")
    assert workspace_id("/a/work").startswith("work-") and "/" not in workspace_id("/a/ö\n*")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_named(tmp_path: Path):
    place = Place(tmp_path)
    (place.root / "secret").write_text("x")
    (place.root / "secret").chmod(0)
    place.shell("echo x > x")
    assert [gap.why for gap in place.last.gaps] == ["cannot be read: Permission denied"]
