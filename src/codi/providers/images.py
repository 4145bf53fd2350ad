"""Images as every service takes them. One that is not what it says makes a service refuse the whole conversation, for ever."""

from base64 import b64decode
from binascii import Error

from codi.protocol.messages import Image

_HEAD = 24
"""Characters of base64 that hold all that the formats are known by."""


def sound(image: Image) -> Image | None:
    """The image under the type that its first bytes tell; None where they are of no format that all services take."""
    data = image.data
    if len(data) % 4 or not data.isascii():
        return None
    try:
        told = _type_of(b64decode(data[:_HEAD], validate=True))
    except Error:
        return None
    if told is None:
        return None
    return image if told == image.media_type else Image(data, told)


def _type_of(head: bytes) -> str | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return None
