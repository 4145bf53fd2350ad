"""The first line of codi that runs. It answers what needs nothing, and opens the rest of the house for all else."""

import gc
import sys

from codi.engine.version import VERSION


def main() -> None:
    if sys.argv[1:] in (["--version"], ["-V"]):
        print(f"codi {VERSION}")
        return
    # What a start loads stays until the end: looking for garbage among it would cost a sixth of the way to the first request.
    gc.disable()
    from codi.cli.main import run

    try:
        sys.exit(run(sys.argv[1:]))
    finally:
        gc.freeze()
