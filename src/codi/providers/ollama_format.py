"""Ollama's own chat format, both ways: requests become the bytes of a body, the lines of a stream become an answer.

Calls have no ids here: their order is all that joins a result to its call, so ids are made on arrival and left out again.
(Source of the format: Ollama's API documentation, "Generate a chat completion".)
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from codi.protocol.errors import MalformedAnswer, StreamCut
from codi.protocol.events import TextDelta, ThinkingDelta, ToolCallDelta
from codi.protocol.messages import Block, Image, Message, Text, Thinking, ToolCall, ToolResult, Usage
from codi.protocol.tooling import ToolSpec
from codi.providers.arguments import call_from
from codi.providers.encoded import join_body, join_list
from codi.providers.failures import in_answer
from codi.providers.provider import Abilities, ModelEntry, Request, Stop
from codi.providers.thinking import clamped

KEEP_ALIVE = "30m"
"""How long the server keeps the model in memory after an answer: a tool or an approval may well take longer than its usual
five minutes, and loading it again costs the cache of the whole conversation."""

_STOPS: dict[str, Stop] = {
    "stop": "end",
    "length": "length",
    "load": "paused",  # the model was brought into memory and has said nothing yet: it is to be asked again
}

_json = msgspec.json.Encoder(order="deterministic").encode


def encoded(message: Message) -> list[bytes]:
    """One settled message as message objects of the format; each result is one of its own."""
    return [_json(wire) for wire in (_assistant(message) if message.role == "assistant" else _user(message))]


def body_of(request: Request, model: ModelEntry, parts: Sequence[bytes]) -> bytes:
    """The body around the encoded messages."""
    options: dict[str, Any] = {"num_ctx": model.window}
    if request.max_output is not None or not model.assumed:
        options["num_predict"] = min(request.max_output or 32_000, model.max_output)
    if request.temperature is not None:
        options["temperature"] = request.temperature
    if request.top_p is not None:
        options["top_p"] = request.top_p
    if request.stop:
        options["stop"] = list(request.stop)
    fields: dict[str, Any] = {"keep_alive": KEEP_ALIVE, "model": model.id, "options": options, "stream": True}
    if model.abilities.thinking:
        level = clamped(request.thinking, model)
        # Some families are told how much; all others whether.
        fields["think"] = level if model.adaptive_thinking and level != "off" else level != "off"
    if request.tools and model.abilities.tools and request.tool_choice != "none":
        fields["tools"] = [_declared(tool) for tool in request.tools]
    text = "\n\n".join(filter(None, request.system))
    system = [_json({"role": "system", "content": text})] if text else []
    wire = {name: _json(value) for name, value in fields.items()}
    return join_body(wire | {"messages": join_list([*system, *parts])}, last="messages")


class Answer:
    """An Ollama answer as it grows. `seed` makes the ids of its calls."""

    def __init__(self, service: str, seed: bytes) -> None:
        self.done = False
        self.done_reason: str | None = None
        self.model: str | None = None
        self._service = service
        self._seed = seed
        self._blocks: list[ToolCall | tuple[type[Text] | type[Thinking], list[str]]] = []
        self._prompt_tokens: int | None = None
        self._answer_tokens: int | None = None

    def add(self, line: bytes) -> Iterator[TextDelta | ThinkingDelta | ToolCallDelta]:
        """Take one line of the stream. Raises what an error in it means."""
        try:
            chunk = _decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            raise MalformedAnswer(
                f"{self._service} sent something that is no part of an answer: {error}",
                hint="Try again; if it stays so, check OLLAMA_HOST.",
            ) from error
        if chunk.error:
            raise in_answer({"error": chunk.error}, self._service)
        self.model = chunk.model or self.model
        if message := chunk.message:
            if message.thinking:
                yield ThinkingDelta(message.thinking, self._said(Thinking, message.thinking))
            if message.content:
                yield TextDelta(message.content, self._said(Text, message.content))
            for call in message.tool_calls or ():
                yield self._called(call)
        if chunk.done:
            self.done = True
            self.done_reason = chunk.done_reason
            self._prompt_tokens = chunk.prompt_eval_count
            self._answer_tokens = chunk.eval_count

    def blocks(self) -> tuple[Block, ...]:
        """What was said. Raises StreamCut while the line that ends it has not come."""
        if not self.done:
            raise StreamCut(
                f"the answer of {self._service} ended before its end mark",
                hint="Try again; if it stays so, see the log of the server.",
            )
        return tuple(block if isinstance(block, ToolCall) else block[0]("".join(block[1])) for block in self._blocks)

    @property
    def stop(self) -> Stop:
        # Servers before 0.5 give no reason.
        stop = _STOPS.get(self.done_reason or "stop", "unknown")
        return "tool_calls" if stop == "end" and any(isinstance(block, ToolCall) for block in self._blocks) else stop

    @property
    def usage(self) -> Usage | None:
        """None where the server did not tell: it leaves out the count of a prompt that it had in memory."""
        if self._prompt_tokens is None or self._answer_tokens is None:
            return None
        return Usage(input=self._prompt_tokens, output=self._answer_tokens)

    def _said(self, kind: type[Text] | type[Thinking], text: str) -> int:
        last = self._blocks[-1] if self._blocks else None
        if isinstance(last, tuple) and last[0] is kind:
            last[1].append(text)
        else:
            self._blocks.append((kind, [text]))
        return len(self._blocks) - 1

    def _called(self, call: "_Call") -> ToolCallDelta:
        index = len(self._blocks)
        id = "call_" + blake2b(self._seed + index.to_bytes(4), digest_size=12).hexdigest()
        arguments = call.function.arguments
        text = arguments if isinstance(arguments, str) else _json(arguments or {}).decode()
        self._blocks.append(call_from(id, call.function.name, text))
        return ToolCallDelta(index=index, id=id, name=call.function.name, text=text)


class _Function(Struct):
    name: str
    arguments: dict[str, Any] | str | None = None


class _Call(Struct):
    function: _Function


class _Message(Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_Call] | None = None


class _Chunk(Struct):
    model: str | None = None
    message: _Message | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    error: Any = None


class _Tag(Struct):
    name: str


class _Tags(Struct):
    models: list[_Tag] = []


class _Details(Struct):
    family: str | None = None


class _Shown(Struct):
    model_info: dict[str, Any] | None = None
    capabilities: list[str] | None = None
    details: _Details | None = None


_decode = msgspec.json.Decoder(_Chunk).decode
_decode_tags = msgspec.json.Decoder(_Tags).decode
_decode_shown = msgspec.json.Decoder(_Shown).decode


def names_of(body: bytes, service: str) -> list[str]:
    """The models of an answer to `/api/tags`."""
    try:
        return [tag.name for tag in _decode_tags(body).models]
    except (msgspec.DecodeError, RecursionError) as error:
        raise _no_ollama(service, error) from error


def described(model: ModelEntry, body: bytes, service: str) -> ModelEntry:
    """The model with what an answer to `/api/show` tells of it. Servers that tell no abilities leave them as they are."""
    try:
        shown = _decode_shown(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _no_ollama(service, error) from error
    window = _window(shown.model_info or {})
    abilities = model.abilities
    levels, adaptive = model.thinking_levels, model.adaptive_thinking
    if shown.capabilities is not None:
        thinks = "thinking" in shown.capabilities
        abilities = Abilities(
            tools="tools" in shown.capabilities, vision="vision" in shown.capabilities, thinking=thinks
        )
        family = (shown.details.family if shown.details else None) or ""
        adaptive = thinks and family.replace("-", "") == "gptoss"
        levels = ("low", "medium", "high") if adaptive else levels
    return msgspec.structs.replace(
        model,
        window=window or model.window,
        max_output=min(window, 32_000) if window and model.assumed else model.max_output,
        assumed=model.assumed and not window,
        abilities=abilities,
        thinking_levels=levels,
        adaptive_thinking=adaptive,
    )


def _window(info: Mapping[str, Any]) -> int | None:
    architecture = info.get("general.architecture")
    lengths = [info.get(f"{architecture}.context_length")]
    lengths += [value for name, value in info.items() if name.endswith(".context_length")]
    return next((length for length in lengths if isinstance(length, int) and length > 0), None)


def _no_ollama(service: str, error: Exception) -> MalformedAnswer:
    return MalformedAnswer(
        f"{service} answered something that Ollama would not: {error}", hint="Check OLLAMA_HOST or the base URL."
    )


def _assistant(message: Message) -> list[dict[str, Any]]:
    wire: dict[str, Any] = {"role": "assistant"}
    wire["content"] = "".join(block.text for block in message.blocks if isinstance(block, Text))
    if thought := "".join(block.text for block in message.blocks if isinstance(block, Thinking)):
        wire["thinking"] = thought
    if calls := message.tool_calls:
        wire["tool_calls"] = [{"function": {"name": call.name, "arguments": call.arguments}} for call in calls]
    return [wire]


def _user(message: Message) -> list[dict[str, Any]]:
    wires: list[dict[str, Any]] = []
    pictures: list[str] = []
    texts: list[str] = []
    for block in message.blocks:
        match block:
            case ToolResult():
                shown = [picture.data for picture in block.content if isinstance(picture, Image)]
                text = "\n".join(filter(None, (block.text, "(image follows)" if shown else "")))
                wires.append({"role": "tool", "tool_name": block.tool, "content": text})
                pictures += shown
            case Image(data):
                pictures.append(data)
            case Text(text):
                texts.append(text)
    if texts or pictures:
        said: dict[str, Any] = {"role": "user", "content": "\n\n".join(texts) or "(image)"}
        wires.append(said | {"images": pictures} if pictures else said)
    return wires


def _declared(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}
