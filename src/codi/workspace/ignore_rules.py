"""The patterns of a .gitignore file (gitignore(5)), compiled; with git's own reading of every odd case.

Names are bytes, as they are to git: `?` is one byte.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from msgspec import Struct

_POSIX_CLASSES = {
    b"alnum": b"a-zA-Z0-9",
    b"alpha": b"a-zA-Z",
    b"blank": b" \\t",
    b"cntrl": b"\\x00-\\x1f\\x7f",
    b"digit": b"0-9",
    b"graph": b"!-~",
    b"lower": b"a-z",
    b"print": b" -~",
    b"punct": b"!-/:-@\\[-`{-~",
    b"space": b" \\t\\n\\r\\f\\v",
    b"upper": b"A-Z",
    b"xdigit": b"0-9A-Fa-f",
}
_CLASS_NAME = re.compile(rb"\[:([^\]]*):\]")
_SPECIAL = re.compile(rb"[*?\[\\]")


class IgnoreRule(Struct, frozen=True):
    """`whole` rules look at the path from their file's folder, others at the name alone."""

    pattern: re.Pattern[bytes]
    ignores: bool
    folders_only: bool
    whole: bool


class IgnoreRules:
    """The rules of one file. The last that fits decides."""

    def __init__(self, rules: Iterable[tuple[IgnoreRule, bytes]]) -> None:
        pairs = list(rules)
        self._newest_first = [rule for rule, _ in reversed(pairs)]
        # Most names fit no rule at all: that is found out first, all rules at once.
        names = [text for rule, text in pairs if not rule.whole]
        self._literals = frozenset(text for text in names if not _SPECIAL.search(text))
        self._endings = tuple(text[1:] for text in names if text[:1] == b"*" and not _SPECIAL.search(text[1:]))
        self._other_names = _any_of(
            rule
            for rule, text in pairs
            if not rule.whole and _SPECIAL.search(text) and not (text[:1] == b"*" and not _SPECIAL.search(text[1:]))
        )
        self._paths = _any_of(rule for rule, _ in pairs if rule.whole)

    def __bool__(self) -> bool:
        return bool(self._newest_first)

    def verdict(self, name: bytes, path: bytes, *, is_folder: bool) -> bool | None:
        """Whether they ignore it; None when they say nothing about it."""
        if not (
            name in self._literals
            or name.endswith(self._endings)
            or (self._other_names and self._other_names.match(name))
            or (self._paths and self._paths.match(path))
        ):
            return None
        for rule in self._newest_first:
            if (is_folder or not rule.folders_only) and rule.pattern.match(path if rule.whole else name):
                return rule.ignores
        return None


@lru_cache(maxsize=256)
def ignore_rules(content: bytes) -> IgnoreRules:
    """Compile the content of an ignore file. Every content has a meaning; what can fit nothing is left out."""
    return IgnoreRules(_parsed(content.removeprefix(b"\xef\xbb\xbf")))


def _parsed(content: bytes) -> Iterator[tuple[IgnoreRule, bytes]]:
    for line in content.split(b"\n"):
        text = _without_trailing_blanks(line.removesuffix(b"\r"))
        if not text or text.startswith(b"#"):
            continue
        ignores = not text.startswith(b"!")
        text = text.removeprefix(b"!")
        folders_only = text.endswith(b"/")
        text = text.removesuffix(b"/")
        whole = b"/" in text
        text = text.removeprefix(b"/")
        expression = _expression(text, whole=whole) if text else None
        if expression is not None:
            pattern = re.compile(expression + rb"\Z", re.DOTALL)
            yield IgnoreRule(pattern, ignores, folders_only, whole), text


def _without_trailing_blanks(line: bytes) -> bytes:
    """Spaces at the end do not count unless a backslash stands before them."""
    end = len(line)
    while end and line[end - 1 : end] == b" ":
        end -= 1
    escaped = (end - len(line[:end].rstrip(b"\\"))) % 2
    return line[: end + escaped] if end < len(line) else line


def _any_of(rules: Iterable[IgnoreRule]) -> re.Pattern[bytes] | None:
    expressions = [rule.pattern.pattern for rule in rules]
    return re.compile(b"|".join(b"(?:%s)" % one for one in expressions), re.DOTALL) if expressions else None


def _expression(text: bytes, *, whole: bool) -> bytes | None:
    """The glob as a regular expression; None for one that fits nothing, such as with a bracket that does not end."""
    made = b""
    at = 0
    special = _SPECIAL.search(text)
    # git compares the plain beginning first and takes what follows for a whole pattern: `a**/b` is `a` and `**/b`.
    begins = (0, special.start() if special else 0)
    while at < len(text):
        char = text[at : at + 1]
        if char == b"*":
            after = at + len(text[at:]) - len(text[at:].lstrip(b"*"))
            spans = (
                whole
                and after - at > 1
                and (at in begins or text[at - 1 : at] == b"/")
                and text[after : after + 1] in (b"", b"/")
            )
            if spans and text[after : after + 1] == b"/":
                made += b"(?:.*/)?"
                after += 1
            else:
                made += b".*" if spans else b"[^/]*"
            at = after
        elif char == b"?":
            made += b"[^/]"
            at += 1
        elif char == b"[":
            found = _bracket(text, at + 1)
            if found is None:
                return None
            expression, at = found
            made += expression
        elif char == b"\\":
            if at + 1 == len(text):
                return None
            made += re.escape(text[at + 1 : at + 2])
            at += 2
        else:
            made += re.escape(char)
            at += 1
    return made


def _bracket(text: bytes, at: int) -> tuple[bytes, int] | None:
    """The class that begins after a `[`, and where it ends. A class never holds the slash.

    Git's reading: the first character may be a `]`; a range also holds its first character when it runs backwards; a `-`
    after a range or a named class is itself.
    """
    negated = text[at : at + 1] in (b"!", b"^")
    at += negated
    members = b""
    before = b""
    first = True
    while first or text[at : at + 1] != b"]":
        first = False
        char = text[at : at + 1]
        if not char:
            return None
        if char == b"-" and before and text[at + 1 : at + 2] not in (b"", b"]"):
            high, at = _member(text, at + 1)
            if before <= high:
                members += re.escape(before) + b"-" + re.escape(high)
            before = b""
        elif char == b"[" and (name := _CLASS_NAME.match(text, at)):
            if name[1] not in _POSIX_CLASSES:
                return None
            members += _POSIX_CLASSES[name[1]]
            before, at = b"", name.end()
        else:
            before, at = _member(text, at)
            members += re.escape(before)
        if not text[at - 1 : at]:
            return None
    if negated:
        return b"[^/%s]" % members, at + 1
    return b"(?:(?!/)[%s])" % members, at + 1


def _member(text: bytes, at: int) -> tuple[bytes, int]:
    """A character, perhaps behind a backslash, and where the next one is."""
    at += text[at : at + 1] == b"\\"
    return text[at : at + 1], at + 1
