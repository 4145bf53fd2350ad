"""What a person can do with the context of a conversation: look at it, make it shorter, take that back, hold something in it."""

import os
import re
from collections.abc import Callable, Iterable, Sequence

from codi.agent.compaction.cut import is_message
from codi.agent.compaction.serialising import serialised
from codi.agent.context import compaction_in_force, message_of, messages_of, standing
from codi.agent.counting import Counter
from codi.agent.entities import compressed, texts_of, worth_it
from codi.agent.mind import Mind
from codi.agent.record import Record
from codi.agent.room.overview import overview
from codi.agent.room.room import Made, Room
from codi.agent.stubs import stand_ins
from codi.agent.working_set import RECENT, Pins, pins, working_set
from codi.protocol.errors import CodiError, SessionError
from codi.protocol.events import (
    AnswerDelta,
    CompactionDelta,
    CompactionEndDelta,
    CompactionStartDelta,
    CompactionUndone,
    ContextAdded,
    ContextCompacted,
    Entry,
    EntryPinned,
    ResultsRestored,
    Share,
)
from codi.protocol.messages import user
from codi.protocol.ops import (
    ChooseWindow,
    ClearContext,
    Compact,
    ContextOp,
    Pin,
    SetCompaction,
    ShowCompaction,
    ShowContext,
    ShowFiles,
    Uncompact,
)

LEAST_MESSAGES = 6
_LEAST_WINDOW = 1024
_CHARACTERS = 60


