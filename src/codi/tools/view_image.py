"""The `view_image` tool, and how an image is shown by any tool."""

from collections.abc import Iterable
from typing import Annotated

from anyio import to_thread
from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Reads
from codi.tools.images import UnfitImage, fitted, image_type
from codi.tools.lookup import content_of, not_found
from codi.tools.text_files import mime_type
from codi.tools.tool import ToolFailed, ToolOutput
from codi.workspace.workspace import Workspace


class ViewImage(Struct, frozen=True, forbid_unknown_fields=True):
    """Look at an image: PNG, JPEG, GIF (its first picture) or WebP."""

    path: Annotated[str, Meta(description="Path, relative to the workspace's root or absolute")]
    question: Annotated[str, Meta(description="What to look for")] | None = None

    def effects(self) -> Iterable[Effect]:
        yield Reads(self.path)

    async def run(self, workspace: Workspace) -> ToolOutput:
        try:
            content = await content_of(workspace, self.path)
        except FileNotFoundError:
            raise not_found(workspace, self.path) from None
        shown, kind = workspace.shown(self.path), image_type(content)
        if kind is None:
            raise ToolFailed(f"{shown} is no PNG, JPEG, GIF or WebP image but {mime_type(content)}.")
        workspace.saw(self.path, content)
        return await image_output(shown, kind, content, question=self.question)


async def image_output(
    shown: str, kind: str, content: bytes, *, sees: bool = True, question: str | None = None
) -> ToolOutput:
    """Raises ToolFailed for one that cannot be shown, or when there are no eyes for it."""
    if not sees:
        raise ToolFailed(
            f"{shown} is an image ({kind}), and the present model cannot see. Choose a model that can with the setting "
            "model.default."
        )
    try:
        fit = await to_thread.run_sync(fitted, content, kind, abandon_on_cancel=True)
    except UnfitImage as error:
        raise ToolFailed(f"{shown} {error}") from error
    text = " ".join(part for part in (f"Read image file [{kind}]", fit.note) if part)
    return ToolOutput(text=f"{text}\nQuestion: {question}" if question else text, images=(fit.image,))
