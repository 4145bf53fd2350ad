"""The first line of codi that runs. It answers what needs nothing, and opens the rest of the house for all else."""

import gc
import sys

from codi.engine.version import VERSION


def main() -> None:
    if sys.argv[1:] in (["--version"], ["-V"]):
        try:
            return print(f"codi {VERSION}", flush=True)
        except OSError:
            pass  # tried again below, where failures are told
    # What a start loads stays until the end: looking for garbage among it would cost a sixth of the way to the first request.
    gc.disable()
    try:
        from codi.cli.main import run

        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        gc.freeze()
