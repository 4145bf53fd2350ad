"""Calls as bare JSON: an object or a list of them, alone on its lines or alone in a fence."""

import re

from codi.agent.dialects.lenient_json import Unreadable, decode_at
from codi.agent.dialects.objects import ARGUMENTS, meant_by
from codi.agent.dialects.spoken import Piece
from codi.agent.dialects.tagged import end_of_line
from codi.agent.dialects.vocabulary import Vocabulary

KEYS = (
    "name",
    *ARGUMENTS,
    "function",
    "tool_calls",
    "id",
    "type",
    "role",
    "content",
    "index",
    "call_id",
    "tool_call_id",
)
OPENING = re.compile(rf"""(?:\[\s*)?\{{\s*["'](?:{"|".join(KEYS)})["']\s*:""")
_STOP = re.compile(r"```")
_SAYS_CALL = re.compile(r"""["'](?:arguments|parameters|input)["']\s*:""")
_NAME = re.compile(r"""["']name["']\s*:\s*["']([\w.:-]+)["']""")


def read_at(text: str, at: int, words: Vocabulary, *, whole: bool) -> Piece | None:
    if OPENING.match(text, at) is None:
        return None
    try:
        found = decode_at(text, at, _STOP)
    except Unreadable as error:
        return _broken(text, at, error, words, whole=whole)
    if found.missing and found.end == len(text) and not whole:
        return Piece(end=len(text), cut=_known_name(text[at:], words))
    meant = meant_by(found.value, words, "json", marked=False)
    if not meant.calls and not meant.fault:
        return None
    return Piece(end=found.end, calls=meant.calls, fault=meant.fault)


def _broken(text: str, at: int, error: Unreadable, words: Vocabulary, *, whole: bool) -> Piece | None:
    """Broken JSON is a broken call only where it names a tool and begins to give arguments."""
    begun = text[at:] if error.cut else text[at : error.at]
    name = _known_name(begun, words)
    if not name or not _SAYS_CALL.search(begun):
        return None
    if error.cut and not whole:
        return Piece(end=len(text), cut=name)
    return Piece(end=end_of_line(text, error.at), fault=f'the JSON of the call of "{name}" is broken: {error}')


def _known_name(text: str, words: Vocabulary) -> str:
    found = _NAME.search(text)
    return found[1] if found and words.knows(found[1]) else ""
