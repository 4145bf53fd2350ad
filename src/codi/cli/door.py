"""The first line of codi that runs. It answers what needs nothing, and opens the rest of the house for all else."""

import gc
import os
import sys
from itertools import pairwise, takewhile

from codi.engine.version import VERSION


def main() -> None:
    if sys.argv[1:] in (["--version"], ["-V"]):
        try:
            return print(f"codi {VERSION}", flush=True)
        except OSError:
            pass  # tried again below, where failures are told
    # What a start loads stays until the end: looking for garbage among it would cost a sixth of the way to the first request.
    gc.disable()
    from codi.cli.words import COMMANDS, SHOWS_NO_PROMPT

    opening = None
    if "--no-color" in takewhile(lambda word: word != "--", sys.argv[1:]):
        os.environ["NO_COLOR"] = "1"  # also for what runs beside this program
    if not _is_at_rest(sys.argv[1:], COMMANDS, SHOWS_NO_PROMPT):
        from codi.frontends.tui.opening import Opening

        opening = Opening()
        opening.begin()
    try:
        from codi.cli.main import run

        sys.exit(run(sys.argv[1:], opening))
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if opening:
            opening.withdraw()
        gc.freeze()


def _is_at_rest(words: list[str], commands: dict[str, str], flags: frozenset[str]) -> bool:
    """Whether there is no prompt to paint: something else is asked for, or no person sits at a terminal that can do it."""
    if (words and words[0] in commands) or any(word.partition("=")[0] in flags for word in words):
        return True
    is_dumb = os.environ.get("TERM", "dumb") in ("dumb", "") and not _asks_for_all(words)
    return is_dumb or not (os.isatty(0) and os.isatty(1))


def _asks_for_all(words: list[str]) -> bool:
    return "--ui=tui" in words or ("--ui", "tui") in pairwise(words)
