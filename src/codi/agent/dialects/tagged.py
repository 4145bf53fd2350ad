"""Values that stand between tags and are not escaped, so that a value may itself hold what ends it."""

import re
from collections.abc import Callable

Opening = re.Match[str]

_MOST_PARAMETERS = 40
_MOST_TRIES = 200


def values_between(
    text: str,
    at: int,
    end: int,
    opening: re.Pattern[str],
    closing: Callable[[Opening], str],
    accepts: Callable[[str], bool],
    *,
    last: bool,
    fits: Callable[[Opening, str], bool] = lambda opening, value: True,
) -> list[tuple[Opening, str]] | None:
    """The openings and their values that fill a stretch of text, with nothing but space between them; None if they do not.

    Of the closing tags that leave the rest readable a value reaches to the `last`, where each parameter has its own, and to
    the first, where all have the same; what does not `fit` is no value. The group `key` of an opening names the parameter, and
    none occurs twice.
    """
    failed: set[tuple[int, frozenset[str]]] = set()

    def read(at: int, keys: frozenset[str]) -> list[tuple[Opening, str]] | None:
        while at < end and text[at].isspace():
            at += 1
        if at == end:
            return []
        found = opening.match(text, at, end)
        if (at, keys) in failed or found is None or found["key"] in keys or not accepts(found["key"]):
            return None
        if len(keys) == _MOST_PARAMETERS:
            return None
        tag = closing(found)
        places = [place.start() for place in re.finditer(re.escape(tag), text[found.end() : end])]
        for place in reversed(places[-_MOST_TRIES:]) if last else places[:_MOST_TRIES]:
            closes = found.end() + place
            if not fits(found, text[found.end() : closes]):
                continue
            rest = read(closes + len(tag), keys | {found["key"]})
            if rest is not None:
                return [(found, text[found.end() : closes]), *rest]
        failed.add((at, keys))
        return None

    return read(at, frozenset())


LEFT_OPEN = re.compile(r"\s*</(?!tool_calls?>|function_calls?>|toolcall>)[A-Za-z]")
"""A closing tag that follows a call: the call has not ended there."""


def is_balanced(opening: Opening, value: str) -> bool:
    """Each tag in the value that is spelled like its own is closed again, and none before it was opened."""
    depth = 0
    for tag in re.finditer(rf"<(/?){re.escape(opening['key'])}>", value):
        depth += -1 if tag[1] else 1
        if depth < 0:
            return False
    return depth == 0


def end_of_line(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found
