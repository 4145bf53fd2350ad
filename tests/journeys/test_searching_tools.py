"""Searching and listing by a scripted model: the same with and without ripgrep, and the files that git knows."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from calling import results
from conftest import Codi, call
from workspace.ledger.changed_trees import ENVIRONMENT, seed_tree

SEARCHES = [
    {"pattern": "line 3"},
    {"pattern": "LINE [0-9]+ 1", "ignore_case": True, "context": 2},
    {"pattern": "line 1", "mode": "files"},
    {"pattern": "line 1", "mode": "count"},
    {"pattern": "line", "limit": 3},
    {"pattern": "ine", "whole_word": True},
    {"pattern": "a.b(", "literal": True},
    {"pattern": "line", "path": "special.py"},
    {"pattern": "line 2", "glob": "*.txt"},
    {"pattern": "secret", "include_ignored": True},
    {"pattern": "("},
    {"pattern": "nowhere to be found"},
]


@pytest.fixture
def tree(folder: Path) -> Path:
    seed_tree(folder, random.Random(7), with_git=True)
    (folder / "special.py").write_text("a.b(c)\n\tline of code\n" + "x" * 700 + " line\n")
    (folder / "ignored" / "in.txt").write_text("secret line\n")
    (folder / ".hidden").write_text("hidden line 3\n")
    (folder / "no-text").write_bytes(b"line 3\0\1\2")
    (folder / "UPPER").mkdir()
    return folder


def test_a_search_gives_the_same_with_and_without_ripgrep(codi: Codi, lab, tree, tmp_path):
    if shutil.which("rg") is None:
        pytest.skip("there is no ripgrep to compare with")
    codi.set_up("[agent]\nmax_failed_steps = 1000\n")
    with_it = results(codi, lab, *(call("grep", **each) for each in SEARCHES))
    few = tmp_path / "few"
    few.mkdir()
    for name in ("bash", "git", "python3"):
        os.symlink(shutil.which(name) or name, few / name)
    codi.env["PATH"] = str(few)
    without = results(codi, lab, *(call("grep", **each) for each in SEARCHES))
    assert with_it == without
    assert ".hidden:1: hidden line 3" in with_it[0].split("\n") and "no-text" not in with_it[0]
    assert with_it[4].endswith("[3 matches limit reached. Use limit=6 for more, or refine pattern]")
    assert with_it[6].startswith("special.py:1: a.b(c)") and "special.py:2: \tline of code" in with_it[7]
    assert "... [truncated]" in with_it[7] and "ignored/in.txt:1: secret line" in with_it[9]
    assert (
        with_it[10].startswith("ERROR: Invalid regular expression at position 0") and with_it[11] == "No matches found"
    )


def test_files_are_those_that_git_knows(codi: Codi, lab, tree):
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=tree, env=ENVIRONMENT, capture_output=True, text=True
    )
    codi.set_up("[agent]\nmax_failed_steps = 1000\n")
    told = results(
        codi,
        lab,
        call("glob", pattern="**", sort="name"),
        call("glob", pattern="*.{py,nothing}"),
        call("glob", pattern="**", limit=2),
        call("glob", pattern="*.none"),
        call("list"),
        call("list", path="empty"),
        call("list", path="special.py"),
        call("list", path="gone"),
        call("list", long=True),
        call("tree", depth=1),
    )
    assert set(told[0].split("\n")) == set(listed.stdout.split("\n")) - {""}
    assert told[1] == "special.py" and told[2].endswith(
        "[2 results limit reached. Use limit=4 for more, or refine pattern]"
    )
    assert told[3] == "No files found matching pattern" and told[5] == "(empty directory)"
    names = told[4].split("\n")
    folders = [name for name in names if name.endswith("/")]
    assert names[: len(folders)] == folders == sorted(folders, key=str.lower) and "UPPER/" in folders
    assert told[6] == f"ERROR: Not a directory: {tree}/special.py" and told[7] == f"ERROR: Path not found: {tree}/gone"
    assert any("to-docs" in line and "docs" in line.rpartition("->")[2] for line in told[8].split("\n"))
    assert told[9].startswith("./\n├── ") and "└── " in told[9] and "ignored" not in told[9]


def test_other_names_of_tools_and_parameters_are_the_same_calls(codi: Codi, lab, tree):
    pairs = [
        (call("read", path="special.py"), call("read_file", file_path="special.py")),
        (call("read", path="special.py"), call("cat", path="special.py")),
        (call("grep", pattern="line 3"), call("search_file_contents", query="line 3")),
        (call("glob", pattern="*.py"), call("find_files", pattern="*.py")),
        (call("list", path="docs"), call("list_directory", path="docs")),
        (call("shell", command="echo x"), call("execute_bash", command="echo x")),
        (call("shell", command="git status --short"), call("Bash", command="git status --short")),
    ]
    told = results(codi, lab, *(each for pair in pairs for each in pair))
    for plain, other in zip(told[::2], told[1::2]):
        mapped, _, rest = other.partition("\n")
        assert mapped.startswith('(Mapped: Tool: "') and rest == plain
