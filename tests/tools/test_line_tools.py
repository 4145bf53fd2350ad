"""Lines by number: what is said, what is refused, and that all other bytes stay."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TEXT = "one\ntwo\nthree\n"


@pytest.fixture
def desk(bench):
    def put(path, content):
        place = bench.write(path, content)
        bench.workspace.saw(path, place.read_bytes())
        return place

    bench.put = put
    return bench


@pytest.mark.parametrize(
    ("tool", "arguments", "after", "said"),
    [
        ("insert_lines", {"line": 1, "content": "zero"}, "zero\none\ntwo\nthree\n", "Inserted 1 line at line 1 of a.txt (now 4 lines)."),
        ("insert_lines", {"line": 3, "content": "a\nb\n"}, "one\ntwo\na\nb\nthree\n", "Inserted 2 lines at line 3 of a.txt (now 5 lines)."),
        ("insert_lines", {"line": 4, "content": "four"}, "one\ntwo\nthree\nfour\n", "Inserted 1 line at line 4 of a.txt (now 4 lines)."),
        ("insert_lines", {"line": 2, "content": ""}, "one\n\ntwo\nthree\n", "Inserted 1 line at line 2 of a.txt (now 4 lines)."),
        ("replace_lines", {"line": 2, "content": "TWO"}, "one\nTWO\nthree\n", "Replaced line 2 of a.txt with 1 line (now 3 lines)."),
        ("replace_lines", {"line": 1, "end_line": 2, "content": "1\n2\n3\n"}, "1\n2\n3\nthree\n", "Replaced lines 1-2 of a.txt with 3 lines (now 4 lines)."),
        ("replace_lines", {"line": 2, "end_line": 3, "content": "x"}, "one\nx\n", "Replaced lines 2-3 of a.txt with 1 line (now 2 lines)."),
        ("delete_lines", {"line": 2}, "one\nthree\n", "Deleted line 2 of a.txt (1 line, now 2 lines)."),
        ("delete_lines", {"line": 2, "end_line": 3}, "one\n", "Deleted lines 2-3 of a.txt (2 lines, now 1 lines)."),
        ("delete_lines", {"line": 1, "end_line": 3}, "", "Deleted lines 1-3 of a.txt (3 lines, now 0 lines)."),
    ],
)  # fmt: skip
def test_what_is_done_and_said(desk, tool, arguments, after, said):
    place = desk.put("a.txt", TEXT)
    output = desk.call(tool, path="a.txt", **arguments)
    assert not output.is_error and output.text.splitlines()[0] == said
    assert place.read_text() == after
    (change,) = output.changes
    assert (change.path, change.kind) == ("a.txt", "modified")


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        *[
            (tool, {"line": line, "content": "x"}, f"Invalid line: {line}. Must be a positive integer.")
            for tool in ("insert_lines", "replace_lines")
            for line in (0, -1)
        ],
        ("delete_lines", {"line": 0}, "Invalid line: 0. Must be a positive integer."),
        ("insert_lines", {"line": 5, "content": "x"}, "Line 5 is out of range (file has 3 lines)"),
        ("replace_lines", {"line": 4, "content": "x"}, "Line 4 is out of range (file has 3 lines)"),
        ("delete_lines", {"line": 4}, "Line 4 is out of range (file has 3 lines)"),
        (
            "replace_lines",
            {"line": 2, "end_line": 4, "content": "x"},
            "End line 4 is out of range (file has 3 lines)",
        ),
        ("delete_lines", {"line": 2, "end_line": 4}, "End line 4 is out of range (file has 3 lines)"),
        (
            "replace_lines",
            {"line": 3, "end_line": 2, "content": "x"},
            "end_line (2) cannot be less than line (3).",
        ),
        ("delete_lines", {"line": 3, "end_line": 2}, "end_line (2) cannot be less than line (3)."),
        ("replace_lines", {"line": 2, "content": "two"}, "No changes made to a.txt."),
    ],
)
def test_what_is_refused(desk, tool, arguments, said):
    place = desk.put("a.txt", TEXT)
    output = desk.call(tool, path="a.txt", **arguments)
    assert output.is_error and output.text == said
    assert place.read_text() == TEXT


def test_a_file_that_is_not_there(desk):
    desk.put("a.txt", TEXT)
    output = desk.call("insert_lines", path="b.txt", line=1, content="x")
    assert output.text == "File not found: b.txt (No such file or directory)\nDid you mean: a.txt?"


def test_a_binary_file_is_refused(desk):
    desk.put("a.bin", b"\0\1\2")
    output = desk.call("delete_lines", path="a.bin", line=1)
    assert output.is_error and "binary file" in output.text


def test_what_was_not_read_is_not_changed(desk):
    desk.write("a.txt", TEXT)
    output = desk.call("delete_lines", path="a.txt", line=2)
    assert output.is_error and output.text.startswith("a.txt was not read in this session.")
    assert "    2→two" in output.text


@pytest.mark.parametrize(
    ("tool", "arguments", "before", "after"),
    [
        ("insert_lines", {"line": 2, "content": "x\ny"}, b"a\r\nb\r\n", b"a\r\nx\r\ny\r\nb\r\n"),
        ("insert_lines", {"line": 3, "content": "x"}, b"a\r\nb", b"a\r\nb\r\nx"),
        ("insert_lines", {"line": 2, "content": "x"}, b"a", b"a\nx"),
        ("insert_lines", {"line": 1, "content": "x"}, b"", b"x\n"),
        ("insert_lines", {"line": 1, "content": "x"}, b"a", b"x\na"),
        ("replace_lines", {"line": 2, "content": "x\r\ny\r\n"}, b"a\r\nb\r\nc\r\n", b"a\r\nx\r\ny\r\nc\r\n"),
        ("replace_lines", {"line": 2, "content": "x\n"}, b"a\nb", b"a\nx"),
        ("replace_lines", {"line": 1, "content": "x"}, b"a\r\nb\nc\r\n", b"x\r\nb\nc\r\n"),
        ("delete_lines", {"line": 2}, b"a\nb", b"a"),
        ("delete_lines", {"line": 2}, b"a\r\nb", b"a"),
        ("delete_lines", {"line": 1}, b"a\nb", b"b"),
        ("delete_lines", {"line": 1}, b"a", b""),
        ("delete_lines", {"line": 1}, b"\xef\xbb\xbfa\nb\n", b"\xef\xbb\xbfb\n"),
        ("replace_lines", {"line": 1, "content": "\u00e9"}, b"\xe8\nb\n", b"\xe9\nb\n"),
    ],
)
def test_every_other_byte_stays(desk, tool, arguments, before, after):
    place = desk.put("a.txt", before)
    output = desk.call(tool, path="a.txt", **arguments)
    assert not output.is_error, output.text
    assert place.read_bytes() == after


def test_twenty_lines_around_are_shown(desk):
    desk.put("a.txt", "".join(f"line {number}\n" for number in range(1, 101)))
    output = desk.call("replace_lines", path="a.txt", line=50, end_line=51, content="x\ny\nz")
    lines = output.text.splitlines()
    assert lines[0] == "Replaced lines 50-51 of a.txt with 3 lines (now 101 lines)."
    assert lines[1] == "   30→line 30" and lines[-1] == "   72→line 71" and len(lines) == 44
    assert lines[21:24] == ["   50→x", "   51→y", "   52→z"]


def test_a_long_change_is_shown_by_its_ends(desk):
    desk.put("a.txt", TEXT)
    output = desk.call(
        "insert_lines", path="a.txt", line=2, content="\n".join(f"new {number}" for number in range(200))
    )
    lines = output.text.splitlines()
    assert lines[1] == "    1→one" and "      (160 more lines)" in lines and lines[-1] == "  203→three"
    assert len(lines) == 45


def test_the_syntax_gate_holds(desk):
    desk.put("a.py", "def f():\n    return 1\n")
    output = desk.call("replace_lines", path="a.py", line=1, content="def f(:")
    assert output.is_error and "would no longer parse: line 1" in output.text


def test_a_session_of_the_tools_for_lines(desk):
    place = desk.put("todo.md", "# Todo\n\n- a\n- b\n- c")
    desk.call("insert", path="todo.md", line_number=3, text="- first\n")
    desk.call("replace_lines", path="todo.md", line=5, end=6, content="- B\n- C")
    desk.call("delete_lines", path="todo.md", line=4)
    desk.call("insert_lines", path="todo.md", line=6, content="- last")
    assert place.read_bytes() == b"# Todo\n\n- first\n- B\n- C\n- last"


LINES = st.lists(st.sampled_from(["a", "", "b", "  c"]), min_size=1, max_size=6)


@given(LINES, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_they_do_what_a_list_of_lines_does(desk, lines, ending, ends, data):
    content = ending.join(lines) + ending * ends
    if ending not in content:
        return
    old = content.removesuffix(ending).split(ending)
    count = len(old)
    final = ending if content.endswith(ending) else ""
    tool = data.draw(st.sampled_from(["insert_lines", "replace_lines", "delete_lines"]))
    first = data.draw(st.integers(1, count))
    last = data.draw(st.integers(first, count))
    new = data.draw(LINES)
    arguments = {
        "insert_lines": {"line": first, "content": "\n".join(new) + "\n"},
        "replace_lines": {"line": first, "end_line": last, "content": "\n".join(new) + "\n"},
        "delete_lines": {"line": first, "end_line": last},
    }[tool]
    wanted = {
        "insert_lines": [*old[: first - 1], *new, *old[first - 1 :]],
        "replace_lines": [*old[: first - 1], *new, *old[last:]],
        "delete_lines": [*old[: first - 1], *old[last:]],
    }[tool]
    place = desk.put("a.txt", content.encode())
    output = desk.call(tool, path="a.txt", **arguments)
    if not output.is_error:
        assert place.read_bytes().decode() == (ending.join(wanted) + final if wanted else ""), json.dumps(arguments)
    else:
        assert output.text == "No changes made to a.txt." and place.read_bytes().decode() == content
