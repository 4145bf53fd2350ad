"""The `delete` tool."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Writes
from codi.protocol.events import FileChange
from codi.tools.changing import Rewritten, present, put, replaced
from codi.tools.folder_content import check_may_go, content_below
from codi.tools.lookup import kind_of, not_found
from codi.tools.tool import ToolFailed, ToolOutput
from codi.workspace.workspace import Replacement, Workspace


class Delete(Struct, frozen=True, forbid_unknown_fields=True):
    """Delete a file, a link or a directory."""

    path: Annotated[str, Meta(description="Path, relative to the workspace's root or absolute")]
    recursive: Annotated[bool, Meta(description="Delete a directory with all that is in it")] = False

    def effects(self) -> Iterable[Effect]:
        yield Writes(self.path, "delete")

    async def run(self, workspace: Workspace, *, own: Sequence[str]) -> ToolOutput:
        check_may_go(workspace, self.path, own, "deleted")
        shown = workspace.shown(self.path)
        kind = kind_of(workspace, self.path)
        if kind == "absent":
            raise not_found(workspace, self.path)
        if workspace.facts(self.path).link is not None:
            await replaced(workspace, [Replacement(self.path, None, None)])
            return ToolOutput(text=f"Deleted the link {shown}")
        if kind == "directory":
            return await self._folder(workspace, shown)
        if kind != "file":
            raise ToolFailed(f"{shown} is not a regular file.")
        changes = await put(workspace, [Rewritten(path=self.path, old=await present(workspace, self.path))])
        return ToolOutput(text=f"Deleted {shown}", changes=changes)

    async def _folder(self, workspace: Workspace, shown: str) -> ToolOutput:
        path = self.path.rstrip("/")
        if workspace.entries(path) and not self.recursive:
            raise ToolFailed(f"{shown}/ is not empty. Set recursive=true to delete it with all that is in it.")
        content = await content_below(workspace, path, "deleted")
        await replaced(
            workspace,
            [
                *(Replacement(file.path, None, file.content) for file, _ in content.files),
                *(Replacement(link, None, None) for link in content.links),
                *(Replacement(folder, None, None) for folder in reversed((path, *content.folders))),
            ],
        )
        count = len(content.files) + len(content.links)
        changes = [FileChange(workspace.shown(file.path), "deleted", before=file.id) for file, _ in content.files]
        return ToolOutput(text=f"Deleted {shown}/ ({count} file{'s' * (count != 1)})", changes=tuple(changes))
