"""Keeping, showing and forgetting memories as a person asks for it, and as a model asks with the person's approval."""

from collections.abc import Sequence

import anyio

from codi.agent.memories import Memories, Memory
from codi.agent.proposing import Proposing
from codi.agent.record import Record
from codi.protocol.errors import CodiError
from codi.protocol.events import AnswerDelta
from codi.protocol.ops import EditMemory, Forget, MemoryOp, ProposeMemories, Remember, SetProfile, ShowMemories
from codi.tools.tool import ToolFailed


class Remembering:
    """`proposing` finds what may be worth it; None where no model is asked."""

    def __init__(self, memories: Memories, record: Record, proposing: Proposing | None = None) -> None:
        self._memories = memories
        self._record = record
        self._proposing = proposing

    async def take(self, op: MemoryOp) -> None:
        """Do it, and tell what became of it."""
        try:
            if isinstance(op, ProposeMemories):
                await self._propose()
            else:
                self._record.tell(self._answer(op))
        except CodiError as error:
            self._record.tell(AnswerDelta(str(error), ok=False, hint=error.hint))

    def for_model(self, fact: str) -> str:
        """Keep a fact of the project that a model wants kept, once the person has approved it. Raises ToolFailed."""
        try:
            memory = self._kept(fact, "")
        except CodiError as error:
            raise ToolFailed(f"{error} {error.hint}") from error
        return f"Remembered as {memory.id}."

    async def _propose(self) -> None:
        try:
            found = await self._proposing.facts() if self._proposing else []
        except anyio.get_cancelled_exc_class():
            self._record.tell(AnswerDelta("stopped; nothing is proposed", ok=False))
            raise
        self._record.tell(AnswerDelta("\n".join(found)))

    def _answer(self, op: Remember | Forget | ShowMemories | EditMemory | SetProfile) -> AnswerDelta:
        match op:
            case Remember(fact, category, scope):
                memory = self._memories.remember(fact, category=category, scope=scope, session=self._session)
                return AnswerDelta(f"remembered as {memory.id}")
            case Forget(pattern, sure):
                return self._forget(pattern, sure=sure)
            case ShowMemories(query):
                return AnswerDelta(_listed(self._memories.all(query)) or "nothing is remembered")
            case EditMemory(id, fact):
                return AnswerDelta(f"{self._memories.edit(id, fact).id} is changed")
            case SetProfile("", _):
                told = self._memories.profile()
                return AnswerDelta(
                    "\n".join(f"{key}: {value}" for key, value in told.items()) or "the profile is empty"
                )
            case SetProfile(key, value):
                self._memories.set_profile(key, value)
                return AnswerDelta(f"{key} is {'set' if value is not None else 'not set any more'}")

    def _kept(self, fact: str, category: str) -> Memory:
        try:
            return self._memories.remember(fact, category=category, session=self._session)
        except CodiError:
            if self._memories.keeps("project"):
                raise
            return self._memories.remember(fact, category=category, scope="user", session=self._session)

    def _forget(self, pattern: str, *, sure: bool) -> AnswerDelta:
        found = self._memories.matching(pattern)
        if not found:
            return AnswerDelta(f"nothing that is remembered is {pattern!r}", ok=False, hint="/memories lists them.")
        if sure:
            self._memories.forget(found)
            return AnswerDelta(f"forgotten: {len(found)}")
        return AnswerDelta(_listed(found), hint="these would be forgotten")

    @property
    def _session(self) -> str:
        return self._record.session.store.session_id


def _listed(memories: Sequence[Memory]) -> str:
    return "\n".join(f"{memory.scope:<7} {memory.line.removeprefix('- ')}" for memory in memories)
