"""codi as a library: the lines of the README, as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

from codi.engine.engine import Engine
from codi.protocol.events import Entry, TextDelta, TurnEnded
from codi.protocol.ops import Prompt
from conftest import Codi, says

README = Path(__file__).parents[2] / "README.md"


def test_the_lines_of_the_readme_run_one_prompt(codi: Codi, lab):
    lab([says("It is a test.")])
    section = README.read_text().partition("## As a library")[2]
    block = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert block
    done = subprocess.run(
        [sys.executable, "-c", block[1]],
        cwd=codi.cwd,
        env=codi.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "It is a test.\n", "")


def test_a_program_hears_everything_in_order(codi: Codi, lab, monkeypatch):
    import anyio

    server = lab([says("One."), says("Two.")])
    for name in ("CODI_HOME", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, codi.env[name])
    before = dict(os.environ)

    async def ask() -> list[str]:
        told = []
        async with Engine.at(str(codi.cwd), model="anthropic/x").open() as conversation:
            events = conversation.events()
            for text in ("first", "second"):
                await conversation.send(Prompt(text))
                async for event in events:
                    match event:
                        case TextDelta(text):
                            told.append(text)
                        case Entry(fact=TurnEnded(reason=reason, stats=stats)):
                            told.append(f"{reason} {stats.steps}")
                            break
        return told

    assert "".join(anyio.run(ask)) == "One.done 1Two.done 1"
    assert server.connections == 1 and dict(os.environ) == before
