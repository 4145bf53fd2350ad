"""What the tools cost: searching beside ripgrep, editing a long file, and memory under a flood of output."""

import os
import statistics
import subprocess
import time
from shutil import which
from typing import Any

import anyio

from bench.measure import CODI, cost_of, environment, folder, report
from codi.protocol.effects import Effect
from codi.tools.edit import Edit
from codi.tools.grep import Grep
from codi.tools.limiting import Limits
from codi.tools.results import Results
from codi.tools.struct_tool import StructTool
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.tool import Action
from codi.workspace.grant import Grant
from codi.workspace.local import LocalWorkspace

FILES = 20_000
FOLDERS = 200
CAP_BYTES = 50 * 1024


def run() -> None:
    _measure_grep()
    _measure_edit()
    _measure_flood()


def _measure_grep() -> None:
    root = folder()
    for number in range(FILES):
        place = os.path.join(root, f"pkg{number % FOLDERS}")
        os.makedirs(place, exist_ok=True)
        with open(os.path.join(place, f"m{number}.py"), "w") as file:
            file.writelines(f"def name_{number}_{line}(x):\n    return x + {line}\n" for line in range(60))
    ripgrep = which("rg")
    if not ripgrep:
        print("ripgrep is not installed: grep is not measured beside it")
        return
    limits = Limits(Results(None))
    workspace = LocalWorkspace(root)

    def searched(program: str | None, arguments: dict[str, Any]) -> float:
        tool = StructTool(Grep, needs={"limits": limits, "ripgrep": program})
        return _seconds_of(tool.prepare(arguments), workspace)

    for what, pattern, flags in (
        ("a line in 100 files", r"name_4\d\d_17\b", []),
        ("nothing", "not to be found", []),
        ("any case", r"NAME_4\d\d_17\b", ["--ignore-case"]),
        ("a line in every file", r"name_\d+_17\b", []),
    ):
        words = [ripgrep, "--json", "--hidden", *flags, pattern, root]
        asked = {"pattern": pattern, "ignore_case": bool(flags)}
        rounds = []
        for _ in range(9):
            began = time.perf_counter()
            subprocess.run(words, stdout=subprocess.PIPE)  # with 1 it says that there is nothing
            rounds.append((time.perf_counter() - began, searched(ripgrep, asked), searched(None, asked)))
        beside = f"ripgrep {statistics.median(bare for bare, _, _ in rounds) * 1000:.0f} ms for {FILES:,} files"
        # Each round by itself, so that a slow moment meets all three.
        with_it = statistics.median(ours / bare for bare, ours, _ in rounds)
        without = statistics.median(ours / bare for bare, _, ours in rounds)
        report(f"grep of {what} with ripgrep, beside ripgrep", with_it, "x", 1.2, beside=beside)
        report(f"grep of {what} without, beside ripgrep", without, "x", 2.5, beside=beside)


def _measure_edit() -> None:
    root = folder()
    for name, end in (("long.py", "\n"), ("windows.txt", "\r\n")):
        path = os.path.join(root, name)
        with open(path, "w", newline="") as file:
            file.writelines(f"value_{number} = {number}{end}" for number in range(50_000))
        workspace, gate = LocalWorkspace(root), SyntaxGate("on")
        tool = StructTool(Edit, needs={"gate": gate})
        times = []
        for number in range(12):
            with open(path, "rb") as content:
                workspace.saw(name, content.read())
            at = 25_000 + number
            edit = {"path": name, "old_text": f"value_{at} = {at}", "new_text": f"value_{at} = {at + 1}"}
            times.append(_seconds_of(tool.prepare(edit), workspace))
        report(f"edit of a line among 50,000, {name}", statistics.median(times) * 1000, "ms", 20)


def _measure_flood() -> None:
    home = folder()
    env = environment(home)
    words = [CODI, "tool", "call", "-y", "shell"]
    idle = cost_of([*words, '{"command": "true"}'], env=env, cwd=home)
    command = "yes some text of a line | head -c 1000000000"
    flooded = cost_of([*words, f'{{"command": "{command}", "timeout_s": 300}}'], env=env, cwd=home)
    assert flooded.status == 0, "the flood fails"
    more = flooded.peak_mb - idle.peak_mb
    report("memory while a command prints 1 GB, over idle", more, "MB", 2 * CAP_BYTES / 2**20 + 5)


def _seconds_of(action: Action, workspace: LocalWorkspace) -> float:
    effects: tuple[Effect, ...] = workspace.resolved(tuple(action.effects()))

    async def act() -> float:
        began = time.perf_counter()
        await action.run(Grant(workspace, effects, lambda text: None))
        return time.perf_counter() - began

    return anyio.run(act)
