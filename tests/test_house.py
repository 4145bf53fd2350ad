"""The house stands: imports fall, floor by floor, and importing codi itself loads nothing."""

import re
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


def test_acceptance_names_tests_that_exist():
    page = (ROOT / "docs" / "acceptance.md").read_text()
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", page)
    assert len(named) > 200
    texts = {path: (ROOT / "tests" / path).read_text() for path, _ in named}
    missing = [f"{path}::{name}" for path, name in named if f"def {name}(" not in texts[path]]
    assert missing == []
    for line in page.splitlines():
        if line.startswith("| ") and "---" not in line:
            requirement, tests, note = (cell.strip() for cell in line.strip("|").split(" |"))
            assert requirement and (tests or note), line
