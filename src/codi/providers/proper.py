"""Bytes of an answer as JSON readers take them, whatever a server made of the characters in them.

A model's tokens may cut a character, and servers pass the halves on: as bytes that are no UTF-8, or, where the server was
written in JavaScript or Python, as the escape of half a surrogate pair. One such character must not cost the answer.
"""

import re

_ESCAPE = re.compile(
    rb"\\(?:u(?:(?P<pair>[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(?P<half>[dD][89a-fA-F][0-9a-fA-F]{2}))|.)",
    re.DOTALL,
)


def proper(data: bytes) -> bytes:
    """The same bytes, with U+FFFD for what stands for no character."""
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            data = data.decode("utf-8", "replace").encode()
    if rb"\ud" in data or rb"\uD" in data:
        data = _ESCAPE.sub(lambda found: rb"\ufffd" if found["half"] else found[0], data)
    return data
