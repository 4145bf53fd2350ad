"""What the sandbox adds to a command that does nothing, by each way there is."""

import os
import shutil
import statistics
import time

import anyio

from bench.measure import folder, report
from codi.protocol.effects import Runs
from codi.workspace.local import LocalWorkspace
from codi.workspace.sandbox.probing import ROUTES
from codi.workspace.sandbox.sandbox import Sandbox
from codi.workspace.sandbox.settings import SandboxSettings
from codi.workspace.sandbox.standing import Standing

ROUNDS = 40
_BOUNDS_MS = {3: 20, 2: 30}


def run() -> None:
    anyio.run(_measure)


async def _measure() -> None:
    routes = [route for route in ROUTES if route != "bubblewrap" or shutil.which("bwrap")]
    workspaces = {route: _workspace(route) for route in ["", *routes]}
    took: dict[str, list[float]] = {route: [] for route in workspaces}
    bare = []
    for _ in range(ROUNDS + 2):
        began = time.perf_counter()
        os.waitpid(os.posix_spawnp("bash", ["bash", "--noprofile", "--norc", "-c", "true"], os.environ), 0)
        bare.append((time.perf_counter() - began) * 1000)
        for route, workspace in workspaces.items():
            began = time.perf_counter()
            outcome = await workspace.run(Runs("true"), timeout_s=30, keep_head=1000, keep_tail=1000)
            took[route].append((time.perf_counter() - began) * 1000)
            assert outcome.exit_code == 0, outcome.head
    for workspace in workspaces.values():
        await workspace.aclose()
    medians = {route: statistics.median(times[2:]) for route, times in took.items()}
    plain = statistics.median(bare)
    report(
        "added to `true` by codi, unconfined, p50", medians[""] - plain, "ms", 5, beside=f"a bare shell {plain:.1f} ms"
    )
    beside = f"unconfined {medians['']:.1f} ms"
    for route in routes:
        report(
            f"added to `true` by {route}, p50",
            medians[route] - medians[""],
            "ms",
            _BOUNDS_MS[ROUTES[route]],
            beside=beside,
        )


def _workspace(route: str) -> LocalWorkspace:
    root = folder()
    home = folder()
    sandbox = Sandbox(
        SandboxSettings(),
        roots=[root],
        home=home,
        codi_home=os.path.join(home, ".codi"),
        standing=Standing(ROUTES[route], route) if route else Standing(1, "unconfined"),
    )
    return LocalWorkspace(root, sandbox=sandbox)
