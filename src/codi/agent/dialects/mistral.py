"""Mistral: `[TOOL_CALLS]` before a list of JSON objects, or before a name and its arguments."""

import re

from codi.agent.dialects.function_tag import checked, unreadable
from codi.agent.dialects.lenient_json import Unreadable, decode_at
from codi.agent.dialects.objects import meant_by
from codi.agent.dialects.spoken import Piece, Spoken
from codi.agent.dialects.vocabulary import Vocabulary

OPENING = re.compile(r"\[TOOL_CALLS\]\s*")
_NAMED = re.compile(r"(?P<name>[\w.:-]+)\s*(?:\[CALL_ID\][\w-]*\s*)?(?:\[ARGS\])?\s*(?=\{)")
_STOP = re.compile(r"</s>|\[/TOOL_CALLS\]")
_AFTER = re.compile(r"\s*(?:\[/TOOL_CALLS\]|</s>)")


def read_at(text: str, at: int, words: Vocabulary, *, whole: bool) -> Piece | None:
    opening = OPENING.match(text, at)
    if opening is None:
        return None
    begin = opening.end()
    named = _NAMED.match(text, begin)
    try:
        found = decode_at(text, named.end() if named else begin, _STOP)
    except Unreadable as error:
        return unreadable(text, error, named["name"] if named else "", whole=whole)
    if found.missing and not whole:
        return Piece(end=len(text), cut=named["name"] if named else "")
    after = _AFTER.match(text, found.end)
    end = after.end() if after else found.end
    if named is not None and isinstance(found.value, dict):
        return checked(Spoken(named["name"], found.value, "mistral"), end, words)
    meant = meant_by(found.value, words, "mistral", marked=True)
    return Piece(end=end, calls=meant.calls, fault=meant.fault)
