"""What undo costs: a look at 20,000 files around a command, keeping a file before a change, a preview, and room on the disk."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable

from bench.measure import folder, report
from codi.workspace.ledger.ledger import Ledger
from codi.workspace.ledger.states import Cause

FILES, FOLDERS = 20_000, 1_000
STEPS = 1_000
MB = 1024 * 1024


def run() -> None:
    for name, with_git in (("plain folder", False), ("git repository", True)):
        _measure_looks(name, with_git=with_git)
    _measure_room()


def _measure_looks(name: str, *, with_git: bool) -> None:
    root = os.path.join(folder(), "work")
    _make_tree(root, with_git=with_git)
    ledger = Ledger(folder(), root)
    first = _cpu_ms(lambda: _around(ledger, root))
    time.sleep(0.1)  # until no file is so fresh that it would be read again
    rounds = [_cpu_ms(lambda: _around(ledger, root)) for _ in range(20)]
    bare = min(_cpu_ms(lambda: _walk(root)) + _cpu_ms(lambda: _walk(root)) for _ in range(5))
    report(f"{name}: first look at 20,000 files, CPU", first, "ms", 5_000)
    around = statistics.median(rounds)
    report(f"{name}: looks around a command, CPU", around, "ms", 150, beside=f"{around / bare:.1f} x two bare walks")

    kept = []
    for number in range(50):
        path = os.path.join(root, f"pkg{number % 20}", f"mod{number}", "file1.py")
        began = time.perf_counter()
        under_way = ledger.begin(Cause(session="bench", turn=1), (path,), False)
        kept.append((time.perf_counter() - began) * 1000)
        with open(path, "a") as file:
            file.write("changed = True\n")
        ledger.end(under_way)
    report(f"{name}: keeping a file before its first change, p50", statistics.median(kept), "ms", 2)
    steps = ledger.reversal.undoable()
    previews = [_wall_ms(lambda: ledger.reversal.plan(steps)) for _ in range(20)]
    report(f"{name}: preview of an undo of 50 steps", statistics.median(previews), "ms", 150)

    under_way = ledger.begin(Cause(session="bench", turn=2), (), True)
    subprocess.run(["rm", "-r", os.path.join(root, "pkg1"), os.path.join(root, "pkg2")], check=True)
    ledger.end(under_way)
    report(
        f"{name}: preview after rm -r of 2,000 files",
        _wall_ms(lambda: ledger.reversal.plan(ledger.reversal.undoable()[-1:])),
        "ms",
        500,
    )
    report(
        f"{name}: bringing 2,000 files back",
        _wall_ms(lambda: ledger.reversal.undo(ledger.reversal.undoable()[-1:])),
        "ms",
        5_000,
    )


def _measure_room() -> None:
    root = os.path.join(folder(), "work")
    os.makedirs(root)
    ledger = Ledger(folder(), root)
    for number in range(STEPS):
        under_way = ledger.begin(Cause(session="bench", turn=number), (), True)
        with open(os.path.join(root, f"f{number % 50}.txt"), "a") as file:
            file.write(f"{number} and some more text that is not always the same {number * 7919}\n" * 20)
        if number % 10 == 0:
            with open(os.path.join(root, "blob"), "wb") as file:
                file.write(os.urandom(MB))
        ledger.end(under_way)
    report("room of 1,000 mixed steps", ledger.used() / MB, "MB", 500)


def _around(ledger: Ledger, root: str) -> None:
    ledger.end(ledger.begin(Cause(session="bench", turn=1), (), True))


def _make_tree(root: str, *, with_git: bool) -> None:
    for number in range(FOLDERS):
        path = os.path.join(root, f"pkg{number % 20}", f"mod{number}")
        os.makedirs(path)
        for file in range(FILES // FOLDERS):
            with open(os.path.join(path, f"file{file}.py"), "w") as written:
                written.write(f"value_{number}_{file} = {number * file}\n" * 20)
    if with_git:
        commands = "git init -q . && git add -A && git -c user.name=b -c user.email=b@example.invalid commit -qm all"
        subprocess.run(commands, shell=True, cwd=root, check=True)


def _walk(root: str) -> None:
    waiting = [root]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def _cpu_ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def _wall_ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
