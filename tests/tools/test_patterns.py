"""The two ways to match agree with each other on every pattern of the dialect."""

import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.tools.backtracking import longest_line
from codi.tools.cases import with_all_cases
from codi.tools.matching import LineMatcher
from codi.tools.patterns import PatternError, for_python, for_ripgrep, parsed
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
_lines = st.text(st.sampled_from("aAbx1éÉ_ .-\t\r²\u0301\udcff"), max_size=8)


@settings(max_examples=400, deadline=None)
@given(_patterns, _lines, st.booleans(), st.booleans())
def test_both_ways_agree(pattern, line, ignore_case, whole_word):
    node = parsed(pattern, ignore_case=ignore_case, whole_word=whole_word)
    backtracking = for_python(with_all_cases(node), beyond_ascii=not line.isascii()).search(line) is not None
    assert LineMatcher(node).matches(line) == backtracking


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab(){}[]*+?|^$\\.dw-,12:<>=!i P"), max_size=10))
def test_any_text_is_a_pattern_or_an_error_with_its_place(pattern):
    try:
        node = parsed(pattern)
    except PatternError as error:
        assert 0 <= error.position <= len(pattern)
    else:
        for_python(with_all_cases(node), beyond_ascii=True)
        assert "(?=" not in for_ripgrep(node)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), min_size=1, max_size=6))
def test_a_literal_finds_itself(text):
    assert list(LineSearch(parsed(text, literal=True)).matching(f"x\n<{text}>\n")) in ([1], [0, 1])


@given(st.lists(st.text(st.sampled_from("ab "), max_size=5), max_size=6), st.booleans())
def test_lines_are_numbered_as_they_stand(lines, ends):
    text = "\n".join(lines) + ("\n" if ends and lines else "")
    found = list(LineSearch(parsed("a")).matching(text))
    assert found == [number for number, line in enumerate(text.split("\n")) if "a" in line]


@settings(max_examples=400, deadline=None)
@given(_patterns, st.lists(_lines, min_size=1, max_size=3), st.booleans(), st.booleans())
def test_no_file_that_matches_is_ruled_out(pattern, lines, ignore_case, whole_word):
    node = parsed(pattern, ignore_case=ignore_case, whole_word=whole_word)
    search, matcher = LineSearch(node), LineMatcher(node)
    content = "\n".join(lines).encode(errors="surrogateescape")
    if any(matcher.matches(line) for line in lines):
        assert search.may_be_in(content)
        assert search.may_be_in("\n".join(lines).encode("utf-16", errors="replace"))


@pytest.mark.parametrize(
    ("pattern", "ignore_case", "ruled_out", "kept"),
    [
        ("foo.bar", False, b"fo bar", b"x foo"),
        (r"\bname_\d+_17\b", False, b"name 17", b"name_"),
        ("(foo|bar)x", False, b"fo ba x", b"foo"),
        ("foo|bar", False, b"fo br", b"..bar"),
        ("Foo", True, b"fo", b"fOO"),
        ("caf\u00e9", True, b"cat", "CAF\u00c9".encode()),
        ("(?i:k)b*", False, "\u00e9b".encode(), "\u212a".encode()),
    ],
)
def test_files_are_ruled_out_by_what_they_lack(pattern, ignore_case, ruled_out, kept):
    search = LineSearch(parsed(pattern, ignore_case=ignore_case))
    assert (search.may_be_in(ruled_out), search.may_be_in(kept)) == (False, True)


@pytest.mark.parametrize(
    ("pattern", "found", "passed_over"),
    [
        ("i", "iI", "ıİ"),
        ("K", "kK\u212a", "c"),
        ("\u212a", "kK\u212a", "q"),
        ("[a-z]", "aZ\u212a\u017f", "ıİé"),
        ("[^k]", "jı", "kK\u212a"),
        ("\u00df", "\u00df\u1e9e", "s"),
        ("\u03c3", "\u03c2\u03c3\u03a3", "s"),
        ("\u00b5", "\u00b5\u03bc\u039c", "m"),
        ("[\u00c0-\u00ff]", "éÉŸ", "e"),
        (r"\w", "\u017fı", "-"),
    ],
)
@pytest.mark.parametrize("around", ["", "é"])
def test_cases_are_those_of_the_standard(pattern, found, passed_over, around):
    node = parsed(pattern, ignore_case=True)
    for letter in found + passed_over:
        assert (
            (0 in LineSearch(node).matching(f"{letter}\n{around}"))
            == LineMatcher(node).matches(letter)
            == (letter in found)
        )


@pytest.mark.parametrize("pattern", ["", "a*", r"\d", "a|", "(a|.)b?", "[ab]"])
def test_what_says_nothing_of_a_line_rules_nothing_out(pattern):
    assert LineSearch(parsed(pattern)).may_be_in(b"zzz")


@pytest.mark.parametrize(
    ("pattern", "longest"),
    [
        ("ab", sys.maxsize), ("a|b|c", sys.maxsize), ("(a|b)(c|d)e?", sys.maxsize), ("a{3}", sys.maxsize),
        ("a+b", 2000), ("(ab)+", 2000), ("a+|b", 1414), ("a*b*", 158), ("a{0,1000}", 3996),
        ("(a+)+", 0), ("(a|b)*", 0), ("(a{2,3})+", 0), ("(a|a){30}b", 0), ("a?" * 40, 0), ("(a*){9}", 0), ("a*" * 9, 0),
    ],
)  # fmt: skip
def test_lines_in_which_backtracking_is_quick(pattern, longest):
    assert longest_line(parsed(pattern)) == longest


@pytest.mark.parametrize("pattern", ["(a|a){40}b", "a?" * 40 + "a" * 40 + "b", "(a|aa){1,40}b", ".*a.*b", "(a+){6}b"])
def test_no_pattern_blows_up(pattern):
    short, long = "a" * 60, "a" * 3000
    assert list(LineSearch(parsed(pattern)).matching(f"{short}\n{long}\n{long}b\n")) == [2]


@given(st.lists(st.sampled_from(["a", "b", "ab", "", "x" * 90]), max_size=12), st.integers(1, 40))
def test_long_texts_are_searched_piece_by_piece(lines, block):
    text = "\n".join(lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("codi.tools.searching._BLOCK", block)
        found = list(LineSearch(parsed("^a|b$")).matching(text))
    kept = text.removesuffix("\n").split("\n") if text else []
    assert found == [number for number, line in enumerate(kept) if re.search("^a|b$", line)]


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
