"""Images as the bytes tell them, made small enough for a model; what a file is called says nothing."""

import struct
from base64 import b64encode

from msgspec import Struct

from codi.protocol.messages import Image

MOST_ENCODED_BYTES = 4_718_592
"""What services take of one image, in base64."""
MOST_PIXELS = 2000
"""Wide or high."""

_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class UnfitImage(ValueError):
    """An image that no model can be shown. `str(error)` says why, to follow the name of the file."""


class Fitted(Struct, frozen=True):
    """An image that a model can be shown. `note` says how it was made smaller, if it was."""

    image: Image
    note: str = ""


def image_type(content: bytes) -> str | None:
    """The media type of the four kinds of image that models can see."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def fitted(content: bytes, kind: str) -> Fitted:
    """The image as it is, or a smaller one. Takes up to seconds. Raises UnfitImage."""
    dimensions = _dimensions(content, kind)
    if dimensions is None:
        raise UnfitImage(f"is a corrupt image ({kind})")
    fits = max(dimensions) <= MOST_PIXELS and _encoded_bytes(content) < MOST_ENCODED_BYTES
    width, height = dimensions
    try:
        from codi.tools import scaling  # an extra, and 60 ms for those few who have images
    except ImportError as error:
        if fits:
            return Fitted(_as_image(content, kind))
        raise UnfitImage(
            f"is an image of {width}x{height} and {len(content)} bytes, more than a model takes "
            f"({MOST_PIXELS}x{MOST_PIXELS}, {MOST_ENCODED_BYTES} bytes in base64). To have it made smaller, install codi with "
            "the extra `images`: pip install 'codi[images]'"
        ) from error
    try:
        if fits:
            scaling.check(content)
            return Fitted(_as_image(content, kind))
        smaller, kind, shown = scaling.scaled(content, MOST_PIXELS, MOST_ENCODED_BYTES // 4 * 3 - 3)
    except scaling.Unreadable as error:
        raise UnfitImage(f"is a corrupt image ({kind}): {error}") from error
    return Fitted(_as_image(smaller, kind), f"{width}x{height} shown as {shown[0]}x{shown[1]}")


def _as_image(content: bytes, kind: str) -> Image:
    return Image(b64encode(content).decode(), kind)


def _encoded_bytes(content: bytes) -> int:
    return -(-len(content) // 3) * 4


def _dimensions(content: bytes, kind: str) -> tuple[int, int] | None:
    """Width and height as the head of the file tells them; None where it does not."""
    try:
        width, height = {"image/png": _png, "image/gif": _gif, "image/jpeg": _jpeg, "image/webp": _webp}[kind](content)
    except (struct.error, IndexError, ValueError):
        return None
    return (width, height) if width > 0 and height > 0 else None


def _png(content: bytes) -> tuple[int, int]:
    if content[12:16] != b"IHDR":
        raise ValueError("no header")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _gif(content: bytes) -> tuple[int, int]:
    width, height = struct.unpack("<HH", content[6:10])
    return width, height


def _jpeg(content: bytes) -> tuple[int, int]:
    at = 2
    while True:
        while content[at] == 0xFF and content[at + 1] == 0xFF:
            at += 1
        if content[at] != 0xFF:
            raise ValueError("no marker")
        marker = content[at + 1]
        (length,) = struct.unpack(">H", content[at + 2 : at + 4])
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + length


def _webp(content: bytes) -> tuple[int, int]:
    form = content[12:16]
    if form == b"VP8X":
        return (
            1 + int.from_bytes(content[24:27], "little"),
            1 + int.from_bytes(content[27:30], "little"),
        )
    if form == b"VP8L":
        (bits,) = struct.unpack("<I", content[21:25])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if form == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", content[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no header")
