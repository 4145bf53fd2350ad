"""What an edit changed, in the form that frontends show."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.tools.diffs import diff_details
from codi.tools.text_files import Splice


def diff(old: str, *changes: tuple[str, str]) -> tuple[str, int]:
    splices = [Splice(old.index(before), old.index(before) + len(before), after) for before, after in changes]
    details = diff_details(old, splices)
    return details["diff"], details["firstChangedLine"]


TWENTY = "".join(f"line {number}\n" for number in range(1, 21))


@pytest.mark.parametrize(
    ("old", "changes", "expected"),
    [
        ("red", [("red", "blue")], ("-1 red\n+1 blue", 1)),
        ("a\nb\nc", [("b", "x")], (" 1 a\n-2 b\n+2 x\n 3 c", 2)),
        ("a\nb\nc\n", [("b\n", "")], (" 1 a\n-2 b\n 3 c", 2)),
        ("a\nb\n", [("b\n", "")], (" 1 a\n-2 b", 2)),
        ("a\nb", [("a\nb", "ab")], ("-1 a\n-2 b\n+1 ab", 1)),
        ("ab", [("ab", "a\nb")], ("-1 ab\n+1 a\n+2 b", 1)),
        ("a", [("a", "a\n")], ("", 1)),
        ("a\nb\nc\nd", [("a\nb\nc", "a\nx\ny\nc")], (" 1 a\n-2 b\n+2 x\n+3 y\n 3 c\n 4 d", 2)),
        (
            TWENTY,
            [("line 10", "ten")],
            (
                " ...\n  6 line 6\n  7 line 7\n  8 line 8\n  9 line 9\n-10 line 10\n+10 ten\n"
                " 11 line 11\n 12 line 12\n 13 line 13\n 14 line 14\n ...",
                10,
            ),
        ),
        (
            TWENTY,
            [("line 2\n", ""), ("line 18", "line 18a\nline 18b")],
            (
                "  1 line 1\n- 2 line 2\n  3 line 3\n  4 line 4\n  5 line 5\n  6 line 6\n ...\n"
                " 14 line 14\n 15 line 15\n 16 line 16\n 17 line 17\n-18 line 18\n+17 line 18a\n+18 line 18b\n"
                " 19 line 19\n 20 line 20",
                2,
            ),
        ),
        (
            TWENTY,
            [("line 8", "eight"), ("line 12", "twelve")],
            (
                " ...\n  4 line 4\n  5 line 5\n  6 line 6\n  7 line 7\n- 8 line 8\n+ 8 eight\n  9 line 9\n"
                " 10 line 10\n 11 line 11\n-12 line 12\n+12 twelve\n"
                " 13 line 13\n 14 line 14\n 15 line 15\n 16 line 16\n ...",
                8,
            ),
        ),
    ],
)
def test_the_diff(old, changes, expected):
    assert diff(old, *changes) == expected


@given(
    st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=30),
    st.data(),
)
@settings(max_examples=200, deadline=None)
def test_removed_and_added_lines_lead_from_the_old_text_to_the_new(lines, data):
    old = "\n".join(lines)
    start = data.draw(st.integers(0, len(old)))
    end = data.draw(st.integers(start, len(old)))
    text = data.draw(st.text(alphabet="xy\n", max_size=6))
    new = old[:start] + text + old[end:]

    after = lines_of(old)
    rows = [ROW.fullmatch(row) for row in diff_details(old, [Splice(start, end, text)])["diff"].split("\n")]
    removed = [row for row in rows if row and row["sign"] == "-"]
    assert [after[int(row["number"]) - 1] for row in removed] == [row["line"] for row in removed]
    for row in reversed(removed):
        del after[int(row["number"]) - 1]
    for row in rows:
        if row and row["sign"] == "+":
            after.insert(int(row["number"]) - 1, row["line"])
    assert after == lines_of(new)


ROW = re.compile(r"(?P<sign>[-+ ]) *(?P<number>\d+) (?P<line>.*)")


def lines_of(text: str) -> list[str]:
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]
