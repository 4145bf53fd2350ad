"""The two ways to match agree with each other on every pattern of the dialect."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from codi.tools.matching import LineMatcher
from codi.tools.patterns import PatternError, for_python, for_ripgrep, may_explode, parsed
from codi.tools.searching import LineSearch, shown, text_of

_atoms = st.sampled_from(
    ["a", "b", "x", ".", r"\d", r"\w", r"\s", r"\W", r"\S", r"\b", "^", "$", "[ab]", "[^a]", "[a-c1]", r"[^\s]", "é",
     r"\.", r"[\W_]", " ", "1", "-", r"[[:digit:]]", "(?i:A)"]
)  # fmt: skip
_repeats = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,2}", "{1,}", "*?"])
_patterns = st.recursive(
    st.builds(lambda atom, repeat: atom + ("" if atom in (r"\b", "^", "$") else repeat), _atoms, _repeats),
    lambda inner: st.one_of(
        st.builds("".join, st.lists(inner, min_size=1, max_size=3)),
        st.builds("({}){}".format, inner, _repeats.filter(lambda repeat: repeat != "")),
        st.builds("(?:{}|{})".format, inner, inner),
    ),
    max_leaves=5,
)
_lines = st.text(st.sampled_from("aAbx1é_ .-\t\r²\u0301\udcff"), max_size=8)


@settings(max_examples=400, deadline=None)
@given(_patterns, _lines, st.booleans(), st.booleans())
def test_both_ways_agree(pattern, line, ignore_case, whole_word):
    node = parsed(pattern, ignore_case=ignore_case, whole_word=whole_word)
    backtracking = for_python(node, beyond_ascii=not line.isascii()).search(line) is not None
    assert LineMatcher(node).matches(line) == backtracking


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab(){}[]*+?|^$\\.dw-,12:<>=!i P"), max_size=10))
def test_any_text_is_a_pattern_or_an_error_with_its_place(pattern):
    try:
        node = parsed(pattern)
    except PatternError as error:
        assert 0 <= error.position <= len(pattern)
    else:
        for_python(node, beyond_ascii=True)
        assert "(?=" not in for_ripgrep(node)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), min_size=1, max_size=6))
def test_a_literal_finds_itself(text):
    assert list(LineSearch(parsed(text, literal=True)).matching(f"x\n<{text}>\n")) in ([1], [0, 1])


@given(st.lists(st.text(st.sampled_from("ab "), max_size=5), max_size=6), st.booleans())
def test_lines_are_numbered_as_they_stand(lines, ends):
    text = "\n".join(lines) + ("\n" if ends and lines else "")
    found = list(LineSearch(parsed("a")).matching(text))
    assert found == [number for number, line in enumerate(text.split("\n")) if "a" in line]


def test_loops_in_loops_are_known():
    assert [may_explode(parsed(p)) for p in ("a+b", "(a+)+", "(a|b)*", "a*b*c*", "(ab)+", "(a{2,3})+")] == [
        False, True, True, True, False, True
    ]  # fmt: skip


def test_a_very_slow_pattern_is_linear():
    search = LineSearch(parsed("(a*)*(a|aa)+b"))
    assert list(search.matching("a" * 20_000 + "\n" + "a" * 50 + "b")) == [1]
    one_loop_on_a_long_line = LineSearch(parsed("x*y"))
    assert list(one_loop_on_a_long_line.matching("x" * 100_000)) == []


def test_bytes_that_are_no_text_match_nothing_but_are_shown():
    text = text_of(b"caf\xe9!")
    assert not list(LineSearch(parsed("caf.!")).matching(text))
    assert shown(text) == "caf\ufffd!"
    assert re.fullmatch("caf.!", shown(text))
