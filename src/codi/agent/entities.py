"""Long values that recur in a conversation, on their way to the model as short stand-ins.

Off by default, for it changes what was sent before, which costs the service's cache. A stand-in is written in brackets that
source code hardly uses; where a text has such a bracket itself it is escaped, so that decoding gives back every text exactly.
"""

import re
from collections import Counter as Tally
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import Any

from msgspec.structs import replace

from codi.protocol.events import Delta, StatusDelta, TextDelta, ThinkingDelta, ToolCallDelta
from codi.protocol.messages import Block, Message, Text, Thinking, ToolCall, ToolResult
from codi.providers.around import Around
from codi.providers.provider import Provider, Reply, Request

OPEN, CLOSE = "\u27e6", "\u27e7"
MOST = 50
SHORTEST = 12
LEAST_COUNT = 3
LEAST_SAVING = 5

_VALUE = re.compile(r"(?:https?://)?[\w./@~+-]*\w[\w./@~+:-]{10,}\w")
_STAND_IN = re.compile(f"{OPEN}(0|E[0-9]+){CLOSE}")
_LONGEST = 8
"""Characters of a stand-in."""

_NEWEST = 2
"""Messages whose own words stay as they are."""


class UnknownStandIn(Exception):
    """A text has a stand-in that stands for nothing."""


class Entities:
    """`values` in their order; the first is E1."""

    def __init__(self, values: Sequence[str] = ()) -> None:
        self.values = tuple(values)
        self._stand_ins = {value: f"{OPEN}E{number}{CLOSE}" for number, value in enumerate(self.values, 1)}
        longest_first = sorted((*self.values, OPEN), key=len, reverse=True)
        self._encoding = re.compile("|".join(map(re.escape, longest_first)))
        self._meant = {f"E{number}": value for number, value in enumerate(self.values, 1)} | {"0": OPEN}

    def encode(self, text: str) -> str:
        return self._encoding.sub(lambda found: self._stand_ins.get(found[0], f"{OPEN}0{CLOSE}"), text)

    def decode(self, text: str, *, strictly: bool = False) -> str:
        """What the text says. A stand-in that nobody gave is left as it is, or `strictly` raises UnknownStandIn."""

        def meant(found: re.Match[str]) -> str:
            if strictly and found[1] not in self._meant:
                raise UnknownStandIn(found[0])
            return self._meant.get(found[1], found[0])

        return _STAND_IN.sub(meant, text)

    def decode_value(self, value: Any) -> Any:
        """Every text in a value, strictly."""
        if isinstance(value, str):
            return self.decode(value, strictly=True)
        if isinstance(value, list):
            return [self.decode_value(inner) for inner in value]
        if isinstance(value, dict):
            return {self.decode(name, strictly=True): self.decode_value(inner) for name, inner in value.items()}
        return value

    @property
    def legend(self) -> str:
        lines = [f"{stand_in} = {value}" for value, stand_in in self._stand_ins.items()]
        return (
            "<entities>\nIn the conversation above these stand for long values; write either.\n"
            + "\n".join(lines)
            + "\n</entities>"
        )


def worth_it(texts: Iterable[str]) -> Entities:
    """The values whose stand-ins save most. Equal is equal: case and likeness never make one of two."""
    counts: Tally[str] = Tally()
    for text in texts:
        counts.update(value for value in _VALUE.findall(text) if len(value) >= SHORTEST and OPEN not in value)
    savings = {
        value: (len(value) - _LONGEST + 3) * count - len(value) - _LONGEST
        for value, count in counts.items()
        if count >= LEAST_COUNT and len(value) - _LONGEST + 3 >= LEAST_SAVING
    }
    best = sorted((value for value, saved in savings.items() if saved > 0), key=lambda value: (-savings[value], value))
    return Entities(best[:MOST])


