"""The regular expressions of `grep`: what Python's `re` and ripgrep's engine both understand, and understand alike.

A pattern is parsed once and written anew for each engine, so that a file matches in both or in neither, and what only one
of them could do is the same error everywhere. A match never leaves its line. Bytes that are no UTF-8 reach Python as
lone surrogates and match nothing but themselves, as in ripgrep.

    literals, escapes of punctuation, \\t \\f \\v \\a \\r \\xHH \\uHHHH    .    [...] with ranges, \\d \\w \\s and [:alpha:]
    \\d \\w \\s \\D \\W \\S    ^ $ \\b \\B    ( ) (?: ) (?P<name> ) (?<name> ) (?i: ) (?i) in front    |    * + ? {n} {n,} {n,m} and lazy
"""

import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from typing import Literal

from msgspec import Struct

MOST_ATOMS = 10_000
"""A pattern with its counted repeats written out may be so long."""
_MOST_NESTED = 50

Ranges = tuple[tuple[int, int], ...]
ClassName = Literal["d", "w", "s", "D", "W", "S"]


class PatternError(ValueError):
    """`str(error)` shows the pattern and points at the position, counted from 0."""

    def __init__(self, reason: str, pattern: str, position: int) -> None:
        shown = pattern.replace("\n", " ").replace("\t", " ")
        super().__init__(f"Invalid regular expression at position {position}: {reason}\n  {shown}\n  {' ' * position}^")
        self.position = position


class Chars(Struct, frozen=True):
    """One character of a set. `.` is the negation of nothing."""

    ranges: Ranges = ()
    classes: tuple[ClassName, ...] = ()
    negated: bool = False


class Assertion(Struct, frozen=True):
    kind: Literal["start", "end", "word", "inside"]


class Sequence(Struct, frozen=True):
    parts: tuple["Node", ...] = ()


class Choice(Struct, frozen=True):
    choices: tuple["Node", ...]


class Repeat(Struct, frozen=True):
    """`most` None is without end. Whether it is lazy does not change which lines match, so it is not kept."""

    body: "Node"
    least: int
    most: int | None


class AnyCase(Struct, frozen=True):
    body: "Node"


Node = Chars | Assertion | Sequence | Choice | Repeat | AnyCase
ANY = Chars(negated=True)


def parsed(pattern: str, *, literal: bool = False, ignore_case: bool = False, whole_word: bool = False) -> Node:
    """The pattern as a tree. PatternError says what is wrong with it and where."""
    node: Node
    if literal:
        if "\n" in pattern:
            raise PatternError("a match cannot go beyond its line", pattern, pattern.index("\n"))
        node = Sequence(tuple(Chars(((ord(character),) * 2,)) for character in pattern))
    else:
        node = _Parser(pattern).whole()
    if _atoms(node) > MOST_ATOMS:
        raise PatternError("the repeats make it too large", pattern, 0)
    if whole_word:
        other = Chars(classes=("W",))
        node = Sequence(
            (Choice((Assertion("start"), other)), node, Choice((Assertion("end"), other))),
        )
    return AnyCase(node) if ignore_case else node


def for_ripgrep(node: Node) -> str:
    """The pattern in the syntax of Rust's regex crate."""
    return _written(node, _rust_chars, {"start": "^", "end": r"\r?$", "word": r"\b", "inside": r"\B"})


def for_python(node: Node, *, beyond_ascii: bool) -> re.Pattern[str]:
    """The pattern, with all cases written out, for `re`, to be searched in a text of many lines. Not `beyond_ascii` is for texts
    of ASCII alone."""
    if not beyond_ascii:
        assertions = {"start": "^", "end": r"\r?$", "word": r"\b", "inside": r"\B"}
        return re.compile(_written(node, _ascii_chars, assertions), re.MULTILINE | re.ASCII)
    # The word characters of the two engines differ in marks and numerals, so Python is told what a word is.
    needs_words = any(isinstance(part, Assertion) and part.kind in ("word", "inside") for part in _all(node))
    word = f"[{_class_text(_word_ranges())}]" if needs_words else ""
    assertions = {
        "start": "^",
        "end": r"\r?$",
        "word": f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))",
        "inside": f"(?:(?<={word})(?={word})|(?<!{word})(?!{word}))",
    }
    return re.compile(_written(node, _unicode_chars, assertions), re.MULTILINE)


