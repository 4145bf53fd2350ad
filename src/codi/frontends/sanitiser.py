"""The last step before a terminal: what a model, a file or a program wrote can be seen, and can do nothing.

Printable text, line feeds and tabs pass; control, bidirectional and invisible characters are shown as what they are.
"""

import re
from collections.abc import Iterable
from typing import Any, TextIO, cast

_DANGEROUS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_STYLE = re.compile("\x1b\\[[0-9;:]*m")
_NEUTRAL = {"\u200d": "\u200d", "\u200c": "\u200c"}  # joiners within emoji and some scripts move nothing


def visible(text: str) -> str:
    """The same text with everything that could act on a terminal written out."""
    return _DANGEROUS.sub(_shown, text.replace("\r\n", "\n"))


def visible_output(text: str) -> str:
    """The same of what a command printed: its colours are taken away, not written out."""
    return visible(_STYLE.sub("", text))


class VisibleStream:
    """A stream to a terminal, through which nothing goes that could act on it, whoever prints it. In all else it is the stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(visible(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def visible_stream(stream: TextIO) -> TextIO:
    """The stream as one that shows what is printed, and obeys nothing of it."""
    return cast(TextIO, VisibleStream(stream))


def _shown(match: re.Match[str]) -> str:
    character = match[0]
    if character in _NEUTRAL:
        return character
    code = ord(character)
    return f"^{chr(code + 64)}" if code < 32 else f"\\u{{{code:04X}}}"
