"""The commands of a plain conversation that look back or take back."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from msgspec.structs import replace

from codi.commands import ledger_words
from codi.frontends.sanitiser import visible
from codi.protocol.conversation import Conversation
from codi.protocol.errors import UsageError
from codi.protocol.events import (
    ApprovalAsked,
    BisectDelta,
    BlameDelta,
    ChangesDelta,
    ComparisonDelta,
    Delta,
    Entry,
    Event,
    SnapshotsDelta,
    StatusDelta,
    UndoDelta,
)
from codi.protocol.ops import Op, Redo, ShowChanges, Undo
from codi.wire.characters import proper_json

ALIASES = {
    "revert-file": "undo",
    "rf": "undo",
    "fileundo": "undo",
    "fu": "undo",
    "diff-status": "changes",
    "checkpoint": "snapshot",
    "snapshots": "snapshot",
}


class LedgerChat:
    """`line` asks the person something, `answer` has a question of permission answered."""

    def __init__(
        self,
        conversation: Conversation,
        events: AsyncIterator[Event],
        line: Callable[[str], Awaitable[str | None]],
        answer: Callable[[ApprovalAsked], Awaitable[None]],
    ) -> None:
        self._conversation = conversation
        self._events = events
        self._line = line
        self._answer = answer

    async def take(self, name: str, rest: str) -> bool:
        """Do what a command says; False if it is none of these."""
        command = ALIASES.get(name, name)
        if command not in ledger_words.USAGE:
            return False
        try:
            await self._take(command, rest)
        except UsageError as error:
            _print([str(error)])
        return True

    async def _take(self, command: str, rest: str) -> None:
        words = _words(rest.partition(" -- ")[0].removeprefix("-- ") if command == "bisect" else rest, command)
        match command, words:
            case "undo", _:
                await self._undo(ledger_words.undo_of(words))
            case "redo", []:
                await self._told(Redo())
            case "redo", [count] if count.isdecimal() and int(count):
                await self._told(Redo(int(count)))
            case "changes", [] | ["--json"]:
                await self._told(ShowChanges(), as_json=bool(words))
            case "blame", _:
                await self._told(ledger_words.blame_of(words))
            case "bisect", _:
                before = [] if rest.startswith("-- ") else words
                await self._told(ledger_words.bisect_of(rest, before))
            case "snapshot", _:
                await self._told(ledger_words.snapshot_of(words))
            case _:
                raise ledger_words.Unclear(command)

    async def _undo(self, op: Undo) -> None:
        """Show what would be taken back, ask, and do it."""
        planned = await self._told(replace(op, dry_run=True))
        if not isinstance(planned, UndoDelta) or not (planned.steps or planned.outcomes) or op.dry_run:
            return
        if (await self._line("take this back? [y]es, [N]o: ") or "").strip().lower() in ("y", "yes"):
            await self._told(op)

    async def _told(self, op: Op, *, as_json: bool = False) -> Delta | None:
        """Have it done, and print what is told of it."""
        await self._conversation.send(op)
        async for event in self._events:
            match event:
                case Entry(fact=ApprovalAsked() as asked):
                    await self._answer(asked)
                case StatusDelta(kind="warning", text=text, hint=hint):
                    _print([f"error: {text}", *([f"hint: {hint}"] if hint else [])])
                    return None
                case UndoDelta():
                    _print(ledger_words.undo_in_words(event))
                    return event
                case ChangesDelta(files) if as_json:
                    _print([proper_json({"files": files}).decode()])
                    return event
                case ChangesDelta():
                    _print(ledger_words.changes_in_words(event))
                    return event
                case BlameDelta():
                    _print(ledger_words.blame_in_words(event))
                    return event
                case BisectDelta(done=done):
                    _print(ledger_words.bisect_in_words(event))
                    if done:
                        return event
                case SnapshotsDelta():
                    _print(ledger_words.snapshots_in_words(event))
                    return event
                case ComparisonDelta(lines):
                    _print(lines or ["nothing is different"])
                    return event
        return None


def _words(text: str, command: str) -> list[str]:
    from shlex import split  # for those who talk, and not for a shot

    try:
        return split(text)
    except ValueError as error:
        raise ledger_words.Unclear(command) from error


def _print(lines: Iterable[str]) -> None:
    print(visible("\n".join(lines)), flush=True)
