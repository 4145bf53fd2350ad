"""File name patterns: `*` and `?` stay within a name, `**` crosses directories, `{a,b}` is either, `[a-z]` and `[!a-z]` are
classes, a backslash takes the next character as it is. A pattern without `/` is of the name alone; `./` in front makes
one of it that is of the whole path."""

import re
from itertools import pairwise

from codi.tools.tool import ToolFailed

_MOST_CHOICES = 1000


class PathPattern:
    """`matches(path)`, of relative paths with `/`. ToolFailed when the pattern is none."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._of_name = "/" not in pattern
        choices = choices_of(pattern.removeprefix("./"))
        written = "|".join(_expression(choice, pattern) for choice in choices)
        self._matches = re.compile(written, re.DOTALL).fullmatch

    def matches(self, path: str) -> bool:
        return self._matches(path.rpartition("/")[2] if self._of_name else path) is not None


def choices_of(pattern: str) -> list[str]:
    """The patterns without braces for which one with braces stands."""
    found = [pattern]
    whole: list[str] = []
    while found:
        if len(found) + len(whole) > _MOST_CHOICES:
            raise ToolFailed(f"Invalid pattern {pattern}: it stands for more than {_MOST_CHOICES} patterns.")
        choice = found.pop(0)
        braces = _braces(choice)
        if braces is None:
            whole.append(choice)
            continue
        begin, end, commas = braces
        borders = [begin, *commas, end]
        found[:0] = [choice[:begin] + choice[a + 1 : b] + choice[end + 1 :] for a, b in pairwise(borders)]
    return whole


def _braces(pattern: str) -> tuple[int, int, list[int]] | None:
    """Where the first closed braces begin and end, and the commas between. Braces that never close are themselves."""
    opened: list[tuple[int, list[int]]] = []
    outermost: tuple[int, int, list[int]] | None = None
    at = 0
    while at < len(pattern):
        match pattern[at]:
            case "\\":
                at += 1
            case "[":
                at = max(at, _class_end(pattern, at))
            case "{":
                opened.append((at, []))
            case "," if opened:
                opened[-1][1].append(at)
            case "}" if opened:
                begin, commas = opened.pop()
                outermost = begin, at, commas
                if not opened:
                    return outermost
        at += 1
    return outermost


def _class_end(pattern: str, begin: int) -> int:
    """The place of the bracket that closes a class; -1 where none does."""
    at = begin + 1
    if pattern[at : at + 1] in ("!", "^"):
        at += 1
    return pattern.find("]", at + 1)


def _expression(pattern: str, given: str) -> str:
    segments = pattern.replace("\\/", "/").split("/")
    written = ""
    for place, segment in enumerate(segments):
        is_last = place == len(segments) - 1
        if segment == "**" or (is_last and not segment):
            if is_last:
                written += ".+"
            elif segments[place - 1 : place] != ["**"]:
                written += "(?:[^/]+/)*"
            continue
        written += _segment(segment, given) + ("" if is_last else "/")
    return written


def _segment(segment: str, given: str) -> str:
    """One name. What stands between two stars has a fixed length, so that its first place is as good as any other: an atomic
    group keeps the search from going back for more, which on a long name would take for ever."""
    parts = [""]
    at = 0
    while at < len(segment):
        match segment[at]:
            case "*":
                if parts[-1] or len(parts) == 1:
                    parts.append("")
            case "?":
                parts[-1] += "[^/]"
            case "[" if (end := _class_end(segment, at)) > 0:
                parts[-1] += _class(segment[at + 1 : end], given)
                at = end
            case "\\" if at + 1 < len(segment):
                at += 1
                parts[-1] += re.escape(segment[at])
            case character:
                parts[-1] += re.escape(character)
        at += 1
    first, *rest = parts
    if not rest:
        return first
    return first + "".join(f"(?>[^/]*?{part})" for part in rest[:-1]) + f"[^/]*{rest[-1]}"


def _class(inside: str, given: str) -> str:
    negated = inside[:1] in ("!", "^")
    members = re.sub(r"([\\\[\]&~|^]|-(?=-))", r"\\\1", inside[negated:])  # `--` is a set operation to come in Python
    try:
        re.compile(f"[{members}]")
    except re.error as error:
        raise ToolFailed(f"Invalid pattern {given}: [{inside}] is no class of characters.") from error
    return f"(?!/)[{'^' if negated else ''}{members}]"
