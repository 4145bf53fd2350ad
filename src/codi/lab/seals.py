"""The seals under thinking: a service signs what its model thought, and accepts it back unchanged only.

A seal depends on the model and the text alone, so a server that was started anew still knows its own.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import blake2b

_KEY = b"the lab's own seal"


def seal(model: str, text: str) -> str:
    """What a model signs a text with: base64, like the signatures of the services."""
    first = blake2b(f"{model}\n{text}".encode(), key=_KEY, digest_size=48).digest()
    return b64encode(first + blake2b(first, key=_KEY, digest_size=48).digest()).decode()


def is_seal(text: str) -> bool:
    """Some model of this lab made it, whatever it sealed."""
    try:
        content = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        return False
    return content[48:] == blake2b(content[:48], key=_KEY, digest_size=48).digest()
