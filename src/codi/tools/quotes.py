"""Where in a text the words of a model are meant to be.

Models quote from memory: blanks at line ends get lost, a block is quoted from another depth, typographic quotes become plain.
So a quote is looked for as it is and then in ever looser forms, each of which forgives one kind of slip; the first form
that occurs at all decides. An exact hit is therefore never in doubt because a looser form would hit elsewhere too.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from unicodedata import normalize

from msgspec import Struct

from codi.tools.alignment import aligned
from codi.tools.text_files import Splice

_NUMBERED = re.compile(r" *\d+→")
_QUOTES_DASHES_SPACES = {
    **dict.fromkeys(map(ord, "‘’‚‛′‵`´"), "'"),
    **dict.fromkeys(map(ord, "“”„‟″‶«»"), '"'),
    **dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-"),
    **dict.fromkeys((0x00A0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " "),
    **dict.fromkeys((0x200B, 0xFEFF), ""),
}
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


class Match(Struct, frozen=True):
    """The places of a quote, with what is to stand there instead. `ignoring` names what was forgiven, "" if nothing."""

    splices: tuple[Splice, ...]
    ignoring: str = ""


def match(text: str, old: str, new: str, *, everywhere: bool = False) -> Match:
    """Where `old`, which is not empty, occurs. Without `everywhere`, places that overlap count each: a quote that occurs once
    has one place and no other."""
    found = _match(text, old, new, everywhere=everywhere)
    if found.splices or not _is_numbered(old):
        return found
    found = _match(text, _unnumbered(old), _unnumbered(new) if _is_numbered(new) else new, everywhere=everywhere)
    return Match(found.splices, " and ".join(filter(None, ("line numbers", found.ignoring))))


def _match(text: str, old: str, new: str, *, everywhere: bool) -> Match:
    places = _exact(text, old)
    if places or not old.strip():
        return _of([Splice(place, place + len(old), new) for place in places], "", everywhere)
    forms: tuple[tuple[str, Callable[[str, str, str], list[Splice]]], ...] = (
        ("trailing blanks", _without_trailing_blanks),
        ("indentation", _indented_otherwise),
        ("quotes, dashes and spaces", _normalised),
    )
    for ignoring, form in forms:
        if splices := form(text, old, new):
            return _of(splices, ignoring, everywhere)
    return Match(())


def _of(splices: list[Splice], ignoring: str, everywhere: bool) -> Match:
    if everywhere:
        end = 0
        apart: list[Splice] = []
        for splice in splices:
            if splice.start >= end:
                apart.append(splice)
                end = splice.end
        splices = apart
    return Match(tuple(splices), ignoring)


def _exact(text: str, old: str) -> list[int]:
    places: list[int] = []
    place = text.find(old)
    while place >= 0:
        places.append(place)
        place = text.find(old, place + 1)
    return places


def _hits(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    found = pattern.search(text)
    while found:
        yield found
        found = pattern.search(text, found.start() + 1)


def _is_numbered(quote: str) -> bool:
    lines = quote.removesuffix("\n").split("\n")
    return all(_NUMBERED.match(line) for line in lines)


def _unnumbered(quote: str) -> str:
    return "\n".join(_NUMBERED.sub("", line, count=1) for line in quote.split("\n"))


def _without_trailing_blanks(text: str, old: str, new: str) -> list[Splice]:
    spans = [found.span() for found in _hits(_pattern_of(old), text)]
    return [Splice(start, end, _merged(text[start:end], old, new)) for start, end in spans]


def _pattern_of(old: str) -> re.Pattern[str]:
    quoted = old.split("\n")
    lines = [line.rstrip(" \t") for line in quoted]
    pattern = r"[ \t]*\n".join(map(re.escape, lines))
    # Blanks that ended the quote stand for a line end; blanks that begin it are matched from their first on.
    behind = "" if lines[-1] == quoted[-1] else r"(?=[ \t]*(?:\n|\Z))"
    before = "" if lines[0] else r"(?<![ \t])"
    return re.compile(before + pattern + behind)


def _indented_otherwise(text: str, old: str, new: str) -> list[Splice]:
    lines = text.split("\n")
    quoted = old.removesuffix("\n").split("\n")
    key = next(at for at, line in enumerate(quoted) if line.strip())
    wanted = quoted[key].strip(" \t")
    first_lines = [
        at - key
        for at, line in enumerate(lines)
        if wanted in line and line.strip(" \t") == wanted and 0 <= at - key <= len(lines) - len(quoted)
    ]
    splices: list[Splice] = []
    starts = _line_starts(lines)
    for first in first_lines:
        block = lines[first : first + len(quoted)]
        shift = indentation_of(quoted, block)
        ends_line = first + len(quoted) < len(lines)
        if shift is None or (old.endswith("\n") and not ends_line):
            continue
        there = "\n".join(block) + ("\n" if old.endswith("\n") else "")
        splices.append(Splice(starts[first], starts[first] + len(there), _merged(there, old, new, shift)))
    return splices


def _line_starts(lines: list[str]) -> list[int]:
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    return starts


class Indentation(Struct, frozen=True):
    """How a block is indented other than its quote: by more or by less of `blanks`, the same on every line."""

    blanks: str
    deeper: bool

    def __call__(self, line: str) -> str:
        if not line.strip(" \t"):
            return line
        if self.deeper:
            return self.blanks + line
        return line.removeprefix(self.blanks) if line.startswith(self.blanks) else line.lstrip(" \t")


def indentation_of(quoted: list[str], block: list[str]) -> Indentation | None:
    """How a block that differs from its quote in blanks alone is indented; None where it is not the same on every line."""
    shift: Indentation | None = None
    for said, there in zip(quoted, block):
        if said.strip(" \t") != there.strip(" \t"):
            return None
        if not said.strip(" \t"):
            continue
        less, more = _indentation(said), _indentation(there)
        if shift is None:
            if more.endswith(less):
                shift = Indentation(more.removesuffix(less), True)
            elif less.endswith(more):
                shift = Indentation(less.removesuffix(more), False)
            else:
                return None
        if (shift.blanks + less != more) if shift.deeper else (shift.blanks + more != less):
            return None
    return shift


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _normalised(text: str, old: str, new: str) -> list[Splice]:
    if text.isascii() and old.isascii():
        return []
    plain = _Plain(text)
    splices: list[Splice] = []
    for found in _hits(_pattern_of(_Plain(old).text), plain.text):
        start, end = plain.origin(found.start()), plain.origin(found.end())
        if start is not None and end is not None:
            splices.append(Splice(start, end, _merged(text[start:end], old, new)))
    return splices


class _Plain:
    """A text in compatibility form with plain quotes, dashes and spaces, that knows where each of its characters is from."""

    def __init__(self, text: str) -> None:
        # Two entries for each character that changed: where it begins, and where what is after it begins.
        self._places: list[int] = [0]
        self._origins: list[int] = [0]
        pieces: list[str] = []
        length = at = 0
        for place, plain in _plain_characters(text):
            pieces += (text[at:place], plain)
            length += place - at
            at = place + 1
            self._places += (length, length + len(plain))
            self._origins += (place, at)
            length += len(plain)
        pieces.append(text[at:])
        self.text = "".join(pieces)

    def origin(self, place: int) -> int | None:
        """The place in the original text; None in the midst of what was one character."""
        at = bisect_right(self._places, place) - 1
        further = place - self._places[at]
        if further and at % 2:
            return None
        return self._origins[at] + further


def _plain_characters(text: str) -> Iterator[tuple[int, str]]:
    for run in _NOT_ASCII.finditer(text):
        for place in range(run.start(), run.end()):
            plain = normalize("NFKD", text[place].translate(_QUOTES_DASHES_SPACES))
            yield place, plain.translate(_QUOTES_DASHES_SPACES)


def _merged(there: str, old: str, new: str, shift: Callable[[str], str] = str) -> str:
    """What is to stand in place of `there`, which `old` meant: lines that the change keeps stay as they are in the file."""
    lines, said, wanted = there.split("\n"), old.split("\n"), new.split("\n")
    merged: list[str] = []
    for run in aligned(said, wanted):
        if run.same:
            merged += lines[run.old_from : run.old_to]
        else:
            merged += map(shift, wanted[run.new_from : run.new_to])
    return "\n".join(merged)
