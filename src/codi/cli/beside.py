"""Runs a subcommand of `codi` beside the program, for commands that are typed into a conversation."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import anyio

from codi.commands.command import Answered


async def beside(words: Sequence[str]) -> Answered:
    """`codi WORDS` with nothing to read, its output as text. It is killed when nobody waits for it any more."""
    environment = {**os.environ, "NO_COLOR": "1", "TERM": "dumb"}
    done = await anyio.run_process(
        [sys.executable, "-m", "codi", *words],
        check=False,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
    )
    return Answered(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def instead(words: Sequence[str]) -> int:
    """`codi WORDS` with the terminal, until it ends; its status. What the person types to stop it stops nothing else."""
    # The interface catches what is printed beside it; this is to be seen.
    terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    try:
        words = [sys.executable, "-m", "codi", *words]
        running = subprocess.Popen(words, stdin=terminal, stdout=terminal, stderr=terminal)
    finally:
        os.close(terminal)
    were = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return running.wait()
    finally:
        signal.signal(signal.SIGINT, were)
