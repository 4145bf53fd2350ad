"""`glob` finds files by name, `list` shows a directory."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codi.tools.globs import PathPattern
from codi.tools.tool import ToolFailed


def found(bench, pattern, **arguments):
    return bench.call("glob", pattern=pattern, sort="name", **arguments).text.split("\n")


def test_names_and_paths(bench):
    for path in ("a.py", "b.ts", "src/a.py", "src/c.tsx", "src/deep/d.ts", "tests/test_a.py", ".hidden.py"):
        bench.write(path)

    assert found(bench, "*.py") == [".hidden.py", "a.py", "src/a.py", "tests/test_a.py"]
    assert found(bench, "./*.py") == [".hidden.py", "a.py"]
    assert found(bench, "src/**/*.{ts,tsx}") == ["src/c.tsx", "src/deep/d.ts"]
    assert found(bench, "**/*.ts") == ["b.ts", "src/deep/d.ts"]
    assert found(bench, "src/**") == ["src/a.py", "src/c.tsx", "src/deep/d.ts"]
    assert found(bench, "[ab].*") == ["a.py", "b.ts", "src/a.py"]
    assert found(bench, "?.ts", path="src") == ["src/deep/d.ts"]
    assert found(bench, "deep/*", path="src") == ["src/deep/d.ts"]
    assert found(bench, f"{bench.root}/src/*.py") == ["src/a.py"]
    assert found(bench, "*.rs") == ["No files found matching pattern"]


def test_ignored_files(bench):
    bench.write(".gitignore", "out/\n*.log\n")
    for path in ("out/a.py", "b.log", "c.py"):
        bench.write(path)
    os.symlink("/etc/passwd", bench.root / "d.py")

    assert found(bench, "*") == [".gitignore", "c.py", "d.py"]
    assert found(bench, "*", include_ignored=True) == [".gitignore", "b.log", "c.py", "d.py", "out/a.py"]


def test_newest_first(bench):
    for name, at in (("old", 1000), ("new", 3000), ("middle", 2000)):
        os.utime(bench.write(f"{name}.txt"), (at, at))
    assert bench.call("glob", pattern="*.txt").text == "new.txt\nmiddle.txt\nold.txt"


def test_the_limit(bench):
    for number in range(5):
        bench.write(f"{number}.txt")
    output = bench.call("glob", pattern="*.txt", limit=3, sort="name")
    assert output.text == ("0.txt\n1.txt\n2.txt\n\n[3 results limit reached. Use limit=6 for more, or refine pattern]")
    assert output.details == {"resultLimitReached": 3}
    assert bench.call("glob", pattern="*.txt", limit=5).details is None
    assert "limit" in bench.call("glob", pattern="*", limit=10_001).text


def test_places_that_are_none(bench):
    bench.write("a.txt")
    assert bench.call("glob", pattern="*", path="no").text == f"Path not found: {bench.root}/no"
    assert bench.call("glob", pattern="*", path="a.txt").text == f"Not a directory: {bench.root}/a.txt"
    assert bench.call("list", path="no").text == f"Path not found: {bench.root}/no"
    assert bench.call("list", path="a.txt").text == f"Not a directory: {bench.root}/a.txt"


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("**/a", ["a", "x/a", "x/y/a"], ["ba", "a/b"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "ba/b"]),
        ("**", ["a"], []),
        ("**.py", ["a.py"], ["a.pyc"]),
        ("a/*", ["a/b"], ["a/b/c"]),
        ("[!a]/x", ["b/x"], ["a/x", "//x"]),
        ("[]a]", ["]", "a"], ["b"]),
        ("[a-c]x", ["bx"], ["dx", "-x"]),
        ("{a,b{c,d}}.x", ["a.x", "bc.x", "bd.x"], ["b.x"]),
        ("a{b", ["a{b"], ["ab"]),
        ("{a,b", ["{a,b"], ["a"]),
        ("{a}", ["a"], ["{a}"]),
        (r"\*a", ["*a"], ["ba"]),
        ("[a", ["[a"], ["a"]),
        ("a.b", ["a.b"], ["axb"]),
        ("src/", ["src/a", "src/a/b"], ["src"]),
        ("a/**/**/b", ["a/b", "a/x/y/b"], ["ab"]),
        ("*a*b*", ["ab", "xaxbx"], ["ba"]),
        ("*", ["a"], []),
        ("[&&~|]", ["&", "|"], ["a"]),
    ],
)
def test_patterns(pattern, matching, other):
    assert [path for path in matching if not PathPattern(pattern).matches(path)] == []
    assert [path for path in other if PathPattern(pattern).matches(path)] == []


def test_many_stars_on_a_long_name_are_no_trouble():
    assert not PathPattern("*a" * 20 + "*b").matches("a" * 250)
    assert PathPattern("*a" * 20 + "*b").matches("a" * 249 + "b")


def test_names_that_are_no_utf8_are_shown(bench):
    with open(os.fsencode(bench.root) + b"/caf\xe9.txt", "wb") as file:
        file.write(b"x\n")
    assert bench.call("glob", pattern="*.txt").text == "caf\ufffd.txt"
    assert bench.call("list").text == "caf\ufffd.txt"
    assert bench.call("grep", pattern="x").text == "caf\ufffd.txt:1: x"


def test_patterns_that_are_none(bench):
    assert bench.call("glob", pattern="[z-a]").text == "Invalid pattern [z-a]: [z-a] is no class of characters."
    assert "stands for more than 1000 patterns" in bench.call("glob", pattern="{a,b}" * 12).text
    assert bench.call("glob", pattern="").text.startswith('Validation failed for tool "glob":\n - pattern')


@given(st.text(st.sampled_from("ab/*?[]{},!-\\^."), max_size=12), st.text(st.sampled_from("ab/-."), max_size=8))
def test_any_pattern_is_understood_or_refused(pattern, path):
    try:
        PathPattern(pattern).matches(path)
    except ToolFailed as refusal:
        assert "Invalid pattern" in str(refusal)


def test_directories_first_without_regard_to_case(bench):
    for path in ("b.txt", "A.txt", "Zoo/x", "apes/x", ".env"):
        bench.write(path)
    os.symlink("Zoo", bench.root / "link")

    assert bench.call("list").text == "apes/\nlink/\nZoo/\n.env\nA.txt\nb.txt"
    assert bench.call("list", hidden=False).text == "apes/\nlink/\nZoo/\nA.txt\nb.txt"
    assert bench.call("list", path="apes").text == "x"


def test_an_empty_directory(bench):
    assert bench.call("list").text == "(empty directory)"


def test_long_lines(bench):
    bench.write("a.txt", "x" * 2048)
    bench.write("sub/x")
    os.symlink("a.txt", bench.root / "link")
    os.symlink("nowhere", bench.root / "lost")
    os.mkfifo(bench.root / "pipe")

    assert bench.call("list", long=True).text.split("\n") == [
        "directory         -  sub/",
        "file          2.0KB  a.txt",
        "link              -  link -> a.txt",
        "link              -  lost -> nowhere",
        "fifo              -  pipe",
    ]


def test_more_entries_than_wanted(bench):
    for number in range(4):
        bench.write(f"{number}.txt")
    output = bench.call("list", limit=2)
    assert output.text == "0.txt\n1.txt\n\n[2 entries limit reached. Use limit=4 for more, or refine pattern]"
    assert output.details == {"entryLimitReached": 2}
