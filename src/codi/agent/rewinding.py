"""Where in a conversation the files were as some step of the ledger found or left them, so that both can go back together.

A step names the call that made it, and the session says where that call was begun and answered. Before the first step of a turn
the conversation stands before the prompt of that turn; between two steps, behind the result of the first.
"""

from collections.abc import Sequence

from codi.protocol.errors import SessionError
from codi.protocol.events import CallIntended, Entry, LeafMoved, MessageAdded, Resumed, TurnStarted
from codi.protocol.messages import Message
from codi.workspace.ledger.journal import Journal
from codi.workspace.ledger.snapshots import names
from codi.workspace.ledger.states import Step

WITH_CONVERSATION = "with the conversation"
"""Ends what the step of a restored snapshot says of itself, where the conversation went back too."""


def session_of(journal: Journal, number: int) -> str | None:
    """The session in which the tree after a step was worked on: that of the next step, else of the one before. None where no
    session did anything."""
    steps = [step for step in journal.steps() if step.owner == "agent" and step.cause.session]
    later = next((step for step in steps if step.n > number), None)
    step = later or (steps[-1] if steps else None)
    return step.cause.session if step else None


class Rewinding:
    """`entries` are all of a session, of every branch, in the order in which they were kept; `leaf` is where it stands."""

    def __init__(self, session: str, entries: Sequence[Entry], leaf: str | None, journal: Journal) -> None:
        self._entries = entries
        self._by_id = {entry.id: entry for entry in entries}
        self._leaf = leaf
        self._journal = journal
        self._steps = [step for step in journal.steps() if step.owner == "agent" and step.cause.session == session]

    def of_snapshot(self, text: str, number: int) -> Resumed:
        """Where the conversation stood when the tree after step `number` was there; a tree that was given the name or id `text`
        knows the moment. Raises SessionError."""
        if named := names(self._journal).get(text):
            before = [entry for entry in self._entries if entry.at <= named.at + 0.001]
            return self._to(before[-1].id if before else None)
        later = next((step for step in self._steps if step.n > number), None)
        if later:
            return self.before(later)
        if not self._steps:
            raise self._lost(number)
        return self._behind(self._steps[-1])

    def before(self, step: Step) -> Resumed:
        """Where the conversation stood when this step had not been made. Raises SessionError."""
        if step.owner == "restore":
            return self._before_restoring(step)
        turn = (step.cause.session, step.cause.turn)
        earlier = [each for each in self._steps if each.n < step.n and (each.cause.session, each.cause.turn) == turn]
        if earlier and step.cause.turn:
            return self._behind(earlier[-1])
        intended = self._intended(step)
        above, prompt = intended.parent, None
        while above is not None:
            entry = self._by_id[above]
            match entry.fact:
                case MessageAdded(Message("user") as message) if not message.tool_results:
                    prompt = message.text
                case TurnStarted(turn=number) if number == step.cause.turn:
                    return self._to(entry.parent, prompt)
            above = entry.parent
        return self._to(intended.parent)

    def _before_restoring(self, step: Step) -> Resumed:
        """Where it was before a snapshot brought it back; where it is, if only files were."""
        moves = (
            entry.fact for entry in self._entries if isinstance(entry.fact, LeafMoved) and entry.at >= step.at - 0.001
        )
        moved = next(moves, None) if step.cause.what.endswith(WITH_CONVERSATION) else None
        return self._to(moved.left if moved else self._leaf)

    def _behind(self, step: Step) -> Resumed:
        intended = self._intended(step)
        for entry in self._entries[self._entries.index(intended) :]:
            match entry.fact:
                case MessageAdded(message) if any(
                    result.call_id == step.cause.call_id for result in message.tool_results
                ):
                    return self._to(entry.id)
        return self._to(intended.id)

    def _intended(self, step: Step) -> Entry:
        for entry in reversed(self._entries):
            match entry.fact:
                case CallIntended(tool_call_id=id) if id == step.cause.call_id and entry.at <= step.at + 0.001:
                    return entry
        raise self._lost(step.n)

    def _lost(self, number: int) -> SessionError:
        return SessionError(
            f"the session does not say where it stood at step {number}",
            hint="Bring the files back alone, without --conversation.",
        )

    def _to(self, entry_id: str | None, prompt: str | None = None) -> Resumed:
        return Resumed(to=entry_id, prompt=prompt, moved=entry_id != self._leaf)
