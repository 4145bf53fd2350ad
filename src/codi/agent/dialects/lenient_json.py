"""JSON as models write it.

Read as if it were right: control characters that stand raw in a string, single quotes, Python's names of constants, a comma
too much, and closing brackets that are missing at the very end. Nothing is made up: a string that is not closed, a key
without a value or a comma with nothing behind it make it no JSON.
"""

import re
from typing import Any

from msgspec import Struct

_SPACE = re.compile(r"[ \t\r\n\f\v\ufeff]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,300})(\.\d{1,300})?([eE][+-]?\d{1,3})?(?![\w.])")
_CONSTANT = re.compile(r"(?:true|false|null|True|False|None)\b")
_PLAIN = {'"': re.compile(r'[^"\\]*'), "'": re.compile(r"[^'\\]*")}
_UNICODE = re.compile(r"[0-9a-fA-F]{4}")

_CONSTANTS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_ESCAPES = {'"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_NOTHING = re.compile(r"(?!)")
_DEEPEST = 64


class Unreadable(ValueError):
    """`cut` tells that the text ended too early; else something stands where it must not. `at` is the place."""

    def __init__(self, reason: str, at: int, *, cut: bool = False) -> None:
        super().__init__(reason)
        self.at = at
        self.cut = cut


class Decoded(Struct, frozen=True):
    """A value, the place behind it, and how many closing brackets were missing at its end."""

    value: Any
    end: int
    missing: int = 0


def decode_at(text: str, at: int, stop: re.Pattern[str] = _NOTHING) -> Decoded:
    """The value that begins at a place. It ends with the text, or before `stop` where a bracket should close. Raises Unreadable."""
    reader = _Reader(text, stop)
    value, end = reader.value(at, 0)
    return Decoded(value, end, reader.missing)


class _Reader:
    def __init__(self, text: str, stop: re.Pattern[str]) -> None:
        self.missing = 0
        self._text = text
        self._stop = stop

    def value(self, at: int, depth: int) -> tuple[Any, int]:
        at = self._skip(at)
        first = self._text[at : at + 1]
        if depth > _DEEPEST:
            raise Unreadable("it is nested too deeply", at)
        if first == "{":
            return self._object(at + 1, depth)
        if first == "[":
            return self._array(at + 1, depth)
        if first and first in _PLAIN:
            return self._string(at)
        if found := _CONSTANT.match(self._text, at):
            return _CONSTANTS[found[0]], found.end()
        if found := _NUMBER.match(self._text, at):
            if depth and found.end() == len(self._text):
                raise Unreadable("it ends in a number, which may be longer", at, cut=True)
            whole = not (found[1] or found[2])
            return (int(found[0]) if whole else float(found[0])), found.end()
        raise self._unexpected("a value", at)

    def _object(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        at = self._skip(at)
        if self._text[at : at + 1] == "}":
            return found, at + 1
        while True:
            if self._text[at : at + 1] not in ('"', "'"):
                raise self._unexpected("a name in quotes", at)
            key, at = self._string(at)
            at = self._skip(at)
            if self._text[at : at + 1] != ":":
                raise self._unexpected('":"', at)
            found[key], at = self.value(at + 1, depth + 1)
            at, goes_on = self._after(at, "}")
            if not goes_on:
                return found, at

    def _array(self, at: int, depth: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        at = self._skip(at)
        if self._text[at : at + 1] == "]":
            return found, at + 1
        while True:
            item, at = self.value(at, depth + 1)
            found.append(item)
            at, goes_on = self._after(at, "]")
            if not goes_on:
                return found, at

    def _after(self, at: int, closer: str) -> tuple[int, bool]:
        """What follows a value: the place of the next one, or behind the bracket."""
        at = self._skip(at)
        if self._text[at : at + 1] == closer:
            return at + 1, False
        if self._text[at : at + 1] == ",":
            at = self._skip(at + 1)
            if self._text[at : at + 1] == closer:
                return at + 1, False
            return at, True
        if at == len(self._text) or self._stop.match(self._text, at):
            self.missing += 1
            return at, False
        raise self._unexpected(f'"," or "{closer}"', at)

    def _string(self, at: int) -> tuple[str, int]:
        quote = self._text[at]
        begun, at = at, at + 1
        parts: list[str] = []
        while True:
            plain = _PLAIN[quote].match(self._text, at)
            assert plain is not None
            parts.append(plain[0])
            at = plain.end()
            if at == len(self._text):
                raise Unreadable("a string is not closed", begun, cut=True)
            if self._text[at] == quote:
                return "".join(parts), at + 1
            character, at = self._escaped(at + 1)
            parts.append(character)

    def _escaped(self, at: int) -> tuple[str, int]:
        letter = self._text[at : at + 1]
        if letter in _ESCAPES:
            return _ESCAPES[letter], at + 1
        if letter != "u":
            raise Unreadable(f"\\{letter} is no escape; a backslash is written \\\\", at - 1, cut=not letter)
        unit = self._unit(at + 1)
        at += 5
        if 0xD800 <= unit < 0xDC00 and self._text.startswith("\\u", at):
            low = self._unit(at + 2)
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((unit - 0xD800) << 10) + low - 0xDC00), at + 6
        return chr(unit), at

    def _unit(self, at: int) -> int:
        digits = _UNICODE.match(self._text, at)
        if digits is None:
            raise Unreadable("\\u needs four hexadecimal digits", at, cut=at + 4 > len(self._text))
        return int(digits[0], 16)

    def _skip(self, at: int) -> int:
        space = _SPACE.match(self._text, at)
        assert space is not None
        return space.end()

    def _unexpected(self, wanted: str, at: int) -> Unreadable:
        if at >= len(self._text):
            return Unreadable(f"it ends where {wanted} should stand", at, cut=True)
        return Unreadable(f"{wanted} should stand before {self._text[at : at + 12]!r}", at)
