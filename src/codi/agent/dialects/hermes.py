"""Hermes: `<tool_call>` around a JSON object. It is the form that codi teaches, and the one in which most models were taught.

Some put another form between the tags; that is read as what it is.
"""

import re

from codi.agent.dialects import dsml, function_tag, xml_form
from codi.agent.dialects.function_tag import unreadable
from codi.agent.dialects.lenient_json import Unreadable, decode_at
from codi.agent.dialects.objects import meant_by
from codi.agent.dialects.spoken import Piece
from codi.agent.dialects.tagged import end_of_line
from codi.agent.dialects.vocabulary import Vocabulary

OPENING = re.compile(r"<(?P<tag>tool_calls?|function_calls?|toolcall)>")
_SPACE = re.compile(r"\s*(?:```(?:json)?[ \t]*\n\s*)?")
_STOP = re.compile(r"</?(?:tool_calls?|function_calls?|toolcall)>|```")
_AFTER = re.compile(r"[}\]\s]*(?:```)?\s*</(?:tool_calls?|function_calls?|toolcall)>")
_ONE_MORE = re.compile(r"\s*,?\s*(?=[{\[])")
_MISTAKEN = re.compile(r"\s*(?:```)?\s*<(?:tool_call|function_call|toolcall)>\s*\Z")
_NAME = re.compile(r"""["']name["']\s*:\s*["']([\w.:-]+)["']""")


def read_at(text: str, at: int, words: Vocabulary, *, whole: bool) -> Piece | None:
    opening = OPENING.match(text, at)
    if opening is None:
        return None
    space = _SPACE.match(text, opening.end())
    assert space is not None
    begin = space.end()
    if text[begin : begin + 1] in ("{", "["):
        return _with_json(text, begin, words, whole=whole)
    for form in (function_tag, dsml, xml_form):
        piece = form.read_at(text, begin, words, whole=whole)
        if piece is not None:
            after = _AFTER.match(text, piece.end) if piece.calls else None
            return Piece(end=after.end(), calls=piece.calls) if after else piece
    return _nothing_in_it(text, begin, opening["tag"], whole=whole)


def _with_json(text: str, begin: int, words: Vocabulary, *, whole: bool) -> Piece:
    values = []
    at = begin
    while True:
        try:
            found = decode_at(text, at, _STOP)
        except Unreadable as error:
            return unreadable(text, error, _name_in(text[begin : error.at]) or _name_in(text[begin:]), whole=whole)
        if found.missing and found.end == len(text) and not whole:
            return Piece(end=len(text), cut=_name_in(text[begin:]))
        values.append(found.value)
        more = _ONE_MORE.match(text, found.end)
        if more is None:
            break
        at = more.end()
    after = _AFTER.match(text, found.end) or _MISTAKEN.match(text, found.end)
    behind = text[found.end :].strip().removesuffix("```").strip()
    if after is None and behind and not OPENING.match(behind):
        return Piece(end=end_of_line(text, found.end), fault="the call is not closed with </tool_call>")
    end = after.end() if after else len(text) if not behind else found.end
    meant = meant_by(values[0] if len(values) == 1 else values, words, "hermes", marked=True)
    return Piece(end=end, calls=meant.calls, fault=meant.fault)


def _nothing_in_it(text: str, begin: int, tag: str, *, whole: bool) -> Piece | None:
    end = text.find(f"</{tag}>", begin)
    if end >= 0:
        return Piece(end=end + len(tag) + 3, fault=f"there is no JSON object between <{tag}> and </{tag}>")
    if not text[begin:].strip():
        return Piece(end=len(text), fault=f"there is nothing behind <{tag}>") if whole else Piece(end=len(text), cut="")
    return None


def _name_in(text: str) -> str:
    found = _NAME.search(text)
    return found[1] if found else ""
