"""Event streams, however they are cut."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from codi.protocol.errors import MalformedAnswer
from codi.providers.sse import LINE_LIMIT, SseEvent, SseReader


def read(*chunks: bytes) -> list[SseEvent]:
    reader = SseReader()
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return events + reader.close()


def message(*data: bytes) -> list[SseEvent]:
    return [SseEvent("message", each) for each in data]


TABLE = {
    "plain": (b"data: a\n\ndata: b\n\n", message(b"a", b"b")),
    "crlf": (b"data: a\r\n\r\ndata: b\r\n\r\n", message(b"a", b"b")),
    "cr": (b"data: a\r\rdata: b\r\r", message(b"a", b"b")),
    "mixed ends": (b"data: a\r\ndata: b\rdata: c\n\r\n", message(b"a\nb\nc")),
    "no space": (b"data:a\n\n", message(b"a")),
    "one space of two": (b"data:  a\n\n", message(b" a")),
    "several lines": (b"data: a\ndata:\ndata: b\n\n", message(b"a\n\nb")),
    "bare field": (b"data\ndata\n\n", message(b"\n")),
    "comment": (b": hi\n\n:\n\ndata: a\n: between\n\n", message(b"a")),
    "named": (b"event: ping\ndata: {}\n\ndata: x\n\n", [SseEvent("ping", b"{}"), SseEvent("message", b"x")]),
    "name without data": (b"event: ping\n\ndata: x\n\n", message(b"x")),
    "id and retry": (b"id: 4\nretry: 100\ndata: x\n\n", message(b"x")),
    "unknown field": (b"color: red\ndata: x\n\n", message(b"x")),
    "byte order mark": (b"\xef\xbb\xbfdata: x\n\n", message(b"x")),
    "mark inside": (b"data: \xef\xbb\xbfx\n\n", message(b"\xef\xbb\xbfx")),
    "invalid utf-8": (b"event: \xff\ndata: \xff\xfe\n\n", [SseEvent("\ufffd", b"\xff\xfe")]),
    "characters": ("data: 😀 你好\n\n".encode(), message("😀 你好".encode())),
    "nothing": (b"", []),
    "blank": (b"\n\r\n\r", []),
    "cut in a line": (b'data: a\n\ndata: {"b', message(b"a")),
    "cut after a part": (b'data: {"b":\n', []),
    "done without its end": (b"data: a\n\ndata: [DONE]", message(b"a", b"[DONE]")),
    "object without its end": (b'data: {"a": 1}\n', message(b'{"a": 1}')),
}


@pytest.mark.parametrize("name", TABLE)
def test_table_whole_and_split_at_every_byte(name):
    stream, events = TABLE[name]

    assert read(stream) == events
    assert read(*(stream[at : at + 1] for at in range(len(stream)))) == events
    for at in range(len(stream)):
        assert read(stream[:at], stream[at:]) == events


lines = some.sampled_from(
    [b"data: a", b"data:", b"data", b": x", b"event: e", "data: é😀".encode(), b"", b"", b"id: 1"]
)


@given(some.lists(some.tuples(lines, some.sampled_from([b"\n", b"\r", b"\r\n"]))), some.lists(some.integers(0, 200)))
@settings(max_examples=200, deadline=None)
def test_no_cut_changes_the_events(parts, cuts):
    stream = b"".join(line + end for line, end in parts)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]

    assert read(*(stream[start:end] for start, end in pairwise(edges))) == read(stream)


def test_a_line_of_ten_megabytes():
    long = b"x" * (10 * 1024 * 1024)
    stream = b"data: " + long + b"\n\n"

    assert read(*(stream[at : at + 65536] for at in range(0, len(stream), 65536))) == message(long)


@pytest.mark.parametrize("end", [b"", b"\ndata: y\n\n"])
def test_a_line_beyond_the_limit_is_malformed(end):
    reader = SseReader()

    with pytest.raises(MalformedAnswer, match="16 MB") as caught:
        for _ in range(18):
            reader.feed(b"x" * (LINE_LIMIT // 16))
        reader.feed(end)
    assert caught.value.hint
