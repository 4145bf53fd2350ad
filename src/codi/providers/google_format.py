"""Gemini's `generateContent`, both ways: requests become the bytes of a body, the chunks of a stream become an answer.

Gemini seals what it thought with signatures that may stand on any part of an answer. They go back on the very part on
which they came, or the model forgets why it made a call. (Source of the format: Gemini API reference, `GenerateContent`.)
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any, Literal

import msgspec
from msgspec import Struct

from codi.protocol.errors import MalformedAnswer, Refused, StreamCut
from codi.protocol.events import TextDelta, ThinkingDelta, ToolCallDelta
from codi.protocol.messages import Block, Image, Level, Message, Text, Thinking, ToolCall, ToolResult, Usage
from codi.protocol.tooling import ToolSpec
from codi.providers.encoded import join_body, join_list
from codi.providers.failures import in_answer
from codi.providers.provider import ModelEntry, Request, Stop
from codi.providers.schema import of_object, reduced
from codi.providers.thinking import LEVELS, budgeted, clamped

OUTPUT_CAP = 32_000
"""Tokens of one reply, where the request asks for no other number."""

_KEYWORDS = frozenset(
    {
        "anyOf",
        "description",
        "enum",
        "format",
        "items",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "nullable",
        "pattern",
        "properties",
        "required",
        "title",
        "type",
    }
)
"""What Gemini's `Schema` knows of JSON Schema."""

_FORMATS = {"string": ("date-time", "enum"), "number": ("float", "double"), "integer": ("int32", "int64")}

_STOPS: dict[str, Stop] = {
    "STOP": "end",
    "MAX_TOKENS": "length",
    "SAFETY": "filtered",
    "RECITATION": "filtered",
    "LANGUAGE": "filtered",
    "BLOCKLIST": "filtered",
    "PROHIBITED_CONTENT": "filtered",
    "SPII": "filtered",
    "IMAGE_SAFETY": "filtered",
    "IMAGE_PROHIBITED_CONTENT": "filtered",
    "IMAGE_RECITATION": "filtered",
    "MODEL_ARMOR": "filtered",
    "ESCALATION": "filtered",
}

MALFORMED = frozenset({"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE"})
"""The model failed at its own format; asked again it mostly does not."""

_json = msgspec.json.Encoder(order="deterministic").encode


def encoded(message: Message, *, with_ids: bool) -> list[bytes]:
    """One settled message as a `Content`."""
    parts: list[dict[str, Any]] = []
    pictures: list[dict[str, Any]] = []
    for block in message.blocks:
        match block:
            case Text(text, signature):
                parts.append(_signed({"text": text}, signature))
            case Thinking(text, signature):
                parts.append(_signed({"text": text, "thought": True}, signature))
            case Image():
                parts.append(_picture(block))
            case ToolCall():
                call = {"name": block.name, "args": block.arguments}
                parts.append(
                    _signed({"functionCall": ({"id": block.id} | call) if with_ids else call}, block.signature)
                )
            case ToolResult():
                parts.append({"functionResponse": _response(block, with_ids)})
                pictures += [_picture(picture) for picture in block.content if isinstance(picture, Image)]
    # Results stand before what else is said, and their pictures directly after them.
    place = sum("functionResponse" in part for part in parts)
    parts[place:place] = pictures
    return [_json({"role": "model" if message.role == "assistant" else "user", "parts": parts})]


def body_of(request: Request, model: ModelEntry, parts: Sequence[bytes]) -> bytes:
    """The body around the encoded messages."""
    fields: dict[str, Any] = {"generationConfig": _generation(request, model)}
    if system := [{"text": text} for text in request.system if text]:
        fields["systemInstruction"] = {"parts": system}
    if request.tools and model.abilities.tools:
        fields["tools"] = [{"functionDeclarations": [_declared(tool) for tool in request.tools]}]
        match request.tool_choice:
            case "auto":
                pass
            case "none":
                fields["toolConfig"] = {"functionCallingConfig": {"mode": "NONE"}}
            case "required":
                fields["toolConfig"] = {"functionCallingConfig": {"mode": "ANY"}}
            case name:
                fields["toolConfig"] = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [name]}}
    wire = {name: _json(value) for name, value in fields.items()}
    return join_body(wire | {"contents": join_list(parts)}, last="contents")


def level_of(level: Level, model: ModelEntry) -> Level:
    """The level to ask for. A model that cannot but think, thinks as little as it can."""
    if level == "off" and model.thinking_levels and "off" not in model.thinking_levels:
        return next(lowest for lowest in LEVELS if lowest in model.thinking_levels)
    return clamped(level, model)


