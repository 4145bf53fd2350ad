"""What of the shell runs unasked, what is asked about, and what a question says, through the installed program."""

import subprocess
from pathlib import Path

import pytest

from conftest import Codi, call, says


def in_repository(codi: Codi) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", codi.cwd, *words], env=codi.env, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    (codi.cwd / "a.txt").write_text("one\n")
    git("add", "a.txt")
    git("-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qm", "one")
    (codi.cwd / "a.txt").write_text("two\n")


def test_plain_looks_run_unasked(codi: Codi, lab):
    in_repository(codi)
    lines = [
        "cat a.txt | tr a-z A-Z",
        "git log --format='%s' | head -5",
        "sed -n '1p' a.txt 2>/dev/null",
        "git diff",
        "test -f a.txt && echo yes",
    ]
    lab([says("", *(call("shell", command=line) for line in lines)), says("Done.")])
    run = codi.json("look")
    assert run.status == 0, run
    told = [one["result"] for one in run.result["toolCalls"]]
    for said, wanted in zip(told, ("TWO", "one", "two", "+two", "yes")):
        assert wanted in said


@pytest.mark.parametrize(
    "line",
    [
        "cat a.txt && touch made",
        "cat a.txt | tee made",
        "cat a.txt > made",
        "cat $(touch made)",
        "cat ../a.txt",
        "cat .env",
        "sh -c 'cat a.txt'",
    ],
)
def test_more_than_a_look_is_asked_about(codi: Codi, lab, line):
    (codi.cwd / "a.txt").write_text("x\n")
    (codi.cwd / ".env").write_text("TOKEN=x\n")
    lab([says("", call("shell", command=line)), says("Done.")])
    run = codi.json("go")
    assert run.status == 3 and not (codi.cwd / "made").exists(), run


def test_a_link_out_of_the_workspace_is_no_way_out(codi: Codi, lab, tmp_path: Path):
    (tmp_path / "beyond").write_text("SECRET OF ANOTHER\n")
    (codi.cwd / "notes").symlink_to(tmp_path / "beyond")
    lab([says("", call("shell", command="cat notes")), says("Done.")])
    run = codi.json("go")
    assert run.status == 3 and "SECRET" not in run.result["toolCalls"][0]["result"]


def test_a_question_names_the_part_that_is_no_look(codi: Codi, lab):
    lab([says("", call("shell", command="ls -la && npm publish --dry-run")), says("Done.")])
    (question,) = codi.stream("go").of_type("approval_asked")
    assert any("npm publish --dry-run" in reason for reason in question["reasons"])
    assert not any("ls -la:" in reason for reason in question["reasons"])


@pytest.mark.parametrize("key", ["filter.evil.clean", "diff.evil.textconv", "diff.evil.command", "gpg.program"])
def test_git_asks_where_the_repository_names_programs(codi: Codi, lab, key):
    in_repository(codi)
    evil = f"touch {codi.cwd}/PWNED;"
    subprocess.run(["git", "-C", codi.cwd, "config", key, evil], env=codi.env, check=True)
    (codi.cwd / ".gitattributes").write_text("*.txt diff=evil filter=evil\n")
    lab([says("", *(call("shell", command=f"git {word}") for word in ("diff", "log -p", "show"))), says("Done.")])
    run = codi.json("look")
    assert run.status == 3 and not (codi.cwd / "PWNED").exists()


def test_git_that_was_allowed_may_fetch(codi: Codi, lab, tmp_path: Path):
    in_repository(codi)
    lab([says("", call("shell", command=f"git ls-remote {codi.cwd}")), says("Done.")])
    run = codi.json("look", "-y")
    assert "refs/heads/main" in run.result["toolCalls"][0]["result"], run


def test_without_the_parser_everything_is_asked_about(codi: Codi, lab, tmp_path: Path):
    shadow = tmp_path / "shadow"
    shadow.mkdir()
    (shadow / "tree_sitter.py").write_text("raise ImportError('not here')\n")
    codi.env["PYTHONPATH"] = str(shadow)
    lab([says("", call("shell", command="ls"), call("shell", command="rm -rf /")), says("Done.")])
    run = codi.json("go")
    assert run.status == 3
    assert [one["decision"] for one in run.result["permissions"]] == ["deny", "deny"]
    assert sorted(one["by"] for one in run.result["permissions"]) == ["mode", "nobody"]
