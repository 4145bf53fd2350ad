"""DeepSeek's markup of calls: `<｜DSML｜invoke name="NAME">` around `<｜DSML｜parameter name="KEY" string="true">`; also without
the mark, as models write it that know the form from elsewhere."""

import re

from codi.agent.dialects.function_tag import checked, unended
from codi.agent.dialects.lenient_json import Unreadable, decode_at
from codi.agent.dialects.spoken import Piece, Spoken
from codi.agent.dialects.tagged import values_between
from codi.agent.dialects.vocabulary import Vocabulary

_MARK = r"(?:[｜|]DSML[｜|])?"
_AROUND = re.compile(rf"<{_MARK}(?:function_calls|tool_calls)>\s*(?=<{_MARK}invoke\b)")
_AROUND_END = re.compile(rf"\s*</{_MARK}(?:function_calls|tool_calls)>")
_INVOKE = re.compile(rf"""<(?P<mark>{_MARK})invoke\s+name\s*=\s*["'](?P<name>[\w.:-]+)["']\s*>\s*""")
_NEXT = re.compile(rf"\s*(?=<{_MARK}invoke\b)")
_LEFT_OPEN = re.compile(rf"\s*</{_MARK}(?:parameter|invoke)>")
_MOST_ENDS = 50

OPENING = re.compile(rf"<{_MARK}(?:(?:function_calls|tool_calls)>\s*<{_MARK})?invoke\b|<[｜|]DSML[｜|]")


def read_at(text: str, at: int, words: Vocabulary, *, whole: bool) -> Piece | None:
    around = _AROUND.match(text, at)
    at = around.end() if around else at
    calls: tuple[Spoken, ...] = ()
    while invoke := _INVOKE.match(text, at):
        piece = _invoked(text, invoke, words, whole=whole)
        if not piece.calls:
            return piece
        calls += piece.calls
        following = _NEXT.match(text, piece.end)
        at = following.end() if following else piece.end
    if not calls:
        return None
    end = _AROUND_END.match(text, at) if around else None
    return Piece(end=end.end() if end else at, calls=calls)


def _invoked(text: str, invoke: re.Match[str], words: Vocabulary, *, whole: bool) -> Piece:
    name, mark = invoke["name"], invoke["mark"]
    closing = f"</{mark}invoke>"
    parameter = re.compile(
        rf"""<{re.escape(mark)}parameter\s+name\s*=\s*["'](?P<key>[\w.-]+)["'](?:\s+string\s*=\s*["'](?P<string>true|false)["'])?\s*>"""
    )
    for end in list(re.finditer(re.escape(closing), text[invoke.end() :]))[:_MOST_ENDS]:
        stop = invoke.end() + end.start()
        values = values_between(
            text, invoke.end(), stop, parameter, lambda found: f"</{mark}parameter>", lambda key: True, last=False
        )
        behind = stop + len(closing)
        if values is None or _LEFT_OPEN.match(text, behind):
            continue
        arguments = {found["key"]: _value(found, value, name, words) for found, value in values}
        return checked(Spoken(name, arguments, "dsml"), behind, words)
    return unended(text, invoke.end(), name, closing, whole=whole)


def _value(opening: re.Match[str], value: str, name: str, words: Vocabulary) -> object:
    match opening["string"]:
        case "true":
            return value
        case "false":
            try:
                found = decode_at(value, 0)
            except Unreadable:
                return value
            return value if value[found.end :].strip() or found.missing else found.value
    return words.value(name, opening["key"], value)