class Answer:
    """A Gemini answer as it grows. `seed` makes the ids of its calls, which Gemini itself mostly leaves out."""

    def __init__(self, service: str, seed: bytes, key_source: str = "") -> None:
        self.finish: str | None = None
        self.model: str | None = None
        self.response_id: str | None = None
        self._service = service
        self._seed = seed
        self._key_source = key_source
        self._blocks: list[_Run | ToolCall] = []
        self.has_all = False
        """Whether the reason of the end and the usage have come, after which Gemini says nothing more."""
        self._usage = _Usage()

    def add(self, data: bytes) -> Iterator[TextDelta | ThinkingDelta | ToolCallDelta]:
        """Take one chunk of the stream. Raises what an error in it means, and Refused for a blocked prompt."""
        try:
            chunk = _decode(data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise MalformedAnswer(
                f"{self._service} sent something that is no part of an answer: {error}",
                hint="Try again; if it stays so, check the base URL.",
            ) from error
        if chunk.error:
            raise in_answer({"error": chunk.error}, self._service, self._key_source)
        self.model = chunk.modelVersion or self.model
        self.response_id = chunk.responseId or self.response_id
        if chunk.usageMetadata:
            self._usage = chunk.usageMetadata.over(self._usage)
        feedback = chunk.promptFeedback
        if feedback and feedback.blockReason:
            raise Refused(
                f"{self._service} will not answer this: the prompt was blocked ({feedback.blockReason})"
                + (f": {feedback.blockReasonMessage}" if feedback.blockReasonMessage else ""),
                hint="Say it differently, or choose another model with /model.",
            )
        for candidate in (chunk.candidates or ())[:1]:
            for part in (candidate.content.parts if candidate.content else None) or ():
                yield from self._part(part)
            self.finish = candidate.finishReason or self.finish
        self.has_all = self.finish is not None and chunk.usageMetadata is not None

    def blocks(self) -> tuple[Block, ...]:
        """What was said. Raises StreamCut while the reason of the end has not come."""
        if self.finish is None:
            raise StreamCut(
                f"the answer of {self._service} ended before its end mark",
                hint="Try again; if it stays so, check the network.",
            )
        return tuple(block if isinstance(block, ToolCall) else block.block() for block in self._blocks)

    @property
    def stop(self) -> Stop:
        stop = _STOPS.get(self.finish or "", "unknown")
        return "tool_calls" if stop == "end" and any(isinstance(block, ToolCall) for block in self._blocks) else stop

    @property
    def usage(self) -> Usage | None:
        """None where the service did not tell."""
        return self._usage.told()

    def _part(self, part: "_Part") -> Iterator[TextDelta | ThinkingDelta | ToolCallDelta]:
        if part.functionCall is not None:
            call = part.functionCall
            index = len(self._blocks)
            id = call.id or self._id(index)
            self._blocks.append(ToolCall(id, call.name, call.args or {}, part.thoughtSignature))
            yield ToolCallDelta(index=index, id=id, name=call.name, text=_json(call.args or {}).decode())
            return
        if part.text is None or not (part.text or part.thoughtSignature):
            return
        run = self._run("thinking" if part.thought else "text", signed=bool(part.thoughtSignature and part.text))
        run.text.append(part.text)
        run.signature = part.thoughtSignature or run.signature
        if part.text:
            index = len(self._blocks) - 1
            yield ThinkingDelta(part.text, index) if part.thought else TextDelta(part.text, index)

    def _run(self, kind: Literal["text", "thinking"], *, signed: bool) -> "_Run":
        # A signed part may not be joined with others; one that is empty seals what came just before it.
        last = self._blocks[-1] if self._blocks else None
        if isinstance(last, _Run) and last.kind == kind and last.signature is None and not signed:
            return last
        run = _Run(kind)
        self._blocks.append(run)
        return run

    def _id(self, index: int) -> str:
        return "call_" + blake2b(self._seed + index.to_bytes(4), digest_size=12).hexdigest()


class _Run:
    """The pieces of one text."""

    def __init__(self, kind: Literal["text", "thinking"]) -> None:
        self.kind = kind
        self.text: list[str] = []
        self.signature: str | None = None

    def block(self) -> Text | Thinking:
        text = "".join(self.text)
        return Thinking(text, self.signature) if self.kind == "thinking" else Text(text, self.signature)


class _FunctionCall(Struct):
    name: str
    args: dict[str, Any] | None = None
    id: str | None = None


class _Part(Struct):
    text: str | None = None
    thought: bool = False
    thoughtSignature: str | None = None
    functionCall: _FunctionCall | None = None


class _Content(Struct):
    parts: list[_Part] | None = None


class _Candidate(Struct):
    content: _Content | None = None
    finishReason: str | None = None


class _Feedback(Struct):
    blockReason: str | None = None
    blockReasonMessage: str | None = None


class _Usage(Struct):
    promptTokenCount: int | None = None
    cachedContentTokenCount: int | None = None
    candidatesTokenCount: int | None = None
    thoughtsTokenCount: int | None = None
    toolUsePromptTokenCount: int | None = None

    def over(self, earlier: "_Usage") -> "_Usage":
        """The newest number of each kind: later chunks may leave out what an earlier one told."""
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(earlier))
        return _Usage(*(new if new is not None else old for new, old in pairs))

    def told(self) -> Usage | None:
        if self.promptTokenCount is None:
            return None
        cached = self.cachedContentTokenCount or 0
        thinking = self.thoughtsTokenCount or 0
        return Usage(
            input=max(self.promptTokenCount - cached, 0) + (self.toolUsePromptTokenCount or 0),
            output=(self.candidatesTokenCount or 0) + thinking,
            cache_read=cached,
            thinking=thinking,
        )


