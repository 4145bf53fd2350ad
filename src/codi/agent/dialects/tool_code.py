"""Gemma's fence tagged `tool_code`, which holds one call in Python's notation."""

from codi.agent.dialects.function_tag import checked
from codi.agent.dialects.python_call import PythonCall, looks_like_call, python_call
from codi.agent.dialects.spoken import Piece, Spoken
from codi.agent.dialects.vocabulary import Vocabulary


def read_content(content: str, end: int, words: Vocabulary, *, closed: bool, whole: bool) -> Piece | None:
    """The call that the content of a fence is; `end` is behind the fence."""
    if not looks_like_call(content.strip()):
        return None
    if not closed and not whole:
        return Piece(end=end, cut="")
    call = python_call(content)
    if not isinstance(call, PythonCall):
        return Piece(end=end, fault=call)
    return checked(Spoken(call.name, call.arguments, "tool_code"), end, words)
