"""A search over many texts, and what is to stand in place of each match.

Plain text is found and put in as it is. A regular expression is searched by a process of its own, which can be stopped; its
replacement names groups as `$1`, `${name}`, `\\1` or `\\g<name>`, as models know them from different languages.
"""

import re
import warnings
from collections.abc import Sequence
from typing import Protocol

from anyio import to_thread
from msgspec import Struct

from codi.tools.text_files import Splice
from codi.tools.tool import ToolFailed

_GLOBAL_FLAGS = re.compile(r"\(\?[aimsux]+\)")
_NAMED_GROUP = re.compile(r"(?<!\\)\(\?<(?![=!])")
_REFERENCE = re.compile(
    r"\$\$|\$(?P<number>\d{1,2})|\$\{(?P<braced>\w+)\}|\$&|\\(?P<escaped>\d{1,2})|\\g<(?P<angled>\w+)>|\\(?P<letter>.)",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "$": "$"}

Part = str | int
"""A piece of a replacement: a text, or the number of a group."""


class Wanted(Struct, frozen=True):
    """What to look for, and the parts of what is to stand there."""

    expression: re.Pattern[str]
    parts: tuple[Part, ...]
    is_regex: bool

    def splice(self, start: int, end: int, groups: Sequence[str | None]) -> Splice:
        text = "".join(part if isinstance(part, str) else groups[part] or "" for part in self.parts)
        return Splice(start, end, text)


class Search(Protocol):
    async def splices(self, text: str, shown: str) -> list[Splice]:
        """The changes of one text, whose name is `shown`. Raises ToolFailed when it takes too long."""
        ...


def wanted(search: str, replace: str, *, regex: bool, ignore_case: bool, whole_word: bool) -> Wanted:
    """Raises ToolFailed for what is no regular expression, or names a group that it does not have."""
    search, replace = search.replace("\r\n", "\n"), replace.replace("\r\n", "\n")
    if not search:
        raise ToolFailed("search must not be empty.")
    pattern = _NAMED_GROUP.sub("(?P<", search) if regex else re.escape(search)
    given = _GLOBAL_FLAGS.match(pattern) if regex else None
    front = given[0] if given else ""
    if whole_word:
        pattern = rf"{front}(?<!\w)(?:{pattern[len(front) :]})(?!\w)"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expression = re.compile(pattern, re.MULTILINE | (re.IGNORECASE if ignore_case else 0))
    except re.error as error:
        raise ToolFailed(_complaint(error, search)) from error
    except (OverflowError, RecursionError) as error:
        raise ToolFailed(f"Invalid regular expression: {error}\n  {search}") from error
    return Wanted(expression, _parts(replace, expression) if regex else (replace,), regex)


class PlainSearch:
    """Finds plain text."""

    def __init__(self, what: Wanted) -> None:
        self._what = what

    async def splices(self, text: str, shown: str) -> list[Splice]:
        return await to_thread.run_sync(self._found, text, abandon_on_cancel=True)

    def _found(self, text: str) -> list[Splice]:
        matches = self._what.expression.finditer(text)
        return [self._what.splice(match.start(), match.end(), ()) for match in matches]


def _complaint(error: re.error, search: str) -> str:
    position = min(error.pos or 0, len(search))
    shown = search.replace("\n", " ").replace("\t", " ")
    return f"Invalid regular expression at position {position}: {error.msg}\n  {shown}\n  {' ' * position}^"


def _parts(replace: str, expression: re.Pattern[str]) -> tuple[Part, ...]:
    parts: list[Part] = []
    at = 0
    for reference in _REFERENCE.finditer(replace):
        parts.append(replace[at : reference.start()])
        parts += _meant(reference, expression)
        at = reference.end()
    parts.append(replace[at:])
    return tuple(part for part in parts if part != "")


def _meant(reference: re.Match[str], expression: re.Pattern[str]) -> list[Part]:
    digits = reference["number"] or reference["escaped"]
    name = reference["braced"] or reference["angled"]
    if digits:
        return _group(digits, expression)
    if name:
        if name.isdecimal():
            return [_checked(int(name), expression)]
        if name not in expression.groupindex:
            raise ToolFailed(
                f'The pattern has no group "{name}". Its names: {", ".join(expression.groupindex) or "none"}.'
            )
        return [expression.groupindex[name]]
    if reference["letter"]:
        return [_ESCAPES.get(reference["letter"], reference[0])]
    return [0] if reference[0] == "$&" else ["$"]


def _group(digits: str, expression: re.Pattern[str]) -> list[Part]:
    # Of `$12` in a pattern of fewer groups the first digit is meant, and the other is text.
    if len(digits) == 2 and int(digits) > expression.groups and int(digits[0]) > 0:
        return [_checked(int(digits[0]), expression), digits[1]]
    return [_checked(int(digits), expression)]


def _checked(number: int, expression: re.Pattern[str]) -> int:
    if number > expression.groups:
        raise ToolFailed(f"The pattern has no group {number}; it has {expression.groups}. Write $$ for a dollar sign.")
    return number
