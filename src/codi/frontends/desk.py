"""What a command finds in a frontend: the path of the conversation, folded from its events, and whom it may ask."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

import anyio

from codi.commands.command import Answered, InLine
from codi.frontends.sanitiser import visible
from codi.protocol.conversation import Conversation
from codi.protocol.events import (
    AnswerDelta,
    BisectDelta,
    BlameDelta,
    BudgetDelta,
    ChangesDelta,
    CompactionDelta,
    ComparisonDelta,
    ContextDelta,
    Entry,
    Event,
    ForkedDelta,
    NavigatedDelta,
    PolicyDelta,
    QueueDelta,
    RuleTriedDelta,
    SandboxDelta,
    SnapshotsDelta,
    StatusDelta,
    TurnEnded,
    TurnStarted,
    UndoDelta,
)
from codi.protocol.ops import ChooseSandbox, Interrupt, Op

Beside = Callable[[Sequence[str]], Awaitable[Answered]]
"""Runs `codi WORDS` in a process of its own."""


class ConversationDesk:
    """`hear` is told every event of the conversation."""

    def __init__(self, conversation: Conversation, beside: Beside, confirm: Callable[[str], Awaitable[bool]]) -> None:
        self.session_id = conversation.session_id
        self.session_file = conversation.session_file
        self.is_busy = False
        self.keeps_for: Literal["--project", "--user"] | None = None
        self.waiting: Sequence[InLine] = ()
        self._conversation = conversation
        self._beside = beside
        self._confirm = confirm
        self._entries: dict[str, Entry] = {}
        self._leaf: str | None = None
        self._op: Op | None = None
        self._answered: anyio.Event | None = None
        self._answer: Event | None = None

    def hear(self, event: Event) -> bool:
        """Whether this is what a command waits for, which it will tell itself."""
        match event:
            case Entry(id=entry_id, fact=fact):
                self._entries[entry_id] = event
                self._leaf = entry_id
                if isinstance(fact, TurnStarted | TurnEnded):
                    self.is_busy = isinstance(fact, TurnStarted)
            case QueueDelta(steering, follow_up):
                self.waiting = (
                    *(InLine("steering", at, what) for at, what in enumerate(steering)),
                    *(InLine("follow_up", at, what) for at, what in enumerate(follow_up)),
                )
            case StatusDelta(kind="warning", text=text) if text in self._conversation.warnings:
                pass  # it came with the conversation, which may have been awaited by what was asked
            case SandboxDelta() if not isinstance(self._op, ChooseSandbox):
                pass  # a command that is about to run was confined
            case _ if self._answered and not self._answer and _is_answer(event):
                self._answer = event
                self._answered.set()
                return True
        return False

    @property
    def tree(self) -> tuple[Sequence[Entry], str | None]:
        """The entries of all branches, and the one at which the conversation stands."""
        return list(self._entries.values()), self._leaf

    @property
    def entries(self) -> Sequence[Entry]:
        path: list[Entry] = []
        at = self._leaf
        while at is not None and (entry := self._entries.get(at)):
            path.append(entry)
            at = entry.parent
        return path[::-1]

    async def subcommand(self, *words: str) -> Answered:
        return await self._beside(words)

    async def answer(self, op: Op) -> Event:
        # While one waits for its answer an approval may be asked, and something be looked up for it.
        before = self._op, self._answered, self._answer
        answered, self._op, self._answer = anyio.Event(), op, None
        self._answered = answered
        try:
            await self._conversation.send(op)
            await answered.wait()
            assert self._answer is not None
            return self._answer
        except anyio.get_cancelled_exc_class():
            if not self.is_busy:
                with anyio.CancelScope(shield=True):
                    await self._conversation.send(Interrupt())
            raise
        finally:
            self._op, self._answered, self._answer = before

    async def confirm(self, question: str) -> bool:
        return await self._confirm(question)


def line_of(item: InLine, number: int) -> str:
    """What waits, in one line."""
    first = next((line for line in item.what.text.splitlines() if line.strip()), "(image)")
    return f"{number}. {'steer' if item.line == 'steering' else 'next'} {visible(first)}"


def _is_answer(event: Event) -> bool:
    """Whether this ends what an op asked for."""
    match event:
        case (
            StatusDelta(kind="warning")
            | PolicyDelta()
            | UndoDelta()
            | ChangesDelta()
            | BlameDelta()
            | BudgetDelta()
            | SnapshotsDelta()
            | ComparisonDelta()
            | RuleTriedDelta()
            | AnswerDelta()
            | SandboxDelta()
            | ContextDelta()
            | CompactionDelta()
            | NavigatedDelta()
            | ForkedDelta()
        ):
            return True
        case BisectDelta(done=done):
            return done
    return False
