"""Undo through the program, whatever commands did, whoever else worked there, and whatever state things are in."""

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from calling import EVERYTHING
from conftest import PROGRAM, SOAK, Codi, call, says
from workspace.ledger.changed_trees import ENVIRONMENT, command, digest_of, seed_tree

SESSIONS = 40 if SOAK else 4
STEPS = 200 if SOAK else 25


def shell(line: str):
    return call("shell", command=line)


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return done.stdout


def acted(codi: Codi, lab, *lines: str) -> str:
    """A session in which these commands run, but for what only a person may allow; its id. Commands may fail."""
    codi.set_up("[agent]\nmax_failed_steps = 1000\n")
    lab([*(says("", shell(line)) for line in lines), says("Done.")])
    run = codi.json("go", *EVERYTHING, "--max-turns", "0", timeout=600)
    assert run.status in (0, 3), run
    return run.result["sessionId"]


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(SESSIONS))
def test_a_session_of_random_commands_is_taken_back_and_put_back(codi, lab, folder, seed):
    rng = random.Random(seed)
    with_git = seed % 2 == 0
    seed_tree(folder, rng, with_git=with_git)
    codi.env |= {name: value for name, value in ENVIRONMENT.items() if name.startswith("GIT_")}
    before = digest_of(folder)
    acted(codi, lab, *(f"{command(rng, with_git=with_git)}\ntrue {number}" for number in range(STEPS)))
    after = digest_of(folder)
    shown = codi("undo", "--all", "--dry-run")
    assert digest_of(folder) == after, shown
    run = codi("undo", "--all", timeout=120)
    assert run.status == 0, run
    assert digest_of(folder) == before
    assert codi("redo", timeout=120).status == 0
    assert digest_of(folder) == after


def test_a_large_file_comes_back(codi, lab, folder):
    content = bytes(range(256)) * 4096 * 50
    (folder / "large").write_bytes(content)
    acted(codi, lab, "echo x >> large; mv large moved", "rm moved")
    assert os.listdir(folder) == []
    assert codi("undo").status == 0 and (folder / "large").read_bytes() == content


def _no_commits(place: Path) -> None:
    git(place, "init", "-q")
    (place / "staged").write_text("x\n")
    git(place, "add", "staged")


def _broken(place: Path) -> None:
    git(place, "init", "-q")
    (place / ".git" / "HEAD").write_text("what is this")
    (place / ".git" / "index").write_bytes(b"\xff" * 100)


def _worktree(place: Path) -> None:
    other = place.with_name("main")
    other.mkdir()
    seed_tree(other, random.Random(1), with_git=True)
    place.rmdir()
    git(other, "worktree", "add", "-q", str(place), "-b", "side")


def _submodule(place: Path) -> None:
    other = place.with_name("module")
    other.mkdir()
    seed_tree(other, random.Random(2), with_git=True)
    seed_tree(place, random.Random(1), with_git=True)
    git(place, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "sub")
    git(place, "commit", "-qm", "sub")


def _astray(place: Path) -> None:
    (place / ".git").write_text("gitdir: /nowhere\n")


@pytest.mark.parametrize("kind", [_no_commits, _broken, _worktree, _submodule, _astray])
def test_repositories_of_every_kind(codi, lab, folder, kind):
    kind(folder)
    (folder / "a").write_text("a\n")
    codi.env |= {name: value for name, value in ENVIRONMENT.items() if name.startswith("GIT_")}
    before = digest_of(folder)
    acted(
        codi,
        lab,
        "echo b >> a; mkdir n; echo c > n/c",
        "git add -A; git commit -qm agent",
        "if test -d sub; then cd sub; echo x > x; git add x; git commit -qm inner; rm f*; fi",
        "git stash -u; git checkout -q -b other; git reset -q --hard",
        "rm -rf ./*",
    )
    assert codi("changes").status == 0 and codi("snapshot", "list").status == 0
    run = codi("undo", "--all")
    assert run.status == 0, run
    assert {p: s for p, s in digest_of(folder).items() if not _is_log(p)} == {
        p: s for p, s in before.items() if not _is_log(p)
    }
    if kind in (_worktree, _submodule, _no_commits):
        git(folder, "status")
        git(folder, "fsck")


def _is_log(path: str) -> bool:
    """What git writes of its own doings, and objects that nothing names any more."""
    names = path.split("/")
    return ".git" in names and ("logs" in names or "objects" in names or names[-1] in ("COMMIT_EDITMSG", "ORIG_HEAD"))


