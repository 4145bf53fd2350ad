"""A picture in words, for where none can be shown: its size, its kind and how many bytes it has."""

import binascii
import re
import struct

from codi.protocol.messages import Image

_FRAME = re.compile(rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf]..\x08(..)(..)", re.DOTALL)


def placeholder(image: Image) -> str:
    """`[image 800x600 png 120KB]`; without the size where it cannot be read."""
    try:
        data = binascii.a2b_base64(image.data)
    except binascii.Error:
        data = b""
    size = size_of(data)
    kind = image.media_type.rpartition("/")[2]
    pixels = f"{size[0]}x{size[1]} " if size else ""
    return f"[image {pixels}{kind} {_amount(len(data))}]"


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, GIF, JPEG or WebP, from its beginning; None where it is none of them or broken."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack(">II", data[16:24])
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return struct.unpack("<HH", data[6:10])
        if data.startswith(b"\xff\xd8") and (found := _FRAME.search(data)):
            height, width = struct.unpack(">HH", found[1] + found[2])
            return width, height
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _of_webp(data)
    except struct.error:
        return None
    return None


def _of_webp(data: bytes) -> tuple[int, int] | None:
    """Extended, lossless, or plain (https://developers.google.com/speed/webp/docs/riff_container)."""
    match data[12:16]:
        case b"VP8X":
            return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
        case b"VP8L":
            (bits,) = struct.unpack("<I", data[21:25])
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = struct.unpack("<HH", data[26:30])
            return width & 0x3FFF, height & 0x3FFF
    return None


def _amount(count: int) -> str:
    if count < 1024:
        return f"{count}B"
    return f"{round(count / 1024)}KB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f}MB"
