"""What codi asks git, and that asking runs nothing of a repository's."""

import os
import subprocess
from pathlib import Path

import anyio
import pytest

from codi.workspace.git import GitState, for_commands, obeys, state
from codi.workspace.roots import project_root


@pytest.fixture
def repository(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    root = tmp_path / "repository"
    (root / "sub").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    return root


def git(root: Path, *words: str) -> str:
    words = ("git", "-c", "user.name=n", "-c", "user.email=e@x", *words)
    return subprocess.run(words, cwd=root, capture_output=True, check=True, text=True).stdout.strip()


def asked(folder: Path) -> GitState | None:
    return anyio.run(state, str(folder))


def committed(root: Path) -> str:
    for name in ("file", "sub/file"):
        (root / name).write_text("one")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    return git(root, "rev-parse", "HEAD")


def test_outside_of_a_repository_there_is_no_state(tmp_path):
    assert asked(tmp_path) is None


def test_before_the_first_commit(repository):
    assert asked(repository) == GitState("main", None, False)


def test_branch_head_and_dirtiness(repository):
    head = committed(repository)
    assert asked(repository / "sub") == GitState("main", head, False)

    git(repository, "checkout", "-qb", "feature/x")
    git(repository, "pack-refs", "--all")
    (repository / "file").write_text("two")
    assert asked(repository) == GitState("feature/x", head, True)

    git(repository, "checkout", "-q", "--force", "--detach")
    assert asked(repository) == GitState(None, head, False)


def test_a_linked_worktree_has_a_state_of_its_own(repository):
    head = committed(repository)
    git(repository, "worktree", "add", "-q", "-b", "side", "../linked")
    (repository.parent / "linked/new").write_text("")

    assert asked(repository.parent / "linked") == GitState("side", head, True)


@pytest.mark.parametrize("included", [False, True])
def test_nothing_of_the_repository_runs(repository, included):
    committed(repository)
    trap = repository.parent / "ran"
    script = repository.parent / "script"
    script.write_text(f"#!/bin/sh\ntouch {trap}\ncat\n")
    script.chmod(0o755)
    settings = {
        "core.fsmonitor": script, "core.pager": script, "diff.external": script, "core.hooksPath": script.parent,
        "filter.evil.clean": script, "filter.evil.smudge": script, "filter.odd.name.process": script,
    }  # fmt: skip
    for name, value in settings.items():
        git(repository, "config", *(("-f", ".git/more") if included else ()), name, str(value))
    if included:
        git(repository, "config", "include.path", "more")
    git(repository, "config", "extensions.worktreeConfig", "true")
    git(repository, "config", "--worktree", "filter.third.clean", str(script))
    (repository / ".gitattributes").write_text("* filter=evil\nfile filter=odd.name\nsub/file filter=third\n")
    for name in ("file", "sub/file"):
        os.utime(repository / name, (1, 1))  # git has to look at the content

    assert asked(repository) is not None
    assert not trap.exists()


def test_without_git_the_branch_is_still_known(repository, monkeypatch):
    head = committed(repository)
    monkeypatch.setenv("PATH", "/nowhere")

    assert asked(repository) == GitState("main", head, None)


def test_the_project_begins_at_the_repository_else_at_its_folder_of_settings_else_here(repository, tmp_path):
    (tmp_path / "plain/.codi").mkdir(parents=True)
    (tmp_path / "plain/below").mkdir()
    (tmp_path / "bare").mkdir()

    assert project_root(str(repository / "sub")) == str(repository)
    assert project_root(str(tmp_path / "plain/below")) == str(tmp_path / "plain")
    assert project_root(str(tmp_path / "bare")) == str(tmp_path / "bare")


def test_a_plain_repository_makes_git_run_nothing(repository):
    committed(repository)
    assert not obeys(str(repository)) and not obeys(str(repository / "sub"))
    assert "diff.external" not in for_commands(str(repository)).values()


@pytest.mark.parametrize(
    "key",
    [
        "filter.x.clean",
        "diff.x.textconv",
        "diff.x.command",
        "merge.x.driver",
        "gpg.program",
        "include.path",
        "extensions.partialClone",
    ],
)
def test_a_configuration_that_names_programs_is_noticed(repository, key):
    git(repository, "config", key, "x")
    assert obeys(str(repository / "sub"))


def test_an_external_diff_of_the_repository_is_silenced(repository):
    git(repository, "config", "diff.external", "x")
    assert "diff.external" in for_commands(str(repository)).values()


def test_a_repository_within_is_noticed(repository):
    committed(repository)
    (repository / "inner").mkdir()
    git(repository / "inner", "init", "-q")
    git(repository / "inner", "commit", "--allow-empty", "-qm", "x")
    git(repository, "-c", "advice.addEmbeddedRepo=false", "add", "inner")
    assert obeys(str(repository))


def test_the_inside_of_a_repository_is_noticed_wherever_it_lies(tmp_path):
    git(tmp_path, "init", "-q", "--bare", "bare")
    assert obeys(str(tmp_path / "bare" / "refs")) and not obeys(str(tmp_path))
