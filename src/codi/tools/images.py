"""Images as the bytes tell them; what a file is called says nothing."""

MOST_ENCODED_BYTES = 4_718_592
"""What services take of one image, in base64."""


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
