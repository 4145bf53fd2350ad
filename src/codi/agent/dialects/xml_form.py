"""Calls whose tags are the names themselves: `<NAME><param>value</param></NAME>`, as Cline and its kin taught models.

Nothing is escaped, so a value may hold tags and even its own closing tag. It reaches to the last closing tag that leaves the
rest of the call readable, and the call to the first end behind which no closing tag is left over.
"""

import re
from collections.abc import Callable

from codi.agent.dialects.function_tag import checked, unended
from codi.agent.dialects.lenient_json import Unreadable, decode_at
from codi.agent.dialects.spoken import Piece, Spoken
from codi.agent.dialects.tagged import LEFT_OPEN, Opening, is_balanced, values_between
from codi.agent.dialects.vocabulary import Vocabulary

OPENING = re.compile(r"<(?P<name>[A-Za-z_][\w.-]*)>")
_PARAMETER = re.compile(r"<(?P<key>[A-Za-z_][\w.-]*)>")
_MOST_ENDS = 50


def read_at(text: str, at: int, words: Vocabulary, *, whole: bool) -> Piece | None:
    opening = OPENING.match(text, at)
    if opening is None or not words.knows(opening["name"]):
        return None
    name, begin = opening["name"], opening.end()
    closing = f"</{name}>"
    ends = [begin + end.start() for end in re.finditer(re.escape(closing), text[begin:])][:_MOST_ENDS]
    # A value in which all is closed that it opens is likelier than one that only happens to end where it could.
    for fits in (is_balanced, _any_value):
        for stop in ends:
            behind = stop + len(closing)
            arguments = _arguments(text, begin, stop, name, words, fits)
            if arguments is not None and not LEFT_OPEN.match(text, behind):
                return checked(Spoken(name, arguments, "xml"), behind, words)
    while begin < len(text) and text[begin].isspace():
        begin += 1
    first = _PARAMETER.match(text, begin)
    begun = first is not None and words.takes(name, first["key"])
    return unended(text, begin, name, closing, whole=whole) if begun else None


def _any_value(opening: Opening, value: str) -> bool:
    return True


def _arguments(
    text: str, begin: int, stop: int, name: str, words: Vocabulary, fits: Callable[[Opening, str], bool]
) -> dict[str, object] | None:
    values = values_between(
        text,
        begin,
        stop,
        _PARAMETER,
        lambda found: f"</{found['key']}>",
        lambda key: words.takes(name, key),
        last=True,
        fits=fits,
    )
    if values is not None:
        return {found["key"]: words.value(name, found["key"], value) for found, value in values}
    inside = text[begin:stop].strip()
    if not inside.startswith("{"):
        return None
    try:
        found = decode_at(inside, 0)
    except Unreadable:
        return None
    return found.value if found.end == len(inside) and not found.missing else None
