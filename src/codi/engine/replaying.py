"""Runs the turns of a session again: the model says what it said, and the tools really run, in a copy of the tree as it was.

What comes of each step is held beside what came of it at the time. Nothing of the person's own tree is touched: paths in the calls
lead to the copy, and paths in the results are told as if they had not.
"""

import os
import re
import shutil
import stat
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from codi.engine.engine import Engine
from codi.engine.options import Options
from codi.engine.places import Places
from codi.engine.replayed_requests import ReplayedRequests
from codi.engine.settings import Settings
from codi.policy.mode import MODES
from codi.protocol.effects import Allow, Deny
from codi.protocol.errors import CodiError
from codi.protocol.events import (
    ApprovalAsked,
    ApprovalGiven,
    CallIntended,
    Entry,
    MessageAdded,
    QuestionAsked,
    SnapshotTaken,
    StatusDelta,
    TurnEnded,
    TurnStarted,
)
from codi.protocol.messages import Image, Message, ToolCall, ToolResult
from codi.protocol.ops import Answer, Prompt, Reply
from codi.providers.provider import Request
from codi.providers.recorded import Recorded
from codi.sessions import folds
from codi.sessions.forking import fork_at
from codi.sessions.tree import path_to
from codi.tools.recorded import key_of
from codi.workspace.ledger.contents import Missing
from codi.workspace.ledger.ledger import Ledger
from codi.workspace.ledger.snapshots import first_changes_after
from codi.workspace.ledger.states import Absent, Directory, File, Link

_TIMES = re.compile(
    r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\b\d\d:\d\d:\d\d(?:\.\d+)?\b|\b\d+(?:\.\d+)? ?(?:ms|µs|us|s|seconds|min)\b"
)
_TEMPORARY = re.compile(r"(?:/tmp|/var/tmp|/var/folders)/[^\s'\":,;)\]]+")
_EXCERPT = 60
_TOLD_FROM_HOME = ("AGENTS.md", "CODI.md", "CLAUDE.md", "SYSTEM.md", "APPEND_SYSTEM.md", "memories.md", "profile.toml")
"""What of the person's own folder models are told."""


class NotReplayable(CodiError):
    """Something that a replay needs is not there."""

    code = "not_replayable"
    exit_status = 2


class Turn(Struct, frozen=True, kw_only=True):
    """A turn as it was. `before` is the entry on which it began, `trees` what snapshots told behind its steps."""

    number: int
    before: str | None
    prompt: Message
    replies: tuple[Message, ...]
    reply_ids: tuple[str, ...]
    results: dict[str, ToolResult]
    trees: tuple[str, ...]
    approvals: dict[str, ApprovalGiven]
    calls: tuple[str, ...]
    """The ids of the calls that began with effects."""


class Difference(Struct, frozen=True):
    """Where a step became another. `at` counts bytes from the beginning of what is compared."""

    what: str
    at: int
    then: str
    now: str


class Compared(Struct, frozen=True):
    """A step, counted through the whole replay, and what is different in it; None for nothing."""

    step: int
    turn: int
    difference: Difference | None


def turns_of(path: Sequence[Entry]) -> list[Turn]:
    """The turns of a path. Raises NotReplayable for a reply that did not come to its end."""
    starts = [at for at, entry in enumerate(path) if isinstance(entry.fact, TurnStarted)]
    turns = []
    for start, end in zip(starts, [*starts[1:], len(path)], strict=False):
        if (turn := _turn(path[start:end])) is not None:
            turns.append(turn)
    return turns


def _turn(entries: Sequence[Entry]) -> Turn | None:
    first = entries[0].fact
    assert isinstance(first, TurnStarted)
    prompts: list[Message] = []
    replies: list[Message] = []
    reply_ids: list[str] = []
    results: dict[str, ToolResult] = {}
    approvals: dict[str, ApprovalGiven] = {}
    trees: list[str] = []
    calls: list[str] = []
    for entry in entries:
        match entry.fact:
            case MessageAdded(Message("assistant") as message, reply):
                if reply is not None and reply.stop in ("error", "aborted"):
                    raise NotReplayable(
                        f"turn {first.turn} has a reply that did not come to its end ({reply.stop})",
                        hint="Replay the turns around it: --from and --to.",
                    )
                replies.append(message)
                reply_ids.append(entry.id)
            case MessageAdded(message) if message.tool_results:
                results |= {result.call_id: result for result in message.tool_results}
            case MessageAdded(message):
                prompts.append(message)
            case ApprovalGiven() as given:
                approvals[given.tool_call_id] = given
            case CallIntended(tool_call_id=id):
                calls.append(id)
            case SnapshotTaken(tree=tree, when="after"):
                trees.append(tree)
    if not prompts:
        return None
    return Turn(
        number=first.turn,
        before=entries[0].parent,
        prompt=prompts[0],
        replies=tuple(replies),
        reply_ids=tuple(reply_ids),
        results=results,
        trees=tuple(trees),
        approvals=approvals,
        calls=tuple(calls),
    )


