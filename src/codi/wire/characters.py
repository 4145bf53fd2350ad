"""Text whose characters were cut, made such that every program takes it.

A model's tokens may cut a character, and servers pass the halves on: as bytes that are no UTF-8, or, where the server was
written in JavaScript or Python, as the escape of half a surrogate pair. The names of files and the words of a command line
may hold any bytes, which Python keeps as such halves too. One character of that kind must not cost an answer or a session.
"""

import re
from typing import Any

from msgspec import to_builtins
from msgspec.json import encode

_ESCAPE = re.compile(
    rb"\\(?:u(?:(?P<pair>[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(?P<half>[dD][89a-fA-F][0-9a-fA-F]{2}))|.)",
    re.DOTALL,
)


def proper(data: bytes) -> bytes:
    """The same bytes of JSON, with U+FFFD for what stands for no character."""
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            data = data.decode("utf-8", "replace").encode()
    if rb"\ud" in data or rb"\uD" in data:
        data = _ESCAPE.sub(lambda found: rb"\ufffd" if found["half"] else found[0], data)
    return data


def without_halves(value: Any) -> Any:
    """The same value with U+FFFD for each half of a surrogate pair, which no other program would accept from us."""
    match value:
        case str():
            return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {without_halves(name): without_halves(inner) for name, inner in value.items()}
        case list():
            return [without_halves(inner) for inner in value]
    return value


def proper_json(value: Any) -> bytes:
    """Compact JSON of anything that msgspec encodes, with U+FFFD for each half of a surrogate pair."""
    try:
        return encode(value)
    except UnicodeEncodeError:
        return encode(without_halves(to_builtins(value)))
