"""The argument text of a tool call, as a model wrote it."""

from typing import Any

import msgspec


def arguments_of(text: str) -> tuple[dict[str, Any], str | None]:
    """The arguments, and None or why they must not be used. No text at all is no arguments."""
    if not text.strip():
        return {}, None
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        size = len(text.encode())
        where = f"it ends too early, after {size} bytes" if "truncated" in str(error) else str(error)
        return {}, f"the argument text is not complete JSON: {where}"
    if not isinstance(value, dict):
        return {}, f"the argument text is no JSON object but begins with {text.lstrip()[:20]!r}"
    return value, None


def is_complete(text: str) -> bool:
    """Whether the text is one JSON object with nothing missing."""
    return bool(text.strip()) and arguments_of(text)[1] is None
