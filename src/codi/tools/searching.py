"""Which lines of a text match: the search that stands behind `grep`, with and without ripgrep.

Ripgrep says quickly in which files there is anything to find; what is shown of them is found here. So both ways
show the same.
"""

import re
import time
from collections.abc import Iterable, Iterator
from functools import cached_property

from codi.tools.backtracking import longest_line
from codi.tools.cases import LIKE_ASCII, with_all_cases
from codi.tools.landmarks import landmarks
from codi.tools.matching import LineMatcher
from codi.tools.patterns import Node, for_python

_BLOCK = 256 * 1024
"""Characters to search before looking at the clock."""
_LIKE_ASCII = tuple(letter.encode() for letter in LIKE_ASCII)
_WIDE = (b"\xff\xfe", b"\xfe\xff")


def text_of(content: bytes) -> str:
    """The text as ripgrep sees it: UTF-8, or UTF-16 after its byte order mark. Other bytes are kept as lone surrogates."""
    if content.startswith(_WIDE):
        return content.decode("utf-16", errors="replace")
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="surrogateescape")


def shown(line: str) -> str:
    """A line of such a text for people: what is no UTF-8 becomes U+FFFD."""
    return line if line.isascii() else line.encode("utf-8", errors="surrogateescape").decode(errors="replace")


class LineSearch:
    def __init__(self, node: Node) -> None:
        self._node = with_all_cases(node)
        self._longest_line = longest_line(node)
        marks = landmarks(node)
        self._any_case = any(mark.any_case for mark in marks)
        self._texts = [mark.text.lower() if self._any_case else mark.text for mark in marks]
        # Twice as quick as `in`, which has no table of what may be skipped.
        self._searches = [re.compile(re.escape(text.encode())).search for text in self._texts]

    def may_be_in(self, content: bytes) -> bool:
        """Whether a file may match, told quickly. Most that do not match are ruled out."""
        if not self._texts:
            return True
        examined = content.lower() if self._any_case else content
        for search in self._searches:
            if search(examined):
                return True
        if self._any_case and not content.isascii() and any(letter in content for letter in _LIKE_ASCII):
            return True
        return content.startswith(_WIDE)

    def matching(self, text: str, *, until: float = float("inf")) -> Iterator[int]:
        """The numbers, from 0, of the lines that match. A slow search ends early at `until`, of the monotonic clock."""
        if not text:
            return
        text = text.removesuffix("\n")
        is_ascii = text.isascii()
        pattern = self._in_ascii if is_ascii else self._in_unicode
        if self._texts and (is_ascii or not self._any_case):
            lines: Iterable[tuple[int, str]] = _lines_with(
                self._landmark, text.lower() if self._any_case else text, text
            )
        elif len(text) > self._longest_line and max(map(len, text.split("\n"))) > self._longest_line:
            lines = enumerate(text.split("\n"))
        else:
            yield from _matching(pattern, text, until)
            return
        for number, line in lines:
            is_short = len(line) <= self._longest_line
            if pattern.search(line) is not None if is_short else self._matcher.matches(line):
                yield number
            if time.monotonic() > until:
                return

    @cached_property
    def _landmark(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self._texts)))

    @cached_property
    def _in_ascii(self) -> re.Pattern[str]:
        return for_python(self._node, beyond_ascii=False)

    @cached_property
    def _in_unicode(self) -> re.Pattern[str]:
        return for_python(self._node, beyond_ascii=True)

    @cached_property
    def _matcher(self) -> LineMatcher:
        return LineMatcher(self._node)


def _lines_with(landmark: re.Pattern[str], examined: str, text: str) -> Iterator[tuple[int, str]]:
    """The lines with a landmark in them, and their numbers. `examined` is the text, perhaps in lower case."""
    number = begin = 0
    found = landmark.search(examined)
    while found is not None:
        counted, begin = begin, text.rfind("\n", 0, found.start()) + 1
        number += text.count("\n", counted, begin)
        end = text.find("\n", found.start())
        if end < 0:
            yield number, text[begin:]
            return
        yield number, text[begin:end]
        found = landmark.search(examined, end + 1)


def _matching(pattern: re.Pattern[str], text: str, until: float) -> Iterator[int]:
    number = counted = begin = 0
    while begin <= len(text):
        end = text.find("\n", begin + _BLOCK)
        end = len(text) if end < 0 else end
        found = pattern.search(text, begin, end)
        while found is not None:
            number += text.count("\n", counted, found.start())
            yield number
            counted = text.find("\n", found.start())
            if counted < 0:
                return
            if counted >= end:
                break
            found = pattern.search(text, counted + 1, end)
        begin = end + 1
        if time.monotonic() > until:
            return