class Replay:
    """`entries` are those of the session in `source`, `scratch` an empty folder."""

    def __init__(self, places: Places, settings: Settings, source: str, entries: Sequence[Entry], scratch: str) -> None:
        self._places = places
        self._settings = settings
        self._source = source
        self._path = path_to(entries[-1].id if entries else None, entries)
        self.work = os.path.join(scratch, "work")
        self._home = os.path.join(scratch, "home")
        self._requests = ReplayedRequests(self._path, self._of_the_time)

    def turns(self, first: int | None, last: int | None) -> list[Turn]:
        """Those from one number to another. Raises NotReplayable."""
        turns = turns_of(_within(self._path, first, last))
        if not turns:
            raise NotReplayable(
                "there is no such turn in this session", hint="`codi sessions stats ID` counts its turns."
            )
        return turns

    def restore(self, turns: Sequence[Turn]) -> None:
        """Make the copy: the tree as it is, with all that was changed since taken back. Raises NotReplayable."""
        undo = self._settings.undo
        ledger = Ledger(self._places.home, self._places.root, undo)
        if not undo.enabled:
            raise NotReplayable(
                "there is no snapshot: undo is switched off", hint="Set undo.enabled = true from now on."
            )
        ledger.open()
        ledger.look()
        calls = {call for turn in turns for call in turn.calls}
        made = [step for step in ledger.journal.steps() if step.owner == "agent" and step.cause.call_id in calls]
        known = {step.cause.call_id for step in made}
        changed = any(turn.trees for turn in turns)
        if changed and not made:
            raise NotReplayable(
                f"the snapshot before turn {turns[0].number} is gone",
                hint="Snapshots are kept as undo.days and undo.quota_mb say.",
            )
        shutil.copytree(self._places.root, self.work, symlinks=True, ignore=self._own_home)
        os.makedirs(self._home, mode=0o700)
        for name in _TOLD_FROM_HOME:
            with suppress(OSError):
                shutil.copy(os.path.join(self._places.home, name), self._home)
        if not known:
            return
        for path, change in first_changes_after(ledger.journal.steps(), min(step.n for step in made) - 1).items():
            self._put_back(ledger, path, change.before)

    def _own_home(self, folder: str, names: list[str]) -> list[str]:
        """Codi's home and the copy itself, where they lie in the project; and what is no file."""
        left_out = []
        for name in names:
            place = os.path.join(folder, name)
            if place in (self._places.home, os.path.dirname(self.work)) or not _is_plain(place):
                left_out.append(name)
        return left_out

    def _put_back(self, ledger: Ledger, path: str, state: Any) -> None:
        if os.path.isabs(path):
            return  # beside the project: the copy has no such place
        place = os.path.join(self.work, path)
        if not isinstance(state, Directory) and os.path.isdir(place) and not os.path.islink(place):
            shutil.rmtree(place, ignore_errors=True)
        match state:
            case Absent():
                with suppress(OSError):
                    os.unlink(place)
            case Directory(mode):
                os.makedirs(place, exist_ok=True)
                os.chmod(place, mode)
            case Link(target):
                with suppress(FileNotFoundError):
                    os.unlink(place)
                os.makedirs(os.path.dirname(place), exist_ok=True)
                os.symlink(target, place)
            case File(mode, id, _):
                os.makedirs(os.path.dirname(place), exist_ok=True)
                try:
                    content = ledger.contents.get(id)
                except Missing as error:
                    raise NotReplayable(
                        f"the snapshot lacks the content of {path}",
                        hint="It was given up to keep within undo.quota_mb.",
                    ) from error
                with suppress(FileNotFoundError):
                    os.unlink(place)
                with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(content)
                os.chmod(place, mode)
            case _:
                raise NotReplayable(f"the snapshot does not hold {path}", hint="It was too big to be kept.")

    async def run(self, turns: Sequence[Turn], *, with_tools: bool) -> Sequence[Compared]:
        """Replay turns, and compare them step by step; the first difference ends it."""
        replies = [self._moved_message(reply) for turn in turns for reply in turn.replies]
        answers: dict[str, deque[ToolResult]] = {}
        results = {id: result for turn in turns for id, result in turn.results.items()}
        for turn in turns:
            for call in (call for reply in turn.replies for call in reply.tool_calls):
                if (result := turn.results.get(call.id)) is not None:
                    moved = self._moved(call.arguments)
                    answers.setdefault(key_of(call.name, moved), deque()).append(result)
                elif not with_tools:
                    raise NotReplayable(
                        f"the result of {call.name} in turn {turn.number} is missing", hint="Let the tools run."
                    )
        around = self._requests.surroundings(self._place_of(turns[0]))
        model = Recorded(replies, around.window)
        options = Options(
            stand_in=model,
            someone_answers=around.someone_answers,
            recorded_results=None if with_tools else answers,
            mode_given=True,
            model_given=True,
        )
        engine = self._engine(options, turns[0])
        begun = self._begun(turns[0])
        found: list[Compared] = []
        async with engine.open(begun) as conversation:
            events = conversation.events()
            for turn in turns:
                await conversation.send(Prompt(turn.prompt.text, _images(turn.prompt)))
                seen: list[Entry] = []
                async for event in events:
                    if isinstance(event, Entry):
                        seen.append(event)
                    match event:
                        case Entry(fact=ApprovalAsked() as asked):
                            await conversation.send(_answer(asked, turn))
                        case Entry(fact=QuestionAsked() as question):
                            await conversation.send(_reply(question, turn))
                        case Entry(fact=TurnEnded()):
                            break
                        case StatusDelta(kind="warning"):
                            pass
                for compared in self._compare(turn, seen, len(found), model.requests, results):
                    found.append(compared)
                    if compared.difference:
                        return found
        return found

    async def ask(self, turns: Sequence[Turn], model: str, folder: str) -> str:
        """Say the same prompts to another model, in a new session in `folder` that works in the copy. Its file is returned."""
        settings = replace(self._settings, model=replace(self._settings.model, default=model))
        options = Options(model_given=True)
        path = fork_at(self._source, folder, turns[0].before, at=time.time(), cwd=self._cwd()).path
        engine = Engine(self._there(self._places.home), settings, options)
        async with engine.open(path) as conversation:
            events = conversation.events()
            for turn in turns:
                await conversation.send(Prompt(turn.prompt.text, _images(turn.prompt)))
                async for event in events:
                    match event:
                        case Entry(fact=ApprovalAsked(tool_call_id=id)):
                            await conversation.send(Answer(id, Allow(by="person")))
                        case Entry(fact=TurnEnded(reason=reason, message=message, hint=hint)):
                            if reason == "error":
                                raise NotReplayable(message or "the model did not answer", hint=hint or "")
                            break
        return path

    def _engine(self, options: Options, first: Turn) -> Engine:
        mode = folds.policy_mode([entry for entry in self._path if entry.at <= self._time_of(first)])
        settings = replace(
            self._settings,
            permission_mode=mode if mode in MODES else "default",
            network=replace(self._settings.network, offline=True),
            verify=(),
        )
        return Engine(self._there(self._home), settings, options)

    def _place_of(self, turn: Turn) -> int:
        return next((at for at, entry in enumerate(self._path) if entry.fact == TurnStarted(turn.number)), 0)

    def _time_of(self, turn: Turn) -> float:
        return self._path[self._place_of(turn)].at if self._path else 0.0

    def _there(self, home: str) -> Places:
        return Places(self._cwd(), self.work, home)

    def _cwd(self) -> str:
        return os.path.normpath(os.path.join(self.work, os.path.relpath(self._places.cwd, self._places.root)))

    def _begun(self, first: Turn) -> str | None:
        """The session as it was when the first turn began."""
        if first.before is None:
            return None
        return fork_at(
            self._source, os.path.join(self._home, "replayed"), first.before, at=time.time(), cwd=self._cwd()
        ).path

    def _compare(
        self,
        turn: Turn,
        seen: Sequence[Entry],
        before: int,
        requests: Sequence[Request],
        results: Mapping[str, ToolResult],
    ) -> Iterator[Compared]:
        try:
            now = _turn([entry for entry in seen if not isinstance(entry.fact, TurnEnded)])
        except NotReplayable:
            ended = next((entry.fact.message for entry in reversed(seen) if isinstance(entry.fact, TurnEnded)), None)
            yield Compared(before + 1, turn.number, Difference("reply", 0, "one that was recorded", ended or "none"))
            return
        assert now is not None
        trees_then, trees_now = list(turn.trees), list(now.trees)
        for number, reply in enumerate(turn.replies):
            step = before + number + 1
            if number >= len(now.replies):
                yield Compared(step, turn.number, Difference("reply", 0, _shown(reply), "the turn ended before"))
                return
            changed = self._requests.changed(requests[step - 1], turn.reply_ids[number], results)
            if changed:
                difference = self._texts(f"request ({changed.name})", changed.then, changed.now)
            else:
                difference = self._difference(reply, turn, now, trees_then, trees_now)
            yield Compared(step, turn.number, difference)
            if difference:
                return

    def _difference(
        self, reply: Message, turn: Turn, now: Turn, trees_then: list[str], trees_now: list[str]
    ) -> Difference | None:
        for call in reply.tool_calls:
            then_result, now_result = turn.results.get(call.id), now.results.get(call.id)
            what = f"result of {call.name}"
            if then_result is None:
                continue
            if now_result is None:
                return Difference(what, 0, then_result.text[:_EXCERPT], "none")
            if then_result.is_error != now_result.is_error:
                then_said, now_said = ("failed" if each.is_error else "succeeded" for each in (then_result, now_result))
                return Difference(
                    what, 0, f"{then_said}: {then_result.text[:_EXCERPT]}", f"{now_said}: {now_result.text[:_EXCERPT]}"
                )
            if difference := self._texts(what, then_result.text, now_result.text):
                return difference
        changed_then = sum(call.id in turn.calls for call in reply.tool_calls)
        for _ in range(min(changed_then, len(trees_then), len(trees_now))):
            then_tree, now_tree = trees_then.pop(0), trees_now.pop(0)
            if then_tree != now_tree:
                return Difference("tree", 0, then_tree[:16], now_tree[:16])
        return None

    def _texts(self, what: str, then: str, now: str) -> Difference | None:
        one, other = self._plain(then).encode(), self._plain(now).encode()
        if one == other:
            return None
        at = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
        begin = max(0, at - 20)
        return Difference(
            what,
            at,
            one[begin : at + _EXCERPT].decode(errors="replace"),
            other[begin : at + _EXCERPT].decode(errors="replace"),
        )

    def _of_the_time(self, text: str) -> str:
        """A text that leads to the copy no more."""
        text = text.replace(self.work, self._places.root).replace(os.path.realpath(self.work), self._places.root)
        return text.replace(self._home, self._places.home)

    def _plain(self, text: str) -> str:
        """A text without times, durations, and the place of the copy."""
        text = self._of_the_time(text)
        if not self._places.root.startswith(("/tmp/", "/var/tmp/")):
            text = _TEMPORARY.sub("<tmp>", text)
        return _TIMES.sub("<time>", text)

    def _moved_message(self, message: Message) -> Message:
        blocks = tuple(
            replace(block, arguments=self._moved(block.arguments)) if isinstance(block, ToolCall) else block
            for block in message.blocks
        )
        return replace(message, blocks=blocks)

    def _moved(self, value: Any) -> Any:
        """Arguments whose paths lead to the copy."""
        if isinstance(value, str):
            return re.sub(rf"{re.escape(self._places.root)}(?![\w.-])", lambda _: self.work, value)
        if isinstance(value, Mapping):
            return {name: self._moved(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._moved(inner) for inner in value]
        return value


def _within(path: Sequence[Entry], first: int | None, last: int | None) -> list[Entry]:
    """The part of a path from the beginning of a turn to the end of another."""
    starts = {entry.fact.turn: at for at, entry in enumerate(path) if isinstance(entry.fact, TurnStarted)}
    begin = min((at for turn, at in starts.items() if first is None or turn >= first), default=len(path))
    end = min((at for turn, at in starts.items() if last is not None and turn > last), default=len(path))
    return list(path[begin:end])


def _answer(asked: ApprovalAsked, turn: Turn) -> Answer:
    """What was answered then; yes, where a rule of that time made a question needless."""
    given = turn.approvals.get(asked.tool_call_id)
    if given is None or given.decision == "allow":
        return Answer(asked.tool_call_id, Allow(by="person"))
    by = given.by if given.by in ("person", "nobody") else "person"
    return Answer(asked.tool_call_id, Deny(given.text or "", by=by), abort=given.decision == "abort")


def _reply(asked: QuestionAsked, turn: Turn) -> Reply:
    """What the person answered then, as the result of the call tells it."""
    calls = (call for reply in turn.replies for call in reply.tool_calls)
    answered = (
        turn.results[call.id]
        for call in calls
        if call.arguments.get("question") == asked.question and call.id in turn.results
    )
    told = next((result.details for result in answered if result.details), {})
    chosen = tuple(asked.options.index(option) for option in told.get("chosen", ()) if option in asked.options)
    return Reply(asked.id, chosen=chosen, text=str(told.get("text", "")))


def _images(message: Message) -> tuple[Image, ...]:
    return tuple(block for block in message.blocks if isinstance(block, Image))


def _shown(message: Message) -> str:
    return (message.text or ", ".join(call.name for call in message.tool_calls))[:_EXCERPT]


def _is_plain(place: str) -> bool:
    try:
        mode = os.lstat(place).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)
