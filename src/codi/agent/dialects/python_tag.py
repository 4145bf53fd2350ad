"""Llama's `<|python_tag|>` before JSON objects, or before `NAME.call(...)`."""

import re

from codi.agent.dialects.function_tag import checked, unreadable
from codi.agent.dialects.lenient_json import Unreadable, decode_at
from codi.agent.dialects.objects import meant_by
from codi.agent.dialects.python_call import PythonCall, looks_like_call, python_call
from codi.agent.dialects.spoken import Piece, Spoken
from codi.agent.dialects.vocabulary import Vocabulary

OPENING = re.compile(r"<\|python_tag\|>\s*")
_STOP = re.compile(r"<\|e(?:om|ot)_id\|>")
_AFTER = re.compile(r"\s*<\|e(?:om|ot)_id\|>")
_CALL_END = re.compile(r"\)[ \t]*(?=\n|\Z)")
_MOST_ENDS = 20
_NEXT = re.compile(r"\s*;?\s*(?:<\|python_tag\|>)?\s*(?=[{\[])")


def read_at(text: str, at: int, words: Vocabulary, *, whole: bool) -> Piece | None:
    opening = OPENING.match(text, at)
    if opening is None:
        return None
    if text[opening.end() : opening.end() + 1] not in ("{", "["):
        return _in_python(text, opening.end(), words, whole=whole)
    calls: tuple[Spoken, ...] = ()
    at = opening.end()
    while True:
        try:
            found = decode_at(text, at, _STOP)
        except Unreadable as error:
            return unreadable(text, error, "", whole=whole)
        if found.missing and not whole:
            return Piece(end=len(text), cut="")
        meant = meant_by(found.value, words, "python_tag", marked=True)
        if meant.fault:
            return Piece(end=found.end, fault=meant.fault)
        calls += meant.calls
        following = _NEXT.match(text, found.end)
        if following is None:
            break
        at = following.end()
    after = _AFTER.match(text, found.end)
    return Piece(end=after.end() if after else found.end, calls=calls)


def _in_python(text: str, at: int, words: Vocabulary, *, whole: bool) -> Piece | None:
    if not looks_like_call(text[at:]):
        return None
    stop = _STOP.search(text, at)
    body = text[at : stop.start()] if stop else text[at:]
    fault = "it is not one complete call"
    for end in list(_CALL_END.finditer(body))[:_MOST_ENDS]:
        call = python_call(body[: end.end()])
        if isinstance(call, PythonCall):
            behind = at + end.end()
            after = _AFTER.match(text, behind)
            return checked(Spoken(call.name, call.arguments, "python_tag"), after.end() if after else behind, words)
        fault = call
    return Piece(end=len(text), fault=fault) if whole or stop else Piece(end=len(text), cut="")
