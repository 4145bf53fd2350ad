"""A system on which chosen calls fail: a library that is loaded in front of the C library (`broken_system.c`)."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

needs_compiler = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("cc"), reason="needs Linux and a C compiler to stand in for the system"
)


class BrokenSystem:
    """Its library is made in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._library = folder / "broken_system.so"
        source = Path(__file__).with_suffix(".c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self._library, source, "-ldl"], check=True)

    def variables(self, **broken: str | int) -> dict[str, str]:
        """What a program is started with: `names`, or `call`, `files`, `at`, `times` and `error`, as the library tells them."""
        return {"LD_PRELOAD": str(self._library)} | {f"BROKEN_{name.upper()}": str(how) for name, how in broken.items()}
