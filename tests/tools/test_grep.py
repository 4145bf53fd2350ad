"""`grep` finds the same with ripgrep and without, shows it in one form, and says what it left out."""

import os
import random
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tool_bench import RIPGREP, Bench

from codi.tools import grep
from codi.tools.output import Cap
from codi.tools.results import ID


@pytest.fixture
def bench(searching_bench):
    return searching_bench


def test_lines_and_their_context(bench):
    bench.write("src/a.py", "one\n\tdef two():\nthree\nfour\nfive\ndef six\n")
    bench.write("b.txt", "def\n")

    assert bench.call("grep", pattern="def").text == "b.txt:1: def\nsrc/a.py:2: \tdef two():\nsrc/a.py:6: def six"
    assert bench.call("grep", pattern="two|five", context=1).text == (
        "src/a.py-1- one\nsrc/a.py:2: \tdef two():\nsrc/a.py-3- three\nsrc/a.py-4- four\nsrc/a.py:5: five\nsrc/a.py-6- def six"
    )
    assert bench.call("grep", pattern="def", path="src").text == "src/a.py:2: \tdef two():\nsrc/a.py:6: def six"
    assert bench.call("grep", pattern="def", path="src/a.py", glob="*.txt").text.startswith("src/a.py:2:")


def test_modes(bench):
    bench.write("a.txt", "x\nx\ny x x\n")
    bench.write("b/c.txt", "x")

    assert bench.call("grep", pattern="x", mode="files").text == "a.txt\nb/c.txt"
    assert bench.call("grep", pattern="x", mode="count").text == "a.txt:3\nb/c.txt:1"
    limited = bench.call("grep", pattern="x", mode="files", limit=1)
    assert limited.text == "a.txt\n\n[1 matches limit reached. Use limit=2 for more, or refine pattern]"
    assert limited.details == {"matchLimitReached": 1}


def test_the_limit_says_so_only_when_there_is_more(bench):
    bench.write("a.txt", "x\nx\nx\n")
    bench.write("b.txt", "no\n")

    assert bench.call("grep", pattern="x", limit=3).details is None
    cut = bench.call("grep", pattern="x", limit=2)
    assert cut.text == ("a.txt:1: x\na.txt:2: x\n\n[2 matches limit reached. Use limit=4 for more, or refine pattern]")
    bench.write("b.txt", "x\n")
    assert bench.call("grep", pattern="x", limit=3).details == {"matchLimitReached": 3}


def test_long_lines_are_cut(bench):
    bench.write("a.txt", "x" * 501 + "\n" + "x" * 500 + "\n")

    output = bench.call("grep", pattern="x")
    assert output.text == (
        f"a.txt:1: {'x' * 500}... [truncated]\na.txt:2: {'x' * 500}\n\n"
        "[Some lines truncated to 500 chars. Use read tool to see full lines]"
    )
    assert output.details == {"linesTruncated": True}


def test_a_result_over_the_cap_is_kept_whole(bench):
    bench.cap = Cap(bytes=2000)
    bench.write("a.txt", "match\n" * 300)

    output = bench.call("grep", pattern="match", limit=200)
    body, _, notice = output.text.rpartition("\n\n")
    assert len(body.encode()) <= 2000
    id = notice.partition('recall(id="')[2].partition('"')[0]
    shown = len(body.split("\n"))
    assert notice == (
        f'[Showing lines 1-{shown} of 200 (2.0KB limit). Full output: recall(id="{id}"). '
        "200 matches limit reached. Use limit=400 for more, or refine pattern]"
    )
    assert ID.match(id) and list(bench.results.lines(id))[shown] == f"a.txt:{shown + 1}: match"
    assert output.details["matchLimitReached"] == 200 and output.details["truncation"]["outputLines"] == shown


def test_what_is_not_searched(bench):
    bench.write(".gitignore", "*.log\nbuild/\n")
    bench.write("a.log", "needle")
    bench.write("build/a.txt", "needle")
    bench.write("sub/.gitignore", "*.tmp\n!keep.log\n")
    bench.write("sub/a.tmp", "needle")
    bench.write("sub/keep.log", "needle")
    bench.write(".hidden", "needle")
    bench.write(".git/config", "needle")
    bench.write("image.bin", b"\x00\x01needle\n")
    os.symlink("/etc", bench.root / "etc")
    os.symlink(bench.root / ".hidden", bench.root / "link")

    output = bench.call("grep", pattern="needle")
    assert output.text == (".hidden:1: needle\nsub/keep.log:1: needle\n\n[1 binary file with matches not shown]")
    everything = bench.call("grep", pattern="needle", include_ignored=True, mode="files").text
    assert everything.startswith(".hidden\na.log\nbuild/a.txt\nsub/a.tmp\nsub/keep.log\n")
    assert bench.call("grep", pattern="needle", path="a.log").text == "a.log:1: needle"
    assert bench.call("grep", pattern="needle", path="sub", mode="files").text == "sub/keep.log"


