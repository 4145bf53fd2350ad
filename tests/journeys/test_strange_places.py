"""The world around codi: strange places, missing programs, hostile repositories, and what it leaves on the disk."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from conftest import PROGRAM, Codi, call, says


def test_nothing_in_codis_home_is_for_others(codi: Codi, lab):
    os.umask(0o022)
    lab([says("", call("shell", command="seq 5000"), call("write", path="x", content="y")), says("Done.")])
    (codi.cwd / ".codi").mkdir()
    (codi.cwd / ".codi/SYSTEM.md").write_text("Be brief.")
    assert codi("trust", "accept").status == 0
    assert codi("-p", "go", "-y", "--audit").status == 0
    assert codi("config", "set", "agent.max_steps", "7").status == 0
    assert codi("sessions").status == codi("models").status == 0
    (path,) = codi.sessions()
    assert codi("sessions", "delete", path.stem.partition("_")[2], "--yes").status == 0
    found = [codi.home, *codi.home.rglob("*")]
    assert len(found) > 8
    open_to_others = [str(each) for each in found if not each.is_symlink() and each.stat().st_mode & 0o077]
    assert open_to_others == []


@pytest.mark.parametrize("place", ["config.toml", "sessions", "catalog.db", "network.jsonl", "trust.json", "audit"])
def test_a_link_that_was_planted_leads_nowhere(codi: Codi, lab, tmp_path, place):
    """The target keeps its bytes and mode, whatever codi does with what was planted."""
    lab("hello")
    codi.home.mkdir()
    target = tmp_path / "target"
    if place in ("sessions", "audit"):
        target.mkdir(mode=0o755)
    else:
        target.write_text("" if place == "catalog.db" else "# mine\n")
    content = target.read_bytes() if target.is_file() else b""
    before = stat.S_IMODE(target.stat().st_mode)
    (codi.home / place).symlink_to(target)
    run = codi("-p", "hi")
    codi("trust", "accept")
    if place in ("network.jsonl", "trust.json"):
        assert target.read_bytes() == content
    assert run.status in (0, 1) and stat.S_IMODE(target.stat().st_mode) == before


@pytest.mark.parametrize("missing", ["git", "rg", "bash", "git rg bash"])
def test_without_a_program_the_work_goes_on(codi: Codi, lab, tmp_path, missing):
    tools = tmp_path / "bin"
    tools.mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        for program in Path(folder).glob("*"):
            if program.name not in (*missing.split(), "rbash") and not (tools / program.name).exists():
                (tools / program.name).symlink_to(program)
    (codi.cwd / "a.txt").write_text("alpha\n")
    lab(
        [
            says("", call("grep", pattern="alp"), call("glob", pattern="*.txt"), call("shell", command="echo hi; pwd")),
            says("Done."),
        ]
    )
    run = codi.json("go", "-y", env={"PATH": str(tools)})
    assert run.status == 0, run
    found, named, told = [each["result"] for each in run.result["toolCalls"]]
    assert found == "a.txt:1: alpha" and named == "a.txt" and told.startswith(f"hi\n{codi.cwd}")


@pytest.mark.parametrize(
    "name", ["with space", "ünïcødé 日本", "-dash", "quote'\"s", "a\nb", "$HOME", "CON", "x" * 200]
)
def test_any_folder_is_a_place_to_work(codi: Codi, lab, tmp_path, name):
    place = tmp_path / name
    place.mkdir()
    (place / "a.txt").write_text("alpha\n")
    lab(
        {
            "loop": True,
            "steps": [says("", call("read", path="a.txt"), call("shell", command="cat a.txt")), says("Done.")],
        }
    )
    run = codi.json("go", "-y", cwd=place)
    assert run.status == 0 and run.result["cwd"] == str(place), run
    assert [each["isError"] for each in run.result["toolCalls"]] == [False, False]
    assert codi.json("more", "-c", cwd=place).result["sessionId"] == run.result["sessionId"]
    assert run.result["sessionId"] in codi("sessions", "--json", cwd=place).out


def test_a_folder_whose_name_is_no_text(codi: Codi, lab, tmp_path):
    place = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(place)
    server = lab({"loop": True, "steps": [says("", call("shell", command="pwd")), says("Done.")]})

    def run(*words: str | bytes) -> bytes:
        done = subprocess.run([PROGRAM, *words], cwd=place, env=codi.env, stdin=subprocess.DEVNULL, capture_output=True)
        assert (done.returncode, done.stderr) == (0, b""), done
        return done.stdout

    assert run("-p", b"caf\xe9", "-y") == b"Done.\n"
    assert server.requests[0].json["messages"][0]["content"][-1]["text"] == "caf\N{REPLACEMENT CHARACTER}"
    first, again = (json.loads(run("-p", "go", "-y", "-f", "json", *more)) for more in ((), ("-c",)))
    assert first["kind"] == "done" and first["sessionId"] == again["sessionId"]
    assert len(run("sessions", "--json").splitlines()) == 2


@pytest.mark.parametrize("name", ["a home", "höme", "nested/deeper/home"])
def test_any_home_will_do(codi: Codi, lab, tmp_path, name):
    lab("hello")
    env = {"CODI_HOME": str(tmp_path / name)}
    assert codi("-p", "hi", env=env).status == 0
    assert len(list((tmp_path / name).glob("sessions/*/*.jsonl"))) == 1


def test_folders_whose_names_fold_into_one_keep_their_sessions_apart(codi: Codi, lab, tmp_path):
    lab({"loop": True, "steps": [says("Yes.")]})
    places = [tmp_path / "a-b", tmp_path / "a" / "b"]
    for place in places:
        place.mkdir(parents=True)
        assert codi("-p", f"in {place.name}", cwd=place).status == 0
    assert len({path.parent for path in codi.sessions()}) == 1
    for place in places:
        (row,) = [json.loads(line) for line in codi("sessions", "--json", cwd=place).out.splitlines()]
        assert row["project"] == str(place) and row["firstMessage"] == f"in {place.name}"


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_configuration_of_a_repository_runs_nothing(codi: Codi, lab):
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", codi.cwd, *words], env=codi.env, check=True, capture_output=True)

    git("init", "-q")
    (codi.cwd / "a.txt").write_text("one\n")
    git("add", "a.txt")
    git("-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qm", "one")
    (codi.cwd / "a.txt").write_text("two\n")
    (codi.cwd / ".gitattributes").write_text("*.txt diff=evil filter=evil\n")
    evil = f"touch {codi.cwd}/PWNED"
    for key in (
        "core.fsmonitor",
        "diff.external",
        "core.pager",
        "diff.evil.textconv",
        "core.sshCommand",
        "core.editor",
    ):
        git("config", key, evil)
    (codi.cwd / ".git/hooks/post-index-change").write_text(f"#!/bin/sh\n{evil}\n")
    (codi.cwd / ".git/hooks/post-index-change").chmod(0o755)
    lab(
        [
            says("", *(call("shell", command=f"git {word}") for word in ("status", "diff", "log -p", "show"))),
            says("Done."),
        ]
    )
    run = codi.json("look")
    assert not (codi.cwd / "PWNED").exists(), run
    assert run.status in (0, 3)


def test_an_approved_command_poisons_none_that_follows(codi: Codi, lab):
    (codi.cwd / "evil").mkdir()
    (codi.cwd / "evil/ls").write_text("#!/bin/sh\necho POISONED\n")
    (codi.cwd / "evil/ls").chmod(0o755)
    poison = 'export PATH="$PWD/evil:$PATH"; alias ls="echo POISONED"; ls() { echo POISONED; }; cd evil'
    lab([says("", call("shell", command=poison)), says("", call("shell", command="ls ..")), says("Done.")])
    run = codi.json("go", "-y")
    assert run.status == 0 and "POISONED" not in run.result["toolCalls"][1]["result"], run


def test_keys_reach_no_command(codi: Codi, lab):
    lab([says("", call("shell", command="env")), says("Done.")])
    run = codi.json("go", "-y", env={"OPENAI_API_KEY": "sk-other", "GITHUB_TOKEN": "ghp_x", "MY_SECRET": "s"})
    told = run.result["toolCalls"][0]["result"]
    assert "PATH=" in told
    for word in ("ANTHROPIC", "sk-other", "ghp_x", "MY_SECRET"):
        assert word not in told


@pytest.mark.parametrize("env", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}])
def test_no_escape_leaves_codi_where_none_is_wanted(codi: Codi, lab, env):
    lab({"loop": True, "steps": [says("\x1b[31mred\x1b[0m", call("list")), says("Done.")]})
    for words in (
        ("-p", "hi"),
        ("--help",),
        ("sessions",),
        ("models",),
        ("config", "list"),
        ("tool", "list"),
        ("schema",),
    ):
        run = codi(*words, env=env)
        assert run.status == 0 and "\x1b" not in run.err, words
        assert "\x1b" not in run.out, words


def test_an_image_that_is_none_is_refused(codi: Codi, lab):
    server = lab("hello")
    (codi.cwd / "fake.png").write_text("no image at all")
    run = codi("-p", "@fake.png", "what is this?")
    assert run.status == 1 and "fake.png" in run.err and server.requests == []
