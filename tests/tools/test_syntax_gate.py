"""A change that breaks what parsed before is sent back once, and written when it is sent again."""

import sys
import time

import pytest

from codi.tools import grammars
from codi.tools.syntax_gate import Rewrite, SyntaxGate
from codi.tools.tool import ToolFailed


def refused(path: str, old: str | None, new: str) -> str:
    with pytest.raises(ToolFailed) as failed:
        SyntaxGate().warning([Rewrite(path, old, new)])
    return str(failed.value)


@pytest.mark.parametrize(
    ("path", "old", "new", "where", "line"),
    [
        ("a.py", "x = 1\ny = 2\n", "x = 1\ny = (2\n", "line 2, column 5", "    2→y = (2"),
        ("a.pyi", "x: int\n", "x: int\n  y\n", "line 2, column", "    2→  y"),
        ("a.py", "x = 1\n", "x = '\0'\n", "line 1, column 1", "    1→x = '\0'"),
        ("a.json", '{"a": 1}', '{"a": 1,\n}', "line", "→"),
        ("A.JSON", "[]", "[1,\n2", "line 2, column 2", "    2→2"),
        ("a.toml", "a = 1\n", "a = 1\nb =\n", "line 2, column", "    2→b ="),
        ("a.toml", "a = 1\n", "a = [1,\n", "line", "→"),
        ("a.yaml", "a: 1\n", "a: 1\nb: c: d\n", "line 2, column 5", "    2→b: c: d"),
        ("a.yml", "a: 1\n", "a: \x01\n", "line 1, column 1", "    1→a: \x01"),
    ],
)
def test_a_breaking_change_is_refused_with_its_line(path, old, new, where, line):
    text = refused(path, old, new)
    assert text.startswith(f"Nothing was written: {path} would no longer parse: {where}")
    assert line in text
    assert text.endswith("send the same change again unaltered to write it as it is.")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.py", "x = (\n", "x = ((\n"),
        ("a.py", "x = 1\n", "x = 2\n"),
        ("a.py", None, "x = (\n"),
        ("a.py", r"x = '\d'", r"x = '\w'"),
        ("a.json", "{not json", "{still not"),
        ("a.json", "[1]", "[NaN]"),
        ("a.txt", "(", "(("),
        ("Makefile", "a:", "a: ("),
        ("a.json", "[]", "[" * 100_000 + "]" * 100_000),
        ("a.yaml", "a: 1\n" * 50_000, "a: 1\n" * 50_000 + "b: c: d\n"),
    ],
)
def test_what_breaks_nothing_or_has_no_parser_passes(path, old, new):
    assert SyntaxGate().warning([Rewrite(path, old, new)]) == ""


@pytest.mark.parametrize(
    ("path", "old", "new", "where"),
    [
        ("a.js", "f(1);\n", "f(1;\n", "line 1, column 4: ')' is missing"),
        ("a.mjs", "let a = [1];\n", "let a = [1;\n", "line 1, column 11: ']' is missing"),
        ("a.ts", "const é: number = 1;\n", "const é: number = ;\n", "line 1, column 17: syntax error at '='"),
        ("a.tsx", "const a = <b>x</b>;\n", "const a = <b>x</c;\n", "line 1, column 18: '>' is missing"),
        ("a.rs", "fn main() {}\n", "fn main() {\n", "line 1"),
        ("a.go", "package a\n\nfunc f() {}\n", "package a\n\nfunc f() {\n", "line"),
        ("A.java", "class A { int x = 1; }\n", "class A { int x = 1 }\n", "line 1, column 20: ';' is missing"),
        ("a.c", "int f(void) { return 0; }\n", "int f(void) { return 0 }\n", "line 1, column 23: ';' is missing"),
        ("a.cpp", "class A {};\n", "class A {;\n", "line"),
        ("a.h", "int f(void);\n", "int f(void;\n", "line 1, column 11: ')' is missing"),
        ("a.sh", "if true; then echo; fi\n", "if true; then echo;\n", "line"),
        ("a.py", "print 'of another version', 1\n", "print 'of another version', (1\n", "line 1"),
    ],
)
def test_each_language_has_its_grammar(path, old, new, where):
    assert refused(path, old, new).startswith(f"Nothing was written: {path} would no longer parse: {where}")
    assert SyntaxGate().warning([Rewrite(path, new, f"{new} (")]) == "", "what was broken may be changed freely"
    assert SyntaxGate().warning([Rewrite(path, old, f"{old}\n")]) == ""


def test_without_a_grammar_a_file_passes(monkeypatch):
    monkeypatch.setitem(sys.modules, "tree_sitter_go", None)
    grammars._parser.cache_clear()
    assert SyntaxGate().warning([Rewrite("a.go", "package a\n", "package (\n")]) == ""
    grammars._parser.cache_clear()


def test_the_same_change_again_is_written_with_the_warning():
    gate = SyntaxGate()
    change = [Rewrite("a.py", "x = 1\n", "x = (\n")]
    with pytest.raises(ToolFailed):
        gate.warning([Rewrite("a.py", "x = 1\n", "x = [\n")])
    with pytest.raises(ToolFailed):
        gate.warning(change)
    assert (
        gate.warning(change)
        == "Warning: a.py would no longer parse: line 1, column 5: '(' was never closed\n    1→x = ("
    )


def test_the_setting_warn_writes_and_says_so_and_off_says_nothing():
    change = [Rewrite("a.py", "x = 1\n", "x = (\n")]
    assert SyntaxGate("warn").warning(change).startswith("Warning: a.py would no longer parse: line 1")
    assert SyntaxGate("off").warning(change) == ""


def test_all_broken_files_of_a_change_are_named():
    gate = SyntaxGate()
    with pytest.raises(ToolFailed, match=r"a\.py would no longer parse[^$]*b\.json would no longer parse"):
        gate.warning([Rewrite("a.py", "", "("), Rewrite("b.json", "1", "("), Rewrite("c.py", "", "x")])


LARGE = "".join(f"def function_{number}():\n    return compute({number})\n\n\n" for number in range(12_500))


@pytest.mark.parametrize(
    ("old", "new", "broken"),
    [
        ("compute(6000)", "compute(6000, 1)", False),
        ("compute(6000)", "compute(6000", True),
        ("    return compute(6000)\n", "", True),
        ("function_0()", "function_0(", True),
        ("function_12499()", "function_12499(", True),
        ("return compute(6000)", 'return """', True),
    ],
)
def test_a_large_file_is_judged_the_same(old, new, broken):
    rewrite = Rewrite("a.py", LARGE, LARGE.replace(old, new))
    if broken:
        assert "would no longer parse" in refused(rewrite.path, rewrite.old, rewrite.new)
    else:
        assert SyntaxGate().warning([rewrite]) == ""


def test_a_sound_change_of_a_large_file_is_judged_at_once():
    rewrite = Rewrite("a.py", LARGE, LARGE.replace("compute(6000)", "compute(6000, 1)"))
    SyntaxGate().warning([Rewrite("b.py", "x", "y")])
    begun = time.perf_counter()
    SyntaxGate().warning([rewrite])
    assert time.perf_counter() - begun < 0.05
