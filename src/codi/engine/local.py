"""A conversation whose agent runs in this process."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio

from codi.agent.agent import Agent
from codi.agent.mind import Mind
from codi.agent.navigating import Navigating
from codi.agent.questions import Questions
from codi.agent.record import Record
from codi.agent.taking_back import TakingBack
from codi.policy.mode import Mode
from codi.policy.policy import Policy
from codi.protocol.errors import CodiError
from codi.protocol.events import Delta, Entry, Event, ModelChosen, PolicyChosen, StatusDelta, ThinkingChosen
from codi.protocol.messages import Level, Origin, user
from codi.protocol.ops import (
    Answer,
    ChooseModel,
    ChoosePolicy,
    ForkAt,
    Interrupt,
    LabelEntry,
    Navigate,
    Op,
    Prompt,
    Rename,
    Reply,
    RestoreSnapshot,
    Rewind,
    Steer,
    Undo,
    UseTool,
)
from codi.sessions import folds

_MOST_WAITING = 10_000


class Listeners:
    """Everybody who listens to one session. A slow one loses deltas, never entries."""

    def __init__(self) -> None:
        self._all: list[_Listener] = []

    def hear(self, event: Event) -> None:
        for listener in self._all:
            listener.hear(event)

    def add(self, before: list[Entry]) -> "_Listener":
        listener = _Listener(before)
        self._all.append(listener)
        return listener

    def close(self) -> None:
        for listener in self._all:
            listener.close()


class _Listener:
    def __init__(self, before: list[Entry]) -> None:
        self._events: deque[Event] = deque(before)
        self._something = anyio.Event()
        self._closed = False

    def hear(self, event: Event) -> None:
        if len(self._events) < _MOST_WAITING or isinstance(event, Entry):
            self._events.append(event)
            self._something.set()

    def close(self) -> None:
        self._closed = True
        self._something.set()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._closed:
                raise StopAsyncIteration
            self._something = anyio.Event()
            await self._something.wait()
        return self._events.popleft()


class LocalConversation:
    """Ops wait in line and are taken one after the other; what must reach a running turn goes past the line.

    `rethink` gives the mind for a model's name, `repolicy` the policy for a mode's; both are the engine's. `taking_back` undoes."""

    def __init__(
        self,
        agent: Agent,
        record: Record,
        listeners: Listeners,
        began: float,
        rethink: Callable[[str], Awaitable[Mind]],
        repolicy: Callable[[Mode], Policy],
        taking_back: TakingBack,
        questions: Questions,
    ) -> None:
        self.session_id = record.session.store.session_id
        self.began = began
        self.warnings: list[str] = []
        self.greeting = ""
        self._agent = agent
        self._record = record
        self._listeners = listeners
        self._rethink = rethink
        self._repolicy = repolicy
        self._taking_back = taking_back
        self._navigating = Navigating(record, lambda: agent.mind, taking_back, self._keep_what_holds)
        self._questions = questions
        self.prompted = anyio.Event()
        """Set when there is something to do for the first time."""
        self._waiting: deque[Op] = deque()
        self._something = anyio.Event()
        self._turn: anyio.CancelScope | None = None
        self._is_stopped_ahead = False
        self._is_talking = False

    @property
    def session_file(self) -> str | None:
        return self._record.session.store.path

    @property
    def origin(self) -> Origin:
        """The model that would answer now."""
        return self._agent.mind.provider.origin

    @property
    def thinking(self) -> Level:
        return self._agent.mind.thinking

    async def send(self, op: Op) -> None:
        match op:
            case Answer():
                self._agent.calls.approvals.answer(op)
            case Reply():
                self._questions.answer(op)
            case Interrupt():
                if self._turn:
                    self._turn.cancel()
                self._is_stopped_ahead = not self._turn and bool(self._waiting)
            case Undo(conversation=True) | RestoreSnapshot(conversation=True) if self._is_talking:
                self._record.tell(StatusDelta(kind="warning", text="stop the turn first (Esc)"))
            case Navigate() | Rewind() | ForkAt() if self._is_talking:
                self._record.tell(StatusDelta(kind="warning", text="Stop the turn first (Esc)."))
            case LabelEntry() | Rename():
                await self._navigating.take(op)
            case Steer(text, images) if self._turn:
                self._agent.steering.append(user(text, *images))
            case _:
                self._waiting.append(op)
                self._something.set()

    def events(self, *, since: str | None = None) -> AsyncIterator[Event]:
        entries = [] if since is None else self._record.session.entries
        first = next((at + 1 for at, entry in enumerate(entries) if entry.id == since), 0)
        return self._listeners.add(entries[first:])

    def tell(self, delta: Delta) -> None:
        self._record.tell(delta)

    async def work(self) -> None:
        """Take the ops as they come, for as long as the conversation is open."""
        while True:
            while not self._waiting:
                self._something = anyio.Event()
                await self._something.wait()
            op = self._waiting.popleft()
            with anyio.CancelScope() as self._turn:
                if self._is_stopped_ahead:  # who stops what they just asked for means it, begun or not
                    self._is_stopped_ahead = False
                    self._turn.cancel()
                await self._take(op)
            self._turn = None

    async def _take(self, op: Op) -> None:
        match op:
            case Prompt(text, images) | Steer(text, images):
                self.prompted.set()
                self._is_talking = True
                try:
                    await self._agent.prompt(text, images)
                finally:
                    self._is_talking = False
            case UseTool(call):
                await self._agent.calls.run_by_hand(call)
            case ChooseModel(name):
                try:
                    self._agent.mind = mind = await self._rethink(name)
                except CodiError as error:
                    self._record.tell(StatusDelta(kind="warning", text=str(error), hint=error.hint))
                else:
                    origin = mind.provider.origin
                    self._record.keep(ModelChosen(origin.provider, origin.model))
            case ChoosePolicy(mode):
                self._agent.calls.policy = self._repolicy(mode)
                self._record.keep(PolicyChosen(mode))
            case Navigate() | Rewind() | ForkAt():
                await self._navigating.take(op)
            case Answer() | Reply() | Interrupt() | LabelEntry() | Rename():
                pass  # they went past the line
            case _:
                await self._taking_back.take(op, self._keep_what_holds)

    def _keep_what_holds(self) -> None:
        """Where the session goes on from an earlier entry it says anew which model answers, and in which mode."""
        path, origin, mode = self._record.session.path(), self.origin, self._agent.calls.policy.mode
        before = folds.model(path)
        if before is None or (before.provider, before.model_id) != (origin.provider, origin.model):
            self._record.keep(ModelChosen(origin.provider, origin.model))
        if folds.thinking(path) != self.thinking:
            self._record.keep(ThinkingChosen(self.thinking))
        if (folds.policy_mode(path) or "default") != mode:
            self._record.keep(PolicyChosen(mode, by="mode"))
