"""Undo takes away what the agent did, and nothing else: a person's edits, other processes' steps, git's state stay."""

import os
import random
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest

from workspace.ledger.changed_trees import ENVIRONMENT, Place, digest_of, seed_tree

SESSIONS = 200 if os.environ.get("CODI_SOAK") else 12


def numbered(first: int, last: int) -> str:
    return "".join(f"line {number}\n" for number in range(first, last))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(SESSIONS))
def test_a_persons_edits_between_the_steps_survive_the_undo_of_all(tmp_path: Path, seed: int):
    """The person works at the end of files and in files of their own, the agent at the beginning: what is left is exactly
    what the person would have without the agent."""
    rng = random.Random(seed)
    place, alone = Place(tmp_path), tmp_path / "alone"
    for number in range(6):
        (place.root / f"f{number}").write_text(numbered(0, 60))
    subprocess.run(["cp", "-a", place.root, alone], check=True)

    def person(script: str) -> None:
        place.by_hand(script)
        subprocess.run(["bash", "-c", script], cwd=alone, env=ENVIRONMENT, check=False, capture_output=True)

    for number in range(rng.randrange(5, 25)):
        name, at = f"f{rng.randrange(6)}", rng.randrange(1, 20)
        kind = rng.random()
        if kind < 0.3:
            person(f"sed -i 's/^line {at + 35}$/mine {number}/' {name}")
        elif kind < 0.4:
            person(f"echo mine {number} >> {name}")
        elif kind < 0.5:
            person(f"mkdir -p mine; echo {number} > mine/{number}; chmod 600 mine/{number}")
        elif kind < 0.6:
            place.write(name, b"agent\n" + (place.root / name).read_bytes())
        else:
            place.shell(
                rng.choice(
                    [
                        f"sed -i '{at}s/.*/agent {number}/' {name}",
                        f"sed -i '{at}d' {name}",
                        f"echo agent > a{number}; mkdir -p made/{number}",
                        f"sed -i '{at}a agent {number}' f*",
                    ]
                )
            )
    place.ledger.open()
    undone = place.ledger.reversal.undo(place.steps())
    assert not undone.plan.conflicts and not undone.failed
    assert digest_of(place.root) == digest_of(alone)


def test_hunks_of_both_sides_are_told_apart(place: Place):
    (place.root / "f").write_text(numbered(0, 30))
    place.shell("sed -i '3s/.*/agent/; 20,25d' f")
    place.by_hand("sed -i '10s/.*/mine/' f")
    undone = place.ledger.reversal.undo(place.steps())
    assert [action.what for action in undone.plan.actions] == ["merge"]
    assert (place.root / "f").read_text() == numbered(0, 30).replace("line 9\n", "mine\n")


@pytest.mark.parametrize(
    ("agent", "person"),
    [
        ("sed -i s/b/agent/ f", "sed -i s/agent/mine/ f"),
        ("rm f", "echo mine > f"),
        ("echo agent > new", "echo mine > new"),
        ("sed -i s/b/agent/ f", "rm f"),
        ("head -c 900 /dev/urandom > f", "head -c 900 /dev/urandom > f"),
        ("rm f; mkdir f", "rmdir f; ln -s x f"),
    ],
)
def test_what_cannot_be_told_apart_stays_and_is_named(place: Place, agent: str, person: str):
    (place.root / "f").write_text("a\nb\nc\n")
    place.shell(agent)
    place.by_hand(person)
    before = place.digest()
    undone = place.ledger.reversal.undo(place.steps())
    assert [action.what for action in undone.plan.conflicts] == ["conflict"]
    after = place.digest()
    aside = {name: after.pop(name) for name in list(after) if name.endswith(".codi-undo")}
    assert after == before
    assert [content for _, _, content in aside.values()] == ([] if "new" in agent else [b"a\nb\nc\n"])


def test_a_folder_of_the_agents_with_a_file_of_the_persons_stays(place: Place):
    place.shell("mkdir -p d/e; echo x > d/x")
    place.by_hand("echo mine > d/e/mine")
    undone = place.ledger.reversal.undo(place.steps())
    assert set(undone.failed) == {"d", "d/e"}
    assert sorted(path for path, (kind, _, _) in place.digest().items()) == ["d", "d/e", "d/e/mine"]


def test_what_a_person_did_between_is_theirs(place: Place):
    (place.root / "f").write_text("a\n")
    place.shell("echo x > x")
    place.by_hand("echo mine >> f; rm x")
    place.write("f", b"agent\n")
    owners = [(step.owner, [change.path for change in step.changes]) for step in place.ledger.journal.steps()]
    assert owners == [("agent", ["x"]), ("person", ["f"]), ("agent", ["f"])] or owners == [
        ("agent", ["x"]),
        ("person", ["f", "x"]),
        ("agent", ["f"]),
    ]
    place.ledger.reversal.undo(place.steps()[-1:])
    assert (place.root / "f").read_text() == "a\nmine\n"


