"""What a picture is, by its bytes."""

from base64 import b64decode
from binascii import Error as Base64Error

ACCEPTED = ("image/jpeg", "image/png", "image/gif", "image/webp")


def decoded(data: object) -> bytes | None:
    """The bytes behind base64 text; None where it is none."""
    if not isinstance(data, str) or not data:
        return None
    try:
        return b64decode(data, validate=True)
    except (Base64Error, ValueError):
        return None


def media_type(content: bytes) -> str:
    """By magic bytes; empty for what is no picture that the services accept."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return ""


def longest_side(content: bytes) -> int:
    """In pixels; 0 where the head does not tell."""
    if media_type(content) == "image/png" and len(content) >= 24:
        return max(int.from_bytes(content[16:20]), int.from_bytes(content[20:24]))
    if media_type(content) == "image/gif" and len(content) >= 10:
        return max(int.from_bytes(content[6:8], "little"), int.from_bytes(content[8:10], "little"))
    if media_type(content) == "image/jpeg":
        return _longest_side_of_jpeg(content)
    return 0


def _longest_side_of_jpeg(content: bytes) -> int:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return max(int.from_bytes(content[at + 5 : at + 7]), int.from_bytes(content[at + 7 : at + 9]))
        at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return 0
