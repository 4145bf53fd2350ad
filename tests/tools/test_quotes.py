"""A quote is found as it is, or in the first looser form that occurs at all; only what it means is touched."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.tools.near_misses import near_misses, told
from codi.tools.quotes import match


def after(text: str, old: str, new: str, *, everywhere: bool = False) -> tuple[str, str]:
    found = match(text, old, new, everywhere=everywhere)
    assert found.splices
    for splice in reversed(found.splices):
        text = text[: splice.start] + splice.text + text[splice.end :]
    return text, found.ignoring


@pytest.mark.parametrize(
    ("text", "old", "new", "expected", "ignoring"),
    [
        ("a b c", "b", "x", "a x c", ""),
        ("cost $1.00 (net)", "$1.00 (net)", r"\g<0> $1", r"cost \g<0> $1", ""),
        ("a  \nb \nc", "a\nb\nc", "a\nx\nc", "a  \nx\nc", "trailing blanks"),
        ("foo\nfoobar", "foo \nfoobar", "x", "x", "trailing blanks"),
        ("foobar\nfoo\nbar", "foo  ", "x", "foobar\nx\nbar", "trailing blanks"),
        ("if a:\n    b()\n    c()\n", "b()\nd()", "", None, None),
        ("    if a:\n        b()\n", "if a:\n    b()\n", "if a:\n    c()\n", "    if a:\n        c()\n", "indentation"),
        ("if a:\n    b()\n", "        if a:\n            b()", "        c()", "c()\n", "indentation"),
        (
            "\tif a:\n\n\t\tb()\n",
            "if a:\n\n\tb()\n",
            "if a:\n\n\tc()\n\n\td()\n",
            "\tif a:\n\n\t\tc()\n\n\t\td()\n",
            "indentation",
        ),
        ("\tif a:\n\t\tb()\n", "    if a:\n        b()\n", "x", None, None),
        ("say “hi” – now", 'say "hi" - now', "x", "x", "quotes, dashes and spaces"),
        (
            "say “hi”\nand\u00a0go\n",
            'say "hi"\nand go',
            'say "hi"\nand stay',
            "say “hi”\nand stay\n",
            "quotes, dashes and spaces",
        ),
        ("find the ﬁle", "the file", "a file", "find a file", "quotes, dashes and spaces"),
        ("find the ﬁle", "the f", "x", None, None),
        ("un café noir", "cafe", "x", None, None),
        ("un cafe\u0301 noir", "caf\u00e9 noir", "x", "un x", "quotes, dashes and spaces"),
        (
            "def f():\n    pass\n",
            "    1→def f():\n    2→    pass",
            "    1→def g():\n    2→    pass",
            "def g():\n    pass\n",
            "line numbers",
        ),
        ("def f():\n    pass\n", "    1→def f():", "def g():", "def g():\n    pass\n", "line numbers"),
        ("a \nb", "1→a\n2→b", "1→a\n2→c", "a \nc", "line numbers and trailing blanks"),
        ("1→a", "1→a", "x", "x", ""),
        ("a\n\n\nb", "\n\n\n", "\n", "a\nb", ""),
    ],
)
def test_the_first_form_that_occurs_decides(text, old, new, expected, ignoring):
    if expected is None:
        assert match(text, old, new).splices == ()
    else:
        assert after(text, old, new) == (expected, ignoring)


def test_an_exact_hit_is_not_in_doubt_because_looser_forms_repeat():
    assert after("x = 1\n  x = 1 \n", "  x = 1 ", "y") == ("x = 1\ny\n", "")


def test_places_that_overlap_count_each():
    assert len(match("}\n}\n}", "}\n}", "x").splices) == 2
    assert len(match("} \n} \n}", "}\n}", "x").splices) == 2


def test_everywhere_takes_places_apart():
    assert after("aaa", "aa", "b", everywhere=True) == ("ba", "")
    assert after("a \nb\na  \nb", "a\nb", "x", everywhere=True) == ("x\nx", "trailing blanks")


BLOCK = "def add(a, b):\n    total = a + b\n    return total\n"


@pytest.mark.parametrize(
    ("text", "quote", "expected"),
    [
        (BLOCK, "def add(a, b):\n    total = a +b\n", 'line 2: "total = a +b" vs "total = a + b"'),
        (BLOCK, "def add(a, b):\n  total = a + b\n    return total\n", "differs in indentation"),
        (BLOCK, "def add(a, b):\n    return total\n", 'line 2: "return total" vs "total = a + b"'),
        ("x\nfoo (1)\n", "foo(1)", 'line 2: "foo(1)" vs "foo (1)"'),
    ],
)
def test_the_difference_is_named(text, quote, expected):
    assert near_misses(text, quote)[0].difference == expected


def test_the_nearest_region_comes_first_with_its_lines():
    text = "import os\n\n" + BLOCK + "\n" + BLOCK.replace("add", "subtract").replace("+", "-")
    regions = near_misses(text, BLOCK.replace("a + b", "a+b"))
    assert [region.first for region in regions] == [3, 7]
    assert told(regions[:1]) == (
        'Similar text at lines 3-5 (98% alike): line 4: "total = a+b" vs "total = a + b"\n'
        "    3→def add(a, b):\n    4→    total = a + b\n    5→    return total"
    )


def test_what_is_not_similar_is_not_shown():
    assert near_misses(BLOCK, "class Bicycle:\n    wheels = 2\n") == []
    assert near_misses("", "x") == []


def test_a_long_region_is_cut_at_20_lines():
    text = "\n".join(f"line number {number}" for number in range(40))
    shown = told(near_misses(text, text.replace("number 7", "nr 7")))
    assert len(shown.splitlines()) == 1 + 20 + 1
    assert shown.endswith("(20 more lines)")


LINES = st.lists(st.text(alphabet="ab \t“—ﬁé", max_size=5), min_size=1, max_size=6).map("\n".join)


@given(LINES, LINES, LINES)
@settings(max_examples=300, deadline=None)
def test_any_quote_is_found_in_order_or_not_at_all(text, old, new):
    if not old:
        return
    for everywhere in (False, True):
        splices = match(text, old, new, everywhere=everywhere).splices
        assert all(0 <= splice.start <= splice.end <= len(text) for splice in splices)
        assert [splice.start for splice in splices] == sorted({splice.start for splice in splices})
    near_misses(text, old)


@given(LINES, st.data())
@settings(max_examples=200, deadline=None)
def test_a_part_of_the_text_is_found_as_it_is(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    if start < end:
        found = match(text, text[start:end], "x")
        assert found.ignoring == ""
        assert start in [splice.start for splice in found.splices]
