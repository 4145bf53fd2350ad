"""Files that are named on the command line with `@`: text is put into the prompt, images go beside it."""

import os
from collections.abc import Sequence

from codi.protocol.errors import CodiError
from codi.protocol.messages import Image
from codi.protocol.ops import Prompt
from codi.tools.images import UnfitImage, fitted, image_type

IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp")


class AttachmentError(CodiError):
    """A file that was named cannot be read."""

    code = "attachment"


def prompt_with_files(text: str, files: Sequence[str]) -> Prompt:
    """Raises AttachmentError for a file that is missing or cannot be read."""
    texts, images = [], []
    for name in files:
        path = os.path.abspath(os.path.expanduser(name))
        try:
            with open(path, "rb") as file:
                content = file.read()
        except OSError as error:
            raise AttachmentError(f"{name}: {error.strerror}", hint="Name a file that exists after the @.") from error
        image = image_in(content, name)
        if image:
            images.append(image)
            texts.append(f'<file name="{path}"></file>\n')
        elif name.lower().endswith(IMAGES):
            raise AttachmentError(
                f"{name} is no image, whatever its name says", hint="Name a PNG, JPEG, GIF or WebP file."
            )
        elif b"\x00" in content[:8192]:
            raise AttachmentError(f"{name} is neither text nor an image", hint="Name a text file or an image.")
        else:
            texts.append(f'<file name="{path}">\n{content.decode("utf-8-sig", errors="replace")}\n</file>\n')
    return Prompt("".join(texts) + text, tuple(images))


def picture_of(content: bytes) -> Image | str:
    """The image that was put into a prompt, or why it cannot be sent."""
    try:
        return image_in(content, "the image") or "the image is no PNG, JPEG, GIF or WebP"
    except AttachmentError as error:
        return str(error)


def image_in(content: bytes, name: str) -> Image | None:
    """The image that a file of that content is; None if it is none. Raises AttachmentError for one that no model takes."""
    media_type = image_type(content)
    if not media_type:
        return None
    try:
        return fitted(content, media_type).image
    except UnfitImage as error:
        raise AttachmentError(f"{name} {error}", hint="Name a whole image, or a smaller one.") from error
