"""What a person searches for: words, "phrases", prefix*, AND, OR, NOT, parentheses, and `role: tool: file: model: before: after:`.

Words that stand side by side must all be there. A filter narrows all that is found.
"""

import re
from collections.abc import Callable

from msgspec import Struct

from codi.protocol.errors import UsageError

FILTERS = ("role", "tool", "file", "model", "before", "after")
_PART = re.compile(r'(?:(role|tool|file|model|before|after):)?("(?:[^"]|"")*"?|[()]|[^\s()"]+)')
_HINT = 'For example: larder "two words" pre* tool:shell after:7d, with AND, OR, NOT and parentheses.'


class Query(Struct, frozen=True):
    """`match` is for FTS5, "" where everything is meant that the filters leave. Times are seconds since 1970."""

    match: str
    filters: tuple[tuple[str, str], ...]
    after: float | None = None
    before: float | None = None


def query_of(text: str, moment: Callable[[str], float]) -> Query:
    """`moment` reads a time. Raises UsageError for what means nothing."""
    filters: list[tuple[str, str]] = []
    times: dict[str, float] = {}
    parts: list[str] = []
    for name, word in _PART.findall(text):
        if name in ("before", "after"):
            times[name] = moment(word.strip('"'))
        elif name:
            filters.append((name, word.strip('"')))
        else:
            parts.append(word)
    match = _matched(parts)
    if not match and not filters and not times:
        raise UsageError("there is nothing to search for", hint=_HINT)
    return Query(match, tuple(filters), times.get("after"), times.get("before"))


def _matched(parts: list[str]) -> str:
    """The words in the grammar of FTS5, which wants an operator between all of them."""
    out: list[str] = []
    depth = 0
    wants_term = True
    for part in parts:
        if part in ("AND", "OR", "NOT"):
            if wants_term:
                raise UsageError(f"{part} needs a word before it", hint=_HINT)
            if part == "NOT" and out[-1] == "AND":
                out.pop()
            out.append(part)
            wants_term = True
            continue
        if part == ")":
            if depth == 0 or wants_term:
                raise UsageError("a parenthesis has no counterpart", hint=_HINT)
            depth -= 1
            out.append(part)
            continue
        if part != "(" and not (term := _term(part)):
            continue
        if not wants_term:
            out.append("AND")
        if part == "(":
            depth += 1
            out.append(part)
            wants_term = True
        else:
            out.append(term)
            wants_term = False
    if wants_term and out:
        if out[-1] == "(":
            raise UsageError("a parenthesis has no counterpart", hint=_HINT)
        raise UsageError(f"{out[-1]} needs a word behind it", hint=_HINT)
    if depth:
        raise UsageError("a parenthesis has no counterpart", hint=_HINT)
    return " ".join(out)


def _term(word: str) -> str:
    prefix = word.endswith("*") and not word.startswith('"')
    bare = word.strip('"').replace('""', '"').rstrip("*" if prefix else "")
    if not any(character.isalnum() for character in bare):
        return ""
    return f'"{bare.replace(chr(34), chr(34) * 2)}"' + ("*" if prefix else "")
