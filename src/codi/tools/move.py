"""The `move` tool."""

import os
from collections.abc import Iterable, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Reads, Writes
from codi.protocol.events import FileChange
from codi.tools.changing import Present, Rewritten, present, put, replaced
from codi.tools.folder_content import check_may_go, content_below
from codi.tools.lookup import kind_of, not_found
from codi.tools.tool import ToolFailed, ToolOutput
from codi.workspace.workspace import Replacement, Workspace


class Move(Struct, frozen=True, forbid_unknown_fields=True):
    """Move, rename or copy a file or a directory. A target that ends in `/` is the directory to put it into."""

    source: Annotated[str, Meta(description="Path of what is there")]
    target: Annotated[str, Meta(description="Path that it gets; parents are made")]
    copy: Annotated[bool, Meta(description="Leave the source where it is")] = False
    overwrite: Annotated[bool, Meta(description="Replace a file that is at the target")] = False

    @property
    def place(self) -> str:
        """The target, or where in it the source goes."""
        if not self.target.endswith("/"):
            return self.target
        return self.target + os.path.basename(self.source.removeprefix("@").rstrip("/"))

    def effects(self) -> Iterable[Effect]:
        yield Reads(self.source) if self.copy else Writes(self.source, "move")
        yield Writes(self.place, "move")

    async def run(self, workspace: Workspace, *, own: Sequence[str]) -> ToolOutput:
        done = "copied" if self.copy else "moved"
        if not self.copy:
            check_may_go(workspace, self.source, own, done)
        check_may_go(workspace, self.place, own, "replaced")
        kind = kind_of(workspace, self.source)
        if kind == "absent":
            raise not_found(workspace, self.source)
        shown = workspace.shown(self.source)
        if workspace.facts(self.source).link is not None:
            raise ToolFailed(f"{shown} is a link. Use shell: mv or cp.")
        if kind not in ("file", "directory"):
            raise ToolFailed(f"{shown} is not a regular file.")
        if workspace.resolve(self.source) == workspace.resolve(self.place):
            raise ToolFailed(f"{shown} is there already.")
        there = await self._there(workspace, kind == "directory")
        changes = await (self._folder(workspace) if kind == "directory" else self._file(workspace, there))
        end = "/" * (kind == "directory")
        return ToolOutput(
            text=f"{done.capitalize()} {shown}{end} to {workspace.shown(self.place)}{end}", changes=changes
        )

    async def _there(self, workspace: Workspace, is_folder: bool) -> Present | None:
        """The file that is to be replaced."""
        shown = workspace.shown(self.place)
        match kind_of(workspace, self.place):
            case "absent":
                return None
            case "directory":
                raise ToolFailed(f"{shown}/ exists. To put it in there, give {shown}/ as the target, or name another.")
            case "file" if self.overwrite and not is_folder:
                return await present(workspace, self.place)
            case "file" if not is_folder:
                raise ToolFailed(f"{shown} exists. Set overwrite=true to replace it.")
        raise ToolFailed(f"{shown} exists and cannot be replaced.")

    async def _file(self, workspace: Workspace, there: Present | None) -> tuple[FileChange, ...]:
        source = await present(workspace, self.source)
        mode = workspace.facts(self.source).mode
        moved = None if self.copy else source
        return await put(
            workspace, [Rewritten(path=self.place, old=there, content=source.content, moved_from=moved, mode=mode)]
        )

    async def _folder(self, workspace: Workspace) -> tuple[FileChange, ...]:
        source, target = self.source.rstrip("/"), self.place.rstrip("/")
        if f"{workspace.resolve(target)}/".startswith(f"{workspace.resolve(source)}/"):
            raise ToolFailed(f"{workspace.shown(source)}/ cannot be put into itself.")
        content = await content_below(workspace, source, "copied" if self.copy else "moved")
        if content.links:
            raise ToolFailed(
                f"{workspace.shown(source)}/ holds links ({workspace.shown(content.links[0])}). Use shell."
            )
        filled = {os.path.dirname(file.path) for file, _ in content.files}
        pairs = [(file, mode, target + file.path[len(source) :]) for file, mode in content.files]
        moves = [Replacement(place, file.content, None, mode) for file, mode, place in pairs]
        if not self.copy:
            moves += [Replacement(file.path, None, file.content) for file, _, _ in pairs]
            moves += [Replacement(folder, None, None) for folder in reversed((source, *content.folders))]
        await replaced(workspace, moves)
        for folder in (source, *content.folders):
            if folder not in filled:
                await workspace.make_directory(target + folder[len(source) :])
        for file, _, place in pairs:
            if file.seen:
                workspace.saw(place, file.content)
        return tuple(
            FileChange(
                workspace.shown(place),
                "created" if self.copy else "moved",
                before=None if self.copy else file.id,
                after=file.id,
                moved_from=None if self.copy else workspace.shown(file.path),
            )
            for file, _, place in pairs
        )