def test_two_processes_do_not_take_each_others_changes(tmp_path: Path):
    one, other = Place(tmp_path, session="one"), Place(tmp_path, session="other")
    one.shell("echo 1 > a")
    other.shell("echo 2 > b; echo 2 >> a")
    one.write("c", b"1\n")
    other.write("d", b"2\n")
    one.shell("rm b")
    assert {step.owner for step in one.ledger.journal.steps()} == {"agent"}
    one.ledger.open()
    undone = one.ledger.reversal.undo(one.steps())
    assert [action.path for action in undone.plan.conflicts] == ["a"]  # the one's file holds the other's line
    assert {path: content for path, (_, _, content) in one.digest().items() if not path.endswith("undo")} == {
        "a": b"1\n2\n",
        "b": b"2\n",
        "d": b"2\n",
    }


def test_commands_that_run_at_the_same_time_are_told_apart_by_when(tmp_path: Path):
    one, other = Place(tmp_path, session="one"), Place(tmp_path, session="other")
    slow = one.ledger.begin(one.cause("shell", "slow"), (), True)
    other.write("b", b"2\n")
    other.shell("echo 2 > c")
    (one.root / "a").write_text("1\n")
    one.ledger.end(slow)
    by_session = {
        session: [change.path for step in one.ledger.reversal.undoable(session) for change in step.changes]
        for session in ("one", "other")
    }
    assert by_session == {"one": ["a"], "other": ["b", "c"]}
    other.ledger.open()
    assert [change.uncertain for step in other.steps() for change in step.changes] == [False, True]
    other.ledger.reversal.undo(other.steps())
    assert set(one.digest()) == {"a", "c"}, "what may be the other's stays unless it is named"
    other.ledger.reversal.undo(other.ledger.reversal.undoable("other", uncertain=True), ["c"])
    assert set(one.digest()) == {"a"}


def test_undoing_files_leaves_git_alone(place: Place):
    seed_tree(place.root, random.Random(1), with_git=True)
    place.shell("echo x > x; rm -r docs src data 2>/dev/null; true")
    place.by_hand("git add -A; git stash -q; git commit -q --allow-empty -m mine; echo y > y; git add y")
    before = {path: state for path, state in place.digest().items() if path.startswith(".git/")}
    place.ledger.reversal.undo(place.steps())
    assert {path: state for path, state in place.digest().items() if path.startswith(".git/")} == before


def test_a_repository_that_moved_on_stays_as_a_whole(place: Place):
    seed_tree(place.root, random.Random(1), with_git=True)
    place.shell("echo x > x; git add x; git commit -qm agent")
    place.by_hand("echo y > y; git add y; git commit -qm mine")
    before = place.digest()
    undone = place.ledger.reversal.undo(place.steps())
    assert undone.plan.conflicts and all(".git/" in action.path for action in undone.plan.conflicts)
    after = place.digest()
    assert after.pop("y") == before["y"]
    assert {path: state for path, state in before.items() if path not in ("x", "y")} == after


def test_looking_at_the_repository_is_no_reason_to_keep_it(place: Place):
    seed_tree(place.root, random.Random(2), with_git=True)
    before = place.digest()
    place.shell("echo x > x; git add x")
    place.by_hand("touch .gitignore; git status")
    undone = place.ledger.reversal.undo(place.steps())
    assert not undone.plan.conflicts
    assert place.digest() == before


