"""The house stands: imports fall, floor by floor, and importing codi itself loads nothing."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_imports_fall_floor_by_floor():
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_importing_codi_loads_nothing():
    code = (
        "import sys; before = set(sys.modules); import codi; "
        "print(sorted(m for m in set(sys.modules) - before if m != 'codi'))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
