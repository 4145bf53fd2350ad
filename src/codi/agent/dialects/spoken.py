"""What a text was found to hold: calls, or what was meant as one and is none."""

from typing import Any, Literal

from msgspec import Struct

Dialect = Literal["hermes", "function", "xml", "json", "dsml", "mistral", "python_tag", "tool_code"]

DIALECTS: tuple[Dialect, ...] = ("hermes", "function", "xml", "json", "dsml", "mistral", "python_tag", "tool_code")
"""In a fixed order: the ids of calls hold the place of their dialect in it."""


class Spoken(Struct, frozen=True):
    """A call as it was written; nothing about it is checked."""

    name: str
    arguments: dict[str, Any]
    dialect: Dialect


class Piece(Struct, frozen=True, kw_only=True):
    """A stretch of text up to `end` that was meant as calls. `fault` says why it cannot be taken as such; `cut` is set where
    the text ends in the middle of it, to the tool's name as far as it can be read."""

    end: int
    calls: tuple[Spoken, ...] = ()
    fault: str = ""
    cut: str | None = None
