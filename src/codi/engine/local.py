"""A conversation whose agent runs in this process."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import anyio

from codi.agent.agent import Agent
from codi.agent.mind import Mind
from codi.agent.navigating import Navigating
from codi.agent.own_commands import OwnCommands
from codi.agent.planning import Planning
from codi.agent.questions import Questions
from codi.agent.record import Record
from codi.agent.remembering import Remembering
from codi.agent.room.upkeep import Upkeep
from codi.agent.taking_back import TakingBack
from codi.agent.titles import Titles
from codi.policy.mode import Mode
from codi.policy.policy import Policy
from codi.protocol.errors import CodiError
from codi.protocol.events import (
    Delta,
    Entry,
    Event,
    MessageAdded,
    ModelChosen,
    PolicyChosen,
    PolicyDelta,
    QueueKept,
    Reason,
    StatusDelta,
    ThinkingChosen,
    TurnStarted,
    Waiting,
)
from codi.protocol.messages import Image, Level, Origin, ToolCall
from codi.protocol.ops import (
    Answer,
    Bisect,
    Blame,
    ChooseBudget,
    ChooseModel,
    ChoosePolicy,
    ChooseSandbox,
    ChooseThinking,
    ChooseWindow,
    ClearContext,
    Compact,
    CompareSnapshots,
    ConsultPolicy,
    CreateSnapshot,
    EditMemory,
    Forget,
    ForkAt,
    Interrupt,
    KeepPlan,
    LabelEntry,
    Navigate,
    Op,
    Pin,
    Prompt,
    ProposeMemories,
    Redo,
    Remember,
    Rename,
    Reply,
    RestoreSnapshot,
    Retry,
    Revise,
    Rewind,
    RunCommand,
    SetCompaction,
    SetProfile,
    SettleTodo,
    ShowChanges,
    ShowCompaction,
    ShowContext,
    ShowDiff,
    ShowFiles,
    ShowMemories,
    ShowPlans,
    ShowSnapshots,
    Steer,
    TryRule,
    Uncompact,
    Undo,
    UseTool,
    Withdraw,
)
from codi.sessions import folds
from codi.tools.results import Results

_MOST_WAITING = 10_000


class Listeners:
    """Everybody who listens to one session. A slow one loses deltas, never entries."""

    def __init__(self) -> None:
        self._all: list[_Listener] = []

    def hear(self, event: Event) -> None:
        for listener in self._all:
            listener.hear(event)

    def add(self, before: Sequence[Event]) -> "_Listener":
        listener = _Listener(before)
        self._all.append(listener)
        return listener

    def close(self) -> None:
        for listener in self._all:
            listener.close()


class _Listener:
    def __init__(self, before: Sequence[Event]) -> None:
        self._events: deque[Event] = deque(before)
        self._something = asyncio.Event()  # used again and again, by the hundred a second
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
            self._something.clear()
            await self._something.wait()
        return self._events.popleft()


def _knows_no_rules(words: Sequence[str]) -> PolicyDelta:
    return PolicyDelta("no rules are kept here", status=1)


class LocalConversation:
    """Ops wait in line and are taken one after the other; what must reach a running turn, or only looks, goes past the line.

    `rethink` gives the mind for a model's name, `repolicy` the policy for a mode's; both are the engine's. `taking_back` undoes,
    `consult` answers what is asked of the rules.
    `look_again` gives another mind where the settings of the present one have changed since the last turn.
    `titles` are found when a turn has ended and a person watches, else beside the next turn: a run that is over needs none."""

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
        upkeep: Upkeep,
        remembering: Remembering,
        results: Results,
        consult: Callable[[Sequence[str]], PolicyDelta] = _knows_no_rules,
        titles: Titles | None = None,
        look_again: Callable[[], Awaitable[Mind | None]] | None = None,
        *,
        is_watched: bool = False,
    ) -> None:
        self.session_id = record.session.store.session_id
        self.began = began
        self.warnings: Sequence[str] = ()
        self.greeting = ""
        self._agent = agent
        self._record = record
        self._listeners = listeners
        self._rethink = rethink
        self._repolicy = repolicy
        self._taking_back = taking_back
        self._navigating = Navigating(record, lambda: agent.mind, taking_back, self._keep_what_holds)
        self._planning = Planning(record, agent.calls.workspace.root, self._choose_policy)
        self._questions = questions
        self._titles = titles
        self._look_again = look_again
        self._is_watched = is_watched
        self._talked = anyio.Event()
        self._own_commands = OwnCommands(agent.calls, record, results)
        self._upkeep = upkeep
        self._remembering = remembering
        self._consult = consult
        self.prompted = anyio.Event()
        """Set when there is something to do for the first time."""
        self._waiting: deque[Op] = deque()
        self._something = anyio.Event()
        self._turn: anyio.CancelScope | None = None
        self._is_stopped_ahead = False
        self._left_open: Sequence[ToolCall] = ()
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
            case TryRule(text):
                self._agent.calls.approvals.try_rule(text)
            case ConsultPolicy(words):
                self._record.tell(self._consult(words))
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
            case KeepPlan() if self._is_talking:
                self._record.tell(StatusDelta(kind="warning", text="stop the turn first (Esc)"))
            case KeepPlan() | ShowPlans() | SettleTodo():
                self._planning.take(op)
            case ShowContext() | ShowCompaction() | ShowFiles() | Pin() | SetCompaction() | ChooseWindow():
                await self._upkeep.take(op)
            case Remember() | Forget() | ShowMemories() | EditMemory() | SetProfile():
                await self._remembering.take(op)
            case Steer(text, images) if self._is_talking and not self._is_stopping:
                self._agent.queue.add("steering", Waiting(text, images))
            case Prompt(text, images) if self._comes_after_a_turn():
                self._agent.queue.add("follow_up", Waiting(text, images))
            case ChooseSandbox(mode):
                self._record.tell(await self._agent.calls.judging.confining.choose(mode))
            case ChooseBudget():
                self._record.tell(self._agent.limit(op))
            case Withdraw() | Revise():
                try:
                    self._agent.queue.withdraw(op) if isinstance(op, Withdraw) else self._agent.queue.revise(op)
                except CodiError as error:
                    self._warn(error)
            case _:
                self._waiting.append(op)
                self._something.set()

    def events(self, *, since: str | None = None) -> AsyncIterator[Event]:
        entries = [] if since is None else self._record.session.entries
        first = next((at + 1 for at, entry in enumerate(entries) if entry.id == since), 0)
        waiting = [self._agent.queue.standing] if self._agent.queue else []
        confined = [told] if (told := self._agent.calls.judging.confining.told) else []
        # Who sees what was said before is told beneath it what is amiss with it.
        notices = [] if since is None else [StatusDelta(kind="warning", text=text) for text in self.warnings]
        return self._listeners.add([*entries[first:], *notices, *waiting, *confined])

    def tell(self, delta: Delta) -> None:
        self._record.tell(delta)

    def _comes_after_a_turn(self) -> bool:
        """Whether a prompt is the next thing to do once the present turn, or the one that is about to begin, would end."""
        prompts = [isinstance(op, Prompt | Steer | Retry) for op in self._waiting]
        return all(prompts) and ((self._is_talking and not self._is_stopping) or bool(prompts))

    @property
    def _is_stopping(self) -> bool:
        """The turn was interrupted and is about to end, which takes a while where a command does not heed. What is said now
        is not meant for it."""
        return self._turn is not None and self._turn.cancel_called

    def offer(self, kept: QueueKept) -> None:
        """Let what waited when the conversation was left wait again."""
        self._agent.queue.restore(kept)

    def take_up(self, calls: Sequence[ToolCall]) -> None:
        """Begin with calls for which another run of codi was still waiting when it ended."""
        self._left_open = calls

    def left(self) -> QueueKept:
        """What still waits: to be kept when the conversation is left."""
        last = [Waiting(op.text, op.images) for op in self._waiting if isinstance(op, Prompt | Steer)]
        return self._agent.queue.kept(last)

    async def work(self) -> None:
        """Take the ops as they come, for as long as the conversation is open."""
        if self._left_open:
            with anyio.CancelScope() as self._turn:
                await self._talk_from(lambda: self._agent.take_up(self._left_open))
            self._turn = None
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
            case Compact() | Uncompact() | ClearContext():
                await self._upkeep.take(op)
            case ProposeMemories():
                await self._remembering.take(op)
            case Prompt(text, images) | Steer(text, images):
                await self._talk(text, images)
            case Retry():
                await self._again()
            case RunCommand():
                await self._own_commands.run(op)
            case ChooseThinking(level):
                self._agent.mind = self._agent.mind.thinking_for(level)
                self._record.keep(ThinkingChosen(self.thinking))
                if self.thinking != level:
                    self._tell(f"{self.origin.model} cannot think")
            case UseTool(call):
                await self._agent.calls.run_by_hand(call)
            case ChooseModel(name):
                try:
                    mind = await self._rethink(name)
                except CodiError as error:
                    self._warn(error)
                else:
                    self._agent.room.guard(mind, "another model")
                    self._agent.mind = mind
                    origin = mind.provider.origin
                    self._record.keep(ModelChosen(origin.provider, origin.model))
            case ChoosePolicy(mode):
                self._choose_policy(mode)
            case Navigate() | Rewind() | ForkAt():
                await self._navigating.take(op)
            case (
                Undo()
                | Redo()
                | ShowChanges()
                | ShowDiff()
                | Blame()
                | Bisect()
                | ShowSnapshots()
                | CreateSnapshot()
                | CompareSnapshots()
                | RestoreSnapshot()
            ):
                await self._taking_back.take(op, self._keep_what_holds)

    def _choose_policy(self, mode: Mode) -> None:
        self._agent.calls.judging.policy = self._repolicy(mode)
        self._record.keep(PolicyChosen(mode))

    async def name(self) -> None:
        """Find a title once there is something to name, beside everything else."""
        while self._titles:
            await self._talked.wait()
            self._talked = anyio.Event()
            if self._titles.is_wanted:
                await self._titles.find()

    async def _talk(self, text: str, images: Sequence[Image]) -> None:
        """Take a prompt to the end of its turn; and what was said just as it ended."""
        await self._talk_from(lambda: self._agent.prompt(text, images))

    async def _talk_from(self, begin: Callable[[], Awaitable[Reason]]) -> None:
        self.prompted.set()
        if not self._is_watched:
            self._talked.set()
        self._is_talking = True
        try:
            await self._take_up_settings()
            reason = await begin()
            while reason in ("done", "permission", "unbacked") and (late := self._agent.queue.next()):
                reason = await self._agent.prompt(late.text, late.images)
        finally:
            self._is_talking = False
            if self._is_watched:
                self._talked.set()

    async def _take_up_settings(self) -> None:
        """Before a turn: the model as it is set now. What cannot be used changes nothing."""
        if self._look_again is None:
            return
        try:
            mind = await self._look_again()
        except CodiError as error:
            self._tell(f"the model map stays as it was: {error}", error.hint)
            return
        if mind is None:
            return
        before, self._agent.mind = self.origin, mind
        if (before.provider, before.model) != (self.origin.provider, self.origin.model):
            self._record.keep(ModelChosen(self.origin.provider, self.origin.model))
            self._record.keep(mind.described(came_from=f"{before.provider}/{before.model}"))

    async def _again(self) -> None:
        """Ask the last prompt once more, beside its first answer."""
        path = self._record.session.path()
        begun = next((at for at in reversed(range(len(path))) if isinstance(path[at].fact, TurnStarted)), len(path))
        said = (entry.fact.message for entry in path[begun:] if isinstance(entry.fact, MessageAdded))
        prompt = next((message for message in said if message.role == "user" and not message.tool_results), None)
        if prompt is None:
            self._tell("there is no prompt to ask again")
            return
        self._record.branch_from(path[begun].parent)
        self._keep_what_holds()
        await self._talk(prompt.text, [block for block in prompt.blocks if isinstance(block, Image)])

    def _warn(self, error: CodiError) -> None:
        self._tell(str(error), error.hint)

    def _tell(self, text: str, hint: str | None = None) -> None:
        self._record.tell(StatusDelta(kind="warning", text=text, hint=hint))

    def _keep_what_holds(self) -> None:
        """Where the session goes on from an earlier entry it says anew which model answers, and in which mode."""
        path, origin, mode = self._record.session.path(), self.origin, self._agent.calls.judging.policy.mode
        before = folds.model(path)
        if before is None or (before.provider, before.model_id) != (origin.provider, origin.model):
            self._record.keep(ModelChosen(origin.provider, origin.model))
        if folds.thinking(path) != self.thinking:
            self._record.keep(ThinkingChosen(self.thinking))
        if (folds.policy_mode(path) or "default") != mode:
            self._record.keep(PolicyChosen(mode, by="mode"))
