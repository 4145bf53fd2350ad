"""What a model is asked in a replay, beside what is known of what it was asked at the time: the digests of its pieces."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from codi.agent.context import messages_of
from codi.agent.counting import Counter
from codi.agent.instructions import git_line
from codi.agent.room.segments import Segments, head_of, matched, text_in
from codi.protocol.events import Entry, MessageAdded, ModelDescribed, RequestSent, Segment, SessionOpened
from codi.protocol.messages import Block, Message, Text, ToolCall, ToolResult
from codi.providers.provider import Request

_GIT = re.compile(r"^Git: .*$", re.MULTILINE)
_OF_THE_START = frozenset(
    {
        "--system-prompt",
        "--append-system-prompt",
        "--tools",
        "--no-tools",
        "--exclude-tools",
        "--no-context-files",
        "--config",
    }
)
"""Flags that change what stands before the messages. Their values are kept nowhere, so that part is not compared then."""


class Changed(Struct, frozen=True):
    """A piece that is another one. Where only its digest was kept, `then` tells that."""

    name: str
    then: str
    now: str


class Surroundings(Struct, frozen=True):
    """What a session tells of the start at which a request was made."""

    window: int
    someone_answers: bool


class ReplayedRequests:
    """`path` is that of the session; `home` turns a text of the replay into one of the time."""

    def __init__(self, path: Sequence[Entry], home: Callable[[str], str]) -> None:
        self._path = path
        self._home = home
        self._segments = Segments(Counter())
        self._sent = [
            (at, entry.fact)
            for at, entry in enumerate(path)
            if isinstance(entry.fact, RequestSent) and entry.fact.purpose == "turn"
        ]

    def surroundings(self, at: int) -> Surroundings:
        """Those of the request that was answered next after this place of the path."""
        described = [entry.fact for entry in self._path[:at] if isinstance(entry.fact, ModelDescribed)]
        names = {segment.name for segment in self._head_at(self._next(at))}
        return Surroundings(described[-1].window if described else 128_000, "tool:ask_person" in names)

    def changed(self, request: Request, reply: str, results: Mapping[str, ToolResult]) -> Changed | None:
        """The first piece of a request that is not the one of the time: of the request that the entry `reply` answered. `results` are
        those of the time that stand for what is the same but for times and places. None also where nothing was kept."""
        at = next((at for at, entry in enumerate(self._path) if entry.id == reply), None)
        number = None if at is None else self._answered_at(at)
        if at is None or number is None:
            return None
        _, sent = self._sent[number]
        opened = self._opened(at)
        asked = self._of_the_time(request, results, opened)
        if not _OF_THE_START & set(opened.flags if opened else ()) and (head := self._head_at(number)):
            for then, now in zip_longest(head, self._segments.head(asked)):
                if then != now and (then is None or now is None or then.sha256 != now.sha256 or then.name != now.name):
                    return _told(then, now, asked)
        count, name = matched(sent, body := self._segments.body(asked))
        if name is None and count == len(body):
            return None
        messages = messages_of(self._path[:at])
        for then, now in zip_longest(messages, asked.messages):
            if _text(then) != _text(now):
                return Changed(f"message:{count + 1}", _text(then), _text(now))
        of_then = next((segment for segment in sent.segments if segment.name == name), None)
        first = asked.messages[count] if count < len(asked.messages) else None
        return Changed(name or f"message:{count + 1}", _digest(of_then), _text(first))

    def _answered_at(self, reply: int) -> int | None:
        """The number of the request that this reply answered: it is kept right before or after it."""
        for number, (place, _) in enumerate(self._sent):
            between = self._path[min(place, reply) + 1 : max(place, reply)]
            if not any(isinstance(entry.fact, MessageAdded) for entry in between):
                return number
        return None

    def _next(self, at: int) -> int:
        return next((number for number, (place, _) in enumerate(self._sent) if place >= at), len(self._sent) - 1)

    def _head_at(self, number: int) -> list[Segment]:
        """What stood before the messages; it is kept piece by piece where it changed."""
        for _, sent in reversed(self._sent[: number + 1]):
            if not any(segment.name == "system" for segment in sent.segments):
                return head_of(sent.segments)
        return []

    def _opened(self, at: int) -> SessionOpened | None:
        return next((entry.fact for entry in reversed(self._path[:at]) if isinstance(entry.fact, SessionOpened)), None)

    def _of_the_time(
        self, request: Request, results: Mapping[str, ToolResult], opened: SessionOpened | None
    ) -> Request:
        def moved(value: Any) -> Any:
            if isinstance(value, str):
                return self._home(value)
            if isinstance(value, Mapping):
                return {name: moved(inner) for name, inner in value.items()}
            return [moved(inner) for inner in value] if isinstance(value, list) else value

        def block_of(block: Block) -> Block:
            match block:
                case ToolResult(call_id) if call_id in results:
                    return results[call_id]
                case ToolCall():
                    return replace(block, arguments=moved(block.arguments))
                case Text(text):
                    return replace(block, text=self._home(text))
            return block

        system = tuple(self._home(text) for text in request.system)
        if opened:
            system = tuple(_GIT.sub(lambda _: git_line(opened.git), text) for text in system)
        messages = tuple(
            replace(message, blocks=tuple(block_of(block) for block in message.blocks)) for message in request.messages
        )
        return replace(request, system=system, messages=messages)


def _told(then: Segment | None, now: Segment | None, asked: Request) -> Changed:
    if now is None or (then is not None and then.name != now.name and not text_in(asked, then.name)):
        assert then is not None
        return Changed(then.name, _digest(then), "none")
    name = now.name if then is None or then.name == now.name else then.name
    shown = text_in(asked, name)
    return Changed(name, _digest(then), shown or _digest(now))


def _digest(segment: Segment | None) -> str:
    return f"sha256 {segment.sha256[:16]}" if segment else "none"


def _text(message: Message | None) -> str:
    """What can be read of a message."""
    if message is None:
        return "none"
    parts = []
    for block in message.blocks:
        match block:
            case Text(text):
                parts.append(text)
            case ToolCall(_, name, arguments):
                parts.append(f"{name} {arguments}")
            case ToolResult() as result:
                parts.append(result.text)
    return "\n".join(parts)
