"""Which lines of a text match: the search that stands behind `grep`, with and without ripgrep.

Ripgrep says quickly in which files there is anything to find; what is shown of them is found here. So both ways
show the same.
"""

import re
import time
from collections.abc import Iterator
from functools import cached_property

from codi.tools.backtracking import longest_line
from codi.tools.landmarks import landmarks
from codi.tools.matching import LineMatcher
from codi.tools.patterns import Node, for_python

_BLOCK = 256 * 1024
"""Characters to search before looking at the clock."""
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
        self._node = node
        self._longest_line = longest_line(node)
        marks = landmarks(node)
        self._any_case = any(mark.any_case for mark in marks)
        texts = [(mark.text.lower() if self._any_case else mark.text).encode() for mark in marks]
        # Twice as quick as `in`, which has no table of what may be skipped.
        self._landmarks = [re.compile(re.escape(text)).search for text in texts]

    def may_be_in(self, content: bytes) -> bool:
        """Whether a file may match, told quickly. Most that do not match are ruled out."""
        if not self._landmarks:
            return True
        if self._any_case:
            if not content.isascii():
                return True
            content = content.lower()
        for search in self._landmarks:
            if search(content):
                return True
        return content.startswith(_WIDE)

    def matching(self, text: str, *, until: float = float("inf")) -> Iterator[int]:
        """The numbers, from 0, of the lines that match. A slow search ends early at `until`, of the monotonic clock."""
        if not text:
            return
        text = text.removesuffix("\n")
        pattern = self._in_ascii if text.isascii() else self._in_unicode
        if len(text) <= self._longest_line or max(map(len, text.split("\n"))) <= self._longest_line:
            yield from _matching(pattern, text, until)
            return
        for number, line in enumerate(text.split("\n")):
            is_short = len(line) <= self._longest_line
            if pattern.search(line) is not None if is_short else self._matcher.matches(line):
                yield number
            if time.monotonic() > until:
                return

    @cached_property
    def _in_ascii(self) -> re.Pattern[str]:
        return for_python(self._node, beyond_ascii=False)

    @cached_property
    def _in_unicode(self) -> re.Pattern[str]:
        return for_python(self._node, beyond_ascii=True)

    @cached_property
    def _matcher(self) -> LineMatcher:
        return LineMatcher(self._node)


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
