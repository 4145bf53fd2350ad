"""Answers in OpenAI's Responses format: events become deltas and one reply.

The answer is a list of items, each of which is told piece by piece and then once more as a whole. What was told in pieces
stands; from the whole comes what the pieces left out.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from codi.protocol.errors import MalformedAnswer
from codi.protocol.events import Delta, TextDelta, ThinkingDelta, ToolCallDelta
from codi.protocol.messages import Block, Text, Thinking, ToolCall, Usage
from codi.providers.arguments import call_from
from codi.providers.failures import in_answer
from codi.providers.openai_chat_answer import NAMELESS, cut_off
from codi.providers.openai_responses_format import TextSeal
from codi.providers.provider import Stop

_INCOMPLETE: dict[str, Stop] = {"max_output_tokens": "length", "max_tokens": "length", "content_filter": "filtered"}


class _Part(Struct):
    """A part of a message's content or of a reasoning item's summary."""

    text: str | None = None
    refusal: str | None = None


class _Any(Struct):
    type: str = ""


class _Item(Struct):
    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    phase: str | None = None
    content: list[_Part] | None = None
    summary: list[_Part] | None = None
    encrypted_content: str | None = None


class _InputDetails(Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _OutputDetails(Struct):
    reasoning_tokens: int | None = None


class _Usage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


class _Incomplete(Struct):
    reason: str | None = None


class _Response(Struct):
    id: str | None = None
    model: str | None = None
    status: str | None = None
    output: list[Raw] | None = None
    usage: _Usage | None = None
    incomplete_details: _Incomplete | None = None
    error: Any = None


class _Event(Struct):
    type: str = ""
    output_index: int | None = None
    item_id: str | None = None
    summary_index: int | None = None
    content_index: int | None = None
    delta: Any = None
    item: Raw = Raw()
    response: _Response | None = None


_type_of = msgspec.json.Decoder(_Any).decode
_event = msgspec.json.Decoder(_Event).decode
_item = msgspec.json.Decoder(_Item).decode
_response = msgspec.json.Decoder(_Response).decode


class _Growing:
    """An item as it grows. It has a place among the blocks as soon as it has something to show."""

    def __init__(self, kind: Literal["text", "thinking", "call"]) -> None:
        self.kind = kind
        self.place: int | None = None
        self.pieces: list[str] = []
        self.part = 0
        self.call_id = ""
        self.name = ""
        self.signature: str | None = None
        self.is_done = False

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def block(self) -> Block:
        match self.kind:
            case "text":
                return Text(self.text, signature=self.signature)
            case "thinking":
                return Thinking(self.text, signature=self.signature)
            case "call":
                if not self.name:
                    return ToolCall(self.call_id, "", {}, signature=self.signature, defect=NAMELESS)
                return call_from(self.call_id, self.name, self.text, signature=self.signature)


class ResponsesAssembly:
    """One answer. `add` every event, or the `whole` of an answer that was not streamed, then `end`; all give deltas. After
    that the answer can be read. `seed` makes the ids of calls that the server left without one."""

    def __init__(self, service: str, seed: bytes, key_source: str = "") -> None:
        self._service = service
        self._seed = seed
        self._key_source = key_source
        self._items: dict[int | str, _Growing] = {}
        self._placed: list[_Growing] = []
        self._done_ids: set[str | None] = set()
        self._usage: _Usage | None = None
        self._status: str | None = None
        self._incomplete: str | None = None
        self._refused = False
        self.model: str | None = None
        self.response_id: str | None = None

    @property
    def is_complete(self) -> bool:
        return self._status is not None

    def add(self, data: bytes) -> list[Delta]:
        """Raise the error that the event reports, or MalformedAnswer for what is no event."""
        if data.strip() == b"[DONE]":
            return []
        try:
            event = _event(data)
            return list(self._heard(event, data))
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._malformed(error) from error

    def whole(self, body: bytes) -> list[Delta]:
        """The answer of a server that does not stream."""
        try:
            response = _response(body)
            self._know(response)
            if response.status == "failed":
                raise in_answer(msgspec.json.decode(body), self._service, self._key_source)
            return list(self._close(response, response.status or "completed"))
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._malformed(error) from error

    def end(self) -> list[Delta]:
        """No more events. Raise StreamCut where the answer is not complete."""
        if not self.is_complete:
            raise cut_off(self._service)
        return [delta for growing in self._items.values() if growing.kind == "call" for delta in self._tell(growing)]

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(growing.block() for growing in self._placed)

    @property
    def stop(self) -> Stop:
        match self._status:
            case "incomplete":
                return _INCOMPLETE.get(self._incomplete or "", "unknown")
            case "completed":
                if self._refused:
                    return "refused"
                return "tool_calls" if any(growing.kind == "call" for growing in self._placed) else "end"
            case _:
                return "unknown"

    @property
    def stop_text(self) -> str | None:
        """The service's word."""
        return self._incomplete if self._status == "incomplete" and self._incomplete else self._status

    @property
    def usage(self) -> Usage | None:
        """What the service reported, None if that is nothing."""
        usage = self._usage
        if usage is None or not (usage.input_tokens or usage.output_tokens):
            return None
        details = usage.input_tokens_details or _InputDetails()
        asked = usage.input_tokens or 0
        read = min(details.cached_tokens or 0, asked)
        written = min(details.cache_write_tokens or 0, asked - read)
        return Usage(
            input=asked - read - written,
            output=usage.output_tokens or 0,
            cache_read=read,
            cache_write=written,
            thinking=(usage.output_tokens_details or _OutputDetails()).reasoning_tokens or 0,
        )

    def _heard(self, event: _Event, data: bytes) -> Iterator[Delta]:
        if event.response is not None:
            self._know(event.response)
        match event.type:
            case "response.output_text.delta":
                yield from self._grow(event, "text")
            case "response.refusal.delta":
                self._refused = True
                yield from self._grow(event, "text")
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                yield from self._grow(event, "thinking")
            case "response.function_call_arguments.delta":
                yield from self._grow(event, "call")
            case "response.output_item.added" if bytes(event.item):
                if item := _known(event.item):
                    yield from self._begin(_key(event), item)
            case "response.output_item.done" if bytes(event.item):
                if item := _known(event.item):
                    yield from self._finish(_key(event), item, event.item)
            case "response.completed" | "response.incomplete" if event.response is not None:
                yield from self._close(event.response, event.type.removeprefix("response."))
            case "response.failed" | "error":
                raise in_answer(msgspec.json.decode(data), self._service, self._key_source)

    def _know(self, response: _Response) -> None:
        self.model = response.model or self.model
        self.response_id = response.id or self.response_id
        self._usage = response.usage or self._usage

    def _grow(self, event: _Event, kind: Literal["text", "thinking", "call"]) -> Iterator[Delta]:
        if not isinstance(event.delta, str) or not event.delta:
            return
        growing = self._items.setdefault(_key(event), _Growing(kind))
        text = event.delta
        part = event.summary_index or event.content_index or 0
        if kind == "thinking" and part != growing.part and growing.pieces:
            text = "\n\n" + text
        growing.part = part
        yield from self._append(growing, text)

    def _append(self, growing: _Growing, text: str) -> Iterator[Delta]:
        growing.pieces.append(text)
        if growing.kind == "call":
            if growing.place is not None:
                yield ToolCallDelta(growing.place, text=text)
            return
        place = self._place(growing)
        yield TextDelta(text, place) if growing.kind == "text" else ThinkingDelta(text, place)

    def _place(self, growing: _Growing) -> int:
        if growing.place is None:
            growing.place = len(self._placed)
            self._placed.append(growing)
        return growing.place

    def _begin(self, key: int | str, item: _Item) -> Iterator[Delta]:
        kind = _KINDS[item.type]
        growing = self._items.setdefault(key, _Growing(kind))
        if kind == "call" and growing.kind == "call":
            growing.call_id = item.call_id or growing.call_id
            growing.name = item.name or growing.name
            growing.signature = item.id or growing.signature
            if growing.call_id and growing.name:
                yield from self._tell(growing)

    def _tell(self, growing: _Growing) -> Iterator[Delta]:
        """The first piece of a call, with its id and name."""
        if growing.place is None:
            place = self._place(growing)
            growing.call_id = growing.call_id or "call_" + sha256(self._seed + b"#%d" % place).hexdigest()[:24]
            yield ToolCallDelta(place, growing.call_id, growing.name, growing.text)

    def _finish(self, key: int | str, item: _Item, raw: Raw) -> Iterator[Delta]:
        yield from self._begin(key, item)
        growing = self._items.get(key)
        if growing is None or growing.is_done or growing.kind != _KINDS[item.type]:
            return
        growing.is_done = True
        if item.id:
            self._done_ids.add(item.id)
        whole = _text_of(item)
        # What was shown cannot be taken back: only what is missing at its end is added.
        if (rest := whole.removeprefix(growing.text)) and whole.startswith(growing.text):
            yield from self._append(growing, rest)
        match growing.kind:
            case "text":
                self._refused = self._refused or any(part.refusal for part in item.content or ())
                if item.id:
                    growing.signature = str(TextSeal(item.id, item.phase))
            case "thinking" if item.encrypted_content or item.content:
                growing.signature = bytes(raw).decode()
                self._place(growing)

    def _close(self, response: _Response, status: str) -> Iterator[Delta]:
        for index, raw in enumerate(response.output or ()):
            item = _known(raw)
            if item is not None and item.id not in self._done_ids:
                yield from self._finish(item.id if item.id in self._items else index, item, raw)
        self._status = status
        self._incomplete = response.incomplete_details.reason if response.incomplete_details else None

    def _malformed(self, error: Exception) -> MalformedAnswer:
        return MalformedAnswer(
            f"{self._service} sent an event that is none of the Responses format: {error}",
            hint="Check that the base URL is that of a server with OpenAI's Responses API.",
        )


_KINDS: dict[str, Literal["text", "thinking", "call"]] = {
    "message": "text",
    "reasoning": "thinking",
    "function_call": "call",
}


def _known(raw: Raw) -> _Item | None:
    """The item, None for one of a kind that was not asked for and whose fields may mean anything."""
    return _item(raw) if _type_of(raw).type in _KINDS else None


def _key(event: _Event) -> int | str:
    return event.output_index if event.output_index is not None else event.item_id or 0


def _text_of(item: _Item) -> str:
    match item.type:
        case "message":
            return "".join(part.text or part.refusal or "" for part in item.content or ())
        case "reasoning":
            return "\n\n".join(part.text or "" for part in item.summary or item.content or ())
        case _:
            return item.arguments or ""
