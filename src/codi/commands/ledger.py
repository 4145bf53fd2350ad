"""What was changed, by whom, and taking it back."""

from collections.abc import Callable, Iterable, Sequence
from shlex import join

from msgspec.structs import replace

from codi.commands import ledger_words
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
from codi.protocol.ops import Op, Redo, ShowChanges
from codi.wire.characters import proper_json


async def undo(words: Sequence[str], desk: Desk) -> Outcome:
    """Show what would be taken back, ask, and do it."""
    try:
        op = ledger_words.undo_of(words)
    except UsageError as error:
        return Fail(str(error), error.hint)
    planned = await desk.answer(replace(op, dry_run=True))
    if not isinstance(planned, UndoDelta) or not (planned.steps or planned.outcomes) or op.dry_run:
        return _told(planned, "undo")
    question = "\n".join([*ledger_words.undo_in_words(planned), "Take this back?"])
    return _told(await desk.answer(op), "undo") if await desk.confirm(question) else Show("nothing was taken back")


async def redo(words: Sequence[str], desk: Desk) -> Outcome:
    if len(words) > 1 or not all(word.isdecimal() and int(word) for word in words):
        return Fail(f"usage: {ledger_words.USAGE['redo']}")
    return _told(await desk.answer(Redo(int(words[0]) if words else 1)), "redo")


async def changes(words: Sequence[str], desk: Desk) -> Outcome:
    if list(words) not in ([], ["--json"]):
        return Fail(f"usage: {ledger_words.USAGE['changes']}")
    told = await desk.answer(ShowChanges())
    if words and isinstance(told, ChangesDelta):
        return Show(proper_json({"files": told.files}).decode())
    return _told(told, "changes")


async def blame(words: Sequence[str], desk: Desk) -> Outcome:
    return await _asked(lambda: ledger_words.blame_of(words), desk, "blame")


async def bisect(words: Sequence[str], desk: Desk) -> Outcome:
    at = words.index("--") if "--" in words else len(words)
    line = join(words[at + 1 :]) if len(words) - at > 2 else " ".join(words[at + 1 :])
    return await _asked(lambda: ledger_words.bisect_of(f"-- {line}", words[:at]), desk, "bisect")


async def snapshot(words: Sequence[str], desk: Desk) -> Outcome:
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
            return _lines(ledger_words.snapshots_in_words(event), title)
        case ComparisonDelta(lines):
            return _lines(lines or ["nothing is different"], title)
    return Fail(f"codi answered with a {type(event).__name__}")


def _lines(lines: Iterable[str], title: str) -> Show:
    return Show("\n".join(lines), title)
