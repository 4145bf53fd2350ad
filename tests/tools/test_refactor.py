"""Search and replace over files: all or none, groups, limits, and patterns that never end."""

import time

import pytest

from codi.protocol.effects import Reads, Writes


def put(bench):
    bench.write("src/a.py", "foo = 1\nprint(foo, food)\n")
    bench.write("src/b.py", "import foo\r\nfoo()\r\n")
    bench.write("notes.md", "foo\n")
    bench.write("data.bin.py", b"foo\0foo")
    bench.write(".hidden/c.py", "foo\n")
    bench.write("ignored/d.py", "foo\n")
    bench.write(".gitignore", "ignored/\n")


def text(bench, path):
    return (bench.root / path).read_bytes().decode()


def test_plain_text_stays_plain(bench):
    place = bench.write("a.txt", "f(x) $ f(x)\n")
    output = bench.call("refactor", search="f(x)", replace="$1 \\1 $&", path="a.txt")
    assert output.text.splitlines()[0] == "Replaced 2 occurrences in 1 file."
    assert place.read_text() == "$1 \\1 $& $ $1 \\1 $&\n"


def test_a_word_in_all_source_files(bench):
    put(bench)
    output = bench.call("refactor", search="foo", replace="bar", whole_word=True)
    assert output.text.splitlines() == [
        "Replaced 4 occurrences in 2 files.",
        "src/a.py: 2",
        "  -1 foo = 1",
        "  +1 bar = 1",
        "src/b.py: 2",
        "  -1 import foo",
        "  +1 import bar",
    ]
    assert text(bench, "src/a.py") == "bar = 1\nprint(bar, food)\n"
    assert text(bench, "src/b.py") == "import bar\r\nbar()\r\n"
    for path in ("notes.md", ".hidden/c.py", "ignored/d.py"):
        assert text(bench, path) == "foo\n"
    assert {change.path for change in output.changes} == {"src/a.py", "src/b.py"}
    assert output.details["files"] == 2 and output.details["replacements"] == 4
    assert "--- src/b.py\n-1 import foo\n-2 foo()\n+1 import bar\n+2 bar()" in output.details["diff"]


def test_a_dry_run_writes_nothing_and_only_reads(bench):
    put(bench)
    output = bench.call("refactor", search="foo", replace="bar", glob="*.md", dry_run=True)
    assert output.text == "Would replace 1 occurrence in 1 file; nothing was written.\nnotes.md: 1\n  -1 foo\n  +1 bar"
    assert text(bench, "notes.md") == "foo\n" and not output.changes

    def effects(**more):
        arguments = {"search": "a", "replace": "b", **more}
        return list(bench.toolbox.resolve("refactor", arguments).action.effects())

    assert effects(dry_run=True) == [Reads(".")] and effects(path="src") == [Writes("src")]


@pytest.mark.parametrize(
    ("search", "replace", "after"),
    [
        (r"(\w+)\((\w+)\)", "$2.$1()", "x.call()\n"),
        (r"(\w+)\((\w+)\)", r"\2.\1()", "x.call()\n"),
        (r"(?<f>\w+)\((?P<a>\w+)\)", r"${a}.\g<f>()", "x.call()\n"),
        (r"call", "[$&][$0]", "[call][call](x)\n"),
        (r"(c)all", "$12$$", "c2$(x)\n"),
        (r"\)$", r")\n", "call(x)\n\n"),
        (r"(z)?call", "<$1>", "<>(x)\n"),
        (r"^", "> ", "> call(x)\n"),
        (r"(?i)CALL", "f", "f(x)\n"),
    ],
)
def test_groups(bench, search, replace, after):
    place = bench.write("a.txt", "call(x)\n")
    output = bench.call("refactor", search=search, replace=replace, regex=True, path="a.txt")
    assert not output.is_error, output.text
    assert place.read_text() == after


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"search": "(a", "regex": True}, "Invalid regular expression at position 0: missing ), unterminated subpattern\n  (a\n  ^"),
        ({"search": "a", "replace": "$1", "regex": True}, "The pattern has no group 1; it has 0. Write $$ for a dollar sign."),
        ({"search": "(?P<n>a)", "replace": "${m}", "regex": True}, 'The pattern has no group "m". Its names: n.'),
        ({"search": ""}, "search must not be empty."),
        ({"path": "none"}, "Path not found: "),
        ({"max_files": 0}, "Validation failed"),
    ],
)  # fmt: skip
def test_what_is_refused(bench, arguments, said):
    bench.write("a.py", "a\n")
    output = bench.call("refactor", **{"search": "a", "replace": "b", **arguments})
    assert output.is_error and output.text.startswith(said)


def test_nothing_found(bench):
    bench.write("a.py", "a\n")
    output = bench.call("refactor", search="zzz", replace="b")
    assert (output.text, output.is_error) == ("No matches found", False)
    assert bench.call("refactor", search="a", replace="a").text == "No matches found"


def test_more_files_than_wanted(bench):
    for number in range(5):
        bench.write(f"{number}.py", "a\n")
    output = bench.call("refactor", search="a", replace="b", max_files=3)
    assert output.is_error and output.text.startswith(
        "5 files would change, more than max_files=3. Nothing was written."
    )
    assert text(bench, "0.py") == "a\n"


def test_a_report_of_many_files(bench):
    for number in range(30):
        bench.write(f"{number:02}.py", "a\n")
    output = bench.call("refactor", search="a", replace="b")
    assert output.text.count("  -1 a") == 20 and output.text.endswith("... 10 more files")


def test_a_pattern_that_never_ends_is_stopped_and_nothing_is_written(bench):
    bench.write("a.py", "ok = 1  # aaa\n")
    bench.write("b.py", "x = '" + "a" * 60 + "!'\n")
    began = time.monotonic()
    output = bench.call("refactor", search="(a+)+$", replace="b", regex=True)
    assert output.is_error and output.text.startswith("The search took more than 2 s in b.py. Nothing was written.")
    assert time.monotonic() - began < 5
    assert text(bench, "a.py") == "ok = 1  # aaa\n"


def test_one_file_that_cannot_be_written_leaves_all_as_they_were(bench):
    for name in ("1.py", "2.py", "3.py"):
        bench.write(name, "a\n")
    real = bench.workspace.replace_all

    async def failing(changes):
        bench.write("3.py", "a  # somebody was here\n")
        await real(changes)

    bench.workspace.replace_all = failing
    output = bench.call("refactor", search="a", replace="b")
    assert output.is_error and "changed on disk since it was read. Nothing was written." in output.text
    assert text(bench, "1.py") == text(bench, "2.py") == "a\n"


def test_guarded_files_are_left_alone(bench):
    bench.write("a.py", "a\n")
    tool = next(tool for tool in bench.toolbox.tools if tool.spec.name == "refactor")
    tool._tool = tool._made()
    tool._tool._needs["guarded"] = lambda path: path.endswith("/a.py")
    assert bench.call("refactor", search="a", replace="b").text == "No matches found"


def test_the_syntax_gate_holds_for_all(bench):
    bench.write("a.py", "f(1)\n")
    bench.write("b.py", "g(1)\n")
    output = bench.call("refactor", search="(1)", replace="(1")
    assert (
        output.is_error and "a.py would no longer parse" in output.text and "b.py would no longer parse" in output.text
    )
    assert text(bench, "a.py") == "f(1)\n"


def test_the_same_file_may_be_written_afterwards_only_when_it_was_read(bench):
    bench.write("a.py", "a\n")
    bench.call("refactor", search="a", replace="b")
    assert "was not read in this session" in bench.call("write", path="a.py", content="c\n").text
