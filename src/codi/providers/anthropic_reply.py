"""Replies in the words of Anthropic's Messages API: events become deltas and, at the end mark, one message.

Events: message_start, content_block_start/delta/stop, message_delta, message_stop, ping, error. What a later day adds to
them is skipped.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct, field

from codi.protocol.errors import MalformedAnswer
from codi.protocol.events import Delta, TextDelta, ThinkingDelta, ToolCallDelta
from codi.protocol.messages import Block, Message, Origin, Text, Thinking, Usage
from codi.providers.arguments import call_from
from codi.providers.estimates import estimated_usage
from codi.providers.failures import in_answer
from codi.providers.provider import Reply, Stop, Timing

STOPS: dict[str, Stop] = {
    "end_turn": "end",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "refusal": "refused",
    "pause_turn": "paused",
    "model_context_window_exceeded": "length",
}


class _CacheCreation(Struct):
    ephemeral_1h_input_tokens: int | None = None


class _OutputDetails(Struct):
    thinking_tokens: int | None = None


class _Usage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: _CacheCreation | None = None
    output_tokens_details: _OutputDetails | None = None


class _Block(Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None


class _Message(Struct):
    type: str = ""
    id: str | None = None
    model: str | None = None
    content: list[_Block] = field(default_factory=list)
    stop_reason: str | None = None
    usage: _Usage | None = None


class _Change(Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


class _Event(Struct):
    type: str = ""
    index: int = 0
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Change | None = None
    usage: _Usage | None = None
    error: Any = None


class _Open:
    """A block that grows. `place` is its index in the reply, given when it first holds something: blocks that stay empty have
    none."""

    def __init__(self, start: _Block) -> None:
        self.start = start
        self.place: int | None = None
        self.texts: list[str] = []
        self.signature = ""


_event_of = msgspec.json.Decoder(_Event).decode
_message_of = msgspec.json.Decoder(_Message).decode


class Assembly:
    """One reply as it grows. `done` is true when the end mark was seen."""

    def __init__(self, origin: Origin, *, sent: int, key_source: str = "") -> None:
        self.done = False
        self._origin = origin
        self._sent = sent
        self._key_source = key_source
        self._by_index: dict[int, _Open] = {}
        self._blocks: list[_Open] = []
        self._usage: _Usage | None = None
        self._raw_stop: str | None = None
        self._id: str | None = None
        self._model: str | None = None

    def add(self, data: bytes) -> Iterator[Delta]:
        """The deltas of one event. Raise the error that an error event tells, MalformedAnswer for what is no event."""
        try:
            event = _event_of(data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._malformed(str(error)) from error
        match event.type:
            case "content_block_delta":
                yield from self._grow(event.index, event.delta or _Change())
            case "content_block_start":
                yield from self._begin(event.index, event.content_block or _Block())
            case "message_start" if event.message:
                self._about(event.message)
            case "message_delta":
                if event.delta and event.delta.stop_reason:
                    self._raw_stop = event.delta.stop_reason
                self._count(event.usage)
            case "message_stop":
                self.done = True
            case "error":
                raise in_answer(
                    {"error": event.error or {"type": "api_error"}}, self._origin.provider, self._key_source
                )

    def add_whole(self, body: bytes) -> Iterator[Delta]:
        """The deltas of a reply that came in one piece, from a server that does not stream."""
        try:
            message = _message_of(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._malformed(str(error)) from error
        if message.type != "message":
            raise self._malformed("a JSON object that is no message")
        self._about(message)
        for index, block in enumerate(message.content):
            yield from self._begin(index, block)
        self.done = True

    def reply(self, timing: Timing) -> Reply:
        message = Message("assistant", tuple(self._closed(block) for block in self._blocks), self._origin)
        stop: Stop
        if self._raw_stop is None:
            stop = "tool_calls" if message.tool_calls else "end"
        else:
            stop = STOPS.get(self._raw_stop, "unknown")
        return Reply(
            message=message,
            stop=stop,
            raw_stop=self._raw_stop,
            usage=self._reported() or estimated_usage(self._sent, message),
            model=self._model,
            response_id=self._id,
            timing=timing,
        )

    def _about(self, message: _Message) -> None:
        self._id, self._model = message.id, message.model
        if message.stop_reason:
            self._raw_stop = message.stop_reason
        self._count(message.usage)

    def _count(self, usage: _Usage | None) -> None:
        """Later numbers replace earlier ones: the service counts from the beginning each time."""
        if usage is None:
            return
        known = self._usage or _Usage()
        for name in _Usage.__struct_fields__:
            if (value := getattr(usage, name)) is not None:
                setattr(known, name, value)
        self._usage = known

    def _begin(self, index: int, start: _Block) -> Iterator[Delta]:
        block = self._by_index[index] = _Open(start)
        match start.type:
            case "tool_use":
                yield ToolCallDelta(self._placed(block), start.id or "", start.name or "")
                if start.input:
                    text = msgspec.json.encode(start.input).decode()
                    block.texts.append(text)
                    yield ToolCallDelta(self._placed(block), text=text)
            case "redacted_thinking":
                block.signature = start.data or ""
                self._placed(block)
            case "text" | "thinking":
                yield from self._grow(
                    index, _Change(text=start.text, thinking=start.thinking, signature=start.signature)
                )

    def _grow(self, index: int, change: _Change) -> Iterator[Delta]:
        block = self._by_index.get(index)
        if block is None:
            return
        match block.start.type:
            case "text" if change.text:
                block.texts.append(change.text)
                yield TextDelta(change.text, self._placed(block))
            case "thinking":
                if change.thinking:
                    block.texts.append(change.thinking)
                    yield ThinkingDelta(change.thinking, self._placed(block))
                if change.signature:
                    block.signature += change.signature
                    self._placed(block)
            case "tool_use" if change.partial_json:
                if block.start.input:  # what stood in the start was the whole, and comes again piece by piece
                    return
                block.texts.append(change.partial_json)
                yield ToolCallDelta(self._placed(block), text=change.partial_json)

    def _placed(self, block: _Open) -> int:
        if block.place is None:
            block.place = len(self._blocks)
            self._blocks.append(block)
        return block.place

    def _closed(self, block: _Open) -> Block:
        text = "".join(block.texts)
        match block.start.type:
            case "tool_use":
                return call_from(block.start.id or f"call_{block.place}", block.start.name or "", text)
            case "thinking":
                return Thinking(text, block.signature or None)
            case "redacted_thinking":
                return Thinking("", block.signature, redacted=True)
            case _:
                return Text(text)

    def _reported(self) -> Usage | None:
        usage = self._usage
        if usage is None or (usage.input_tokens is None and usage.output_tokens is None):
            return None
        written_1h = usage.cache_creation.ephemeral_1h_input_tokens if usage.cache_creation else None
        thought = usage.output_tokens_details.thinking_tokens if usage.output_tokens_details else None
        return Usage(
            input=usage.input_tokens or 0,
            output=usage.output_tokens or 0,
            cache_read=usage.cache_read_input_tokens or 0,
            cache_write=usage.cache_creation_input_tokens or 0,
            cache_write_1h=written_1h or 0,
            thinking=thought or 0,
        )

    def _malformed(self, cause: str) -> MalformedAnswer:
        return MalformedAnswer(
            f"{self._origin.provider} sent something that is no event of the Messages API: {cause[:200]}",
            hint="Check that the base URL belongs to a service that speaks this format.",
        )
