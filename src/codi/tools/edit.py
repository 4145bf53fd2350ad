"""The `edit` tool."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated

from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Writes
from codi.tools.changing import Present, Rewritten, encoded, judged, present, put, stale, text_of
from codi.tools.diffs import diff_details
from codi.tools.lookup import not_found
from codi.tools.near_misses import near_misses, told
from codi.tools.quotes import Match, match
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.text_files import Splice
from codi.tools.tool import ToolFailed, ToolOutput
from codi.workspace.workspace import Workspace

_MOST_NUMBERS = 20


class Block(Struct, frozen=True, forbid_unknown_fields=True):
    old_text: Annotated[str, Meta(description="Text of the file, exact, long enough to occur only once")]
    new_text: Annotated[str, Meta(description="What is to stand there instead")]
    replace_all: Annotated[bool, Meta(description="Replace every occurrence")] = False


class Edit(Struct, frozen=True, forbid_unknown_fields=True):
    """Replace text in a file. Several edits of one call are all matched against the file as it is and apply together or not
    at all. Give `edits`, or `old_text` and `new_text` for a single one."""

    path: Annotated[str, Meta(description="Path, relative to the workspace's root or absolute")]
    edits: tuple[Block, ...] = ()
    old_text: Annotated[str, Meta(description="Text of the file, exact, long enough to occur only once")] | None = None
    new_text: Annotated[str, Meta(description="What is to stand there instead")] | None = None
    replace_all: Annotated[bool, Meta(description="Replace every occurrence of `old_text`")] = False

    def __post_init__(self) -> None:
        if (self.old_text is None) != (self.new_text is None):
            raise ValueError("`old_text` and `new_text` belong together")
        if not self.blocks:
            raise ValueError("give `edits`, or `old_text` and `new_text`")

    @property
    def blocks(self) -> tuple[Block, ...]:
        if self.old_text is None or self.new_text is None:
            return self.edits
        return (*self.edits, Block(self.old_text, self.new_text, self.replace_all))

    def effects(self) -> Iterable[Effect]:
        yield Writes(self.path)

    async def run(self, workspace: Workspace, *, gate: SyntaxGate) -> ToolOutput:
        try:
            file = await present(workspace, self.path)
        except FileNotFoundError:
            return await self._created(workspace, gate)
        return await self._edited(workspace, gate, file)

    async def _created(self, workspace: Workspace, gate: SyntaxGate) -> ToolOutput:
        if len(self.blocks) != 1 or self.blocks[0].old_text:
            raise not_found(workspace, self.path)
        text = self.blocks[0].new_text
        change = Rewritten(path=self.path, content=text.encode(), text=text)
        warning = judged(workspace, gate, [change])
        changes = await put(workspace, [change])
        return ToolOutput(
            text=f"Successfully wrote {len(text.encode())} bytes to {workspace.shown(self.path)}{warning}",
            details=diff_details("", [Splice(0, 0, text)]),
            changes=changes,
        )

    async def _edited(self, workspace: Workspace, gate: SyntaxGate, file: Present) -> ToolOutput:
        shown = workspace.shown(self.path)
        old = text_of(workspace, file)
        if any(not block.old_text for block in self.blocks):
            raise ToolFailed(f"old_text must not be empty in {shown}.")
        matches = [
            match(old.text, _quote(old.text, block), _plain(block.new_text), everywhere=block.replace_all)
            for block in self.blocks
        ]
        if not file.seen and not (file.seen is False and all(map(_is_rebased, matches))):
            raise stale(workspace, file, _line_of_first(old.text, self.blocks, matches))
        self._check_found(shown, old.text, matches)
        self._check_apart(shown, matches)
        splices = sorted((splice for found in matches for splice in found.splices), key=lambda splice: splice.start)
        new = old.spliced(splices)
        if new.raw == old.raw:
            raise ToolFailed(f"No changes made to {shown}.")
        change = Rewritten(path=self.path, old=file, content=encoded(workspace, self.path, new), text=new.text)
        warning = judged(workspace, gate, [change])
        changes = await put(workspace, [change])
        notes = [f" (matched ignoring {found.ignoring})" for found in matches if found.ignoring]
        if not file.seen:
            notes.append(" (rebased on newer text)")
        what = "text" if len(matches) == 1 else f"{len(matches)} blocks"
        return ToolOutput(
            text=f"Successfully replaced {what} in {shown}.{''.join(dict.fromkeys(notes))}{warning}",
            details=diff_details(old.text, splices),
            changes=changes,
        )

    def _check_found(self, shown: str, text: str, matches: Sequence[Match]) -> None:
        failures = [
            failure
            for at, (block, found) in enumerate(zip(self.blocks, matches))
            if (failure := self._failure(shown, text, at, block, found))
        ]
        if failures:
            raise ToolFailed("\n\n".join(failures))

    def _failure(self, shown: str, text: str, at: int, block: Block, found: Match) -> str | None:
        name = f"edits[{at}]" if len(self.blocks) > 1 else "the exact text"
        if not found.splices:
            return "\n".join(filter(None, (f"Could not find {name} in {shown}.", *_clues(text, block))))
        if len(found.splices) > 1 and not block.replace_all:
            numbers = [str(text.count("\n", 0, splice.start) + 1) for splice in found.splices[:_MOST_NUMBERS]]
            more = ", ..." if len(found.splices) > _MOST_NUMBERS else ""
            which = "" if len(self.blocks) == 1 else f" This is edits[{at}]."
            return (
                f"Found {len(found.splices)} occurrences of the text in {shown} (lines {', '.join(numbers)}{more}). "
                f"Add context or set replace_all.{which}"
            )
        return None

    def _check_apart(self, shown: str, matches: Sequence[Match]) -> None:
        places = sorted((splice.start, splice.end, at) for at, found in enumerate(matches) for splice in found.splices)
        for (_, end, one), (start, _, other) in pairwise(places):
            if start < end:
                first, second = sorted((one, other))
                raise ToolFailed(f"edits[{first}] and edits[{second}] overlap in {shown}.")


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")


def _quote(text: str, block: Block) -> str:
    # A view has CRLF where the file has CR CR LF, so a quote is taken as it is if it can be.
    return block.old_text if block.old_text in text else _plain(block.old_text)


def _is_rebased(found: Match) -> bool:
    """Whether a quote stands in newer text just as the model saw it in the older, and nowhere else."""
    return len(found.splices) == 1 and not found.ignoring


def _clues(text: str, block: Block) -> Iterable[str]:
    new = _plain(block.new_text)
    if new.strip() and new in text:
        yield f"The new text is already present at line {text.count(chr(10), 0, text.index(new)) + 1}."
    yield told(near_misses(text, _plain(block.old_text)))


def _line_of_first(text: str, blocks: Sequence[Block], matches: Sequence[Match]) -> int:
    for block, found in zip(blocks, matches):
        if found.splices:
            return text.count("\n", 0, found.splices[0].start) + 1
        if near := near_misses(text, _plain(block.old_text)):
            return near[0].first
    return 1
