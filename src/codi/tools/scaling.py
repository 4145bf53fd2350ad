"""Making an image smaller, with Pillow (the extra `images`)."""

import warnings
from collections.abc import Iterator
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

_QUALITIES = (80, 70, 55, 40)
_SMALLER = 0.75
_LEAST_PIXELS = 16


class Unreadable(ValueError):
    """The bytes are no whole image."""


def check(content: bytes) -> None:
    """Raises Unreadable unless the first picture can be decoded."""
    _opened(content)


def scaled(content: bytes, most_pixels: int, most_bytes: int) -> tuple[bytes, str, tuple[int, int]]:
    """A copy of the first picture with no side longer than `most_pixels` and of no more bytes, its media type, and its width and
    height. Raises Unreadable."""
    picture = _opened(content)
    picture.thumbnail((most_pixels, most_pixels), Image.Resampling.LANCZOS)
    while True:
        for encoded, kind in _encoded(picture):
            if len(encoded) <= most_bytes:
                return encoded, kind, picture.size
        width, height = (max(round(side * _SMALLER), 1) for side in picture.size)
        if max(width, height) < _LEAST_PIXELS:
            raise Unreadable("cannot be made small enough")
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)


def _opened(content: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content)) as picture:
                picture.load()
                upright = ImageOps.exif_transpose(picture)
        return upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except Image.DecompressionBombError as error:
        raise Unreadable("has more pixels than can be looked at") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
        raise Unreadable(str(error)) from error


def _encoded(picture: Image.Image) -> Iterator[tuple[bytes, str]]:
    """What is exact and small first, then ever coarser."""
    exact = _saved(picture, "PNG")
    opaque = _without_transparency(picture)
    good = _saved(opaque, "JPEG", quality=_QUALITIES[0])
    both = [(exact, "image/png"), (good, "image/jpeg")]
    yield from sorted(both, key=lambda pair: len(pair[0]))
    for quality in _QUALITIES[1:]:
        yield _saved(opaque, "JPEG", quality=quality), "image/jpeg"


def _without_transparency(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


def _saved(picture: Image.Image, form: str, *, quality: int | None = None) -> bytes:
    written = BytesIO()
    picture.save(written, form, **({"quality": quality} if quality else {}))
    return written.getvalue()
