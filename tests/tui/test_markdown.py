"""Markdown that streams ends as the same screen as Markdown that came whole, and what was settled stayed."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.frontends.tui.lines import line_width, plain
from codi.frontends.tui.markdown import Markdown
from golden import GOLDEN


def _texts(markdown: Markdown, columns: int) -> list[str]:
    return [plain(line).rstrip() for line in markdown.lines(columns)]


def _whole(text: str, columns: int) -> list[str]:
    return _texts(Markdown(text), columns)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(GOLDEN)), max_size=12), st.sampled_from([24, 40, 100]))
def test_each_split_of_a_text_gives_the_same_lines(cuts: list[int], columns: int) -> None:
    places = sorted({0, *cuts, len(GOLDEN)})
    markdown, settled = Markdown(), []
    for begin, end in pairwise(places):
        markdown.feed(GOLDEN[begin:end])
        lines = markdown.lines(columns)
        assert lines[: len(settled)] == settled
        settled = lines[: markdown.settled(columns)]
    assert markdown.lines(columns) == Markdown(GOLDEN).lines(columns)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab *_`#->|[]()1.\n~x \t", max_size=80), st.integers(1, 8))
def test_what_is_settled_stays_whatever_comes(text: str, step: int) -> None:
    markdown, settled = Markdown(), []
    for begin in range(0, len(text), step):
        markdown.feed(text[begin : begin + step])
        lines = markdown.lines(20)
        assert lines[: len(settled)] == settled
        settled = lines[: markdown.settled(20)]
    assert all(line_width(line) <= 20 for line in markdown.lines(20))


_PIECES = [
    "word ", "a", ". ", ", ", "(", ")", " ", "  ", "x1", "日本", "ä", "*", "**", "_", "`", "[a](u)", "&am", "p;", "\\", "!",
    "~~", "longwordlongwordlongwordlongword",
]  # fmt: skip
_CODE = ["x = 1\n", "    y", "def", "\n", " ", "  z\n", "class A:\n", "``", "`", "\t"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=40), st.sampled_from([9, 14, 40]))
def test_a_paragraph_that_grows_is_at_each_moment_what_it_would_be_alone(pieces: list[str], columns: int) -> None:
    _grows("", pieces, columns)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(_CODE), max_size=40), st.sampled_from([9, 40]))
def test_a_listing_that_grows_is_at_each_moment_what_it_would_be_alone(pieces: list[str], columns: int) -> None:
    _grows("```py\n", pieces, columns)


def _grows(text: str, pieces: list[str], columns: int) -> None:
    markdown = Markdown(text)
    for piece in pieces:
        markdown.lines(columns)
        markdown.feed(piece)
        text += piece
        assert list(markdown.lines(columns)) == list(Markdown(text).lines(columns))
    assert markdown.text == text


def test_another_width_lays_all_of_it_anew() -> None:
    markdown = Markdown()
    for at in range(0, len(GOLDEN), 7):
        markdown.feed(GOLDEN[at : at + 7])
        markdown.lines(40)
    assert list(markdown.lines(100)) == list(Markdown(GOLDEN).lines(100))


@pytest.mark.parametrize("columns", [1, 8, 24, 40, 80, 200])
def test_no_line_is_wider_than_the_window(columns: int) -> None:
    assert max(line_width(line) for line in Markdown(GOLDEN).lines(columns)) <= columns


def test_how_it_looks() -> None:
    assert _whole(GOLDEN, 60)[:20] == [
        "# What is done",
        "",
        "Some bold, leaning and code words, struck, with a link",
        "(https://example.org/a) and https://example.org.",
        "A second line of it.",
        "",
        "• one",
        "• two with a long text that will be broken, and more of it",
        "  • inner",
        "• ☑ three",
        "• ☐ four",
        "",
        "1. first",
        "2. second",
        "",
        "▌ quoted",
        "▌ twice",
        "",
        "name │ count │                  what",
        "─────┼───────┼───────────────────────────────────────",
    ]
