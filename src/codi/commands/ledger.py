"""What was changed, by whom, and taking it back."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import DecodeError
from msgspec.json import decode
from msgspec.structs import replace

from codi.commands import ledger_words
from codi.commands.beside import told as told_beside
from codi.commands.command import Desk, Fail, Outcome, Show
from codi.protocol.errors import UsageError
from codi.protocol.events import (
    BisectDelta,
    BlameDelta,
    ChangesDelta,
    ComparisonDelta,
    Event,
    SnapshotsDelta,
    StatusDelta,
    UndoDelta,
)
from codi.protocol.ops import Op, Redo, ShowChanges, ShowDiff
from codi.wire.characters import proper_json


async def undo(words: Sequence[str], desk: Desk) -> Outcome:
    """Show what would be taken back, ask, and do it."""
    try:
        op = ledger_words.undo_of(words)
    except UsageError as error:
        return Fail(str(error), error.hint)
    planned = await desk.answer(replace(op, dry_run=True))
    if not isinstance(planned, UndoDelta) or not (planned.steps or planned.outcomes):
        return _told(planned, "undo")
    if op.dry_run:

        async def take_back() -> Outcome:
            return _told(await desk.answer(replace(op, dry_run=False)), "undo")

        return Show("\n".join(ledger_words.undo_in_words(planned)), "undo, a preview", then=take_back)
    question = "\n".join([*ledger_words.undo_in_words(planned), "Take this back?"])
    return _told(await desk.answer(op), "undo") if await desk.confirm(question) else Show("nothing was taken back")


async def redo(words: Sequence[str], desk: Desk) -> Outcome:
    if len(words) > 1 or not all(word.isdecimal() and int(word) for word in words):
        return Fail(f"usage: {ledger_words.USAGE['redo']}")
    op = Redo(int(words[0]) if words else 1)
    planned = await desk.answer(replace(op, dry_run=True))
    if not isinstance(planned, UndoDelta) or not (planned.steps or planned.outcomes):
        return _told(planned, "redo")
    question = "\n".join([*ledger_words.undo_in_words(planned), "Put this back?"])
    return _told(await desk.answer(op), "redo") if await desk.confirm(question) else Show("nothing was put back")


async def changes(words: Sequence[str], desk: Desk) -> Outcome:
    if list(words) not in ([], ["--json"]):
        return Fail(f"usage: {ledger_words.USAGE['changes']}")
    told = await desk.answer(ShowChanges(patches=not words))
    if not isinstance(told, ChangesDelta):
        return _told(told, "changes")
    if words:
        return Show(proper_json({"files": told.files}).decode())
    return Show("\n".join(ledger_words.changes_in_words(told)), "changes", told.files)


async def diff(words: Sequence[str], desk: Desk) -> Outcome:
    """A number is a turn; another word is a commit or a branch where there is no such file."""
    if len(words) > 2:
        return Fail("usage: /diff [TURN|REF] [PATH]")
    first, path = (words[0] if words else ""), (words[1] if len(words) > 1 else "")
    turn = int(first) if first.isdecimal() else None
    op = ShowDiff(turn=turn, ref="" if turn is not None else first, path=path)
    return _told(await desk.answer(op), "diff")


async def file_history(words: Sequence[str], desk: Desk) -> Outcome:
    """What each step did to a file; without one, which files there are."""
    match list(words):
        case []:
            return await changes((), desk)
        case ["status"]:
            return await told_beside(desk, "undo", "--status")
        case ["dir"]:
            return await _folder(desk)
        case ["clear"]:
            if not await desk.confirm("Forget the names of snapshots that are too old, or too many?"):
                return Show("nothing was forgotten")
            return await told_beside(desk, "snapshot", "prune", "--yes")
        case [path]:
            told = await desk.answer(ShowChanges(patches=True, path=path))
            if not isinstance(told, ChangesDelta):
                return _told(told, "history")
            if not told.files:
                return Fail(f"this session did not change {path}", "/changes lists what it did change.")
            return Show("\n".join(ledger_words.history_in_words(told)), f"history of {path}", told.files)
    return Fail("usage: /filehistory [FILE|status|dir|clear]")


async def _folder(desk: Desk) -> Outcome:
    """Where the ledger keeps what undo needs."""
    told = await desk.subcommand("undo", "--status", "--json")
    try:
        return Show(str(decode(told.text, type=dict[str, Any])["folder"]))
    except (DecodeError, KeyError):
        return Fail("nobody says where it is", "Try `codi undo --status`.")


async def blame(words: Sequence[str], desk: Desk) -> Outcome:
    return await _asked(lambda: ledger_words.blame_of(words), desk, "blame")


async def bisect(words: Sequence[str], desk: Desk) -> Outcome:
    at = words.index("--") if "--" in words else len(words)
    return await _asked(lambda: ledger_words.bisect_of(f"-- {' '.join(words[at + 1 :])}", words[:at]), desk, "bisect")


async def snapshot(words: Sequence[str], desk: Desk) -> Outcome:
    if len(words) == 2 and words[0] == "delete":
        if not await desk.confirm(f"Forget 1 snapshot: {words[1]}?"):
            return Show("nothing was forgotten")
        return await told_beside(desk, "snapshot", "delete", words[1], "--yes", empty=f"{words[1]} is forgotten")
    return await _asked(lambda: ledger_words.snapshot_of(words), desk, "snapshots")


async def _asked(reading: Callable[[], Op], desk: Desk, title: str) -> Outcome:
    try:
        op = reading()
    except UsageError as error:
        return Fail(str(error), error.hint)
    return _told(await desk.answer(op), title)


def _told(event: Event, title: str) -> Outcome:
    match event:
        case StatusDelta(text=text, hint=hint):
            return Fail(text, hint or "")
        case UndoDelta():
            return _lines(ledger_words.undo_in_words(event), title)
        case ChangesDelta():
            return _lines(ledger_words.changes_in_words(event), title)
        case BlameDelta():
            return _lines(ledger_words.blame_in_words(event), title)
        case BisectDelta():
            return _lines(ledger_words.bisect_in_words(event), title)
        case SnapshotsDelta():
            told = _lines(ledger_words.snapshots_in_words(event), title)
            return told if event.created or not event.snapshots else Show(told.text, title, view="snapshots")
        case ComparisonDelta(lines):
            return _lines(lines or ["nothing is different"], title)
    return Fail(f"codi answered with a {type(event).__name__}")


def _lines(lines: Iterable[str], title: str) -> Show:
    return Show("\n".join(lines), title)
