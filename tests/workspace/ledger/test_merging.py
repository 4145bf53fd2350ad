"""Three versions become one, or nobody guesses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.workspace.ledger.merging import Conflict, hunks, lines_of, merged

lines = st.lists(st.sampled_from([b"a", b"b", b"c", b"", b"d\r", b"\xff"]), max_size=12)
texts = st.builds(lambda each, end: b"\n".join(each) + end, lines, st.sampled_from([b"", b"\n"]))


@given(texts)
def test_lines_are_the_text(text: bytes):
    assert b"".join(lines_of(text)) == text


@given(texts, texts)
def test_hunks_lead_from_one_to_the_other(one: bytes, other: bytes):
    old, new = lines_of(one), lines_of(other)
    result, at = [], 0
    for begin, end, first, last in hunks(old, new):
        assert at <= begin <= end
        result += old[at:begin] + new[first:last]
        at = end
    assert result + old[at:] == new


@given(texts, texts)
def test_one_side_alone_is_that_side(base: bytes, ours: bytes):
    assert merged(base, ours, base) == merged(base, base, ours) == merged(base, ours, ours) == ours


@settings(max_examples=200)
@given(texts, texts, texts)
def test_both_sides_agree_whoever_is_called_ours(base: bytes, ours: bytes, theirs: bytes):
    def result(one: bytes, other: bytes) -> bytes | None:
        try:
            return merged(base, one, other)
        except Conflict:
            return None

    assert result(ours, theirs) == result(theirs, ours)


@given(lines, lines, lines, lines)
def test_changes_in_different_places_are_both_kept(
    one: list[bytes], other: list[bytes], mine: list[bytes], yours: list[bytes]
):
    def text(head: list[bytes], tail: list[bytes]) -> bytes:
        return b"".join(line + b"\n" for line in [*head, b"-- the middle --", b"-- goes on --", *tail])

    assert merged(text(one, other), text(mine, other), text(one, yours)) == text(mine, yours)


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        (b"a\nb\nc\n", b"a\nx\nc\n", b"a\ny\nc\n"),
        (b"a\nb\n", b"x\nb\n", b"a\ny\n"),
        (b"a\n", b"a\nx\n", b"a\ny\n"),
        (b"a\n", b"", b"x\n"),
        (b"\0a", b"\0b", b"\0c"),
    ],
)
def test_the_same_place_is_a_conflict(base: bytes, ours: bytes, theirs: bytes):
    with pytest.raises(Conflict):
        merged(base, ours, theirs)


def test_ends_of_lines_are_kept():
    base = b"one\r\ntwo\nthree\r\nfour"
    assert merged(base, base.replace(b"one", b"1"), base.replace(b"four", b"4")) == b"1\r\ntwo\nthree\r\n4"
