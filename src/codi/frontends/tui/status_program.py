"""The line at the bottom as a program of the person's says it: asked once a turn, and given a second to answer."""

import os
import subprocess
from collections.abc import Mapping

import anyio
from msgspec import json

_LIMIT_S = 1.0
_KNOWN = ("PATH", "HOME", "USER", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TERM", "TMPDIR", "TZ")


async def said_by(command: str, facts: Mapping[str, object], cwd: str) -> str:
    """The first line that a shell command prints, given the facts as JSON on its standard input; "" where it fails or is slow. Keys
    and tokens of the environment are not for it."""
    environment = {name: os.environ[name] for name in _KNOWN if name in os.environ}
    with anyio.move_on_after(_LIMIT_S):
        try:
            done = await anyio.run_process(
                command, input=json.encode(facts), stderr=subprocess.DEVNULL, check=False, cwd=cwd, env=environment
            )
        except OSError:
            return ""
        lines = done.stdout.decode(errors="replace").splitlines()
        return lines[0] if lines and done.returncode == 0 else ""
    return ""
