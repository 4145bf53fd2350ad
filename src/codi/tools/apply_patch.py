"""The `apply_patch` tool."""

from collections.abc import Iterable, Sequence
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


class _Applied(Struct, frozen=True):
    """What becomes of one file, and the lines of the report on it. Without `change` some hunk has no place."""

    change: Rewritten | None
    report: list[str]


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
        report = "\n".join(line for file in applied for line in file.report)
        changes = [file.change for file in applied if file.change]
        if len(changes) < len(applied):
            raise ToolFailed(f"The patch does not apply. No file was changed.\n{report}")
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
    results = placed("", file.hunks)
    if any(isinstance(result, Unplaced) for result in results):
        return _Applied(None, [f"{shown}: a new file has no lines to keep or to remove"])
    new = _spliced(TextFile("", ""), results)
    change = Rewritten(path=file.path, content=encoded(workspace, file.path, new), text=new.text, mode=file.mode)
    return _Applied(change, [f"Created {shown} ({_counted(len(lines_of(new.text)))})"])


async def _deleted(workspace: Workspace, file: FilePatch) -> _Applied:
    old = await _old(workspace, file.path)
    shown = workspace.shown(file.path)
    if not file.hunks:
        if not old.seen:
            raise stale(workspace, old, 1)
        return _Applied(Rewritten(path=file.path, old=old), [f"Deleted {shown}"])
    text = text_of(workspace, old)
    results = placed(text.text, file.hunks)
    if any(isinstance(result, Unplaced) for result in results):
        return _Applied(None, [f"{shown}:", *_report(text.text, results)])
    if _spliced(text, results).text.strip():
        return _Applied(None, [f"{shown}: the patch deletes the file, yet does not remove all of its lines"])
    if old.seen is None:
        raise stale(workspace, old, 1)
    return _Applied(Rewritten(path=file.path, old=old), [f"Deleted {shown}"])


async def _updated(workspace: Workspace, file: FilePatch, source: str) -> _Applied:
    old = await _old(workspace, source)
    shown, shown_source = workspace.shown(file.path), workspace.shown(source)
    if not file.hunks:
        return _Applied(_rewritten(file, old, old.content, None), [_heading(file, shown_source, shown)])
    text = text_of(workspace, old)
    results = placed(text.text, file.hunks)
    rebased = old.seen is False and all(map(_is_certain, results))
    if not old.seen and not rebased and file.kind != "copy":
        raise stale(workspace, old, next((result.first + 1 for result in results if isinstance(result, Placed)), 1))
    report = [f"{_heading(file, shown_source, shown)}:", *_report(text.text, results)]
    if any(isinstance(result, Unplaced) for result in results):
        return _Applied(None, report)
    if rebased:
        report[0] = f"{report[0][:-1]} (rebased on newer text):"
    new = _spliced(text, results)
    return _Applied(_rewritten(file, old, encoded(workspace, source, new), new.text), report)


def _rewritten(file: FilePatch, old: Present, content: bytes, text: str | None) -> Rewritten:
    match file.kind:
        case "rename":
            return Rewritten(path=file.path, content=content, text=text, moved_from=old, mode=file.mode)
        case "copy":
            return Rewritten(path=file.path, content=content, text=text, mode=file.mode)
    return Rewritten(path=file.path, old=old, content=content, text=text, mode=file.mode)


def _heading(file: FilePatch, source: str, target: str) -> str:
    mode = f" (mode {file.mode:o})" if file.mode is not None else ""
    match file.kind:
        case "rename":
            return f"Renamed {source} to {target}{mode}"
        case "copy":
            return f"Copied {source} to {target}{mode}"
    return f"Patched {target}{mode}"


async def _old(workspace: Workspace, path: str) -> Present:
    try:
        return await present(workspace, path)
    except FileNotFoundError:
        raise not_found(workspace, path) from None


async def _check_absent(workspace: Workspace, path: str) -> None:
    if kind_of(workspace, path) != "absent":
        raise ToolFailed(f"{workspace.shown(path)} exists already. No file was changed. Update it, or delete it first.")


def _spliced(text: TextFile, results: Sequence[Placed | Unplaced]) -> TextFile:
    return text.spliced(spliced_by(text.text, [result for result in results if isinstance(result, Placed)]))


def _report(text: str, results: Sequence[Placed | Unplaced]) -> Iterable[str]:
    fits = "applied" if all(isinstance(result, Placed) for result in results) else "would apply"
    for number, result in enumerate(results, 1):
        name = f"  hunk {number}/{len(results)}"
        if isinstance(result, Placed):
            offset = f" ({result.offset:+})" if result.offset else ""
            ignoring = f", ignoring {result.ignoring}" if result.ignoring else ""
            yield f"{name}: {fits} at {result.first + 1}{offset}{ignoring}"
        elif result.reason:
            yield f"{name}: {result.reason}"
        elif result.places:
            numbers = ", ".join(str(place + 1) for place in result.places[:_MOST_NUMBERS])
            more = ", ..." if len(result.places) > _MOST_NUMBERS else ""
            yield f"{name}: its lines occur {len(result.places)} times (lines {numbers}{more}). Add context."
        else:
            yield f"{name}: its lines were not found"
            yield from told(near_misses(text, "\n".join(result.hunk.old))).splitlines()


def _is_certain(result: Placed | Unplaced) -> bool:
    return isinstance(result, Placed) and result.only and not result.ignoring


def _counted(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"
