"""A file's text is changed in place: what is outside of the change keeps every byte, whatever the encoding and line ends."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.tools.text_files import Binary, CannotEncode, Splice, TextFile


def text_file(content: bytes) -> TextFile:
    found = TextFile.of(content)
    assert isinstance(found, TextFile)
    return found


@pytest.mark.parametrize(
    ("content", "encoding", "text"),
    [
        (b"", "utf-8", ""),
        ("grün\r\nblau\n".encode(), "utf-8", "grün\nblau\n"),
        (b"\xef\xbb\xbfa\r\n", "utf-8", "a\n"),
        (b"\xff\xfea\x00\r\x00\n\x00", "utf-16-le", "a\n"),
        (b"\xfe\xff\x00a\x00\n", "utf-16-be", "a\n"),
        ("gr\xfcn \u20ac".encode("cp1252"), "cp1252", "gr\xfcn \u20ac"),
        (b"gr\xfcn \x81", "latin-1", "gr\xfcn \x81"),
        (b"form\x0cfeed\rlone", "utf-8", "form\x0cfeed\rlone"),
        ("a\u2028b\u0085c".encode(), "utf-8", "a\u2028b\u0085c"),
        (b"\x1b[31mred\x1b[0m", "utf-8", "\x1b[31mred\x1b[0m"),
        (b"x" * 9000 + b"\x00", "utf-8", "x" * 9000 + "\x00"),
        (b"\xef\xbb\xbf\xfc", "cp1252", "ï»¿ü"),
    ],
)
def test_the_encoding_is_told_by_the_bytes(content, encoding, text):
    found = text_file(content)
    assert (found.encoding, found.text) == (encoding, text)
    assert found.encode() == content


@pytest.mark.parametrize(
    ("content", "mime"),
    [
        (b"a\x00b", "application/octet-stream"),
        (b"\x01\x02\x03abcde", "application/octet-stream"),
        (b"gr\xfcn \x07", "application/octet-stream"),
        (b"\xff\xfea\x00\x00", "application/octet-stream"),
        (b"%PDF-1.7\nall text", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\x00", "image/png"),
        (b"\x7fELF\x00", "application/x-executable"),
    ],
)
def test_binary_is_no_text(content, mime):
    assert TextFile.of(content) == Binary(mime)


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"a", "none"), (b"a\n", "LF"), (b"a\r\n", "CRLF"), (b"a\rb", "CR"), (b"a\nb\r\n", "mixed"), (b"a\nb\r", "mixed")],
)
def test_the_line_ending_has_a_name(content, name):
    assert text_file(content).line_ending == name


def replaced(content: bytes, old: str, new: str) -> bytes:
    found = text_file(content)
    start = found.text.index(old)
    return found.spliced([Splice(start, start + len(old), new)]).encode()


@pytest.mark.parametrize(
    ("content", "old", "new", "after"),
    [
        (b"a\r\nb\r\n", "b", "x\ny", b"a\r\nx\r\ny\r\n"),
        (b"a\r\nb\nc\n", "b", "x\ny", b"a\r\nx\r\ny\nc\n"),
        (b"a\nb\r\nc", "c", "x\ny", b"a\nb\r\nx\r\ny"),
        (b"a\nb\r\nc\n", "a", "x\ny", b"x\ny\nb\r\nc\n"),
        (b"a\r\nb\nc\r\nd", "a\nb\nc\n", "a\nB\nc\n", b"a\r\nB\nc\r\nd"),
        (b"a\r\nb\nc\r\nd", "a\nb\nc\n", "a\nnew\nb\nc\n", b"a\r\nnew\r\nb\nc\r\nd"),
        (b"a", "a", "x\r\ny", b"x\ny"),
        (b"a\r\n\x0cb\r\n", "b", "c", b"a\r\n\x0cc\r\n"),
        (b"a\rb\r\nc", "b", "x\ny", b"a\rx\r\ny\r\nc"),
    ],
)
def test_a_new_line_ends_as_the_one_before_it(content, old, new, after):
    assert replaced(content, old, new) == after


def test_what_the_encoding_does_not_have_is_named():
    with pytest.raises(CannotEncode, match=r"'→' \(U\+2192\) does not exist in cp1252"):
        replaced(b"gr\xfcn", "n", "→")


ENDINGS = st.sampled_from(["\n", "\r\n", "\r", ""])
LETTERS = st.text(alphabet="ab \té\u2028\x0c", max_size=6)
TEXTS = st.lists(st.tuples(LETTERS, ENDINGS), max_size=8).map(lambda lines: "".join(a + b for a, b in lines))
FORMS = st.sampled_from(
    [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")]
)


@given(TEXTS, FORMS, st.data())
@settings(max_examples=300, deadline=None)
def test_bytes_outside_of_the_change_are_equal(raw, form, data):
    encoding, bom = form
    content = bom + raw.encode(encoding)
    found = text_file(content)
    assert found.encode() == content
    start = data.draw(st.integers(0, len(found.text)))
    end = data.draw(st.integers(start, len(found.text)))
    new = data.draw(st.text(alphabet="xy\n", max_size=8))
    after = found.spliced([Splice(start, end, new)]).encode()

    before = bom + _raw_prefix(raw, start).encode(encoding)
    behind = raw[len(_raw_prefix(raw, end)) :].encode(encoding)
    assert after.startswith(before)
    assert after.endswith(behind)
    middle = after[len(before) : len(after) - len(behind)].decode(encoding)
    assert middle.replace("\r\n", "\n") == new


def _raw_prefix(raw: str, place: int) -> str:
    """The part of the raw text that the first `place` characters of its view stand for."""
    at = 0
    for _ in range(place):
        at += 2 if raw.startswith("\r\n", at) else 1
    return raw[:at]
