"""Fenced blocks of Markdown: what stands in one is shown, not said, unless the whole of it is a call."""

import re

from msgspec import Struct

from codi.agent.dialects import function_tag, hermes, json_form, tool_code, xml_form
from codi.agent.dialects.spoken import Piece
from codi.agent.dialects.vocabulary import Vocabulary

OPENING = re.compile(r"[ \t]*(?P<marks>`{3,}|~{3,})(?P<info>[^\n`]*)(?:\n|\Z)")
CALLING = frozenset(["", "json", "tool_call", "tool_calls", "tool", "xml", "tool_code"])
"""The tags of fences that may be a call."""

_BY_TAG = {
    "json": (json_form,),
    "xml": (xml_form,),
    "": (json_form, xml_form),
    "tool_call": (json_form, xml_form, hermes, function_tag),
    "tool_calls": (json_form, xml_form, hermes, function_tag),
    "tool": (json_form, xml_form),
}
_END = re.compile(r"\s*?\n?[ \t]*```[ \t]*(?=\n|\Z)|\s*\Z")


class Fence(Struct, frozen=True):
    """`begin` and `stop` bound its content; `end` is behind its last line."""

    tag: str
    marks: str
    begin: int
    stop: int
    end: int
    closed: bool


def fence_at(text: str, at: int) -> Fence | None:
    """The fence that opens with the line at this place. One that is not closed reaches to the end of the text."""
    opening = OPENING.match(text, at)
    if opening is None:
        return None
    marks = opening["marks"]
    closing = re.compile(rf"^[ \t]*{re.escape(marks[0])}{{{len(marks)},}}[ \t]*$", re.MULTILINE)
    close = closing.search(text, opening.end())
    stop, end = (close.start(), close.end()) if close else (len(text), len(text))
    return Fence(opening["info"].strip().lower(), marks, opening.end(), stop, end, close is not None)


def call_in(text: str, fence: Fence, words: Vocabulary, *, whole: bool) -> Piece | None:
    """The call that is the whole content of a fence. A fence of more than three marks holds an example."""
    if fence.marks != "```" or fence.tag not in CALLING:
        return None
    if fence.tag == "tool_code":
        content = text[fence.begin : fence.stop]
        return tool_code.read_content(content, fence.end, words, closed=fence.closed, whole=whole)
    begin = fence.begin
    while begin < len(text) and text[begin].isspace():
        begin += 1
    # Read from its beginning, not up to the next line of marks: a string in it may hold such a line.
    for form in _BY_TAG[fence.tag]:
        piece = form.read_at(text, begin, words, whole=whole)
        if piece is None:
            continue
        if not piece.calls:
            return Piece(end=max(piece.end, fence.end), fault=piece.fault, cut=piece.cut)
        end = _END.match(text, piece.end)
        return Piece(end=end.end(), calls=piece.calls) if end else None
    return None
