"""Runs commands in a workspace that is confined by one route, for whoever writes requests to it: a JSON object a line."""

import json
import os
import sys

import anyio

from codi.protocol.effects import Reaches, Runs, Writes
from codi.workspace.grant import Grant
from codi.workspace.local import LocalWorkspace
from codi.workspace.sandbox.probing import ROUTES
from codi.workspace.sandbox.sandbox import Sandbox
from codi.workspace.sandbox.settings import SandboxSettings
from codi.workspace.sandbox.standing import Standing


async def _serve(root: str, home: str, route: str) -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        settings = SandboxSettings(**asked.get("settings", {}))
        sandbox = Sandbox(
            settings,
            roots=[root],
            home=home,
            codi_home=f"{home}/.codi",
            is_secret=lambda path: path.endswith("/.env"),
            standing=Standing(ROUTES[route], route) if route else None,
        )
        workspace = LocalWorkspace(root, environment={"HOME": home, **asked.get("env", {})}, sandbox=sandbox)
        runs = Runs(asked["command"])
        effects = [runs, *(Writes(path) for path in asked.get("writes", ()))]
        effects += [Reaches(host, 443) for host in asked.get("hosts", ())]
        grant = Grant(workspace, effects, lambda text: None, looks=asked.get("looks", False))
        try:
            outcome = await grant.run(runs, timeout_s=asked.get("timeout_s", 20), keep_head=50_000, keep_tail=50_000)
            if outcome.spill:
                os.unlink(outcome.spill)
            told = {
                "out": (outcome.head + outcome.tail).decode(errors="replace"),
                "status": outcome.exit_code,
                "timed_out": outcome.timed_out,
                "flooded": outcome.flooded,
                "put_back": outcome.put_back,
            }
        except OSError as error:
            told = {"out": str(error), "status": None}
        told |= {"level": (await sandbox.standing()).level, "route": (await sandbox.standing()).route}
        await workspace.aclose()
        print(json.dumps(told), flush=True)


anyio.run(_serve, *sys.argv[1:])
