"""JSON that others take from us, whatever is in it.

Names of files and words of a command line need be no text: Python holds their odd bytes as halves of surrogate pairs, which
JSON cannot say and no service takes.
"""

import json
from typing import Any

from msgspec import to_builtins
from msgspec.json import Encoder

_encoder = Encoder()


def encoded(value: Any) -> bytes:
    """Compact JSON with non-ASCII unescaped; half a surrogate pair as the escape that JSON has for it."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        text = json.dumps(to_builtins(value), ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


def without_halves(value: Any) -> Any:
    """The same value with U+FFFD for each half of a surrogate pair, which no other program would accept from us."""
    match value:
        case str():
            return characters(value)
        case dict():
            return {without_halves(name): without_halves(inner) for name, inner in value.items()}
        case list():
            return [without_halves(inner) for inner in value]
    return value


def characters(text: str) -> str:
    """The text with U+FFFD for what stands for no character."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