def contains(chars: Chars, code: int) -> bool:
    """Whether a character is of the set, case apart."""
    if code == 10 or 0xDC80 <= code <= 0xDCFF:
        return False
    listed = any(low <= code <= high for low, high in chars.ranges) or any(
        _is_in_class(name, code) for name in chars.classes
    )
    return listed != chars.negated


def only(chars: Chars) -> int | None:
    """The character of a set of one."""
    if chars.classes or chars.negated or len(chars.ranges) != 1 or chars.ranges[0][0] != chars.ranges[0][1]:
        return None
    return chars.ranges[0][0]


def _is_in_class(name: ClassName, code: int) -> bool:
    match name:
        case "d":
            return chr(code).isdecimal()
        case "w":
            return is_word(code)
        case "s":
            return any(low <= code <= high for low, high in _SPACES)
    inverse: dict[str, ClassName] = {"D": "d", "W": "w", "S": "s"}
    return not _is_in_class(inverse[name], code)


@cache
def is_word(code: int) -> bool:
    """By the Unicode standard: letters, marks, decimal digits, letter-like numbers and connectors."""
    if code < 128:
        return chr(code).isalnum() or code == 95
    import unicodedata  # large, and only texts beyond ASCII need it

    return (
        unicodedata.category(chr(code)) in _WORD_CATEGORIES
        or code in (0x200C, 0x200D)
        or any(low <= code <= high for low, high in _LETTER_LIKE)
    )


@cache
def _word_ranges() -> Ranges:
    return tuple(_joined(code for code in chain(*_ASSIGNED) if is_word(code)))


