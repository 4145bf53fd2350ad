"""The `list` tool."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Reads
from codi.tools.entries import cannot_list, check_directory, readable
from codi.tools.limiting import Limits
from codi.tools.output import limit_notice, size
from codi.tools.tool import ToolOutput
from codi.workspace.workspace import FileFacts, Workspace

MOST_ENTRIES = 10_000


class ListFiles(Struct, frozen=True, forbid_unknown_fields=True):
    """List a directory: directories first, with a `/`, then files."""

    path: str = "."
    hidden: Annotated[bool, Meta(description="Also names that begin with a dot")] = True
    limit: Annotated[int, Meta(ge=1, le=MOST_ENTRIES)] = 500
    long: Annotated[bool, Meta(description="Also type, size and where a link leads")] = False

    def effects(self) -> Iterable[Effect]:
        yield Reads(self.path)

    async def run(self, workspace: Workspace, *, limits: Limits) -> ToolOutput:
        check_directory(workspace, self.path)
        try:
            entries = workspace.entries(self.path)
        except OSError as error:
            raise cannot_list(workspace, self.path, error) from error
        entries = [entry for entry in entries if self.hidden or not entry[0].startswith(".")]
        entries.sort(key=lambda entry: (entry[1].kind != "directory", entry[0].lower(), entry[0]))
        if not entries:
            return ToolOutput(text="(empty directory)")
        lines = [_long(name, facts) if self.long else _short(name, facts) for name, facts in entries[: self.limit]]
        if len(entries) <= self.limit:
            return limits.head("list", self, "\n".join(lines))
        return limits.head(
            "list",
            self,
            "\n".join(lines),
            [limit_notice(self.limit, "entries", MOST_ENTRIES)],
            {"entryLimitReached": self.limit},
        )


def _short(name: str, facts: FileFacts) -> str:
    return readable(name) + "/" * (facts.kind == "directory")


def _long(name: str, facts: FileFacts) -> str:
    kind = "link" if facts.link is not None else facts.kind
    measure = size(facts.size) if kind == "file" else "-"
    target = f" -> {readable(facts.link)}" if facts.link is not None else ""
    return f"{kind:<9} {measure:>9}  {_short(name, facts)}{target}"
