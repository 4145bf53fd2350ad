"""Two equal digests: nothing was changed in between."""

import os

import pytest

from codi.workspace.digest import workspace_digest
from codi.workspace.local import LocalWorkspace


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("x = 1\n")
    (tmp_path / "b.txt").write_text("b\n")
    (tmp_path / ".gitignore").write_text("*.log\nbuild/\n")
    return tmp_path


def digest(folder) -> str:
    return workspace_digest(LocalWorkspace(str(folder))).digest


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "src" / "a.py").write_text("x = 2\n"),
        lambda folder: (folder / "src" / "c.py").write_text(""),
        lambda folder: (folder / "b.txt").unlink(),
        lambda folder: (folder / "b.txt").rename(folder / "c.txt"),
        lambda folder: (folder / "b.txt").chmod(0o700),
        lambda folder: (folder / "link").symlink_to("b.txt"),
        lambda folder: (folder / ".gitignore").write_text(""),
    ],
)
def test_a_change_makes_another_digest(folder, change):
    before = digest(folder)
    assert digest(folder) == before
    change(folder)
    assert digest(folder) != before


@pytest.mark.parametrize(
    "name", ["x.log", "build/a.py", "__pycache__/a.pyc", ".pytest_cache/v", "src/.coverage", ".git/index"]
)
def test_what_is_ignored_or_a_by_product_makes_none(folder, name):
    before = digest(folder)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("x")
    assert digest(folder) == before


def test_files_and_the_newest_of_them_are_told(folder):
    os.utime(folder / "b.txt", ns=(0, 9_000_000_000_000_000_000))
    tree = workspace_digest(LocalWorkspace(str(folder)))
    assert sorted(tree.files) == [".gitignore", "b.txt", "src/a.py"] and tree.newest_ns == 9_000_000_000_000_000_000