class _Chunk(Struct):
    candidates: list[_Candidate] | None = None
    promptFeedback: _Feedback | None = None
    usageMetadata: _Usage | None = None
    modelVersion: str | None = None
    responseId: str | None = None
    error: dict[str, Any] | None = None


class _Listed(Struct):
    name: str
    displayName: str = ""
    inputTokenLimit: int | None = None
    outputTokenLimit: int | None = None
    supportedGenerationMethods: list[str] = []
    thinking: bool = False


class _Listing(Struct):
    models: list[_Listed] = []


_decode = msgspec.json.Decoder(_Chunk, strict=False).decode
_decode_listing = msgspec.json.Decoder(_Listing, strict=False).decode


def chunks_of(body: bytes) -> list[bytes]:
    """The chunks of an answer that came whole: a list of them, or one."""
    if body.lstrip().startswith(b"["):
        return [bytes(chunk) for chunk in msgspec.json.decode(body, type=list[msgspec.Raw])]
    return [body]


def entries_of(body: bytes, service: str) -> list[ModelEntry]:
    """The models that can be talked to, as the service lists them."""
    try:
        listing = _decode_listing(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedAnswer(
            f"{service} answered something that is no list of models: {error}", hint="Check the base URL."
        ) from error
    return [
        ModelEntry(
            id=listed.name.removeprefix("models/"),
            service=service,
            name=listed.displayName,
            window=listed.inputTokenLimit or 128_000,
            max_output=listed.outputTokenLimit or 32_000,
            assumed=not listed.inputTokenLimit,
        )
        for listed in listing.models
        if "generateContent" in listed.supportedGenerationMethods
    ]


def _generation(request: Request, model: ModelEntry) -> dict[str, Any]:
    limit = min(request.max_output or OUTPUT_CAP, model.max_output)
    if model.assumed and request.max_output:
        limit = request.max_output
    wire: dict[str, Any] = {"maxOutputTokens": limit}
    if request.temperature is not None:
        wire["temperature"] = request.temperature
    if request.top_p is not None:
        wire["topP"] = request.top_p
    if request.stop:
        wire["stopSequences"] = list(request.stop)
    if model.abilities.thinking:
        level = level_of(request.thinking, model)
        shown = request.thinking != "off"
        if not model.adaptive_thinking:
            wire["maxOutputTokens"], budget = budgeted(level, limit, max(limit, model.max_output))
            wire["thinkingConfig"] = {"includeThoughts": shown, "thinkingBudget": budget}
        elif level != "off":
            wire["thinkingConfig"] = {"includeThoughts": shown, "thinkingLevel": level.upper()}
    return wire


def _declared(tool: ToolSpec) -> dict[str, Any]:
    wire: dict[str, Any] = {"name": tool.name, "description": tool.description}
    if tool.parameters.get("properties"):  # an object without properties is refused
        wire["parameters"] = _plain(reduced(of_object(tool.parameters), _KEYWORDS))
    return wire


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema within Gemini's further limits: choices are texts, a format is one of few, a list says of what it is."""
    plain: dict[str, Any] = {}
    for key, value in schema.items():
        match key, value:
            case "properties", dict():
                plain[key] = {name: _plain(part) for name, part in value.items()}
            case "anyOf", list():
                plain[key] = [_plain(part) for part in value]
            case "items", dict():
                plain[key] = _plain(value)
            case "enum", list():
                if schema.get("type", "string") == "string" and (
                    texts := [x for x in value if isinstance(x, str) and x]
                ):
                    plain[key] = texts
                    plain["type"] = "string"
            case "format", str():
                if value in _FORMATS.get(schema.get("type", ""), ()):
                    plain[key] = value
            case "required", []:
                pass
            case _:
                plain[key] = value
    if plain.get("type") == "array":
        plain.setdefault("items", {"type": "string"})
    return plain


def _signed(part: dict[str, Any], signature: str | None) -> dict[str, Any]:
    return part if signature is None else {**part, "thoughtSignature": signature}


def _picture(image: Image) -> dict[str, Any]:
    return {"inlineData": {"mimeType": image.media_type, "data": image.data}}


def _response(result: ToolResult, with_ids: bool) -> dict[str, Any]:
    text = result.text
    if any(isinstance(block, Image) for block in result.content):
        text = f"{text}\n(image follows)" if text else "(image follows)"
    wire = {"name": result.tool, "response": {"error" if result.is_error else "output": text}}
    return {"id": result.call_id, **wire} if with_ids else wire