def test_globs(bench):
    for path in ("a.py", "b.pyi", "sub/c.py", "sub/d.txt", "x/y/sub/e.py"):
        bench.write(path, "x")

    def found(glob):
        return bench.call("grep", pattern="x", glob=glob, mode="files").text.split("\n")

    assert found("*.py") == ["a.py", "sub/c.py", "x/y/sub/e.py"]
    assert found("*.{py,pyi}") == ["a.py", "b.pyi", "sub/c.py", "x/y/sub/e.py"]
    assert found("sub/*") == ["sub/c.py", "sub/d.txt"]
    assert found("**/sub/*.py") == ["sub/c.py", "x/y/sub/e.py"]
    assert found("./*.py") == ["a.py"]
    assert found("*.rs") == ["No matches found"]


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ({"pattern": "foo.bar", "literal": True}, [1]),
        ({"pattern": "foo.bar"}, [1, 2]),
        ({"pattern": "FOO"}, []),
        ({"pattern": "FOO", "ignore_case": True}, [1, 2, 4]),
        ({"pattern": "foo", "whole_word": True}, [1]),
        ({"pattern": r"^\s+\w+$"}, [3]),
        ({"pattern": r"é\b"}, [5]),
        ({"pattern": "x{2}"}, [6]),
        ({"pattern": "interface{}"}, [7]),
        ({"pattern": r"crlf$"}, [8]),
        ({"pattern": "^$"}, [9]),
        ({"pattern": r"(\w+\s*)+!"}, [10]),
    ],
)
def test_patterns(bench, arguments, lines):
    bench.write("a.txt", "foo.bar\nfooXbar\n  indented\nfoobar\ncafé\nxx\ninterface{}\ncrlf\r\n\nmany words here!\n")
    text = bench.call("grep", **arguments).text
    found = [] if text == "No matches found" else [int(line.split(":")[1]) for line in text.split("\n")]
    assert found == lines


@pytest.mark.parametrize(
    ("pattern", "position", "reason"),
    [
        ("a(b", 1, 'there is no ")" for this "("'),
        ("a)", 1, 'there is no "(" for this ")"'),
        ("[a", 0, 'there is no "]" for this "["'),
        ("*a", 0, "there is nothing to repeat"),
        ("a**", 2, "a repeat of a repeat needs a group"),
        ("a{3,2}", 1, "the repeat ends below its beginning"),
        ("[z-a]", 1, "the range ends below its beginning"),
        ("a(?=b)", 1, "look-around is not supported"),
        ("(?<!b)a", 0, "look-around is not supported"),
        (r"(a)\1", 3, "back-references are not supported"),
        (r"\pL", 0, r"\p is not supported"),
        ("a\\", 1, "nothing follows the backslash"),
        (r"a\nb", 1, "a match cannot go beyond its line"),
        ("(a{1000}){1000}", 0, "the repeats make it too large"),
        ("(" * 60 + ")" * 60, 50, "the groups are nested too deeply"),
    ],
)
def test_a_bad_pattern_is_shown_with_the_place(bench, pattern, position, reason):
    output = bench.call("grep", pattern=pattern)
    assert output.is_error
    assert output.text == (
        f"Invalid regular expression at position {position}: {reason}\n  {pattern}\n  {' ' * position}^"
    )


def test_missing_and_unfit_paths(bench):
    assert bench.call("grep", pattern="x", path="no").text == f"Path not found: {bench.root}/no"
    os.symlink("nowhere", bench.root / "lost")
    assert bench.call("grep", pattern="x", path="lost").text == f"Path not found: {bench.root}/nowhere"
    assert bench.call("grep", pattern="x", path="a" * 300).text.startswith("Cannot reach aaa")
    os.mkfifo(bench.root / "pipe")
    assert bench.call("grep", pattern="x", path="pipe").text == "pipe is not a regular file."