class Upkeep:
    """`mind` gives who thinks now; `resolve` the real path of a file that a person names."""

    def __init__(
        self, room: Room, record: Record, mind: Callable[[], Mind], resolve: Callable[[str], str] = os.path.abspath
    ) -> None:
        self._room = room
        self._record = record
        self._mind = mind
        self._resolve = resolve

    async def take(self, op: ContextOp) -> None:
        """Do it, and tell what became of it."""
        try:
            match op:
                case Compact(preview=True):
                    await self._preview(op)
                case Compact():
                    await self._compact(op)
                case Uncompact(entry=""):
                    self._undo()
                case Uncompact(entry=entry):
                    self._bring_back(entry)
                case ShowCompaction():
                    self._show_compaction()
                case SetCompaction():
                    self._set(op)
                case ClearContext():
                    self._clear()
                case ShowContext():
                    self._record.tell(overview(self._room, self._mind(), self._path()))
                case Pin():
                    self._pin(op)
                case ShowFiles():
                    self._show_files()
                case ChooseWindow(tokens=tokens):
                    self._choose_window(tokens)
        except CodiError as error:
            self._record.tell(AnswerDelta(str(error), ok=False, hint=error.hint))

    async def _compact(self, op: Compact) -> None:
        """What the events of a compaction do not tell is told in words."""
        if not op.force and (few := self._too_few()):
            self._record.tell(CompactionStartDelta("manual"))
            self._record.tell(CompactionEndDelta(reason="manual", error=f"Compaction failed: {few}"))
            raise SessionError(few, hint="/compact --force compacts it all the same.")
        entry = await self._room.compact(
            self._mind(), "manual", instructions=op.instructions, how=op.how, force=op.force
        )
        made = _delta_of(entry, self._path(), self._room)
        self._record.tell(
            AnswerDelta(
                f"compacted: ~{made.tokens_before} tokens are ~{made.tokens_after} now, {len(made.dropped)} messages are "
                f"said shorter ({made.method})"
            )
        )

    def _too_few(self) -> str:
        path = self._path()
        if isinstance(path[-1].fact if path else None, ContextCompacted):
            return ""  # the room says better what is wrong with that
        said = sum(map(is_message, standing(path)))
        return "Nothing to compact." if said <= LEAST_MESSAGES else ""

    async def _preview(self, op: Compact) -> None:
        made = await self._room.made(self._mind(), "manual", instructions=op.instructions, how=op.how, force=op.force)
        own = made.fact.details["codi"]
        self._record.tell(
            CompactionDelta(
                method=made.method,
                summary=made.fact.summary,
                kept=self._shares(entry for entry in made.plan.kept if is_message(entry)),
                dropped=self._shares(made.plan.dropped),
                tokens_before=made.fact.tokens_before,
                tokens_after=own["tokensAfter"],
                cost=own["cost"],
                savings=self._savings(),
            )
        )

    def _savings(self) -> int:
        """Tokens that stand-ins for long values would save."""
        messages = self._room.messages()
        short = compressed(messages, worth_it(texts_of(messages)))
        return max(self._room.fill.counter.messages(messages) - Counter().messages(short), 0)

    def _shares(self, entries: Iterable[Entry]) -> tuple[Share, ...]:
        return tuple(_share(entry, self._room) for entry in entries)

    def _undo(self) -> None:
        path = self._path()
        at = compaction_in_force(path)
        if at is None:
            raise SessionError("there is no compaction to take back", hint="/compact makes one.")
        entry = path[at]
        before = Entry("", path[-1].id, path[-1].at, CompactionUndone(entry.id))
        mind = self._mind()
        counted = self._room.fill.counter.messages(messages_of([*path, before]))
        head = self._room.fill.head(mind)
        used = round((counted + head) * self._room.fill.ratio(mind))
        most = self._room.tier(mind).window - self._room.tier(mind).reserve
        if used > most:
            raise SessionError(
                f"the conversation without that compaction has ~{used} tokens, ~{used - most} more than fit",
                hint="Bring single entries back with /compact undo ENTRY, or choose a model with a larger window.",
            )
        self._record.keep(CompactionUndone(entry.id), sync=True)
        self._record.tell(AnswerDelta(f"compaction {entry.id} is taken back: ~{used} tokens are used"))

    def _bring_back(self, prefix: str) -> None:
        entry = self._entry(prefix)
        path = self._path()
        if any(each.id == entry.id for each in standing(path)):
            if entry.id in stand_ins(path):
                self._record.keep(ResultsRestored((entry.id,)))
                self._record.tell(AnswerDelta(f"{entry.id} is seen whole again"))
                return
            raise SessionError(f"{entry.id} is part of the conversation", hint="/compact status lists what is not.")
        text = "\n\n".join(serialised([entry]))
        if not text:
            raise SessionError(f"{entry.id} says nothing", hint="/compact status lists what was dropped.")
        self._record.keep(
            ContextAdded(kind="codi/restored", message=user(text), details={"entryId": entry.id}), sync=True
        )
        self._record.tell(AnswerDelta(f"{entry.id} is part of the conversation again"))

    def _show_compaction(self) -> None:
        path = self._path()
        at = compaction_in_force(path)
        if at is None:
            self._record.tell(AnswerDelta("nothing was compacted", hint="/compact makes the conversation shorter."))
            return
        self._record.tell(_delta_of(path[at], path, self._room))

    def _set(self, op: SetCompaction) -> None:
        said = []
        if op.auto is not None:
            self._room.set_auto(op.auto)
            said.append(f"automatic compaction is {'on' if op.auto else 'off'}")
        if op.compress is not None:
            self._room.set_compress(op.compress)
            said.append(f"compression of long values is {'on' if op.compress else 'off'}")
        self._record.tell(AnswerDelta("; ".join(said) or "nothing was set"))

    def _clear(self) -> None:
        made: Made = self._room.cleared(self._mind())
        self._record.tell(CompactionStartDelta("manual"))
        entry = self._record.keep(made.fact, sync=True)
        assert isinstance(entry.fact, ContextCompacted)
        self._record.tell(CompactionEndDelta(reason="manual", result=entry.fact))
        self._record.tell(
            AnswerDelta(f"{len(made.plan.dropped)} messages are out of the context; /compact undo brings them back")
        )

    def _pin(self, op: Pin) -> None:
        path = self._path()
        held = pins(path)
        if not op.pinned and op.target in ("", "*"):
            self._let_go(held, all_files=op.target == "*")
            return
        if entry := self._maybe_entry(op.target):
            self._pin_entry(entry, op, held)
            return
        name = self._resolve(op.target)
        if op.pinned and not os.path.isfile(name):
            raise SessionError(
                f"{op.target} is neither an entry of this session nor a file",
                hint="Name a file, or 4 letters of an id.",
            )
        if not op.pinned and name not in held.files:
            raise SessionError(f"{op.target} is not pinned", hint="/files lists what is.")
        self._check_size(op, os.path.getsize(name) // 4 if op.pinned else 0)
        self._record.keep(EntryPinned("", op.pinned, name))
        self._record.tell(AnswerDelta(f"{op.target} is {'pinned' if op.pinned else 'no longer pinned'}"))

    def _let_go(self, held: Pins, *, all_files: bool) -> None:
        """Of all that is pinned; and of the files that were worked on, as if they had not been."""
        for name in held.files:
            self._record.keep(EntryPinned("", False, name))
        for entry_id in held.entries:
            self._room.guard(self._mind(), f"unpinning {entry_id}")
            self._record.keep(EntryPinned(entry_id, False))
        worked_on = len(working_set(self._path()).paths) if all_files else 0
        if all_files:
            self._record.keep(EntryPinned("", False, "*"))
        many = len(held.files) + len(held.entries)
        told = f"{many} no longer pinned" + (f", {worked_on} files are worked on no more" if all_files else "")
        self._record.tell(AnswerDelta(told))

    def _pin_entry(self, entry: Entry, op: Pin, held: Pins) -> None:
        if not op.pinned and entry.id not in held.entries:
            raise SessionError(f"{entry.id} is not pinned", hint="/context lists what is.")
        if op.pinned and message_of(entry) is None:
            raise SessionError(f"{entry.id} is no message", hint="Pin an entry that says something.")
        self._check_size(op, self._room.fill.count(entry) if op.pinned else 0)
        if not op.pinned:
            self._room.guard(self._mind(), f"unpinning {entry.id}")
        self._record.keep(EntryPinned(entry.id, op.pinned))
        self._record.tell(AnswerDelta(f"{entry.id} is {'pinned' if op.pinned else 'no longer pinned'}"))

    def _check_size(self, op: Pin, tokens: int) -> None:
        mind = self._mind()
        tier = self._room.tier(mind)
        most = tier.window - tier.reserve - self._room.fill.head(mind)
        if tokens > most:
            raise SessionError(
                f"{op.target} has ~{tokens} tokens, and there is room for {most}", hint="Pin a smaller part of it."
            )

    def _show_files(self) -> None:
        path = self._path()
        held, known = pins(path), working_set(path)
        lines = [f"{name}  pinned{_state(name)}" for name in held.files]
        lines += [
            f"{touched.path}  {touched.kind}{_state(self._resolve(touched.path))}"
            for touched in known.paths[:RECENT]
            if self._resolve(touched.path) not in held.files
        ]
        lines += [f"{pattern}  searched" for pattern in known.patterns[:RECENT]]
        self._record.tell(AnswerDelta("\n".join(lines) or "no file is open"))

    def _choose_window(self, tokens: int) -> None:
        if tokens < _LEAST_WINDOW:
            raise SessionError(f"a window of {tokens} tokens is too small", hint=f"Give {_LEAST_WINDOW} or more.")
        self._room.chosen_window = tokens
        self._record.tell(AnswerDelta(f"the window is taken to be {tokens} tokens"))

    def _maybe_entry(self, prefix: str) -> Entry | None:
        if not re.fullmatch(r"[0-9a-f-]{4,36}", prefix):
            return None
        found = [entry for entry in self._path() if entry.id.startswith(prefix)]
        return found[0] if len(found) == 1 else None

    def _entry(self, prefix: str) -> Entry:
        found = self._maybe_entry(prefix)
        if found is None:
            raise SessionError(f"there is no entry {prefix} on this path", hint="/compact status lists the entries.")
        return found

    def _path(self) -> list[Entry]:
        return self._record.session.path()


def _delta_of(entry: Entry, path: Sequence[Entry], room: Room) -> CompactionDelta:
    """A compaction as it was kept, with the entries that it names."""
    fact = entry.fact
    assert isinstance(fact, ContextCompacted)
    own = fact.details.get("codi", {}) if isinstance(fact.details, dict) else {}
    known = {each.id: each for each in path}

    def shares(ids: Sequence[str]) -> tuple[Share, ...]:
        return tuple(_share(known[each], room) for each in ids if each in known)

    return CompactionDelta(
        id=entry.id,
        method=str(own.get("method", "")),
        summary=fact.summary,
        kept=shares(own.get("kept", ())),
        dropped=shares(own.get("dropped", ())),
        tokens_before=fact.tokens_before,
        tokens_after=int(own.get("tokensAfter", 0)),
        cost=own.get("cost"),
    )


def _share(entry: Entry, room: Room) -> Share:
    text = " ".join(" ".join(serialised([entry])).split())
    shown = text if len(text) <= _CHARACTERS else text[:_CHARACTERS] + "..."
    return Share(entry.id, room.fill.count(entry), shown)


def _state(path: str) -> str:
    return "" if os.path.exists(path) else ", gone"
