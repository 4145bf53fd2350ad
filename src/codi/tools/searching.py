"""Which lines of a text match: the search that stands behind `grep`, with and without ripgrep.

Ripgrep says quickly in which files there is anything to find; what is shown of them is found here. So both ways
show the same.
"""

import re
import time
from collections.abc import Iterator
from functools import cached_property

from codi.tools.matching import LineMatcher
from codi.tools.patterns import Node, for_python, has_loops, may_explode

_LONG_LINE = 2000
"""In a longer line even one loop can make a backtracking search slow."""


def text_of(content: bytes) -> str:
    """The text as ripgrep sees it: UTF-8, or UTF-16 after its byte order mark. Other bytes are kept as lone surrogates."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="surrogateescape")


def shown(line: str) -> str:
    """A line of such a text for people: what is no UTF-8 becomes U+FFFD."""
    return line if line.isascii() else line.encode("utf-8", errors="surrogateescape").decode(errors="replace")


class LineSearch:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._is_slow = may_explode(node)
        self._slow_in_long_lines = has_loops(node)

    def matching(self, text: str, *, until: float = float("inf")) -> Iterator[int]:
        """The numbers, from 0, of the lines that match. A slow search ends early at `until`, of the monotonic clock."""
        if not text:
            return
        text = text.removesuffix("\n")
        if self._is_slow or (self._slow_in_long_lines and max(map(len, text.split("\n"))) > _LONG_LINE):
            for number, line in enumerate(text.split("\n")):
                if self._matcher.matches(line):
                    yield number
                if time.monotonic() > until:
                    return
            return
        pattern = self._in_ascii if text.isascii() else self._in_unicode
        number = counted = 0
        found = pattern.search(text)
        while found is not None:
            number += text.count("\n", counted, found.start())
            yield number
            end = text.find("\n", found.start())
            if end < 0:
                return
            counted = end
            found = pattern.search(text, end + 1)

    @cached_property
    def _in_ascii(self) -> re.Pattern[str]:
        return for_python(self._node, beyond_ascii=False)

    @cached_property
    def _in_unicode(self) -> re.Pattern[str]:
        return for_python(self._node, beyond_ascii=True)

    @cached_property
    def _matcher(self) -> LineMatcher:
        return LineMatcher(self._node)
