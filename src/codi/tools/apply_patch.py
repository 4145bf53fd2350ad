"""The `apply_patch` tool."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from codi.protocol.effects import Effect, Reads, Writes
from codi.tools.changing import Present, Rewritten, encoded, judged, present, put, stale, text_of
from codi.tools.lookup import kind_of, not_found
from codi.tools.near_misses import near_misses, told
from codi.tools.patches import FilePatch, PatchError, parsed
from codi.tools.patching import Placed, Unplaced, lines_of, placed, spliced_by
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.text_files import TextFile
from codi.tools.tool import ToolFailed, ToolOutput
from codi.workspace.workspace import Workspace

_MOST_NUMBERS = 20


class _Applied(Struct, frozen=True, kw_only=True):
    """What becomes of one file. Without `change` it can not be done: some of its hunks have no place, or there is a `fault`."""

    path: str
    change: Rewritten | None = None
    done: str = ""
    text: str = ""
    hunks: tuple[Placed | Unplaced, ...] = ()
    fault: str = ""


class ApplyPatch(Struct, frozen=True, forbid_unknown_fields=True):
    """Apply a patch to one or several files, all of it or nothing. The patch is a unified diff, or text that begins with
    `*** Begin Patch`, or SEARCH/REPLACE blocks. Context must be as in the file; line numbers may be wrong."""

    patch: str
    path: Annotated[str, Meta(description="The file that is meant where the patch names none")] | None = None

    def effects(self) -> Iterable[Effect]:
        try:
            files = parsed(self.patch, self.path)
        except PatchError:
            return  # said by `run`, which then touches nothing
        for file in files:
            match file.kind:
                case "add" | "copy":
                    yield Writes(file.path, "create")
                case "delete":
                    yield Writes(file.path, "delete")
                case "rename":
                    yield Writes(file.path, "move")
                case "update":
                    yield Writes(file.path)
            if file.kind == "rename" and file.source:
                yield Writes(file.source, "move")
            elif file.source:
                yield Reads(file.source)

    async def run(self, workspace: Workspace, *, gate: SyntaxGate) -> ToolOutput:
        try:
            files = parsed(self.patch, self.path)
        except PatchError as error:
            raise ToolFailed(f"{error}. No file was changed.") from error
        applied = [await _applied(workspace, file) for file in files]
        changes = [file.change for file in applied if file.change]
        if len(changes) < len(applied):
            report = "\n".join(line for file in applied for line in _failure_report(file))
            raise ToolFailed(f"The patch does not apply. No file was changed.\n{report}")
        report = "\n".join(line for file in applied for line in _report(file))
        if all(_is_nothing(change) for change in changes):
            raise ToolFailed(f"No changes made by the patch.\n{report}")
        warning = judged(workspace, gate, changes)
        done = await put(workspace, [change for change in changes if not _is_nothing(change)])
        return ToolOutput(text=f"{report}{warning}", changes=done)


def _is_nothing(change: Rewritten) -> bool:
    return change.kind == "mode" and change.mode is None


async def _applied(workspace: Workspace, file: FilePatch) -> _Applied:
    match file.kind:
        case "add":
            return await _added(workspace, file)
        case "delete":
            return await _deleted(workspace, file)
        case "update":
            return await _updated(workspace, file, file.path)
        case "rename" | "copy":
            assert file.source is not None
            await _check_absent(workspace, file.path)
            return await _updated(workspace, file, file.source)


async def _added(workspace: Workspace, file: FilePatch) -> _Applied:
    await _check_absent(workspace, file.path)
    shown = workspace.shown(file.path)
    hunks = placed("", file.hunks)
    if any(isinstance(hunk, Unplaced) for hunk in hunks):
        return _Applied(path=shown, fault="a new file has no lines to keep or to remove")
    new = _spliced(TextFile("", ""), hunks)
    change = Rewritten(path=file.path, content=encoded(workspace, file.path, new), text=new.text, mode=file.mode)
    return _Applied(
        path=shown, change=change, done=f"Created {shown} ({_counted(len(lines_of(new.text)))}){_mode(file)}"
    )


async def _deleted(workspace: Workspace, file: FilePatch) -> _Applied:
    old = await _old(workspace, file.path)
    shown = workspace.shown(file.path)
    change = Rewritten(path=file.path, old=old)
    if not file.hunks:
        if not old.seen:
            raise stale(workspace, old, 1)
        return _Applied(path=shown, change=change, done=f"Deleted {shown}")
    text = text_of(workspace, old)
    hunks = placed(text.text, file.hunks)
    if any(isinstance(hunk, Unplaced) for hunk in hunks):
        return _Applied(path=shown, text=text.text, hunks=tuple(hunks))
    if _spliced(text, hunks).text.strip():
        return _Applied(path=shown, fault="the patch deletes the file, yet does not remove all of its lines")
    if old.seen is None:
        raise stale(workspace, old, 1)
    return _Applied(path=shown, change=change, done=f"Deleted {shown}")


async def _updated(workspace: Workspace, file: FilePatch, source: str) -> _Applied:
    old = await _old(workspace, source)
    shown = workspace.shown(file.path)
    done = _done(file, workspace.shown(source), shown)
    if not file.hunks:
        return _Applied(path=shown, change=_rewritten(file, old, old.content, None), done=done)
    text = text_of(workspace, old)
    hunks = placed(text.text, file.hunks)
    rebased = old.seen is False and all(map(_is_certain, hunks))
    if not old.seen and not rebased and file.kind != "copy":
        raise stale(workspace, old, next((hunk.first + 1 for hunk in hunks if isinstance(hunk, Placed)), 1))
    if any(isinstance(hunk, Unplaced) for hunk in hunks):
        return _Applied(path=shown, text=text.text, hunks=tuple(hunks))
    new = _spliced(text, hunks)
    return _Applied(
        path=shown,
        change=_rewritten(file, old, encoded(workspace, source, new), new.text),
        done=f"{done} (rebased on newer text)" if rebased else done,
        hunks=tuple(hunks),
    )


def _rewritten(file: FilePatch, old: Present, content: bytes, text: str | None) -> Rewritten:
    match file.kind:
        case "rename":
            return Rewritten(path=file.path, content=content, text=text, moved_from=old, mode=file.mode)
        case "copy":
            return Rewritten(path=file.path, content=content, text=text, mode=file.mode)
    return Rewritten(path=file.path, old=old, content=content, text=text, mode=file.mode)


def _done(file: FilePatch, source: str, target: str) -> str:
    match file.kind:
        case "rename":
            return f"Renamed {source} to {target}{_mode(file)}"
        case "copy":
            return f"Copied {source} to {target}{_mode(file)}"
    return f"Patched {target}{_mode(file)}"


def _mode(file: FilePatch) -> str:
    return "" if file.mode is None else f" (mode {file.mode:o})"


async def _old(workspace: Workspace, path: str) -> Present:
    try:
        return await present(workspace, path)
    except FileNotFoundError:
        raise not_found(workspace, path) from None


async def _check_absent(workspace: Workspace, path: str) -> None:
    if kind_of(workspace, path) != "absent":
        raise ToolFailed(f"{workspace.shown(path)} exists already. No file was changed. Update it, or delete it first.")


def _spliced(text: TextFile, hunks: Sequence[Placed | Unplaced]) -> TextFile:
    return text.spliced(spliced_by(text.text, [hunk for hunk in hunks if isinstance(hunk, Placed)]))


def _report(file: _Applied) -> Iterator[str]:
    yield f"{file.done}:" if file.hunks else file.done
    yield from _hunk_reports(file, "applied at")


def _failure_report(file: _Applied) -> Iterator[str]:
    yield f"{file.path}:{f' {file.fault}' if file.fault else '' if file.hunks else ' fits'}"
    yield from _hunk_reports(file, "would apply at")


def _hunk_reports(file: _Applied, verb: str) -> Iterator[str]:
    for number, hunk in enumerate(file.hunks, 1):
        name = f"  hunk {number}/{len(file.hunks)}"
        if isinstance(hunk, Placed):
            offset = f" ({hunk.offset:+})" if hunk.offset else ""
            ignoring = f", ignoring {hunk.ignoring}" if hunk.ignoring else ""
            yield f"{name}: {verb} {hunk.first + 1}{offset}{ignoring}"
        elif hunk.reason:
            yield f"{name}: {hunk.reason}"
        elif hunk.places:
            numbers = ", ".join(str(place + 1) for place in hunk.places[:_MOST_NUMBERS])
            more = ", ..." if len(hunk.places) > _MOST_NUMBERS else ""
            yield f"{name}: its lines occur {len(hunk.places)} times (lines {numbers}{more}). Add context."
        else:
            yield f"{name}: its lines were not found"
            if near := near_misses(file.text, "\n".join(hunk.hunk.old)):
                yield told(near)


def _is_certain(hunk: Placed | Unplaced) -> bool:
    return isinstance(hunk, Placed) and hunk.only and not hunk.ignoring


def _counted(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"
