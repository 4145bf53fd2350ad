"""What of a call can be taken back: kept around the call, told before it, and told after it.

What is proven to only look at things is not looked after. Everything else with an effect on files stands between two looks
of the ledger, so that the session tells what a call changed and not what it said it would.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from threading import Lock

import anyio
from anyio import to_thread
from msgspec import Struct

from codi.agent.record import Record
from codi.policy.looking import only_looks
from codi.protocol.effects import Effect, Reaches, Runs, Writes
from codi.protocol.errors import WorkspaceError
from codi.protocol.events import (
    Fact,
    FilesChanged,
    MessageAdded,
    Skipped,
    SnapshotTaken,
    StatusDelta,
    TurnEnded,
    TurnStarted,
)
from codi.protocol.messages import Message, ToolCall
from codi.workspace import paths
from codi.workspace.ledger.ledger import Ledger, StepUnderWay
from codi.workspace.ledger.states import Cause
from codi.workspace.ledger.told import file_changes
from codi.workspace.workspace import Workspace

_MOST_NAMED = 1000
_MOST_SKIPPED = 50
_TITLE_CHARS = 80


class NotKept(Exception):
    """What the call may change could not be kept, so it was not begun. The text is for the model."""


class Kept:
    """`facts` tell what the call changed, once it ended."""

    def __init__(self) -> None:
        self.facts: tuple[Fact, ...] = ()


class _Beginning:
    """The look before a call, for which a person who stops the turn does not wait."""

    def __init__(
        self, ledger: Ledger, cause: Cause, places: tuple[str, ...], runs: bool, meanwhile: Cause | None
    ) -> None:
        self._ledger = ledger
        self._begin = partial(ledger.begin, cause, places, runs, meanwhile)
        self._is_stopped = False
        self._lock = Lock()
        self._step: StepUnderWay | None = None

    async def done(self) -> StepUnderWay:
        """Raises WorkspaceError."""
        try:
            return await to_thread.run_sync(self._run, abandon_on_cancel=True)
        except anyio.get_cancelled_exc_class():
            with self._lock:
                self._is_stopped = True
                step = self._step
            if step:
                self._drop(step)
            raise

    def _run(self) -> StepUnderWay:
        step = self._begin()
        with self._lock:
            self._step = step
            is_stopped = self._is_stopped
        if is_stopped:
            self._drop(step)
        return step

    def _drop(self, step: StepUnderWay) -> None:
        with suppress(WorkspaceError):  # the next start finds that nothing was changed
            self._ledger.drop(step)


class _Surroundings(Struct, frozen=True):
    turn: int
    title: str


class Cover:
    """`ledger` is None where undo is switched off; `busy` says whether a job runs in the background."""

    def __init__(
        self, ledger: Ledger | None, workspace: Workspace, record: Record, busy: Callable[[], bool] = lambda: False
    ) -> None:
        self._ledger = ledger
        self._workspace = workspace
        self._record = record
        self._busy = busy
        self._job: Cause | None = None
        self._snapshot_turn = -1
        self._tree = ""

    def refusal(self, effects: Iterable[Effect]) -> str | None:
        """Why a call could not be taken back as a whole, where undo is on and that is known beforehand."""
        effects = _changing(effects)
        if self._ledger is None or not effects:
            return None
        return self._ledger.refusal(self._places(effects), runs=_runs(effects))

    def told(self, effects: Iterable[Effect]) -> str:
        """What undo covers of these effects, for the person who is asked."""
        effects = tuple(effects)
        if any(isinstance(effect, Reaches) for effect in effects):
            return "nothing: what was sent cannot be taken back"
        if self._ledger is None:
            return "nothing: undo is switched off (undo.enabled)"
        changing = _changing(effects)
        if why := self.refusal(changing):
            return f"cannot be undone: {why}"
        if not _runs(changing):
            return "all of it"
        gaps = [f"{gap.path} ({gap.why})" for gap in self._ledger.known_gaps()]
        more = [f"and {len(gaps) - 5} more"] if len(gaps) > 5 else []
        named = "; ".join([*gaps[:5], *more, "network, databases, other processes, what lies outside the workspace"])
        return f"files of the workspace and the state of git; not: {named}"

    @asynccontextmanager
    async def around(self, call: ToolCall, effects: Iterable[Effect]) -> AsyncIterator[Kept | None]:
        """Stand around the call. None where nothing is to be kept. Raises NotKept before the call."""
        effects = _changing(effects)
        if self._ledger is None or not effects:
            yield None
            return
        now = self._surroundings()
        cause = self._cause(call, now)
        was_busy = self._busy()
        beginning = _Beginning(self._ledger, cause, self._places(effects), _runs(effects), self._job)
        try:
            under_way = await beginning.done()
        except WorkspaceError as trouble:
            raise NotKept(f"{trouble}. {trouble.hint}") from trouble
        self._tell_before(under_way, now.turn)
        kept = Kept()
        try:
            yield kept
        finally:
            with anyio.CancelScope(shield=True):
                try:
                    await to_thread.run_sync(self._ledger.end, under_way)
                except WorkspaceError as trouble:
                    self._record.tell(StatusDelta(kind="warning", text=str(trouble), hint=trouble.hint))
            self._job = (self._job if was_busy and self._job else cause) if self._busy() else None
            kept.facts = tuple(self._facts(call, under_way, now.turn))

    async def close(self) -> None:
        """Keep what jobs did to the last, once they have ended, and what was learned for the next start."""
        if self._ledger is None:
            return
        try:
            if self._job:
                await to_thread.run_sync(self._ledger.look, self._job)
        except WorkspaceError as trouble:
            self._record.tell(StatusDelta(kind="warning", text=str(trouble), hint=trouble.hint))
        await to_thread.run_sync(self._ledger.close)

    def _facts(self, call: ToolCall, under_way: StepUnderWay, turn: int) -> Iterable[Fact]:
        assert self._ledger is not None
        scanner = self._ledger.scanner
        changes = file_changes(under_way.changes, lambda path: self._workspace.shown(scanner.place(path)))
        if changes:
            more = len(changes) - _MOST_NAMED
            yield FilesChanged(call.id, changes[:_MOST_NAMED], more if more > 0 else None)
        if under_way.changes and under_way.after:
            yield self._snapshot(under_way, under_way.after, turn, "after")

    def _tell_before(self, under_way: StepUnderWay, turn: int) -> None:
        """Once a turn, and only of a tree that is not told yet."""
        if under_way.before and self._snapshot_turn != turn and self._tree != under_way.before:
            self._record.keep(self._snapshot(under_way, under_way.before, turn, "before"))
        self._snapshot_turn = turn

    def _snapshot(self, under_way: StepUnderWay, tree: str, turn: int, when: str) -> SnapshotTaken:
        self._tree = tree
        skipped = tuple(Skipped(gap.path, gap.why) for gap in under_way.gaps[:_MOST_SKIPPED])
        return SnapshotTaken(
            id=f"s{under_way.n}", tree=tree, turn=turn, when="before" if when == "before" else "after", skipped=skipped
        )

    def _places(self, effects: Iterable[Effect]) -> tuple[str, ...]:
        """Where files are written: behind a link, and the link itself, for it may be the one that goes."""
        found: dict[str, None] = {}
        for effect in effects:
            if isinstance(effect, Writes):
                typed = paths.joined(effect.path, self._workspace.root)
                found |= {paths.located(typed): None, paths.real(typed): None}
        return tuple(found)

    def _cause(self, call: ToolCall, now: _Surroundings) -> Cause:
        what = next((value for value in call.arguments.values() if isinstance(value, str)), "")
        return Cause(
            session=self._record.session.store.session_id,
            turn=now.turn,
            call_id=call.id,
            tool=call.name,
            what=_short(self._record.shown(what)),
            title=now.title,
        )

    def _surroundings(self) -> _Surroundings:
        """The number of the turn, and the beginning of its prompt; 0 outside of any."""
        title = ""
        for entry in reversed(self._record.session.path()):
            match entry.fact:
                case MessageAdded(Message("user") as message) if not message.tool_results:
                    title = _short(message.text)
                case TurnEnded():
                    break
                case TurnStarted(turn):
                    return _Surroundings(turn, title)
        return _Surroundings(0, title)


def _changing(effects: Iterable[Effect]) -> tuple[Effect, ...]:
    return tuple(
        effect
        for effect in effects
        if isinstance(effect, Writes) or (isinstance(effect, Runs) and not only_looks(effect))
    )


def _runs(effects: Iterable[Effect]) -> bool:
    return any(isinstance(effect, Runs) for effect in effects)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TITLE_CHARS else f"{line[: _TITLE_CHARS - 1]}…"
