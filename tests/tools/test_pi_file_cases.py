"""The public conformance cases of the predecessor's file tools, and where codi means to differ."""

import json
import os
from pathlib import Path

import pytest
from file_desk import Desk

CASES = Path(os.environ.get("CODI_SHARED", Path(__file__).parents[3] / "shared")) / "fixtures" / "pi-conformance"
NAMES = {"oldText": "old_text", "newText": "new_text"}  # mapped for a model by `names`, which stands before the tools

DEVIATIONS = {
    "read_empty_file": ("[file is empty]", "an empty result looks like a failure to a model"),
    "write_unicode_content": (
        "Successfully wrote 39 bytes to unicode.txt",
        "N counts the bytes on disk, not characters",
    ),
    "edit_fuzzy_trailing_whitespace": (
        "Successfully replaced text in test.txt. (matched ignoring trailing blanks)",
        "the model should know that its quote was not exact",
    ),
    "edit_fuzzy_smart_quotes": (
        "Successfully replaced text in test.txt. (matched ignoring quotes, dashes and spaces)",
        "the model should know that its quote was not exact",
    ),
    "edit_fuzzy_dashes": (
        "Successfully replaced text in test.txt. (matched ignoring quotes, dashes and spaces)",
        "the model should know that its quote was not exact",
    ),
    "edit_fuzzy_nbsp": (
        "Successfully replaced text in test.txt. (matched ignoring quotes, dashes and spaces)",
        "the model should know that its quote was not exact",
    ),
}


def cases():
    for tool in ("read", "write", "edit"):
        file = CASES / f"{tool}_tool.json"
        if not file.exists():
            yield pytest.param(tool, None, id=tool, marks=pytest.mark.skip(reason=f"no {file}"))
            continue
        for case in json.loads(file.read_text())["cases"]:
            yield pytest.param(tool, case, id=case["name"])


@pytest.mark.outside
@pytest.mark.parametrize(("tool", "case"), list(cases()))
def test_the_case(tmp_path, tool, case):
    desk = Desk(tmp_path)
    for step in case.get("setup", ()):
        if step["type"] == "create_dir":
            (desk.root / step["path"]).mkdir(parents=True)
        else:
            # Where the predecessor changed files unseen, here they are read first.
            desk.put(step["path"], step["content"], seen=tool != "read")
    output = desk.call(tool, **{NAMES.get(key, key): value for key, value in case["input"].items()})

    assert output.is_error == case.get("expect_error", False), output.text
    if output.is_error:
        assert case["error_contains"] in output.text
        return
    expected = case["expected"]
    if case["name"] in DEVIATIONS:
        text, _ = DEVIATIONS[case["name"]]
        assert output.text == text != expected["content_exact"]
    else:
        assert output.text == expected.get("content_exact", output.text)
    assert all(part in output.text for part in expected.get("content_contains", ()))
    if expected.get("details_none"):
        assert output.details is None
    if "details_exact" in expected:
        assert output.details == expected["details_exact"]
    told = json.dumps(output.details, ensure_ascii=False)
    assert all(part in told for part in expected.get("details_contains", ()))
