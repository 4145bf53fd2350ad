"""The `tree` tool."""

from collections.abc import Iterable, Iterator
from typing import Annotated

from anyio import to_thread
from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Reads
from codi.tools.entries import cannot_list, check_directory, readable
from codi.tools.limiting import Limits
from codi.tools.tool import ToolOutput
from codi.workspace.workspace import Workspace

MOST_ENTRIES = 10_000


class Tree(Struct, frozen=True, forbid_unknown_fields=True):
    """Show a directory and what is below it as a tree, without what ignore files name."""

    path: str = "."
    depth: Annotated[int, Meta(ge=1, le=10, description="How many levels to show")] = 3
    hidden: Annotated[bool, Meta(description="Also names that begin with a dot")] = False
    files: Annotated[bool, Meta(description="Files too, not directories alone")] = True
    limit: Annotated[int, Meta(ge=1, le=MOST_ENTRIES, description="Most entries to show")] = 500

    def effects(self) -> Iterable[Effect]:
        yield Reads(self.path)

    async def run(self, workspace: Workspace, *, limits: Limits) -> ToolOutput:
        check_directory(workspace, self.path)
        try:
            root = await to_thread.run_sync(self._grown, workspace, abandon_on_cancel=True)
        except OSError as error:
            raise cannot_list(workspace, self.path, error) from error
        lines = list(root.lines())
        top = readable(workspace.shown(self.path)).rstrip("/") + "/"
        more = len(lines) - self.limit
        shown = [top, *lines[: self.limit], *([f"... {more} more"] if more > 0 else [])]
        text = "\n".join(shown if lines else [top, "(empty directory)"])
        return limits.head("tree", self, text, details={"entryLimitReached": self.limit} if more > 0 else None)

    def _grown(self, workspace: Workspace) -> "_Folder":
        root = _Folder()
        for path in workspace.walk(self.path, hidden=self.hidden, folders=True):
            *above, name = path.removesuffix("/").split("/")
            if len(above) >= self.depth:
                continue
            folder = root
            for part in above:
                folder = folder.folders[part]
            if path.endswith("/"):
                folder.folders[name] = _Folder()
            elif self.files:
                folder.files.append(name)
        return root


class _Folder:
    def __init__(self) -> None:
        self.folders: dict[str, _Folder] = {}
        self.files: list[str] = []

    def lines(self, indent: str = "") -> Iterator[str]:
        """Directories first, without regard to case."""
        folders = sorted(self.folders, key=lambda name: (name.lower(), name))
        names = [*folders, *sorted(self.files, key=lambda name: (name.lower(), name))]
        for at, name in enumerate(names, 1):
            last = at == len(names)
            is_folder = at <= len(folders)
            yield f"{indent}{'└── ' if last else '├── '}{readable(name)}{'/' * is_folder}"
            if is_folder:
                yield from self.folders[name].lines(indent + ("    " if last else "│   "))