_WORD_CATEGORIES = frozenset(["Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "Pc"])
_LETTER_LIKE: Ranges = ((0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189))
_ASSIGNED = (range(0x323B0 + 1), range(0xE0100, 0xE01F0))
_SPACES: Ranges = (
    (9, 13), (32, 32), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
    (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
)  # fmt: skip
_NO_TEXT: Ranges = ((10, 10), (0xDC80, 0xDCFF))
_POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "blank": ((9, 9), (32, 32)),
    "digit": ((48, 57),),
    "lower": ((97, 122),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": ((48, 57), (65, 90), (95, 95), (97, 122)),
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
_CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "a": 7}


def _written(node: Node, chars: Callable[[Chars], str], assertions: dict[str, str]) -> str:
    match node:
        case Chars():
            return chars(node)
        case Assertion(kind):
            return assertions[kind]
        case Sequence(parts):
            return "".join(
                f"(?:{_written(part, chars, assertions)})"
                if isinstance(part, Choice)
                else _written(part, chars, assertions)
                for part in parts
            )
        case Choice(choices):
            return "|".join(_written(choice, chars, assertions) for choice in choices)
        case Repeat(body, least, most):
            return f"(?:{_written(body, chars, assertions)}){{{least},{'' if most is None else most}}}"
        case AnyCase(body):
            return f"(?i:{_written(body, chars, assertions)})"


def _rust_chars(chars: Chars) -> str:
    if chars == ANY:
        return "."
    if (code := only(chars)) is not None:
        return _rust_char(code)
    inside = "".join(f"{_rust_char(low)}-{_rust_char(high)}" for low, high in chars.ranges)
    inside += "".join(f"\\{name}" for name in chars.classes)
    return f"[^{inside}\\n]" if chars.negated else f"[{inside}]"


def _rust_char(code: int) -> str:
    character = chr(code)
    return character if character.isalnum() else f"\\x{{{code:X}}}"


def _ascii_chars(chars: Chars) -> str:
    return _python_chars(chars, "".join(f"\\{name}" for name in chars.classes), "\\n")


def _unicode_chars(chars: Chars) -> str:
    inside = ""
    for name in chars.classes:
        match name:
            case "d" | "D":
                inside += f"\\{name}"
            case "s":
                inside += _class_text(_SPACES)
            case "w":
                inside += _class_text(_word_ranges())
            case "S":
                inside += _class_text(_others(_SPACES))
            case "W":
                inside += _class_text(_others(_word_ranges()))
    return _python_chars(chars, inside, _class_text(_NO_TEXT))


def _python_chars(chars: Chars, classes: str, no_text: str) -> str:
    if (code := only(chars)) is not None:
        return re.escape(chr(code))
    inside = _class_text(chars.ranges) + classes
    if chars.negated:
        return f"[^{inside}{no_text}]"
    # A class that holds the end of the line, or broken bytes, is closed there.
    return f"(?![{no_text}])[{inside}]" if set(chars.classes) & {"s", "D", "W", "S"} else f"[{inside}]"


def _class_text(ranges: Ranges) -> str:
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)


def _others(ranges: Ranges) -> Ranges:
    bounds = [-1, *(bound for low_high in ranges for bound in low_high), sys.maxunicode + 1]
    return tuple(
        (low + 1, high - 1) for low, high in zip(bounds[::2], bounds[1::2], strict=True) if low + 1 <= high - 1
    )


def _joined(codes: Iterator[int]) -> Iterator[tuple[int, int]]:
    first = last = next(codes)
    for code in codes:
        if code != last + 1:
            yield first, last
            first = code
        last = code
    yield first, last


def _all(node: Node) -> Iterator[Node]:
    yield node
    match node:
        case Sequence(parts) | Choice(parts):
            for part in parts:
                yield from _all(part)
        case Repeat(body=body) | AnyCase(body):
            yield from _all(body)


def _atoms(node: Node) -> int:
    match node:
        case Sequence(parts) | Choice(parts):
            return 1 + sum(_atoms(part) for part in parts)
        case Repeat(body, least, most):
            return 1 + _atoms(body) * max(1, least if most is None else most)
        case AnyCase(body):
            return _atoms(body)
    return 1


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._nested = 0

    def whole(self) -> Node:
        any_case = self._skip("(?i)")
        node = self._choice()
        if self._at < len(self._pattern):
            raise self._wrong('there is no "(" for this ")"', self._at)
        return AnyCase(node) if any_case else node

    def _choice(self) -> Node:
        self._nested += 1
        if self._nested > _MOST_NESTED:
            raise self._wrong("the groups are nested too deeply", self._at)
        choices = [self._sequence()]
        while self._skip("|"):
            choices.append(self._sequence())
        self._nested -= 1
        return choices[0] if len(choices) == 1 else Choice(tuple(choices))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._next() not in ("", "|", ")"):
            parts.append(self._repeated())
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _repeated(self) -> Node:
        begin = self._at
        atom = self._atom()
        count = self._count()
        if count is None:
            return atom
        if isinstance(atom, Assertion) and self._pattern[begin] != "(":
            raise self._wrong("there is nothing to repeat", begin)
        self._skip("?")
        position = self._at
        if self._next() in ("*", "+", "?") or self._count() is not None:
            raise self._wrong("a repeat of a repeat needs a group", position)
        return Repeat(atom, *count)

    def _count(self) -> tuple[int, int | None] | None:
        """The repeat that stands here, if one does. A brace that begins none is itself."""
        for sign, count in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._skip(sign):
                return count
        found = re.compile(r"\{([0-9]{1,9})(,)?([0-9]{1,9})?\}").match(self._pattern, self._at)
        if found is None or (found[3] and not found[2]):
            return None
        least = int(found[1])
        most = int(found[3]) if found[3] else None if found[2] else least
        if most is not None and most < least:
            raise self._wrong("the repeat ends below its beginning", self._at)
        self._at = found.end()
        return least, most

    def _atom(self) -> Node:
        begin = self._at
        character = self._take()
        match character:
            case "(":
                return self._group(begin)
            case "[":
                return self._set(begin)
            case "\\":
                return self._escape(begin)
            case ".":
                return ANY
            case "^":
                return Assertion("start")
            case "$":
                return Assertion("end")
            case "*" | "+" | "?":
                raise self._wrong("there is nothing to repeat", begin)
            case "\n":
                raise self._wrong("a match cannot go beyond its line", begin)
        return _one(self._code(character, begin))

    def _group(self, begin: int) -> Node:
        any_case = False
        if self._skip("?"):
            if self._skip("i:"):
                any_case = True
            elif name := re.compile(r"P?<[A-Za-z_][A-Za-z0-9_]*>").match(self._pattern, self._at):
                self._at = name.end()
            elif not self._skip(":"):
                raise self._wrong(
                    "look-around is not supported"
                    if self._pattern[self._at : self._at + 2] in ("<=", "<!") or self._next() in ("=", "!")
                    else "this kind of group is not supported",
                    begin,
                )
        node = self._choice()
        if not self._skip(")"):
            raise self._wrong('there is no ")" for this "("', begin)
        return AnyCase(node) if any_case else node

    def _escape(self, begin: int) -> Node:
        character = self._take()
        match character:
            case "b" | "B":
                return Assertion("word" if character == "b" else "inside")
            case "d" | "w" | "s" | "D" | "W" | "S":
                return Chars(classes=(character,))
        code = self._escaped_code(character, begin)
        if code == 10:
            raise self._wrong("a match cannot go beyond its line", begin)
        return _one(code)

    def _escaped_code(self, character: str, begin: int) -> int:
        if character in _CONTROLS:
            return _CONTROLS[character]
        if found := re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})").match(self._pattern, begin + 1):
            self._at = found.end()
            return self._code(chr(int(found[1] or found[2], 16)), begin)
        if character in ("<", ">"):
            raise self._wrong(f"\\{character} is not supported, use \\b", begin)
        if character and character.isascii() and not character.isalnum():
            return ord(character)
        if character.isdecimal():
            raise self._wrong("back-references are not supported", begin)
        raise self._wrong(f"\\{character} is not supported" if character else "nothing follows the backslash", begin)

    def _set(self, begin: int) -> Node:
        negated = self._skip("^")
        ranges: list[tuple[int, int]] = []
        classes: list[ClassName] = []
        is_first = True
        while is_first or self._next() != "]":
            if not self._next():
                raise self._wrong('there is no "]" for this "["', begin)
            is_first = False
            if posix := re.compile(r"\[:(\w+):\]").match(self._pattern, self._at):
                if posix[1] not in _POSIX:
                    raise self._wrong(f"there is no class {posix[0]}", self._at)
                ranges += _POSIX[posix[1]]
                self._at = posix.end()
            elif name := re.compile(r"\\([dwsDWS])").match(self._pattern, self._at):
                classes.append(name[1])  # type: ignore[arg-type]
                self._at = name.end()
                if self._next() == "-" and self._pattern[self._at + 1 : self._at + 2] not in ("]", ""):
                    raise self._wrong("a class cannot begin a range", self._at)
            else:
                ranges.append(self._range())
        self._skip("]")
        kept = [
            part for low, high in ranges for part in ((low, min(high, 9)), (max(low, 11), high)) if part[0] <= part[1]
        ]
        if not negated and not kept and not classes:
            raise self._wrong("a match cannot go beyond its line", begin)
        return Chars(tuple(kept), tuple(classes), negated)

    def _range(self) -> tuple[int, int]:
        begin = self._at
        low = self._member()
        if self._next() != "-" or self._pattern[self._at + 1 : self._at + 2] in ("]", ""):
            return low, low
        self._skip("-")
        high = self._member()
        if high < low:
            raise self._wrong("the range ends below its beginning", begin)
        return low, high

    def _member(self) -> int:
        begin = self._at
        character = self._take()
        if character != "\\":
            return self._code(character, begin)
        character = self._take()
        return 8 if character == "b" else self._escaped_code(character, begin)

    def _code(self, character: str, begin: int) -> int:
        code = ord(character)
        if 0xD800 <= code <= 0xDFFF:
            raise self._wrong("half a surrogate pair is no character", begin)
        return code

    def _next(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self) -> str:
        character = self._next()
        self._at += 1
        return character

    def _skip(self, text: str) -> bool:
        found = self._pattern.startswith(text, self._at)
        self._at += len(text) * found
        return found

    def _wrong(self, reason: str, position: int) -> PatternError:
        return PatternError(reason, self._pattern, position)


def _one(code: int) -> Chars:
    return Chars(((code, code),))