def texts_of(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        for block in message.blocks:
            if isinstance(block, Text | ToolResult):
                yield block.text


def compressed(messages: Sequence[Message], entities: Entities) -> list[Message]:
    """With stand-ins in the results of tools and in older words, and the legend at the end."""
    if not entities.values or not messages:
        return list(messages)
    newest = len(messages) - _NEWEST
    told = [
        replace(message, blocks=tuple(_encoded(block, entities, is_old=at < newest) for block in message.blocks))
        for at, message in enumerate(messages)
    ]
    if told[-1].role != "user":
        return [*told, Message("user", (Text(entities.legend),))]
    return [*told[:-1], replace(told[-1], blocks=(*told[-1].blocks, Text(entities.legend)))]


def _encoded(block: Block, entities: Entities, *, is_old: bool) -> Block:
    match block:
        case Text(text=text):
            # Of the newest words only what looks like a stand-in is touched, so that it reads as what it is.
            return replace(block, text=entities.encode(text) if is_old else text.replace(OPEN, f"{OPEN}0{CLOSE}"))
        case ToolResult(content=content):
            parts = (
                replace(part, text=entities.encode(part.text)) if isinstance(part, Text) else part for part in content
            )
            return replace(block, content=tuple(parts))
    return block


class Compressed(Around):
    """A provider around a provider. `is_on` is asked for each request."""

    def __init__(self, provider: Provider, is_on: Callable[[], bool]) -> None:
        super().__init__(provider)
        self._is_on = is_on

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        request, entities = self._shortened(request)
        parts: Any = self._provider.stream(request)
        pieces = _Pieces(entities)
        async with aclosing(parts):
            async for part in parts:
                if not entities.values:
                    yield part
                elif isinstance(part, Reply):
                    for rest in pieces.rest():
                        yield rest
                    yield replace(part, message=decoded(part.message, entities))
                else:
                    for told in pieces.of(part):
                        yield told

    async def count(self, request: Request) -> int | None:
        return await self._provider.count(self._shortened(request)[0])

    def _shortened(self, request: Request) -> tuple[Request, Entities]:
        entities = worth_it(texts_of(request.messages)) if self._is_on() and request.purpose == "turn" else Entities()
        if entities.values:
            request = replace(request, messages=compressed(request.messages, entities))
        return request, entities


def decoded(message: Message, entities: Entities) -> Message:
    """A reply as it is meant. A call with a stand-in that stands for nothing is not sound."""
    return replace(message, blocks=tuple(_decoded(block, entities) for block in message.blocks))


def _decoded(block: Block, entities: Entities) -> Block:
    match block:
        case Text(text=text):
            return block if OPEN not in text else replace(block, text=entities.decode(text))
        case Thinking(text=text):
            return block if OPEN not in text else replace(block, text=entities.decode(text), signature=None)
        case ToolCall(arguments=arguments):
            try:
                return replace(block, arguments=entities.decode_value(arguments))
            except UnknownStandIn as unknown:
                return replace(block, defect=f"{unknown} stands for nothing; write the value itself")
    return block


class _Pieces:
    """Deltas whose texts come in pieces: what may be a part of a stand-in is held back until it is known."""

    def __init__(self, entities: Entities) -> None:
        self._entities = entities
        self._held: dict[tuple[type[Delta], int], Any] = {}

    def of(self, delta: Delta) -> Iterator[Delta]:
        match delta:
            case TextDelta() | ThinkingDelta() | ToolCallDelta():
                place = (type(delta), delta.index)
                before = self._held.pop(place, None)
                text = (before.text if before else "") + delta.text
                begun = text.rfind(OPEN)
                is_part = begun >= 0 and CLOSE not in text[begun:] and len(text) - begun <= _LONGEST
                whole, rest = (text[:begun], text[begun:]) if is_part else (text, "")
                if rest:
                    self._held[place] = replace(delta, text=rest)
                told = self._entities.decode(whole)
                if told or (isinstance(delta, ToolCallDelta) and (delta.id or delta.name)):
                    yield replace(delta, text=told)
            case StatusDelta(kind="retry"):
                self._held.clear()
                yield delta
            case _:
                yield delta

    def rest(self) -> Iterator[Delta]:
        yield from self._held.values()
        self._held.clear()
