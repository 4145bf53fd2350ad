"""The `glob` tool."""

from collections.abc import Iterable
from typing import Annotated, Literal

from anyio import to_thread
from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Reads
from codi.tools.entries import Entries, cannot_list, check_directory, prefix_of, readable
from codi.tools.globs import PathPattern
from codi.tools.limiting import Limits
from codi.tools.output import limit_notice
from codi.tools.tool import ToolOutput
from codi.workspace.workspace import Workspace

MOST_RESULTS = 10_000


class Glob(Struct, frozen=True, forbid_unknown_fields=True):
    """Find files by name. A pattern without `/` is of the name alone, one with `/` of the whole path below `path`."""

    pattern: Annotated[str, Meta(min_length=1, description="e.g. `*.py`, `src/**/*.{ts,tsx}`, `**/test_[a-z]*`")]
    path: Annotated[str, Meta(description="Directory to look in")] = "."
    limit: Annotated[int, Meta(ge=1, le=MOST_RESULTS)] = 1000
    sort: Annotated[Literal["mtime", "name"], Meta(description="Newest first, or by name")] = "mtime"
    include_ignored: Annotated[bool, Meta(description="Find files that ignore files name, too")] = False

    def effects(self) -> Iterable[Effect]:
        yield Reads(self.path)

    async def run(self, workspace: Workspace, *, limits: Limits) -> ToolOutput:
        check_directory(workspace, self.path)
        try:
            found = await to_thread.run_sync(self._found, workspace, abandon_on_cancel=True)
        except OSError as error:
            raise cannot_list(workspace, self.path, error) from error
        if not found:
            return ToolOutput(text="No files found matching pattern")
        if len(found) <= self.limit:
            return limits.head("glob", self, "\n".join(found))
        return limits.head(
            "glob",
            self,
            "\n".join(found[: self.limit]),
            [limit_notice(self.limit, "results", MOST_RESULTS)],
            {"resultLimitReached": self.limit},
        )

    def _found(self, workspace: Workspace) -> list[str]:
        pattern = PathPattern(self._below(workspace))
        found = [
            path for path in workspace.walk(self.path, include_ignored=self.include_ignored) if pattern.matches(path)
        ]
        found.sort(key=lambda path: path.split("/"))
        if self.sort == "mtime":
            entries = Entries(workspace, self.path)
            found.sort(key=lambda path: -entries.facts(path).mtime_ns)
        prefix = prefix_of(workspace, self.path)
        return [readable(prefix + path) for path in found]

    def _below(self, workspace: Workspace) -> str:
        """The pattern as one below `path`, also where it was written from the root of all."""
        beginning = workspace.resolve(self.path).rstrip("/") + "/"
        return "./" + self.pattern.removeprefix(beginning) if self.pattern.startswith(beginning) else self.pattern
