"""The public conformance cases of other agents for bash, grep, find and ls, called under those names.

Deviations: none in these four. Their parameter names (`ignoreCase`) are understood by `names.py`.
"""

import json
import re
import subprocess

import pytest
from tool_bench import SHARED

CASES = [
    (tool, case)
    for tool in ("bash", "grep", "find", "ls")
    if (path := SHARED / f"fixtures/pi-conformance/{tool}_tool.json").exists()
    for case in json.loads(path.read_text())["cases"]
]

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(not CASES, reason="the conformance cases are not beside the project"),
]


def _set_up(bench, steps):
    for step in steps:
        match step["type"]:
            case "create_file":
                bench.write(step["path"], step["content"])
            case "create_dir":
                (bench.root / step["path"]).mkdir(parents=True)
            case "run_command":
                subprocess.run(step["command"], shell=True, cwd=bench.root, check=True)


@pytest.mark.parametrize(("tool", "case"), CASES, ids=[case["name"] for _, case in CASES])
def test_case(searching_bench, tool, case):
    bench = searching_bench
    _set_up(bench, case.get("setup", []))
    output = bench.call(tool, **case["input"])

    assert output.is_error == case.get("expect_error", False), output.text
    assert case.get("error_contains", "") in output.text
    expected = case["expected"]
    if "content_exact" in expected:
        assert output.text == expected["content_exact"]
    for part in expected.get("content_contains", []):
        assert part in output.text
    for part in expected.get("content_not_contains", []):
        assert part not in output.text
    assert re.search(expected.get("content_regex", ""), output.text)
    if expected.get("details_none"):
        assert output.details is None
    for key, value in expected.get("details_exact", {}).items():
        assert output.details[key] == value
