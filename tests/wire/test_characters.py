"""Answers whose characters were cut by a server."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from codi.wire.characters import proper


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (b'"plain"', "plain"),
        ('"ünï 😀"'.encode(), "ünï 😀"),
        (b'"\xff\xfe"', "\ufffd\ufffd"),
        (b'"\xf0\x9f\x98"', "\ufffd"),
        (rb'"\ud83d\ude00"', "😀"),
        (rb'"\uD83D\uDE00"', "😀"),
        (rb'"a\ud83d"', "a\ufffd"),
        (rb'"\ude00b"', "\ufffdb"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd😀"),
        (rb'"\\ud83d"', "\\ud83d"),
        (rb'"\\\ud83d"', "\\\ufffd"),
        (b'"\xff\\ud83d"', "\ufffd\ufffd"),
    ],
)
def test_what_stands_for_no_character_is_replaced(data, seen):
    assert msgspec.json.decode(proper(data)) == seen


@given(some.text(), some.booleans())
def test_what_is_proper_stays_as_it_is(text, escaped):
    data = json.dumps(text, ensure_ascii=escaped).encode()

    assert proper(data) == data


@given(some.text(alphabet=some.characters(), max_size=20), some.booleans())
def test_every_text_can_be_read_afterwards(text, escaped):
    data = json.dumps(text + "\ud83d", ensure_ascii=escaped).encode("utf-8", "surrogatepass")

    assert msgspec.json.decode(proper(data)).endswith("\ufffd")