def test_files_of_other_encodings(bench):
    bench.write("bom.txt", b"\xef\xbb\xbffirst\n")
    bench.write("latin.txt", b"caf\xe9 au lait\n")
    bench.write("utf16.txt", "na\u00efve\n".encode("utf-16"))

    assert bench.call("grep", pattern="^first").text == "bom.txt:1: first"
    assert bench.call("grep", pattern="caf. au").text == "No matches found"
    assert bench.call("grep", pattern="au lait").text == "latin.txt:1: caf\ufffd au lait"
    assert bench.call("grep", pattern="na.ve").text == "utf16.txt:1: naïve"


def test_a_pattern_that_would_never_end_ends(bench):
    bench.write("a.txt", "a" * 5000 + "b\n")
    assert bench.call("grep", pattern="(a+)+$").text == "No matches found"


def test_late_results_are_said_to_be_partial(bench, monkeypatch):
    monkeypatch.setattr(grep, "MOST_TIME_S", 0.0)
    for number in range(3):
        bench.write(f"{number}.txt", "x\n" * 3)
    text = bench.call("grep", pattern="x").text
    assert text.endswith("[Stopped after 0 s: the result is partial]")


@pytest.mark.skipif(RIPGREP is None, reason="ripgrep is not installed")
@pytest.mark.parametrize("seed", range(6))
def test_random_trees_give_the_same_both_ways(tmp_path, seed):
    chance = random.Random(seed)
    with_ripgrep, without = Bench(tmp_path, RIPGREP), None
    _random_tree(with_ripgrep, chance)
    (tmp_path / "other").mkdir()
    without = Bench(tmp_path / "other")
    subprocess.run(["cp", "-a", f"{with_ripgrep.root}/.", str(without.root)], check=True)
    for _ in range(12):
        arguments = {
            "pattern": chance.choice(_PATTERNS),
            "path": chance.choice([".", ".", "d0", "d1/d0"]),
            "ignore_case": chance.random() < 0.3,
            "whole_word": chance.random() < 0.2,
            "include_ignored": chance.random() < 0.2,
            "context": chance.choice([0, 0, 1, 3]),
            "limit": chance.choice([3, 100, 2000]),
            "mode": chance.choice(["content", "files", "count"]),
        }
        if chance.random() < 0.3:
            arguments["glob"] = chance.choice(["*.py", "d0/**", "*.{txt,log}", "**/f1*"])
        one, other = with_ripgrep.call("grep", **arguments), without.call("grep", **arguments)
        assert (one.text.replace(str(with_ripgrep.root), ""), one.details) == (
            other.text.replace(str(without.root), ""),
            other.details,
        ), arguments


@pytest.mark.skipif(RIPGREP is None, reason="ripgrep is not installed")
def test_any_pattern_finds_the_same_both_ways(tmp_path):
    pieces = st.sampled_from(
        [
            "a",
            "b",
            ".",
            r"\d",
            r"\w+",
            r"\s*",
            r"\W",
            r"\b",
            "^",
            "$",
            "[^a]",
            "é",
            "1",
            "x{1,2}",
            "(a|b)+",
            "(?:1|é)?",
            "|",
        ]
    )
    lines = st.lists(st.text(st.sampled_from("aAbx1é_ .\t\r²\u0301iıſk\u212a\udcff\0"), max_size=8), max_size=5)
    (tmp_path / "other").mkdir()
    with_ripgrep, without = Bench(tmp_path, RIPGREP), Bench(tmp_path / "other")
    without.workspace, without.root = with_ripgrep.workspace, with_ripgrep.root

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(pieces, min_size=1, max_size=4).map("".join),
        st.lists(lines, min_size=1, max_size=3),
        st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16"]),
        st.fixed_dictionaries(
            {
                "ignore_case": st.booleans(),
                "whole_word": st.booleans(),
                "literal": st.booleans(),
                "limit": st.sampled_from([1, 2, 100]),
                "context": st.sampled_from([0, 1]),
                "mode": st.sampled_from(["content", "files", "count"]),
            }
        ),
    )
    def compare(pattern, files, encoding, arguments):
        for number, content in enumerate(files):
            errors = "replace" if encoding == "utf-16" else "surrogateescape"
            with_ripgrep.write(f"{number}.txt", "\n".join(content).encode(encoding, errors=errors))
        one = with_ripgrep.call("grep", pattern=pattern, **arguments)
        other = without.call("grep", pattern=pattern, **arguments)
        assert (one.text, one.details, one.is_error) == (other.text, other.details, other.is_error)

    compare()


