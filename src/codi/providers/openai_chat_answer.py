"""Answers in OpenAI's chat format: chunks become deltas and one reply.

Servers that speak this format differ most here, so nothing is taken for granted: ids and names of calls may come late,
twice or never, usage may be missing, thinking has three names, and some answer a stream with one JSON object.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from codi.protocol.errors import MalformedAnswer, StreamCut
from codi.protocol.events import Delta, TextDelta, ThinkingDelta, ToolCallDelta
from codi.protocol.messages import Block, Text, Thinking, ToolCall, Usage
from codi.providers.arguments import call_from
from codi.providers.failures import filtered_categories, in_answer
from codi.providers.openai_chat_format import REASONING_FIELDS
from codi.providers.provider import Stop
from codi.providers.sse import is_whole_object

_STOPS: dict[str, Stop] = {
    "stop": "end",
    "eos": "end",
    "end": "end",
    "end_turn": "end",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "filtered",
    "content_filtered": "filtered",
    "safety": "filtered",
    "stop_sequence": "stop_sequence",
    "refusal": "refused",
}

NAMELESS = "the call names no tool"


class _Function(Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _CallPiece(Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Said(Struct):
    """A piece of the answer, or all of it. The fields whose form differs between servers are looked at as they come."""

    content: str | list[Any] | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_text: Any = None
    tool_calls: list[_CallPiece] | None = None
    function_call: _Function | None = None


class _PromptDetails(Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _CompletionDetails(Struct):
    reasoning_tokens: int | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None
    cached_tokens: int | None = None


class _Choice(Struct):
    index: int | None = 0
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None
    usage: _Usage | None = None
    content_filter_results: Any = None


class _Groq(Struct):
    usage: _Usage | None = None


class _Chunk(Struct):
    id: str | None = None
    model: str | None = None
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None
    x_groq: _Groq | None = None


# Numbers come as strings from some servers.
_chunk = msgspec.json.Decoder(_Chunk, strict=False).decode


class _Prose:
    """Text, or thinking that came in `field`, as it grows."""

    def __init__(self, field: str) -> None:
        self.field = field
        self.pieces: list[str] = []

    def block(self) -> Block:
        text = "".join(self.pieces)
        return Thinking(text, signature=self.field) if self.field else Text(text)


class _Call:
    """A call as it grows. It is told only when id and name are known; until then its text waits."""

    def __init__(self, place: int) -> None:
        self.place = place
        self.id = ""
        self.name = ""
        self.pieces: list[str] = []
        self.is_told = False

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def block(self) -> Block:
        if not self.name:
            return ToolCall(self.id, "", {}, defect=NAMELESS)
        return call_from(self.id, self.name, self.text)


class ChatAssembly:
    """One answer. `add` every chunk, then `end`; both give deltas. After that the answer can be read.

    `seed` makes the ids of calls that the server left without one; it should differ from request to request."""

    def __init__(self, service: str, seed: bytes, key_source: str = "") -> None:
        self._service = service
        self._seed = seed
        self._key_source = key_source
        self._growing: list[_Prose | _Call] = []
        self._calls: dict[int, _Call] = {}  # by the server's index, the newest of it
        self._last_index = -1
        self._ids: set[str] = set()
        self._done = False
        self._has_choice = False
        self._refused = False
        self._filtered: list[str] = []
        self._usage: _Usage | None = None
        self.raw_stop: str | None = None
        self.model: str | None = None
        self.response_id: str | None = None

    @property
    def is_complete(self) -> bool:
        """The answer's end was seen: a reason to finish, or `[DONE]` after something was said."""
        return self.raw_stop is not None or (self._done and self._has_choice)

    @property
    def has_all(self) -> bool:
        """Nothing more is to come."""
        return self._done or (self.raw_stop is not None and self.usage is not None)

    def add(self, data: bytes) -> list[Delta]:
        """Raise the error that the chunk reports, or MalformedAnswer for what is no chunk."""
        if data.strip() == b"[DONE]":
            self._done = True
            return []
        try:
            chunk = _chunk(data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise MalformedAnswer(
                f"{self._service} sent a chunk that is no chat completion: {error}",
                hint="Check that the base URL is that of an OpenAI-compatible server.",
            ) from error
        if chunk.error:
            raise in_answer(msgspec.json.decode(data), self._service, self._key_source)
        self.model = chunk.model or self.model
        self.response_id = chunk.id or self.response_id
        self._usage = chunk.usage or (chunk.x_groq and chunk.x_groq.usage) or self._usage
        deltas: list[Delta] = []
        for choice in chunk.choices or ():
            if not choice.index:  # there is one choice; what a server adds to it was not asked for
                deltas += self._chosen(choice)
        return deltas

    def end(self) -> list[Delta]:
        """No more chunks. Raise StreamCut where the answer is not complete."""
        if not self.is_complete:
            raise cut_off(self._service)
        return [delta for call in self._growing if isinstance(call, _Call) for delta in self._tell(call, at_end=True)]

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(growing.block() for growing in self._growing)

    @property
    def stop(self) -> Stop:
        if self._filtered:
            return "filtered"
        if self._refused:
            return "refused"
        stop = "end" if self.raw_stop is None else _STOPS.get(self.raw_stop.lower(), "unknown")
        has_calls = any(isinstance(growing, _Call) for growing in self._growing)
        return "tool_calls" if stop == "end" and has_calls else stop

    @property
    def stop_text(self) -> str | None:
        """The service's word, with the categories of its content filter where it names them."""
        if self._filtered:
            return f"content_filter: {', '.join(self._filtered)}"
        return self.raw_stop

    @property
    def usage(self) -> Usage | None:
        """What the service reported, None if that is nothing."""
        usage = self._usage
        if usage is None or not (usage.prompt_tokens or usage.completion_tokens):
            return None
        details = usage.prompt_tokens_details or _PromptDetails()
        prompt, output = usage.prompt_tokens or 0, usage.completion_tokens or 0
        read = min(details.cached_tokens or usage.prompt_cache_hit_tokens or usage.cached_tokens or 0, prompt)
        written = min(details.cache_write_tokens or 0, prompt - read)
        thinking = (usage.completion_tokens_details or _CompletionDetails()).reasoning_tokens or 0
        if thinking and usage.total_tokens == prompt + output + thinking:
            output += thinking  # a few services count thinking beside the completion instead of in it
        return Usage(
            input=prompt - read - written, output=output, cache_read=read, cache_write=written, thinking=thinking
        )

    def _chosen(self, choice: _Choice) -> Iterator[Delta]:
        self._has_choice = True
        self.raw_stop = choice.finish_reason or self.raw_stop
        self._usage = choice.usage or self._usage
        found = filtered_categories(choice.content_filter_results)
        self._filtered += [category for category in found if category not in self._filtered]
        said = choice.delta or choice.message
        if said is None:
            return
        for field, text in _thoughts(said):
            yield from self._grow(field, text)
        for field, text in _contents(said.content):
            yield from self._grow(field, text)
        if said.refusal:
            self._refused = True
            yield from self._grow("", said.refusal)
        for at, piece in enumerate(said.tool_calls or ()):
            if piece.index is None and choice.message is not None:
                piece.index = at
            yield from self._call(piece)
        if said.function_call is not None:
            yield from self._call(_CallPiece(index=0, function=said.function_call))

    def _grow(self, field: str, text: str) -> Iterator[Delta]:
        last = self._growing[-1] if self._growing else None
        if not isinstance(last, _Prose) or last.field != field:
            last = _Prose(field)
            self._growing.append(last)
        last.pieces.append(text)
        place = len(self._growing) - 1
        yield ThinkingDelta(text, place) if field else TextDelta(text, place)

    def _call(self, piece: _CallPiece) -> Iterator[Delta]:
        function = piece.function or _Function()
        text = function.arguments or ""
        if not isinstance(text, str):
            text = msgspec.json.encode(text).decode()
        given = piece.id or ""
        if not (given or function.name or text):
            return
        index = self._index_of(piece, given)
        call = self._calls.get(index)
        if call is None or _begins_another(call, given, function.name, text):
            call = _Call(len(self._growing))
            self._calls[index] = call
            self._growing.append(call)
        self._last_index = index
        if given and not call.id and given not in self._ids:
            call.id = given
            self._ids.add(given)
        call.name = call.name or function.name or ""
        call.pieces.append(text)
        yield from self._tell(call, text)

    def _index_of(self, piece: _CallPiece, given: str) -> int:
        if piece.index is not None:
            return piece.index
        for index, call in self._calls.items():
            if given and call.id == given:
                return index
        return self._last_index + 1 if given or self._last_index < 0 else self._last_index

    def _tell(self, call: _Call, text: str = "", *, at_end: bool = False) -> Iterator[Delta]:
        if call.is_told:
            if text:
                yield ToolCallDelta(call.place, text=text)
            return
        if at_end and not call.id:
            call.id = self._made_id(call.place)
        if at_end or (call.id and call.name):
            call.is_told = True
            yield ToolCallDelta(call.place, call.id, call.name, call.text)

    def _made_id(self, place: int) -> str:
        return "call_" + sha256(self._seed + b"#%d" % place).hexdigest()[:24]


def cut_off(service: str) -> StreamCut:
    """What is said where the connection ended well and the answer did not."""
    return StreamCut(
        f"the answer of {service} ended before its end mark",
        hint="Try again; if it stays so, check the network and the proxy.",
    )


def _begins_another(call: _Call, given: str, name: str | None, text: str) -> bool:
    """Some servers give every call the index 0. A new id tells them apart; without ids, a name after complete arguments."""
    if given and call.id:
        return given != call.id
    return bool(name and text.strip() and not given and call.text.strip() and is_whole_object(call.text.encode()))


def _thoughts(said: _Said) -> Iterator[tuple[str, str]]:
    for field in REASONING_FIELDS:
        text = getattr(said, field)
        if text and isinstance(text, str):
            yield field, text
            return  # some servers say the same thought under two names


def _contents(content: str | list[Any] | None) -> Iterator[tuple[str, str]]:
    """Text, and thinking where content comes in parts."""
    if isinstance(content, str):
        if content:
            yield "", content
        return
    for part in content or ():
        if not isinstance(part, dict):
            continue
        if part.get("type") == "text" and (text := part.get("text")):
            yield "", str(text)
        elif part.get("type") == "thinking" and isinstance(thoughts := part.get("thinking"), list):
            for thought in thoughts:
                if isinstance(thought, dict) and (text := thought.get("text")):
                    yield REASONING_FIELDS[0], str(text)
