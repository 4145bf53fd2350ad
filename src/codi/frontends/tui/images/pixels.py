"""Pictures taken apart, with Pillow (the extra `images`): as PNG whatever they were, and as pixels of few colours."""

import warnings
from io import BytesIO

from PIL import Image, UnidentifiedImageError

_COLOURS = 256


class Unreadable(ValueError):
    """The bytes are no whole picture."""


def as_png(content: bytes) -> bytes:
    """Raises Unreadable."""
    written = BytesIO()
    _opened(content).save(written, "PNG")
    return written.getvalue()


def few_colours(content: bytes, width: int, height: int) -> tuple[list[tuple[int, int, int]], bytes]:
    """The picture in this size: its colours, and their number for each pixel. Raises Unreadable."""
    picture = _opened(content)
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
    small = ground.resize((width, height), Image.Resampling.LANCZOS).quantize(_COLOURS)
    flat = small.getpalette() or []
    used = max(small.tobytes(), default=0) + 1
    return [(flat[at], flat[at + 1], flat[at + 2]) for at in range(0, min(len(flat), used * 3), 3)], small.tobytes()


def _opened(content: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content)) as picture:
                picture.load()
                return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    except (Image.DecompressionBombError, UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise Unreadable(str(error)) from error