def test_results_stand_in_the_order_of_names_folder_by_folder(bench):
    for path in ("b/z", "a-b/x", "a/x", "a.txt", "a/b/c", "a b/x", "é", "B"):
        bench.write(path, "x")
    found = bench.call("grep", pattern="x", mode="files").text.split("\n")
    assert found == sorted(found, key=lambda path: path.split("/")) and len(found) == 8


def test_a_name_may_hold_a_line_break(bench):
    bench.write("a\nb.txt", "x")
    assert bench.call("grep", pattern="x").text == "a\\nb.txt:1: x"


def test_files_that_are_too_large_or_may_not_be_read_are_left_out(bench, monkeypatch):
    monkeypatch.setattr(grep, "MOST_FILE_BYTES", 10)
    bench.write("large.txt", "x" * 11)
    bench.write("small.txt", "x")
    assert bench.call("grep", pattern="x").text == "small.txt:1: x"
    assert bench.call("grep", pattern="x", path="large.txt").text.startswith(
        "large.txt is 11B, more than grep searches."
    )
    monkeypatch.setattr(grep, "_PATIENCE_S", 0.0)
    assert bench.call("grep", pattern="x").text == "small.txt:1: x"


@pytest.mark.skipif(RIPGREP is None, reason="ripgrep is not installed")
@pytest.mark.parametrize("trouble", ["exit 2", "echo unknown flag >&2; exit 2", "exit 3", "kill -9 $$"])
def test_what_ripgrep_cannot_do_costs_no_result(tmp_path, trouble):
    program = tmp_path / "rg"
    program.write_text(f'#!/bin/sh\n{RIPGREP} "$@"\n{trouble}\n')
    program.chmod(0o755)
    bench = Bench(tmp_path, str(program))
    bench.write("a.txt", "needle")
    assert bench.call("grep", pattern="needle").text == "a.txt:1: needle"


def test_a_file_of_many_lines_is_searched_to_its_end(bench):
    bench.write("long.txt", "some words of no matter\n" * 40_000 + "needle\n")
    assert bench.call("grep", pattern=r"needle|\d").text == "long.txt:40001: needle"


_PATTERNS = [
    "foo", r"\bfoo\b", "fo+|ba.", r"^\s*foo", r"\w+\s\w+$", "[^a-z]x", "é", r"\d{2,}", "(foo|bar)+ x", "", "^$", ".",
    "Straße", r"\Wx", "[[:upper:]]", r"a\.b", "(?i)FOO", r"\S+\s*$", "\N{COMBINING ACUTE ACCENT}", r"e\b",
]  # fmt: skip
_WORDS = ["foo", "bar", "x", "é", "Foo", "42", "a.b", "  ", "\t", "Straße", "e\u0301", "²", "\u3000", "food", "-", "K"]


def _random_tree(bench: Bench, chance: random.Random) -> None:
    folders = ["", "d0/", "d1/", "d1/d0/", ".h/", "d1/build/"]
    for folder in folders:
        for number in range(chance.randint(1, 5)):
            lines = [" ".join(chance.choices(_WORDS, k=chance.randint(0, 5))) for _ in range(chance.randint(0, 8))]
            ending = chance.choice(["\n", "\n", "\r\n"])
            content = (ending.join(lines) + chance.choice(["", ending])).encode()
            if chance.random() < 0.15:
                content = content.replace(b"x", chance.choice([b"\xff", b"\x00", b"\xe9"]))
            if chance.random() < 0.05:
                content = content.decode(errors="ignore").encode("utf-16")
            bench.write(f"{folder}f{number}{chance.choice(['.py', '.txt', '.log', ''])}", content)
        if chance.random() < 0.5:
            bench.write(
                f"{folder}{chance.choice(['.gitignore', '.ignore'])}",
                "\n".join(
                    chance.choices(["*.log", "build/", "!f1.log", "/d0", "f0*", "# no", "d1/**/f2*", "*.py"], k=2)
                )
                + "\n",
            )
    if chance.random() < 0.5:
        bench.write(".git/HEAD", "ref: refs/heads/main")
        bench.write(".git/info/exclude", "f3*\n")
