"""What a walk leaves out is what git leaves out."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from codi.workspace.ignore_rules import ignore_rules
from codi.workspace.local import LocalWorkspace

WITHOUT_SETTINGS = {"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"}


def git(root: Path, *words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=root, env=WITHOUT_SETTINGS, capture_output=True, check=True).stdout


def as_git_lists(root: Path) -> set[str]:
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return {os.fsdecode(name) for name in listed.split(b"\0") if name}


def as_we_walk(root: Path, path: str = ".", **how: bool) -> set[str]:
    found = list(LocalWorkspace(str(root)).walk(path, **how))
    assert len(found) == len(set(found))
    return set(found)


def grow(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


NAMES = ("a", "b", "ab", "a.c", "b.c", ".h", "x y", "[a]", "a*", "\\", "é")
PIECES = st.sampled_from(
    [*NAMES, "*", "?", "**", "*.c", "a?", "[ab]", "[!a]", "[^a-b]", "[a-", "[]a]", "[[:alpha:]]", "\\*", "\\!a", "a\\",
     "[a-b].c", "***", "a**", "**b", "[\\]]", "[[:no:]]", "?.*", " "]
)  # fmt: skip
PATTERNS = st.builds(
    lambda negation, start, pieces, end: negation + start + "/".join(pieces) + end,
    st.sampled_from(["", "", "", "!", "#", "\\!"]),
    st.sampled_from(["", "", "/", "**/"]),
    st.lists(PIECES, min_size=1, max_size=3),
    st.sampled_from(["", "", "", "/", "/**", "/*", " ", "\\ ", "//", "\r"]),
)
IGNORE_FILES = st.lists(PATTERNS, max_size=5).map("\n".join)
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join)


def standing(root: Path, paths: list[str]) -> None:
    """Make what can be made: a path of the list may name a folder that is a file already."""
    for path in paths:
        if not any(parent.is_file() for parent in (root / path).parents) and not (root / path).exists():
            grow(root, {path: ""})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    paths=st.lists(PATHS, min_size=4, max_size=14),
    ignore_files=st.dictionaries(st.sampled_from(["", "a/", "a/b/", "b/", "ab/"]), IGNORE_FILES, max_size=3),
    exclude=IGNORE_FILES,
)
@example(paths=["a/b/a.c", "b.c", "a/a.c"], ignore_files={"": "*.c\n!/a/**/a.c", "a/": "b/"}, exclude="")
@example(paths=["a/b", "ab/a/b"], ignore_files={"": "a/**\n!a/b"}, exclude="**/b\n")
@example(paths=["a", "ab/b", "b/a/b", "ab"], ignore_files={"b/": "a**/b"}, exclude="a**/*\n!a**/b")
@example(paths=["a", "b", "ab", ".h"], ignore_files={}, exclude="[b-a]\n[a-\\")
def test_walks_what_git_lists(tmp_path_factory, paths, ignore_files, exclude):
    root = tmp_path_factory.mktemp("tree")
    git(root, "init", "-q")
    standing(root, paths)
    (root / ".git/info/exclude").write_text(exclude)
    for folder, content in ignore_files.items():
        if (root / folder).is_dir():
            (root / folder / ".gitignore").write_bytes(content.encode())

    assert as_we_walk(root) == as_git_lists(root)


def test_links_are_listed_and_not_followed(tmp_path):
    git(tmp_path, "init", "-q")
    grow(tmp_path, {"folder/file": "", "outside": ""})
    (tmp_path / "to-folder").symlink_to("folder")
    (tmp_path / "to-nothing").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")

    assert as_we_walk(tmp_path) == as_git_lists(tmp_path) == {"folder/file", "outside", "to-folder", "to-nothing"}


def test_ignore_files_count_without_a_repository(tmp_path):
    grow(
        tmp_path, {".gitignore": "*.o", "a.o": "", "a.c": "", "src/.ignore": "!b.o\nlog", "src/b.o": "", "src/log": ""}
    )

    assert as_we_walk(tmp_path) == {".gitignore", "a.c", "src/.ignore", "src/b.o"}


def test_exclude_file_counts_without_a_repository(tmp_path):
    grow(tmp_path, {".git/info/exclude": "secret", "secret": "", "open": ""})

    assert as_we_walk(tmp_path) == {"open"}


def test_a_nearer_file_decides_over_a_farther_one(tmp_path):
    grow(tmp_path, {".gitignore": "!*.log", "a/.gitignore": "*.log", "a/b/.gitignore": "!keep.log"})
    grow(tmp_path, {"x.log": "", "a/x.log": "", "a/b/keep.log": "", "a/b/x.log": ""})

    assert {name for name in as_we_walk(tmp_path) if name.endswith(".log")} == {"x.log", "a/b/keep.log"}


def test_walking_from_below_honours_the_files_above(tmp_path):
    git(tmp_path, "init", "-q")
    grow(tmp_path, {".gitignore": "*.o\n/src/gen/", "src/a.o": "", "src/a.c": "", "src/gen/b.c": ""})

    assert as_we_walk(tmp_path, "src") == {"a.c"}
    assert as_we_walk(tmp_path / "src") == {"a.c"}  # also those of a repository around the workspace


def test_a_repository_inside_another_obeys_its_own_files(tmp_path):
    grow(tmp_path, {".git/HEAD": "", ".gitignore": "*.txt", "inner/.git/HEAD": "", "inner/a.txt": "", "b.txt": ""})

    assert as_we_walk(tmp_path) == {".gitignore", "inner/a.txt"}


def test_a_linked_worktree_obeys_the_exclude_file_of_its_repository(tmp_path):
    main = tmp_path / "main"
    grow(main, {"a": ""})
    git(main, "init", "-q")
    git(main, "add", ".")
    git(main, "-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "first")
    git(main, "worktree", "add", "-q", "../linked")
    (main / ".git/info/exclude").write_text("hidden-by-exclude")
    grow(tmp_path / "linked", {"hidden-by-exclude": "", "seen": ""})

    assert as_we_walk(tmp_path / "linked") == as_git_lists(tmp_path / "linked") == {"a", "seen"}


def test_hidden_and_ignored_on_request(tmp_path):
    grow(tmp_path, {".gitignore": "out/", "out/a": "", ".env": "", ".config/b": "", "c": "", ".git/x": ""})

    assert as_we_walk(tmp_path, hidden=False) == {"c"}
    assert as_we_walk(tmp_path, include_ignored=True) == {".gitignore", "out/a", ".env", ".config/b", "c"}


def test_an_unreadable_start_raises(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        as_we_walk(tmp_path, "file")
    for missing in ("nowhere", "nul\0", "half\ud800"):
        with pytest.raises(FileNotFoundError):
            as_we_walk(tmp_path, missing)


@given(st.binary(max_size=60))
def test_any_content_is_a_set_of_rules(content):
    rules = ignore_rules(content)
    assert rules.verdict(b"name", b"folder/name", is_folder=False) in (True, False, None)
