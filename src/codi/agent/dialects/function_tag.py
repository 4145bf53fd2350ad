"""The function tag, as Llama 3.1 and Qwen3-Coder write it: `<function=NAME>` around JSON or around `<parameter=KEY>` tags."""

import re

from codi.agent.dialects.lenient_json import Unreadable, decode_at
from codi.agent.dialects.spoken import Piece, Spoken
from codi.agent.dialects.tagged import LEFT_OPEN, end_of_line, values_between
from codi.agent.dialects.vocabulary import Vocabulary

OPENING = re.compile(r"""<function(?:=|\s+name\s*=)\s*["']?(?P<name>[\w.:-]+)["']?\s*>\s*""")
_END = "</function>"
_STOP = re.compile(r"</")
_AFTER_JSON = re.compile(r"[}\]\s]*</function>")
_PARAMETER = re.compile(r"""<parameter(?:=|\s+name\s*=)\s*["']?(?P<key>[\w.-]+)["']?\s*>""")
_BEGUN = re.compile(r"\{|<parameter|</")
_MOST_ENDS = 50


def read_at(text: str, at: int, words: Vocabulary, *, whole: bool) -> Piece | None:
    opening = OPENING.match(text, at)
    if opening is None:
        return None
    name = opening["name"]
    if text.startswith("{", opening.end()):
        return _with_json(text, opening, words, whole=whole)
    for end in list(re.finditer(re.escape(_END), text[opening.end() :]))[:_MOST_ENDS]:
        stop = opening.end() + end.start()
        values = values_between(
            text, opening.end(), stop, _PARAMETER, lambda found: "</parameter>", lambda key: True, last=False
        )
        behind = stop + len(_END)
        if values is None or LEFT_OPEN.match(text, behind):
            continue
        arguments = {found["key"]: words.value(name, found["key"], value) for found, value in values}
        return checked(Spoken(name, arguments, "function"), behind, words)
    return unended(text, opening.end(), name, _END, whole=whole) if _BEGUN.match(text, opening.end()) else None


def _with_json(text: str, opening: re.Match[str], words: Vocabulary, *, whole: bool) -> Piece:
    name = opening["name"]
    try:
        found = decode_at(text, opening.end(), _STOP)
    except Unreadable as error:
        return unreadable(text, error, name, whole=whole)
    after = _AFTER_JSON.match(text, found.end)
    at_end = not text[found.end :].strip()
    if found.missing and not whole:
        return Piece(end=len(text), cut=name)
    if after is None and not at_end:
        return Piece(end=end_of_line(text, found.end), fault=f'the call of "{name}" is not closed with {_END}')
    if not isinstance(found.value, dict):
        return Piece(end=end_of_line(text, found.end), fault=f'the arguments of "{name}" are no JSON object')
    return checked(Spoken(name, found.value, "function"), after.end() if after else len(text), words)


def checked(call: Spoken, end: int, words: Vocabulary) -> Piece:
    """The call, if its tool exists and takes its arguments."""
    if fault := words.fault(call):
        return Piece(end=end, fault=fault)
    return Piece(end=end, calls=(call,))


def unended(text: str, at: int, name: str, closing: str, *, whole: bool) -> Piece:
    """A call whose closing tag does not come. What was meant to be in it cannot be told from what follows."""
    if not whole:
        return Piece(end=len(text), cut=name)
    missing = f'the call of "{name}" is not complete: a parameter or {closing} is missing'
    return Piece(end=end_of_line(text, at), fault=missing)


def unreadable(text: str, error: Unreadable, name: str, *, whole: bool) -> Piece:
    """What was meant as JSON and is none."""
    if error.cut and not whole:
        return Piece(end=len(text), cut=name)
    line = text.count("\n", 0, error.at) + 1
    fault = f"the arguments are no JSON: {error} (line {line} of the reply)"
    return Piece(end=end_of_line(text, error.at), fault=fault)