def test_a_snapshot_leaves_head_index_and_stash_of_the_person_alone(codi, lab, folder):
    seed_tree(folder, random.Random(3), with_git=True)
    (folder / "staged").write_text("x\n")
    git(folder, "add", "staged")
    of_git = {path: state for path, state in digest_of(folder).items() if path.startswith(".git/")}
    before = digest_of(folder)
    acted(codi, lab, "rm -rf docs data src *.txt; echo new > new; chmod 755 .gitignore")
    after = digest_of(folder)
    assert codi("snapshot", "restore", "s0").status == 0 and digest_of(folder) == before
    assert codi("undo").status == 0 and digest_of(folder) == after
    (one,) = [path for path in before if path.endswith("f0.txt")]
    assert codi("snapshot", "restore", "s0", one).status == 0
    assert digest_of(folder)[one] == before[one] and (folder / "new").exists()
    assert {path: state for path, state in digest_of(folder).items() if path.startswith(".git/")} == of_git


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_an_undo_that_was_killed_is_finished_by_the_next_start(codi, lab, folder, share):
    for number in range(150):
        (folder / f"f{number:03}").write_text(f"{number}\n")
    acted(codi, lab, "for f in f*; do echo more >> $f; done")
    process = subprocess.Popen(
        [PROGRAM, "undo", "-y"], cwd=folder, env=codi.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    watched = folder / f"f{int(149 * share):03}"
    end = time.monotonic() + 30
    while "more" in watched.read_text() and process.poll() is None:
        assert time.monotonic() < end
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert codi("undo", "--status").status == 0
    assert {path.read_text() for path in folder.iterdir()} == {f"{number}\n" for number in range(150)}
    assert codi("redo").status == 0 and all("more" in path.read_text() for path in folder.iterdir())


def test_two_at_once_in_one_repository_take_back_only_their_own(codi, lab, folder):
    seed_tree(folder, random.Random(4), with_git=True)
    before = digest_of(folder)
    script = {}
    for name in ("left", "right"):
        script[name] = [
            says("", call("write", path=f"{name}.txt", content=f"{name}\n")),
            says("", shell(f"touch met-{name}; while ! test -e met-left || ! test -e met-right; do sleep 0.02; done")),
            *(says("", call("write", path=f"{name}-{number}", content=f"{number}\n")) for number in range(5)),
            says("", shell(f"echo {name} > {name}-by-command")),
            says("Done."),
        ]
    running = {}
    for name in ("left", "right"):
        lab(script[name])
        running[name] = codi.start("go", *EVERYTHING)
    ended = {name: each.end() for name, each in running.items()}
    assert {run.status for run in ended.values()} == {0}, ended
    left, right = (ended[name].result["sessionId"] for name in ("left", "right"))
    assert codi("undo", "--all", "--session", left).status == 0
    kept = {path.name for path in folder.glob("left*")}
    assert kept <= {"left-by-command"}, "what ran beside the other's command may be the other's, and stays"
    assert len(list(folder.glob("right*"))) == 7
    assert codi("redo").status == 0 and len(list(folder.glob("left*"))) == len(list(folder.glob("right*"))) == 7
    for session in (left, right):
        assert codi("undo", "--all", "--session", session).status == 0
    for name in ("met-left", "met-right", "left-by-command", "right-by-command"):
        (folder / name).unlink(missing_ok=True)
    assert digest_of(folder) == before


@pytest.mark.parametrize("damage", ["journal", "torn", "object", "tree", "empty journal"])
def test_a_damaged_store_is_told_and_what_is_left_comes_back(codi, lab, folder, damage):
    (folder / "a").write_text("a" * 50)
    (folder / "b").write_text("b" * 50)
    acted(codi, lab, "echo 1 > a", "echo 2 > b")
    (store,) = (codi.home / "undo").iterdir()
    journal = store / "journal.jsonl"
    if damage == "journal":
        journal.write_bytes(journal.read_bytes().replace(b"a", b"z", 3))
    elif damage == "torn":
        journal.write_bytes(journal.read_bytes()[:-20])
    elif damage == "empty journal":
        journal.write_bytes(b"")
    elif damage == "tree":
        (store / "tree").write_bytes(b"\xff" * 60)
    else:
        for each in store.glob("objects/*/*"):
            each.chmod(0o600)
            each.write_bytes(b"nothing of the kind")
    for words in (["undo", "--status"], ["changes"], ["blame", "a"], ["snapshot", "list"], ["undo", "--dry-run"]):
        run = codi(*words)
        assert run.status == 0 or (run.status == 1 and ("error: " in run.err or "LOST" in run.out)), run
    run = codi("undo", "--all")
    if damage == "object":
        assert run.status == 1 and "a" in run.err and (folder / "a").read_text() == "1\n"
    elif damage == "tree":
        assert run.status == 0 and (folder / "a").read_text() == "a" * 50
    acted(codi, lab, "echo 3 > c")
    assert codi("undo").status == 0 and not (folder / "c").exists()


def test_a_link_that_is_swapped_in_leads_no_edit_outside(codi, lab, folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_text("theirs\n")
    (folder / "d").mkdir()
    (folder / "d" / "f").write_text("ours\n")
    edits = 400 if SOAK else 60
    lab(
        [
            says(
                "",
                call("write", path="d/f", content=f"{number}\n"),
                call("write", path=f"d/new{number}/x", content="x"),
                call("move", source=f"d/new{number}/x", target=f"d/y{number}"),
                call("delete", path=f"d/y{number}"),
            )
            for number in range(edits)
        ]
        + [says("Done.")]
    )
    codi.set_up("[agent]\nmax_failed_steps = 100000\n")
    running = codi.start("go", "--permission-mode", "accept-edits", "--max-turns", "0")
    swaps = 0
    while running.process.poll() is None:
        try:
            os.rename(folder / "d", folder / "e")
            os.symlink(outside, folder / "d")
            os.unlink(folder / "d")
            os.rename(folder / "e", folder / "d")
        except OSError:  # the agent made a folder in the moment without one
            break
        swaps += 1
    run = running.end()
    assert swaps > 20 and run.status in (0, 3), run
    assert os.listdir(outside) == ["f"] and (outside / "f").read_text() == "theirs\n"


def test_every_line_of_a_changed_file_has_its_author(codi, lab, folder):
    (folder / "log").write_text("".join(f"old {number}\n" for number in range(20)))
    lines = [f"sed -i {3 * number + 1}i\\ 'call {number}' log" for number in range(6)]
    acted(codi, lab, *lines)
    with (folder / "log").open("a") as file:
        file.write("mine\n")
    told = json.loads(codi("blame", "log", "--json").out)["lines"]
    assert len(told) == 27 and told[-1]["owner"] == "person"
    owners = {line["line"]: (line["owner"], line.get("tool")) for line in told}
    for at, text in enumerate((folder / "log").read_text().splitlines(), 1):
        assert owners[at] == (
            ("agent", "shell") if text.startswith("call") else ("person" if text == "mine" else None, None)
        )
