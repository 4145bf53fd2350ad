"""A cut keeps whole lines, stays under its limits, and says in fixed words what is missing."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codi.tools import output
from codi.tools.output import (
    clean,
    continue_notice,
    head,
    head_tail,
    limit_notice,
    long_line_notice,
    more_lines_notice,
    recall_notice,
    size,
    tail,
    with_notice,
)

ROOT = Path(__file__).parents[2]
CASES = Path(os.environ.get("CODI_SHARED", ROOT.parent / "shared")) / "fixtures/pi-conformance/truncation.json"
cases = json.loads(CASES.read_text())["cases"] if CASES.exists() else []

texts = st.text(st.sampled_from("ab é世\n"), max_size=60)
limits = st.tuples(st.integers(1, 12), st.integers(1, 40))


@pytest.mark.outside
@pytest.mark.skipif(not cases, reason="the conformance cases are not beside the project")
@pytest.mark.parametrize("case", cases, ids=lambda case: case["name"])
def test_conformance(case):
    given_ = case["input"]
    cut = (tail if case["name"].startswith("tail") else head)(
        given_["content"], given_["max_lines"], given_["max_bytes"]
    )
    expected = case["expected"]
    if "content_exact" in expected:
        assert cut.text == expected["content_exact"]
    for part in expected.get("content_contains", []):
        assert part in cut.text
    for key, value in expected["details_exact"].items():
        assert getattr(cut.truncation, key) == value


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0B"),
        (12, "12B"),
        (1023, "1023B"),
        (1024, "1.0KB"),
        (51200, "50.0KB"),
        (1048575, "1.0MB"),
        (1048576, "1.0MB"),
    ],
)
def test_sizes(count, shown):
    assert size(count) == shown


@given(texts, limits)
def test_a_head_is_a_beginning_of_whole_lines(text, limit):
    cut = head(text, *limit)
    assert text.startswith(cut.text)
    assert len(cut.text.encode()) <= limit[1] and len(cut.text.split("\n")) <= limit[0] + cut.text.endswith("\n")
    assert cut.text == "" or text[len(cut.text) :] == "" or text[len(cut.text)] == "\n"
    assert cut.truncated == (cut.text not in (text, text.removesuffix("\n"))) or not cut.text


@given(texts, limits)
def test_a_tail_is_an_end(text, limit):
    cut = tail(text, *limit)
    assert text.endswith(cut.text) or text.removesuffix("\n").endswith(cut.text)
    assert len(cut.text.encode()) <= limit[1]
    assert cut.truncated or cut.text in (text, text.removesuffix("\n"))


@given(texts, st.tuples(st.integers(2, 12), st.integers(2, 40)))
def test_head_and_tail_name_exactly_the_lines_between(text, limit):
    cut = head_tail(text, *limit)
    lines = output.lines_of(text)
    if not cut.truncated:
        assert cut.text in (text, text[:-1])
        return
    was = cut.truncation
    beginning = was.output_lines - (cut.last - cut.first + 1)
    ending = cut.text.split("\n")[-(cut.last - cut.first + 1) :]
    marker = [f"[... lines {beginning + 1}-{cut.first - 1} omitted ...]"] if cut.first - 1 > beginning else []
    assert cut.text.split("\n") == [*lines[:beginning], *marker, *ending]
    assert was.last_line_partial or ending == lines[cut.first - 1 :]
    assert was.output_bytes <= limit[1] + 1


def test_head_and_tail_in_their_proportion():
    cut = head_tail("\n".join(str(n) for n in range(1, 101)), max_lines=20, max_bytes=10_000)
    lines = cut.text.split("\n")
    assert lines[:3] == ["1", "2", "[... lines 3-82 omitted ...]"]
    assert lines[3:] == [str(n) for n in range(83, 101)]
    assert recall_notice(cut, "shell_0123456789ab") == (
        'Showing lines 83-100 of 100. Full output: recall(id="shell_0123456789ab")'
    )
    assert cut.details == {
        "truncation": {
            "truncated": True,
            "truncatedBy": "lines",
            "totalLines": 100,
            "totalBytes": 291,
            "outputLines": 20,
            "outputBytes": len("1\n2\n" + "\n".join(str(n) for n in range(83, 101))),
            "lastLinePartial": False,
            "firstLineExceedsLimit": False,
            "maxLines": 20,
            "maxBytes": 10_000,
        }
    }


def test_what_is_whole_has_no_details():
    assert head("a\nb\n").details is None and head("a\nb\n").text == "a\nb\n"
    assert head("a\nb\n").truncation.total_lines == 2


def test_notices():
    by_lines = head("a\nb\nc\nd", 2, 100)
    by_bytes = head("a\nb\nc\nd", 100, 3)
    assert continue_notice(by_lines) == "Showing lines 1-2 of 4. Use offset=3 to continue."
    assert continue_notice(by_bytes, first=10, total=99) == (
        "Showing lines 10-11 of 99 (3B limit). Use offset=12 to continue."
    )
    assert recall_notice(by_bytes, "grep_0") == 'Showing lines 1-2 of 4 (3B limit). Full output: recall(id="grep_0")'
    assert more_lines_notice(7, 4) == "7 more lines in file. Use offset=4 to continue."
    assert long_line_notice(3, 60_000, "a.txt") == (
        "Line 3 is 58.6KB, exceeds 50.0KB limit. Use shell: sed -n '3p' a.txt | head -c 51200"
    )
    assert limit_notice(100, "matches", 2000) == "100 matches limit reached. Use limit=200 for more, or refine pattern"
    assert limit_notice(2000, "matches", 2000) == "2000 matches limit reached. Refine pattern"
    assert with_notice("a\n", "one", "two") == "a\n\n[one. two]"


def test_of_a_last_line_that_is_too_long_its_end_is_shown():
    cut = head_tail("a\n" + "é" * 2000, max_lines=100, max_bytes=1000)
    assert cut.text == "a\n" + "é" * 450
    assert cut.truncation.last_line_partial
    assert recall_notice(cut, "shell_0") == (
        'Showing last 900B of line 2 (line is 3.9KB). Full output: recall(id="shell_0")'
    )


@pytest.mark.parametrize(("window", "cap"), [(None, 51200), (1_000_000, 51200), (32_768, 16_384), (1000, 2000)])
def test_the_cap_follows_the_window(window, cap):
    assert output.cap_for(window) == output.Cap(2000, cap)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"\x1b[1;31mred\x1b[0m\x1b[K plain", "red plain"),
        (b"\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "alink"),
        (b"\x1b[2J\x1b[10;3Ha\x1b(Bb\x1b7\x1b8", "ab"),
        (b"10%\r50%\r100%\ndone\r\n", "100%\ndone\n"),
        (b"working\r\x1b[K", "working"),
        (b"a\xffb\xe4\xb8", "a�b�"),
        (b"|\x08/\x08-\x08ok\x00\x07", "ok"),
        (b"\x1b]0;never closed\nnext", "\nnext"),
        ("\x9b1mä\x85".encode(), "ä"),
        (b"tab\tand\x0cform feed", "tab\tand\x0cform feed"),
    ],
)
def test_process_output_is_cleaned(raw, shown):
    assert clean(raw) == shown


@given(st.binary(max_size=80))
def test_no_control_sequence_survives(raw):
    assert not set(clean(raw)) & set("\x00\x07\x08\r\x1b\x7f\x9b")
