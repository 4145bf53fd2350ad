"""The installed program, run as a person runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("codi")
KEYS = ("ANTHROPIC", "OPENAI", "GEMINI", "GOOGLE", "AZURE", "OPENROUTER", "OLLAMA", "CODI")


class Ran:
    """What became of a run."""

    def __init__(self, done: "subprocess.CompletedProcess[str]") -> None:
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def rows(self) -> list[list[str]]:
        """Standard output as tab-separated cells."""
        return [line.split("\t") for line in self.out.splitlines()]


class Codi:
    """A person at a directory of their own, with a home of their own and no key."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.work = folder / "work"
        self.work.mkdir(parents=True)
        private = (name for name in os.environ if name.startswith(KEYS) or name.lower().endswith("_proxy"))
        self.env = {name: value for name, value in os.environ.items() if name not in set(private)}
        self.env |= {"CODI_HOME": str(self.home), "HOME": str(folder)}

    def __call__(self, *words: str, stdin: str | None = None, cwd: Path | None = None, **env: str) -> Ran:
        return Ran(
            subprocess.run(
                [PROGRAM, *words],
                cwd=cwd or self.work,
                env=self.env | env,
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        )

    def begun(self, *words: str, **env: str) -> "subprocess.Popen[str]":
        """A run that goes on."""
        return subprocess.Popen(
            [PROGRAM, *words],
            cwd=self.work,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
