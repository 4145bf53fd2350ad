"""Changing a file that somebody else may change too.

A change is computed from what the session has seen of a file. Where the file is no longer that, or was never seen, the change
is refused with the text as it is now, so that nobody's work is overwritten unseen.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from time import localtime, strftime
from typing import Literal

from msgspec import Struct

from codi.protocol.events import FileChange
from codi.tools.lookup import content_of
from codi.tools.near_misses import numbered
from codi.tools.output import size
from codi.tools.syntax_gate import Rewrite, SyntaxGate
from codi.tools.text_files import Binary, CannotEncode, TextFile
from codi.tools.tool import ToolFailed
from codi.workspace.workspace import ChangedMeanwhile, Replacement, Workspace

_MOST_NAMED = 10
_AROUND = 5  # lines that an excerpt shows on each side


class Present(Struct, frozen=True):
    """A file as it is now. `seen` says whether that is what the session saw last, None that it saw none of it."""

    path: str
    content: bytes
    id: str
    text: TextFile | Binary
    seen: bool | None

    @property
    def lines(self) -> list[str]:
        return [] if isinstance(self.text, Binary) else self.text.text.removesuffix("\n").split("\n")


class Rewritten(Struct, frozen=True, kw_only=True):
    """One file of a change that is ready to be made. Without `old` it is created, without `content` deleted; with
    `moved_from` it is what another file becomes. `text` is the new text, where it is one; `mode` None keeps the mode."""

    path: str
    old: Present | None = None
    content: bytes | None = None
    text: str | None = None
    moved_from: Present | None = None
    mode: int | None = None

    @property
    def kind(self) -> Literal["created", "modified", "deleted", "moved", "mode"]:
        if self.moved_from:
            return "moved"
        if self.old is None:
            return "created"
        if self.content is None:
            return "deleted"
        return "mode" if self.content == self.old.content else "modified"


async def present(workspace: Workspace, path: str) -> Present:
    """Raises FileNotFoundError, and ToolFailed for what is no regular file."""
    content = await content_of(workspace, path)
    stamp = workspace.stamp(path)
    id = sha256(content).hexdigest()
    return Present(path, content, id, TextFile.of(content), None if stamp is None else stamp.sha256 == id)


def text_of(workspace: Workspace, file: Present) -> TextFile:
    """Raises ToolFailed for a binary file."""
    if isinstance(file.text, Binary):
        raise ToolFailed(
            f"{workspace.shown(file.path)} is a binary file ({file.text.mime}, {size(len(file.content))}) and cannot be "
            "edited as text."
        )
    return file.text


def stale(workspace: Workspace, file: Present, line: int) -> ToolFailed:
    """Why a file must be read before it is changed, with its present text around a line."""
    shown = workspace.shown(file.path)
    if file.seen is None:
        why = f"{shown} was not read in this session. Read it first; the current text around your edit is:"
    else:
        at = strftime("%Y-%m-%d %H:%M:%S", localtime(workspace.facts(file.path).mtime_ns // 10**9))
        why = (
            f"{shown} changed on disk since it was read (at {at}). Read it again; the current text around your edit is:"
        )
    return ToolFailed(f"{why}\n{excerpt(file.lines, line)}")


def excerpt(lines: Sequence[str], line: int) -> str:
    """Some lines around one, with their numbers."""
    if not lines:
        return "(no text)"
    first = min(max(line - _AROUND, 1), max(len(lines) - 2 * _AROUND, 1))
    return numbered([line[:200] for line in lines[first - 1 : line + _AROUND]], first)


def encoded(workspace: Workspace, path: str, file: TextFile) -> bytes:
    """The bytes of a changed text. Raises ToolFailed for a character that its encoding does not have."""
    try:
        return file.encode()
    except CannotEncode as error:
        raise ToolFailed(
            f"{workspace.shown(path)} is encoded as {error.encoding}, which has no {error.character!r} "
            f"(U+{ord(error.character):04X}). Use a character that it has."
        ) from error


def judged(workspace: Workspace, gate: SyntaxGate, changes: Sequence[Rewritten]) -> str:
    """What is to be said of a change that is ready to be made, as lines to add to the result: what the syntax gate found,
    and where a crash would leave neither the old nor the new. Raises ToolFailed."""
    rewrites = [
        Rewrite(workspace.shown(change.path), _text_before(change), change.text)
        for change in changes
        if change.text is not None
    ]
    warning = gate.warning(rewrites)
    in_place = [
        f"(written in place: {workspace.shown(change.path)} {why})"
        for change in changes
        if change.old and change.content is not None and (why := workspace.in_place(change.path))
    ]
    return "".join(f"\n{line}" for line in (warning, *in_place) if line)


def _text_before(change: Rewritten) -> str | None:
    old = change.old or change.moved_from
    return old.text.text if old and isinstance(old.text, TextFile) else None


async def put(workspace: Workspace, changes: Sequence[Rewritten]) -> tuple[FileChange, ...]:
    """Make a change of one or several files, all or none. Raises ToolFailed."""
    await replaced(workspace, [replacement for change in changes for replacement in _replacements(change)])
    for change in changes:
        was = change.old or change.moved_from
        # What nobody has read is not known by having been moved, or changed in one place.
        if change.content is not None and (was is None or was.seen is not None):
            workspace.saw(change.path, change.content)
    return tuple(_as_fact(workspace, change) for change in changes)


async def replaced(workspace: Workspace, replacements: Sequence[Replacement]) -> None:
    """Make them, all or none. Raises ToolFailed."""
    try:
        await workspace.replace_all(replacements)
    except ChangedMeanwhile as error:
        paths = dict.fromkeys(workspace.shown(change.path) for change in replacements)
        shown = " or ".join(paths) if len(paths) <= _MOST_NAMED else "One of these files"
        raise ToolFailed(f"{shown} changed on disk since it was read. Nothing was written. Read it again.") from error
    except OSError as error:
        where = workspace.shown(str(error.filename or replacements[0].path))
        raise ToolFailed(f"Nothing was written: {where}: {error.strerror or error}.") from error


def _replacements(change: Rewritten) -> Iterator[Replacement]:
    yield Replacement(change.path, change.content, change.old.content if change.old else None, change.mode)
    if change.moved_from:
        yield Replacement(change.moved_from.path, None, change.moved_from.content)


def _as_fact(workspace: Workspace, change: Rewritten) -> FileChange:
    old = change.old or change.moved_from
    return FileChange(
        workspace.shown(change.path),
        change.kind,
        before=old.id if old else None,
        after=None if change.content is None else sha256(change.content).hexdigest(),
        moved_from=workspace.shown(change.moved_from.path) if change.moved_from else None,
    )
