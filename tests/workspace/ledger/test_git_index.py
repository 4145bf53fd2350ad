"""Git's index is read as git reads it, and its times mean nothing."""

import os
import subprocess
from pathlib import Path

import pytest

from codi.workspace.ledger.git_index import entries, same_meaning
from workspace.ledger.changed_trees import ENVIRONMENT


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture(params=["sha1", "sha256"])
def repository(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    git(tmp_path, "init", "-q", f"--object-format={request.param}", ".")
    for number in range(30):
        path = tmp_path / f"some/folder{number % 4}" / f"a file ä {number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(number))
    git(tmp_path, "add", "-A")
    return tmp_path


@pytest.mark.parametrize("version", [2, 3, 4])
def test_it_says_what_git_says(repository: Path, version: int):
    git(repository, "add", "--intent-to-add", ".")
    git(repository, "update-index", "--index-version", str(version), "--skip-worktree", "some/folder0/a file ä 0.txt")
    told = git(repository, "ls-files", "-s", "-z").split("\0")[:-1]
    read = entries((repository / ".git/index").read_bytes())
    assert [f"{each.mode:06o} {each.id} {each.stage}\t{each.path}" for each in read] == told


def test_a_new_look_at_the_files_changes_nothing(repository: Path):
    index = repository / ".git/index"
    before = index.read_bytes()
    for path in (repository / "some").rglob("*.txt"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    git(repository, "status")
    assert index.read_bytes() != before
    assert same_meaning(index.read_bytes(), before)
    (repository / "new").write_text("x")
    git(repository, "add", "new")
    assert not same_meaning(index.read_bytes(), before)


@pytest.mark.parametrize(
    "damaged", [b"", b"DIRC", b"DIRC" + b"\xff" * 60, b"DIRC\0\0\0\2\0\0\0\5" + b"\0" * 70, b"nothing"]
)
def test_a_damaged_index_says_nothing(damaged: bytes):
    assert list(entries(damaged)) == []
