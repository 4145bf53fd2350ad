"""The `read` tool."""

from collections.abc import Iterable
from time import localtime, strftime
from typing import Annotated

from msgspec import Meta, Struct, structs

from codi.protocol.effects import Effect, Reads
from codi.tools.images import image_type
from codi.tools.limiting import Limits
from codi.tools.lookup import content_of, not_found, spellings
from codi.tools.output import (
    Cap,
    Cut,
    Truncation,
    continue_notice,
    head,
    lines_of,
    long_line_notice,
    more_lines_notice,
    size,
    with_notice,
)
from codi.tools.text_files import Binary, TextFile, mime_type
from codi.tools.tool import ToolFailed, ToolOutput
from codi.tools.view_image import image_output
from codi.workspace.workspace import Workspace

LONGEST_LINE = 2000


class Read(Struct, frozen=True, forbid_unknown_fields=True):
    """Read a text file or an image. A long file is cut: use `offset` and `limit` to see more of it."""

    path: Annotated[str, Meta(description="Path, relative to the workspace's root or absolute")]
    offset: Annotated[int, Meta(ge=0, description="First line, counted from 1")] = 1
    limit: Annotated[int, Meta(ge=1, le=10_000, description="How many lines")] = 2000
    line_numbers: Annotated[bool, Meta(description="Begin each line with its number")] = True
    info_only: Annotated[bool, Meta(description="Tell type, size, lines, encoding, not the text")] = False

    def effects(self) -> Iterable[Effect]:
        return map(Reads, spellings(self.path))

    async def run(self, workspace: Workspace, *, limits: Limits, sees: bool = True) -> ToolOutput:
        path, content = await self._found(workspace)
        if self.info_only:
            return ToolOutput(text=_info(workspace, path, content))
        kind = image_type(content)
        if kind is not None:
            output = await image_output(workspace.shown(path), kind, content, sees=sees)
        else:
            output = self._text(workspace.shown(path), content, limits.cap)
        workspace.saw(path, content)
        return output

    async def _found(self, workspace: Workspace) -> tuple[str, bytes]:
        for path in spellings(self.path):
            try:
                return path, await content_of(workspace, path)
            except FileNotFoundError:
                continue
        raise not_found(workspace, self.path)

    def _text(self, shown: str, content: bytes, cap: Cap) -> ToolOutput:
        file = TextFile.of(content)
        if isinstance(file, Binary):
            return ToolOutput(text=f"Binary file {shown} ({file.mime}, {size(len(content))}); not shown.")
        lines = lines_of(file.text) if file.text else []
        first = max(self.offset, 1)
        if first > max(len(lines), 1):
            raise ToolFailed(f"Offset {self.offset} is beyond end of file ({len(lines)} lines total)")
        if not lines:
            return ToolOutput(text="[file is empty]")
        last = min(first - 1 + min(self.limit, cap.lines), len(lines))
        cut = head("\n".join(map(self._shown, range(first, last + 1), lines[first - 1 : last])), cap.lines, cap.bytes)
        left_out = len(lines) - last
        if cut.truncated or (left_out and self.limit >= cap.lines):
            return _cut(cut, first, lines, shown, cap)
        return ToolOutput(text=with_notice(cut.text, more_lines_notice(left_out, last + 1)) if left_out else cut.text)

    def _shown(self, number: int, line: str) -> str:
        if len(line) > LONGEST_LINE:
            line = f"{line[:LONGEST_LINE]} [line cut, {len(line)} chars]"
        return f"{number:>5}→{line}" if self.line_numbers else line


def _cut(cut: Cut, first: int, lines: list[str], shown: str, cap: Cap) -> ToolOutput:
    """What fits of the file from line `first` on, and how to get the rest."""
    was = cut.truncation
    truncation = Truncation(
        truncated=True,
        truncated_by=was.truncated_by or "lines",
        total_lines=len(lines) - first + 1,
        total_bytes=len("\n".join(lines[first - 1 :]).encode()),
        output_lines=was.output_lines if was.truncated else cap.lines,
        output_bytes=was.output_bytes,
        first_line_exceeds_limit=was.first_line_exceeds_limit,
        max_lines=cap.lines,
        max_bytes=cap.bytes,
    )
    cut = structs.replace(cut, truncation=truncation)
    if truncation.first_line_exceeds_limit:
        notice = long_line_notice(first, len(lines[first - 1].encode()), shown, cap.bytes)
    else:
        notice = continue_notice(cut, first=first, total=len(lines))
    return ToolOutput(text=with_notice(cut.text, notice), details=cut.details)


def _info(workspace: Workspace, path: str, content: bytes) -> str:
    file = TextFile.of(content)
    facts = [
        ("Type", mime_type(content) if isinstance(file, Binary) else "text"),
        ("Size", size(len(content))),
        ("Modified", strftime("%Y-%m-%d %H:%M:%S", localtime(workspace.facts(path).mtime_ns // 10**9))),
    ]
    if isinstance(file, TextFile):
        facts += [
            ("Lines", str(len(lines_of(file.text)) if file.text else 0)),
            ("Tokens", f"about {-(-len(file.text.encode()) // 4)}"),
            ("Encoding", file.encoding + (" with BOM" if file.bom else "")),
            ("Line ending", file.line_ending),
        ]
    return "\n".join([workspace.shown(path), *(f"{name}: {fact}" for name, fact in facts)])
