"""Chunks that arrive together are one, and what an answer says stays the same."""

from itertools import pairwise

import h11
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.wire.chunks import JoinedChunks

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def _in_chunks(parts: list[bytes], *, end: bytes = b"0\r\n\r\n") -> bytes:
    return HEAD + b"".join(b"%x;a=b\r\n%b\r\n" % (len(part), part) for part in parts if part) + end


def _in_pieces(answer: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, *(cut % len(answer) for cut in cuts), len(answer)})
    return [answer[begin:end] for begin, end in pairwise(places)]


def _read(pieces: list[bytes]) -> tuple[bytes, int, bool]:
    """The body as the HTTP library's own parser reads it, in how many parts it came, and whether it came to its end."""
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="POST", target="/", headers=[("host", "x"), ("content-length", "0")]))
    reader.send(h11.EndOfMessage())
    body, parts = b"", 0
    for piece in pieces:
        reader.receive_data(piece)
        while (event := reader.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Data):
                body += event.data
                parts += 1
            if isinstance(event, h11.EndOfMessage):
                return body, parts, True
    return body, parts, False


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=8), st.lists(st.integers(0, 10_000), max_size=10))
def test_the_same_is_said_however_it_is_cut(parts: list[bytes], cuts: list[int]) -> None:
    joined = JoinedChunks()
    told = [joined.feed(piece) for piece in _in_pieces(_in_chunks(parts), cuts)]
    body, _, is_whole = _read([piece for piece in told if piece])
    assert body == b"".join(parts) and is_whole


def test_chunks_that_come_together_are_one() -> None:
    joined = JoinedChunks()
    assert _read([joined.feed(_in_chunks([b"one ", b"two ", b"three"]))]) == (b"one two three", 1, True)


def test_what_has_come_of_a_chunk_is_told_at_once() -> None:
    joined = JoinedChunks()
    told = joined.feed(HEAD + b"10\r\nhalf of")
    assert _read([told])[0] == b"half of"


def test_an_announcement_is_not_the_answer() -> None:
    joined = JoinedChunks()
    early = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    assert _read([joined.feed(early + _in_chunks([b"a", b"b"]))]) == (b"ab", 1, True)


def test_what_is_not_in_chunks_passes() -> None:
    joined = JoinedChunks()
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n3\r\nabc\r\n"
    assert b"".join(joined.feed(answer[at : at + 5]) for at in range(0, len(answer), 5)) == answer


def test_the_next_answer_begins_anew() -> None:
    joined = JoinedChunks()
    for _ in range(2):
        joined.begin()
        assert _read([joined.feed(_in_chunks([b"a", b"b"]))]) == (b"ab", 1, True)


def test_what_is_no_chunk_is_left_for_the_library_to_refuse() -> None:
    for broken in (b"-5\r\nabcde\r\n", b"3\r\nabcd\r\n", b"0x3\r\nabc\r\n"):
        told = JoinedChunks().feed(HEAD + b"1\r\na\r\n" + broken)
        try:
            _read([told])
        except h11.RemoteProtocolError:
            continue
        raise AssertionError(broken)
