"""The `write` tool."""

import re
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Writes
from codi.tools.changing import Present, Rewritten, encoded, judged, present, put, stale
from codi.tools.lookup import kind_of
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.text_files import Splice, TextFile
from codi.tools.tool import ToolFailed, ToolOutput
from codi.workspace.workspace import Workspace

_KEPT = 0.5
"""Share of the old lines from which on a text counts as a rewrite and not as an abridgement."""

# An ellipsis and a word that says "as before", on a line that is nothing else but perhaps a comment.
_PLACEHOLDER = re.compile(
    r"""^[ \t]*[\#/;%*<!{(\['"\- \t]*
    (?:
        (?:\.{3}|…)[ \t(\[]*(?:[\w'-]+[ \t]+){0,6}?
            (?:rest|remaining|remainder|existing|unchanged|previous|original|same|other|more|omitted|as[ ]before)\b.{0,60}
      | (?:the[ ])?(?:rest|remaining|remainder|existing|previous|original|other|same)\b.{0,60}
            (?:\.{3}|…|unchanged|stays|same|goes[ ]here|omitted|as[ ](?:is|before))
      | (?:unchanged|omitted)\b.{0,40}(?:\.{3}|…)
    )[^\n]{0,20}$""",
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)


class Write(Struct, frozen=True, forbid_unknown_fields=True):
    """Create a file, or replace all of its text. To change a part of a file use edit. A path that ends in `/` with empty
    content makes a directory."""

    path: Annotated[str, Meta(description="Path, relative to the workspace's root or absolute; parents are made")]
    content: Annotated[str, Meta(description="The whole text of the file")]

    def effects(self) -> Iterable[Effect]:
        yield Writes(self.path)

    async def run(self, workspace: Workspace, *, gate: SyntaxGate) -> ToolOutput:
        if self.path.endswith("/"):
            return await self._directory(workspace)
        try:
            old = await present(workspace, self.path)
        except FileNotFoundError:
            change = Rewritten(path=self.path, content=self.content.encode(), text=self.content)
        else:
            change = self._replacing(workspace, old)
        warning = judged(workspace, gate, [change])
        changes = await put(workspace, [change])
        assert change.content is not None
        shown = workspace.shown(self.path)
        return ToolOutput(text=f"Successfully wrote {len(change.content)} bytes to {shown}{warning}", changes=changes)

    async def _directory(self, workspace: Workspace) -> ToolOutput:
        shown = workspace.shown(self.path)
        if self.content:
            raise ToolFailed(f"{shown}/ names a directory. Give the path of a file to write text.")
        if kind_of(workspace, self.path) == "directory":
            return ToolOutput(text=f"The directory {shown}/ exists already")
        try:
            await workspace.make_directory(self.path)
        except OSError as error:
            raise ToolFailed(f"Cannot make the directory {shown}/: {error.strerror or error}") from error
        return ToolOutput(text=f"Successfully made the directory {shown}/")

    def _replacing(self, workspace: Workspace, old: Present) -> Rewritten:
        if not old.seen:
            raise stale(workspace, old, self._first_difference(old))
        self._check_whole(workspace, old)
        if not isinstance(old.text, TextFile):
            return Rewritten(path=self.path, old=old, content=self.content.encode(), text=self.content)
        file = self._in_form_of(old.text)
        return Rewritten(path=self.path, old=old, content=encoded(workspace, self.path, file), text=file.text)

    def _in_form_of(self, old: TextFile) -> TextFile:
        """The text in the encoding of the old one, and with its line ends unless it brings its own."""
        if "\r\n" in self.content:
            return TextFile(self.content, self.content.replace("\r\n", "\n"), old.encoding, old.bom)
        return old.spliced([Splice(0, len(old.text), self.content)])

    def _check_whole(self, workspace: Workspace, old: Present) -> None:
        placeholder = _PLACEHOLDER.search(self.content)
        if placeholder is None:
            return
        present_lines = [line.strip() for line in old.lines if line.strip()]
        if placeholder[0].strip() in present_lines:
            return
        wanted = {line.strip() for line in self.content.split("\n")}
        kept = sum(line in wanted for line in present_lines)
        if kept < _KEPT * len(present_lines):
            raise ToolFailed(
                f"{workspace.shown(self.path)} was not written: the content holds the placeholder "
                f'"{placeholder[0].strip()}" and lacks most of the present lines. '
                "Use edit to change a part of a file, or write all of it."
            )

    def _first_difference(self, old: Present) -> int:
        wanted = self.content.replace("\r\n", "\n").split("\n")
        differing = (number for number, pair in enumerate(zip(old.lines, wanted), 1) if pair[0] != pair[1])
        return next(differing, min(len(old.lines), len(wanted)))
