"""The text of a file, and how to change a part of it without touching the rest.

A model sees lines that end in LF. On disk there are CRLF, byte order marks and encodings older than it. So a file is read into
a view with LF on which all matching is done, and a change is spliced back into the text as it was, by offset:
what lies outside the change keeps every byte.
"""

from bisect import bisect_left
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from msgspec import Struct

from codi.tools.alignment import aligned
from codi.tools.images import image_type

LOOKED_AT = 8192
"""Bytes at the beginning of a file that tell text from binary."""

_WHITE = b"\t\n\x0b\x0c\r"
_CONTROL = bytes(code for code in (*range(32), 127) if code not in _WHITE)
_CONTROL_SHARE = 0.3

_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x7fELF", "application/x-executable"),
    (b"\x00asm", "application/wasm"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"OggS", "application/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
)


class CannotEncode(ValueError):
    """A text holds a character that the file's encoding does not have."""

    def __init__(self, character: str, encoding: str) -> None:
        super().__init__(f"{character!r} (U+{ord(character):04X}) does not exist in {encoding}")
        self.character = character
        self.encoding = encoding


class Binary(Struct, frozen=True):
    """What is no text. `mime` is told by its first bytes."""

    mime: str


class Splice(Struct, frozen=True):
    """Put `text` in place of the view from `start` to `end`."""

    start: int
    end: int
    text: str


class TextFile(Struct, frozen=True):
    """`raw` is what the bytes behind `bom` say; `text` is the view of it in which every line ends in LF."""

    raw: str
    text: str
    encoding: str = "utf-8"
    bom: bytes = b""

    @staticmethod
    def of(content: bytes) -> "TextFile | Binary":
        """UTF-8, UTF-16 with a byte order mark, else Windows-1252 or Latin-1 where there are no control bytes."""
        for bom, encoding in ((BOM_UTF8, "utf-8"), (BOM_UTF16_LE, "utf-16-le"), (BOM_UTF16_BE, "utf-16-be")):
            if content.startswith(bom):
                raw = _decoded(content[len(bom) :], encoding)
                if raw is not None:
                    return TextFile(raw, _view(raw), encoding, bom)
        beginning = content[:LOOKED_AT]
        controls = len(beginning) - len(beginning.translate(None, _CONTROL))
        if 0 in beginning or controls > _CONTROL_SHARE * len(beginning) or content.startswith(b"%PDF-"):
            return Binary(mime_type(content))
        for encoding in ("utf-8",) if controls else ("utf-8", "cp1252", "latin-1"):
            raw = _decoded(content, encoding)
            if raw is not None:
                return TextFile(raw, _view(raw), encoding)
        return Binary(mime_type(content))

    @property
    def line_ending(self) -> str:
        """`LF`, `CRLF`, `CR`, `mixed` or `none`."""
        crlf = self._crlf
        lf = self.raw.count("\n") - crlf
        cr = self.raw.count("\r") - crlf
        kinds = [name for name, count in (("LF", lf), ("CRLF", crlf), ("CR", cr)) if count]
        return kinds[0] if len(kinds) == 1 else "mixed" if kinds else "none"

    def spliced(self, splices: Iterable[Splice]) -> "TextFile":
        """The file after changes that do not overlap, in order of their place. A new line ends as the one before it does; a
        line that stays, inside of a change too, keeps its own ending."""
        splices = [Splice(splice.start, splice.end, _view(splice.text)) for splice in splices]
        uniform = self._crlf == self.text.count("\n")
        places = self._raw_offsets([place for splice in splices for place in (splice.start, splice.end)], uniform)
        pieces: list[str] = []
        at = 0
        for splice, start, end in zip(splices, places[::2], places[1::2]):
            pieces += (self.raw[at:start], self._as_raw(splice.text, start, end, uniform))
            at = end
        raw = "".join((*pieces, self.raw[at:]))
        if "\r" in self.text or any("\r" in splice.text for splice in splices):
            return TextFile(raw, _view(raw), self.encoding, self.bom)  # a lone CR may have met an LF
        return TextFile(raw, _spliced(self.text, splices) if self._crlf else raw, self.encoding, self.bom)

    def encode(self) -> bytes:
        """The bytes of the file. Raises CannotEncode."""
        try:
            return self.bom + self.raw.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise CannotEncode(error.object[error.start], self.encoding) from error

    @property
    def _crlf(self) -> int:
        """How many lines end in CRLF: each is one character shorter in the view."""
        return len(self.raw) - len(self.text)

    def _raw_offsets(self, places: Sequence[int], uniform: bool) -> list[int]:
        if not self._crlf:
            return list(places)
        if uniform:
            return [place + lines for place, lines in zip(places, _newlines_before(self.text, places))]
        pieces = self.raw.split("\r\n")
        breaks = [length + number for number, length in enumerate(accumulate(map(len, pieces[:-1])))]
        return [place + bisect_left(breaks, place) for place in places]

    def _as_raw(self, text: str, start: int, end: int, uniform: bool) -> str:
        if not self._crlf or "\n" not in text:
            return text
        if uniform:
            return text.replace("\n", "\r\n")
        ending = self._ending_before(start)
        lines: list[str] = []
        for line, old in _paired(_lines(self.raw[start:end]), text):
            if line.endswith("\n"):
                ending = _ending(old) or ending
                line = line[:-1] + ending
            lines.append(line)
        return "".join(lines)

    def _ending_before(self, place: int) -> str:
        newline = self.raw.rfind("\n", 0, place)
        if newline < 0:
            newline = self.raw.find("\n")
        return "\r\n" if self.raw[newline - 1 : newline] == "\r" else "\n"


def _spliced(text: str, splices: Sequence[Splice]) -> str:
    pieces: list[str] = []
    at = 0
    for splice in splices:
        pieces += (text[at : splice.start], splice.text)
        at = splice.end
    return "".join((*pieces, text[at:]))


def _paired(raw_lines: list[str], text: str) -> Iterator[tuple[str, str]]:
    """Each new line with the old one that it is or stands in for, or with none."""
    old = [line.replace("\r\n", "\n") for line in raw_lines]
    new = _lines(text)
    for run in aligned(old, new):
        for at in range(run.new_from, run.new_to):
            twin = run.old_from + at - run.new_from
            yield new[at], raw_lines[twin] if twin < run.old_to else ""


def _lines(text: str) -> list[str]:
    # str.splitlines would also split at form feeds and U+2028, which are no line ends here.
    *whole, last = text.split("\n")
    return [line + "\n" for line in whole] + ([last] if last else [])


def _ending(raw_line: str) -> str:
    return "\r\n" if raw_line.endswith("\r\n") else "\n" if raw_line.endswith("\n") else ""


def _newlines_before(text: str, places: Sequence[int]) -> Iterator[int]:
    lines = at = 0
    for place in places:
        lines += text.count("\n", at, place)
        at = place
        yield lines


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _view(raw: str) -> str:
    return raw.replace("\r\n", "\n") if "\r" in raw else raw


def mime_type(content: bytes) -> str:
    """Told by the first bytes."""
    return image_type(content) or next(
        (mime for magic, mime in _MAGIC if content.startswith(magic)), "application/octet-stream"
    )