def test_a_repository_that_was_deleted_comes_back_whole(place: Place):
    seed_tree(place.root, random.Random(3), with_git=True)
    place.by_hand("git checkout -q -b lost; echo l > l; git add l; git commit -qm lost; git checkout -q main")
    place.shell("git branch -D lost; git reflog expire --expire=now --all; git gc -q --prune=now")
    place.shell("rm -rf .git * .gitignore")
    undone = place.ledger.reversal.undo(place.steps())
    assert not undone.plan.conflicts and not undone.failed
    told = subprocess.run(
        ["git", "fsck", "--full"], cwd=place.root, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    place.by_hand("git checkout -q lost")
    assert (place.root / "l").read_text() == "l\n"


def test_a_worktree_and_a_submodule_and_a_broken_repository(tmp_path: Path):
    main = tmp_path / "main"
    main.mkdir()
    seed_tree(main, random.Random(4), with_git=True)
    subprocess.run(["git", "worktree", "add", "-q", "../work", "-b", "side"], cwd=main, env=ENVIRONMENT, check=True)
    place = Place(tmp_path)
    before, before_main = place.digest(), digest_of(main)
    place.shell(
        "echo x > x; git add x; git commit -qm agent; git -c protocol.file.allow=always submodule add -q ../main sub"
    )
    place.ledger.reversal.undo(place.steps())
    assert {path: state for path, state in place.digest().items() if "sub" not in path} == before
    changed = {path for path, state in digest_of(main).items() if before_main.get(path) != state}
    assert not {path for path in changed if "modules" not in path}
    (place.root / ".git").write_text("gitdir: /nowhere\n")
    again = Place(tmp_path)
    again.shell("echo y > y")
    again.ledger.reversal.undo(again.steps())
    assert not (place.root / "y").exists()


KILLED = """
import os, signal, sys
from codi.workspace.ledger.ledger import Ledger
from codi.workspace.ledger import restoring
ledger = Ledger(sys.argv[1], sys.argv[2])
ledger.open()
left = int(sys.argv[3])
put, take = restoring.Restorer._put, restoring.Restorer._take_away
def counted(work):
    def wrapped(self, target, place):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        work(self, target, place)
    return wrapped
restoring.Restorer._put, restoring.Restorer._take_away = counted(put), counted(take)
ledger.reversal.undo(ledger.reversal.undoable())
"""


@pytest.mark.parametrize("killed_at", range(0, 12, 2))
def test_an_undo_that_was_killed_is_finished_by_the_next_start(tmp_path: Path, killed_at: int):
    place = Place(tmp_path)
    seed_tree(place.root, random.Random(5), with_git=False)
    before = place.digest()
    place.shell(
        "rm -rf docs data; mkdir -p n/m; echo 1 > n/m/1; echo 2 > n/2; chmod 700 empty; sed -i s/line/LINE/ f0.txt; true"
    )
    place.ledger.close()
    done = subprocess.run([sys.executable, "-c", KILLED, place.home, place.root, str(killed_at)], check=False)
    assert done.returncode in (0, -9)
    again = Place(tmp_path)
    again.ledger.open()
    assert again.digest() == before
    assert again.steps() == [] and len(again.ledger.reversal.redoable()) == 1


INTERRUPTED = """
import os, subprocess, sys
from codi.workspace.ledger.ledger import Ledger
from codi.workspace.ledger.states import Cause
ledger = Ledger(sys.argv[1], sys.argv[2])
ledger.begin(Cause(session="s1", turn=1), tuple(sys.argv[4:]), not sys.argv[4:])
subprocess.run(["bash", "-c", sys.argv[3]], cwd=sys.argv[2])
os._exit(1)
"""


@pytest.mark.parametrize("named", [(), ("f0",)])
def test_an_action_in_which_codi_was_killed_can_be_taken_back(tmp_path: Path, named: tuple[str, ...]):
    place = Place(tmp_path)
    (place.root / "f0").write_text("a\n")
    before = place.digest()
    script = "echo b >> f0" if named else "echo b >> f0; echo c > c; mkdir d"
    words = [INTERRUPTED, str(place.home), str(place.root), script, *(str(place.root / name) for name in named)]
    subprocess.run([sys.executable, "-c", *words], check=False)
    again = Place(tmp_path)
    again.ledger.open()
    (step,) = again.steps()
    assert step.interrupted
    again.ledger.reversal.undo([step])
    assert again.digest() == before


def test_while_the_first_look_takes_its_time_only_what_is_named_is_covered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    place = Place(tmp_path)
    (place.root / "f").write_text("before\n")
    (place.root / "g").write_text("before\n")
    monkeypatch.setattr("codi.workspace.ledger.ledger._FIRST_LOOK_S", 0.01)
    place.ledger.open()
    began, go_on = Event(), Event()

    def slow_look() -> None:
        with place.ledger._books.lock:
            began.set()
            go_on.wait(20)
        place.ledger.first_look()

    looking = Thread(target=slow_look)
    looking.start()
    began.wait(20)
    place.write("f", b"after\n")
    assert "had not ended" in place.last.gaps[0].why
    go_on.set()
    looking.join()
    place.shell("echo after > g")
    assert [step.owner for step in place.ledger.journal.steps()] == ["agent", "agent"]
    place.ledger.reversal.undo(place.steps())
    assert (place.root / "f").read_text() == (place.root / "g").read_text() == "before\n"


def test_what_another_process_is_just_writing_is_its_own(tmp_path: Path):
    one, two = Place(tmp_path, session="s1"), Place(tmp_path, session="s2")
    one.shell("true")
    two.shell("true")
    writing = one.ledger.begin(one.cause("write", "w"), (str(one.root / "new" / "w"),), False)
    running = two.ledger.begin(two.cause("shell", "sleep"), (), True)
    one.by_hand("mkdir new; echo w > new/w; echo x > x")
    two.ledger.end(running)
    three = Place(tmp_path, session="s3")
    three.ledger.look()
    one.ledger.end(writing)
    assert [(change.path, change.uncertain) for change in running.changes] == [("x", False)]
    assert [(change.path, change.uncertain) for change in writing.changes] == [("new", False), ("new/w", False)]
    for place in (one, two):
        place.ledger.open()
        undone = place.ledger.reversal.undo(place.steps())
        assert not undone.plan.conflicts and not undone.failed
    assert os.listdir(one.root) == []
