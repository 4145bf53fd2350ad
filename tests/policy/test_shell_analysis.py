"""What a line is taken apart into, and what of it is doubted."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from codi.policy.shell.analysis import Redirection, analyse
from codi.protocol.effects import Runs


def taken(line, cwd="/w"):
    return analyse(Runs(line, cwd))


def words(line):
    return [command.words for command in taken(line).commands]


@pytest.mark.parametrize(
    "line, wanted",
    [
        ("npm test && ls -la | wc -l", [("npm", "test"), ("ls", "-la"), ("wc", "-l")]),
        ("a; b\nc || d", [("a",), ("b",), ("c",), ("d",)]),
        ("(a; { b; }) # c", [("a",), ("b",)]),
        ("! a 'x y' \"z $\" p\\ q 'u'\"v\"w", [("a", "x y", "z $", "p q", "uvw")]),
        ("[ -f x ] && [[ a = b ]]", [("[", "-f", "x", "]"), ("[[", "a", "=", "b", "]]")]),
        ("cat <<'E' | wc -l\n$(x)\nE\nls", [("cat",), ("wc", "-l"), ("ls",)]),
        ("a </dev/null >/dev/null 2>&1", [("a",)]),
    ],
)
def test_what_is_literal_is_understood(line, wanted):
    assert words(line) == wanted and taken(line).understood


@pytest.mark.parametrize(
    "line, inner, wrappers",
    [
        ("timeout -k 1 5 nice -n 3 make test", ("make", "test"), ("timeout", "nice")),
        ("sudo -n -u root ls", ("ls",), ("sudo",)),
        ("xargs -0 -n 1 rm -f", ("rm", "-f"), ("xargs",)),
        ("time -p env nohup command stdbuf -oL a b", ("a", "b"), ("time", "env", "nohup", "command", "stdbuf")),
    ],
)
def test_wrappers_are_looked_through(line, inner, wrappers):
    (command,) = taken(line).commands
    assert (command.words, command.wrappers) == (inner, wrappers) and taken(line).understood


@pytest.mark.parametrize(
    "line",
    [
        "env A=b c",
        "timeout --x 5 a",
        "sudo -i a",
        "nice --x a",
        "xargs -a f b",
        "env -S 'a b'",
        "timeout a b",
        "command -p a",
    ],
)
def test_a_wrapper_with_an_unknown_option_is_a_doubt(line):
    assert not taken(line).understood


@pytest.mark.parametrize(
    "line, places",
    [
        ("cd x && a", ["/w", "/w/x"]),
        ("cd x && cd .. && a 2>&1 | b", ["/w", "/w/x", "/w", "/w"]),
        ("(cd x && a) && b", ["/w", "/w/x", "/w"]),
        ("cd x && a 2>&1 | b", ["/w", "/w/x", "/w/x"]),
        ("cd /y || a", ["/w", "/w"]),
        ("cd x | a && b", ["/w", "/w", "/w"]),
    ],
)
def test_where_each_command_runs(line, places):
    analysis = taken(line)
    assert [command.cwd for command in analysis.commands] == places and analysis.understood


@pytest.mark.parametrize(
    "line", ["cd x; a", "cd x\na", "cd && a", "cd - && a", "cd x && a || b", "cd x && cd y 2>&1 | a && b"]
)
def test_where_something_runs_is_doubted_when_it_depends(line):
    assert not taken(line).understood


@pytest.mark.parametrize(
    "line, wanted",
    [
        ("a > f", Redirection("/w/f", True)),
        ("cd x && a >> ../f", Redirection("/w/x/../f", True)),
        ("a < f", Redirection("/w/f", False)),
        ("a &> '/t/u v'", Redirection("/t/u v", True)),
        ("(cd x && a) > f", Redirection("/w/f", True)),
        ("a > $x", Redirection(None, True)),
    ],
)
def test_redirections_are_told_with_their_target(line, wanted):
    assert taken(line).redirections == (wanted,)


@pytest.mark.parametrize(
    "line, segment",
    [
        ("ls && cat $(touch x)", "$(touch x)"),
        ("ls; A=1 b", "A=1"),
        ("ls | while read x; do y; done", "while read x; do y; done"),
        ("ls && 'rm' x", "'rm'"),
        ("a; b & c", "&"),
        ("a *.py", "*.py"),
        ("a {b,c}", "{b,c}"),
        ("a ~/x", "~/x"),
    ],
)
def test_a_doubt_names_its_segment(line, segment):
    assert segment in [doubt.segment for doubt in taken(line).doubts]


def test_a_shell_in_the_line_is_looked_into_once_and_always_doubted():
    analysis = taken("bash -c 'npm publish; sh -c \"rm x\"'")
    assert ("npm", "publish") in [command.words for command in analysis.commands]
    assert ("rm", "x") not in [command.words for command in analysis.commands]
    assert not analysis.understood


def test_words_without_a_shell_are_what_they_are():
    analysis = analyse(Runs(("timeout", "5", "npm", "run", "a b", "$(c)"), "/w"))
    assert analysis.understood and analysis.commands[0].words == ("npm", "run", "a b", "$(c)")
    assert not analyse(Runs(("ls", "a\u202eb"), "/w")).understood


@given(some.text(max_size=60))
def test_any_text_is_analysed(line):
    analysis = taken(line)
    assert analysis.understood or all(doubt.reason for doubt in analysis.doubts)


@given(
    some.lists(
        some.text(alphabet=some.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=8), max_size=4
    )
)
@example(["=~", "~", ":~x"])
def test_what_is_quoted_for_the_shell_is_read_back(given_words):
    quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in given_words)
    assert words(f"a {quoted}") == [("a", *given_words)]
