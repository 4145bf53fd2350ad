"""Going about in the tree of a conversation: to another entry, back with the files, into a session of its own; names and labels."""

import os
import time
from collections.abc import Callable, Sequence

import anyio
from anyio import to_thread

from codi.agent.mind import Mind
from codi.agent.record import Record
from codi.agent.taking_back import TakingBack
from codi.protocol.errors import CodiError, SessionError, UsageError
from codi.protocol.events import (
    BranchSummarised,
    CommandShown,
    Entry,
    ForkedDelta,
    Labelled,
    MessageAdded,
    NavigatedDelta,
    StatusDelta,
    TitleGiven,
)
from codi.protocol.messages import Message, user
from codi.protocol.ops import ForkAt, LabelEntry, Navigate, Rename, Rewind
from codi.providers.provider import Request, complete
from codi.sessions.forking import fork_at
from codi.sessions.tree import Place, entry_named, left_behind, path_to, place_at, place_to_fork

TreeOp = Navigate | Rewind | ForkAt | LabelEntry | Rename
LONGEST_NAME = 60
"""Of a session, in characters."""
SUMMARISER = (
    "You summarise a branch of a conversation between a person and a coding agent. The conversation returns to where the branch "
    "left it, so tell what is worth knowing there: the goal, what was tried, what was decided and why, which files were read or "
    "changed, what failed, what is left. Keep exact names, paths and error texts. Answer with the summary alone."
)
_LONGEST_TEXT = 2000


class Navigating:
    """`mind` is who thinks now. `moved` is called when the conversation goes on from another entry, before that is told."""

    def __init__(
        self, record: Record, mind: Callable[[], Mind], taking_back: TakingBack, moved: Callable[[], None]
    ) -> None:
        self._record = record
        self._mind = mind
        self._taking_back = taking_back
        self._moved = moved

    async def take(self, op: TreeOp) -> None:
        """Do it, and tell what became of it; what cannot be done is told as a warning."""
        try:
            match op:
                case Navigate(entry, summary, instructions, label):
                    await self._navigate(self._place(entry), summary=summary, instructions=instructions, label=label)
                case Rewind():
                    await self._rewind(op)
                case ForkAt(entry):
                    await self._fork(entry)
                case LabelEntry(entry, label):
                    self._label(self._entry(entry).id, label)
                case Rename(name):
                    self._rename(name)
        except CodiError as error:
            self._record.tell(StatusDelta(kind="warning", text=str(error), hint=error.hint))
        except anyio.get_cancelled_exc_class():
            self._record.tell(StatusDelta(kind="warning", text="it was stopped", hint="Nothing was changed."))
            raise

    async def _navigate(self, place: Place, *, summary: bool = False, instructions: str = "", label: str = "") -> None:
        session = self._record.session
        if place.leaf == session.leaf:
            self._told(place, moved=False)
            return
        left = left_behind(session.path(), path_to(place.leaf, session.entries))
        said = await self._summary(left, instructions) if summary and left else None
        fact = BranchSummarised(from_id=place.leaf or "root", summary=said) if said else None
        entry = self._record.branch_from(place.leaf, fact)
        if label:
            self._label(place.leaf or entry.id, label)
        self._moved()
        self._told(place)

    def _told(self, place: Place, *, moved: bool = True) -> None:
        self._record.tell(NavigatedDelta(to=place.leaf, prompt=place.prompt, images=place.images, moved=moved))

    async def _rewind(self, op: Rewind) -> None:
        entry = self._entry(op.entry)
        place = place_at(entry)
        if op.files:
            path = path_to(place.leaf, self._record.session.entries)
            if not await self._taking_back.bring_back_to(path):
                return  # it was told why; a conversation without its files would be neither here nor there
        if op.conversation:
            await self._navigate(place)

    async def _fork(self, text: str) -> None:
        session = self._record.session
        source = session.store.path
        if source is None:
            raise SessionError("This session is kept in memory alone.", hint="Leave --no-session away to fork.")
        if not os.path.exists(source):
            raise SessionError("Nothing was said yet that could be forked.", hint="Say something first.")
        place = place_to_fork(self._entry(text)) if text else Place(session.leaf)
        forked = await to_thread.run_sync(lambda: fork_at(source, os.path.dirname(source), place.leaf, at=time.time()))
        self._record.tell(ForkedDelta(session=forked.session, path=forked.path, prompt=place.prompt))

    def _rename(self, name: str) -> None:
        name = " ".join(name.split())
        if len(name) > LONGEST_NAME:
            raise UsageError(f"the name is {len(name)} characters long", hint=f"Give at most {LONGEST_NAME}.")
        self._record.keep(TitleGiven(name))

    def _label(self, entry_id: str, label: str) -> None:
        self._record.keep(Labelled(entry_id, " ".join(label.split()) or None))

    def _place(self, text: str) -> Place:
        return place_at(self._entry(text)) if text else Place(None)

    def _entry(self, text: str) -> Entry:
        return entry_named(text, self._record.session.entries)

    async def _summary(self, left: Sequence[Entry], instructions: str) -> str | None:
        """What the model says of a branch; None for one in which nothing was said."""
        told = _told(left)
        if not told:
            return None
        if instructions:
            told += f"\n\nIn your summary, mind this above all: {instructions}"
        mind = self._mind()
        request = Request(
            system=(SUMMARISER,),
            messages=[user(told)],
            max_output=mind.max_output,
            session_id=mind.session_id,
            purpose="summary",
        )
        if said := (await complete(mind.provider, request)).message.text.strip():
            return said
        raise SessionError("The model gave no summary of the branch.", hint="Go there without a summary.")


def _told(entries: Sequence[Entry]) -> str:
    """A branch as a text, for who sums it up. Long results are cut."""
    lines: list[str] = []
    for entry in entries:
        match entry.fact:
            case MessageAdded(Message("assistant") as message):
                lines += [f"Agent: {message.text}"] if message.text.strip() else []
                lines += [f"Agent calls {call.name} with {_cut(str(call.arguments))}" for call in message.tool_calls]
            case MessageAdded(message) if message.tool_results:
                lines += [f"Result: {_cut(result.text)}" for result in message.tool_results]
            case MessageAdded(message):
                lines.append(f"Person: {message.text}")
            case CommandShown(command=command, output=output, excluded=False):
                lines.append(f"Person ran {command}: {_cut(output)}")
            case BranchSummarised(summary=summary):
                lines.append(f"Summary of another branch: {summary}")
    return "\n\n".join(lines)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]} [... {len(text) - _LONGEST_TEXT} more]"
