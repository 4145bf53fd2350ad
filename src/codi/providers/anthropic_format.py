"""Requests in the words of Anthropic's Messages API.

Messages are encoded once and stay bytes; what changes from request to request, the marks up to which the service keeps the
conversation in its cache, is spliced into them.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from msgspec import Struct
from msgspec.json import Encoder

from codi.protocol.messages import Block, Image, Level, Message, Origin, Text, Thinking, ToolCall, ToolResult
from codi.protocol.tooling import ToolSpec
from codi.providers.encoded import Encoded, join_body, join_list
from codi.providers.history import id_form, legal_name, settled
from codi.providers.provider import ModelEntry, Request
from codi.providers.schema import is_strict, of_object
from codi.providers.thinking import budgeted, clamped

OUTPUT_LIMIT = 32_000
"""Tokens of one reply unless the person says otherwise."""

EFFORTS: dict[Level, str] = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "max"}
"""What a level is called by models that choose the length of their thought themselves."""

_COUNTED = frozenset({"model", "system", "tools", "tool_choice", "thinking", "messages"})

_json = Encoder(order="sorted").encode

_USER_END = b'],"role":"user"}'


class Body(Struct, frozen=True):
    """A request ready to be sent. `thinking` says whether the model will think before the first word."""

    data: bytes
    thinking: bool
    betas: tuple[str, ...]


class Format:
    """Makes the requests of one model; what it encoded before it does not encode again."""

    def __init__(self, model: ModelEntry, origin: Origin, handoff: Literal["text", "drop"] = "text") -> None:
        self._model = model
        self._origin = origin
        settle = partial(
            settled,
            origin=origin,
            vision=model.abilities.vision,
            handoff=handoff,
            legal_id=id_form(64),
            sealed_only=True,
            sealed_texts=False,
        )
        self._encoded = Encoded(settle, _wire_message)
        self._tools: tuple[tuple[ToolSpec, ...], list[bytes]] = ((), [])

    def body(self, request: Request) -> Body:
        fields = self._fields(request)
        thinking = "thinking" in fields
        interleaved = thinking and "tools" in fields and not self._model.adaptive_thinking
        betas = ("interleaved-thinking-2025-05-14",) if interleaved else ()
        return Body(join_body(fields, last="messages"), thinking, betas)

    def counted(self, request: Request) -> Body:
        """The same for the service to count, which takes no more than what there is to be counted."""
        fields = {name: value for name, value in self._fields(request).items() if name in _COUNTED}
        return Body(join_body(fields, last="messages"), thinking=False, betas=())

    def _fields(self, request: Request) -> dict[str, bytes]:
        mark = _mark(request.cache)
        messages = self._encoded.parts(request.messages)
        fields: dict[str, bytes] = {"model": _json(self._model.id), "stream": b"true"}
        fields |= self._thinking(request)
        if "thinking" not in fields:
            if request.temperature is not None:
                fields["temperature"] = _json(request.temperature)
            elif request.top_p is not None:  # newer models refuse both together
                fields["top_p"] = _json(request.top_p)
        if request.stop:
            fields["stop_sequences"] = _json(request.stop)
        if system := [_json({"type": "text", "text": text}) for text in request.system if text.strip()]:
            fields["system"] = join_list([*system[:-1], _marked(system[-1], mark)])
        tools, choice = self._offered(request)
        if tools:
            fields["tools"] = join_list([*tools[:-1], _marked(tools[-1], mark)])
            if choice:
                fields["tool_choice"] = _json(choice)
        fields["messages"] = join_list(_marked_messages(messages, mark))
        return fields

    def _thinking(self, request: Request) -> dict[str, bytes]:
        most = self._model.max_output
        limit = min(request.max_output or OUTPUT_LIMIT, most)
        level = clamped(request.thinking, self._model)
        # The service refuses thought together with a forced call, and in a tool loop that began without it.
        forced = bool(request.tools) and request.tool_choice not in ("auto", "none")
        if level == "off" or forced:
            return {"max_tokens": _json(limit)}
        if self._model.adaptive_thinking:
            return {
                "max_tokens": _json(limit),
                "thinking": _json({"type": "adaptive", "display": "summarized"}),
                "output_config": _json({"effort": EFFORTS[level]}),
            }
        output, budget = budgeted(level, limit, most)
        if not budget or _in_thoughtless_loop(request.messages, self._origin):
            return {"max_tokens": _json(limit)}
        return {"max_tokens": _json(output), "thinking": _json({"type": "enabled", "budget_tokens": budget})}

    def _offered(self, request: Request) -> tuple[list[bytes], dict[str, Any]]:
        if not request.tools:
            # A history with calls is refused unless some tool is defined; none of these may be called.
            names = dict.fromkeys(legal_name(call.name) for message in request.messages for call in message.tool_calls)
            gone = [_json({"name": name, "input_schema": {"type": "object", "properties": {}}}) for name in names]
            return gone, {"type": "none"} if gone else {}
        if self._tools[0] is not request.tools:
            self._tools = (request.tools, [_wire_tool(tool, self._model.abilities.strict) for tool in request.tools])
        choice: dict[str, Any]
        match request.tool_choice:
            case "auto":
                choice = {} if self._model.abilities.parallel else {"type": "auto"}
            case "none":
                choice = {"type": "none"}
            case "required":
                choice = {"type": "any"}
            case name:
                choice = {"type": "tool", "name": name}
        if choice and choice["type"] != "none" and not self._model.abilities.parallel:
            choice["disable_parallel_tool_use"] = True
        return self._tools[1], choice


def _wire_message(message: Message) -> list[bytes]:
    return [_json({"role": message.role, "content": [_wire_block(block) for block in message.blocks]})]


def _wire_block(block: Block) -> dict[str, Any]:
    match block:
        case Text(text):
            return {"type": "text", "text": text}
        case Thinking(_, signature, True):
            return {"type": "redacted_thinking", "data": signature}
        case Thinking(text, signature):
            return {"type": "thinking", "thinking": text, "signature": signature}
        case Image(data, media_type):
            return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}
        case ToolCall(call_id, name, arguments):
            return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}
        case ToolResult(call_id, content, is_error):
            result: dict[str, Any] = {"type": "tool_result", "tool_use_id": call_id}
            if content:
                result["content"] = [_wire_block(part) for part in content]
            if is_error:
                # A failed result may hold text alone.
                texts = [part for part in result.get("content", ()) if part["type"] == "text"]
                result["content"] = texts or [{"type": "text", "text": "(no output)"}]
                result["is_error"] = True
            return result


def _wire_tool(tool: ToolSpec, strict: bool) -> bytes:
    schema = of_object(tool.parameters)
    wire: dict[str, Any] = {"name": tool.name, "description": tool.description, "input_schema": schema}
    if strict and is_strict(schema):
        wire["strict"] = True
    return _json(wire)


def _mark(cache: Literal["none", "short", "long"]) -> bytes:
    if cache == "none":
        return b""
    return b'"cache_control":' + _json(
        {"type": "ephemeral"} if cache == "short" else {"type": "ephemeral", "ttl": "1h"}
    )


def _marked(block: bytes, mark: bytes) -> bytes:
    return block[:-1] + b"," + mark + b"}" if mark else block


def _marked_messages(messages: Sequence[bytes], mark: bytes) -> list[bytes]:
    """Mark the last block of the last two user messages: the service finds what the last request left in its cache at the
    one, and leaves what this request adds at the other."""
    marked = list(messages)
    if mark:
        users = [at for at in range(max(len(marked) - 4, 0), len(marked)) if marked[at].endswith(_USER_END)]
        for at in users[-2:]:
            marked[at] = _marked(marked[at].removesuffix(_USER_END), mark) + _USER_END
    return marked


def _in_thoughtless_loop(messages: Sequence[Message], origin: Origin) -> bool:
    """Whether the last reply holds calls before which the model did not think, as after a change of model."""
    reply = next((message for message in reversed(messages) if message.role == "assistant"), None)
    if reply is None or not reply.tool_calls:
        return False
    first = reply.blocks[0]
    return reply.origin != origin or not (isinstance(first, Thinking) and first.signature)


def headers(secret: str | None, source: str, betas: Sequence[str], *, is_login: bool = False) -> dict[str, str]:
    """How a request is signed: a login's token travels as a bearer, a key in a header of its own."""
    bearer = is_login or source == "ANTHROPIC_OAUTH_TOKEN" or (secret or "").startswith("sk-ant-oat")
    signed = {"anthropic-version": "2023-06-01", "accept": "text/event-stream"}
    if bearer:
        betas = ("oauth-2025-04-20", *betas)
    if betas:
        signed["anthropic-beta"] = ",".join(betas)
    if secret:
        signed |= {"authorization": f"Bearer {secret}"} if bearer else {"x-api-key": secret}
    return signed
