"""Requests in OpenAI's Responses format: messages become input items.

The service keeps nothing (`store: false`), so all that it said goes back to it as it came: reasoning items sealed and in
place, calls and texts under the ids of their items. Thinking holds the whole reasoning item as its signature, a call the id of
its item, a text the id of its item and its phase; so they vanish by themselves when another model goes on.
(Source of the format: OpenAI's API reference, "Create a response".)
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from codi.protocol.messages import Image, Message, Text, Thinking, ToolCall
from codi.protocol.tooling import ToolSpec
from codi.providers.encoded import join_body, join_list
from codi.providers.openai_chat_format import arguments_text, data_url, openai_id, output_limit, system_text
from codi.providers.provider import ModelEntry, Request
from codi.providers.schema import is_strict, of_object
from codi.providers.thinking import clamped

_json = msgspec.json.Encoder(order="deterministic").encode


class TextSeal(Struct, frozen=True):
    """The item that a text came in. Its `phase` tells a remark on the way from the final answer."""

    id: str
    phase: str | None = None

    def __str__(self) -> str:
        return self.id if self.phase is None else _json({"v": 1, "id": self.id, "phase": self.phase}).decode()

    @classmethod
    def read(cls, signature: str) -> "TextSeal":
        if signature.startswith("{"):
            try:
                return msgspec.json.decode(signature, type=cls)
            except msgspec.DecodeError:
                return cls("")
        return cls(signature)


class _Reasoning(Struct, tag="reasoning", tag_field="type"):
    pass


def legal_id(neutral: str) -> str:
    """A call's id for the service. Other programs append the item's id after a bar: it is no part of the call's."""
    return openai_id(neutral.partition("|")[0] or neutral)


def encoded(message: Message) -> list[bytes]:
    """One settled message as input items."""
    return _assistant(message) if message.role == "assistant" else _user(message)


def body_of(request: Request, model: ModelEntry, parts: Sequence[bytes], *, served_as: str) -> bytes:
    """The body around the encoded items. `served_as` is the model's name at the service. The format knows no stop sequences."""
    thinks = model.abilities.thinking
    fields: dict[str, Any] = {"model": served_as, "stream": True, "store": False}
    if text := system_text(request):
        fields["instructions"] = text
    if (limit := output_limit(request, model)) is not None:
        fields["max_output_tokens"] = limit
    if thinks:
        fields["include"] = ["reasoning.encrypted_content"]
        level = clamped(request.thinking, model)
        if level != "off":
            fields["reasoning"] = {"effort": level, "summary": "auto"}
        elif "off" in model.thinking_levels:
            fields["reasoning"] = {"effort": "none"}
    else:  # models that reason set these themselves and refuse to be told
        if request.temperature is not None:
            fields["temperature"] = request.temperature
        if request.top_p is not None:
            fields["top_p"] = request.top_p
    if request.tools and model.abilities.tools:
        fields["tools"] = [_tool(tool, model.abilities.strict) for tool in request.tools]
        match request.tool_choice:
            case "auto":
                pass
            case "none" | "required":
                fields["tool_choice"] = request.tool_choice
            case name:
                fields["tool_choice"] = {"type": "function", "name": name}
        if model.abilities.parallel:
            fields["parallel_tool_calls"] = True
    if request.session_id and request.cache != "none":
        fields["prompt_cache_key"] = request.session_id[:64]
    if request.cache == "long":
        fields["prompt_cache_retention"] = "24h"
    wire = {name: _json(value) for name, value in fields.items()}
    return join_body(wire | {"input": join_list(parts)})


def _tool(tool: ToolSpec, strict: bool) -> dict[str, Any]:
    schema = of_object(tool.parameters)
    # Left unsaid, strict would be taken for true.
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": schema,
        "strict": strict and is_strict(schema),
    }


def _assistant(message: Message) -> list[bytes]:
    items: list[bytes] = []
    waiting: list[bytes] = []  # reasoning goes with what follows it, and is refused without
    for block in message.blocks:
        match block:
            case Thinking(signature=str(item)) if _is_reasoning(item):
                waiting.append(_json(Raw(item.encode())))
                continue
            case Text():
                item_of = _said(block)
            case ToolCall():
                item_of = _called(block)
            case _:
                continue
        items += [*waiting, _json(item_of)]
        waiting = []
    return items


def _is_reasoning(item: str) -> bool:
    try:
        msgspec.json.decode(item, type=_Reasoning)
    except msgspec.DecodeError:
        return False
    return True


def _said(block: Text) -> dict[str, Any]:
    seal = TextSeal.read(block.signature) if block.signature else TextSeal("")
    phase = {"phase": seal.phase} if seal.phase else {}
    if not seal.id:
        return {"type": "message", "role": "assistant", "content": block.text, **phase}
    content = [{"type": "output_text", "text": block.text, "annotations": ()}]
    wire = {"type": "message", "id": seal.id, "role": "assistant", "status": "completed", "content": content}
    return wire | phase


def _called(call: ToolCall) -> dict[str, Any]:
    wire = {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments_text(call)}
    return wire | {"id": call.signature} if call.signature else wire


def _user(message: Message) -> list[bytes]:
    items: list[dict[str, Any]] = []
    for result in message.tool_results:
        output: str | list[dict[str, Any]] = result.text or "(no output)"
        if any(isinstance(block, Image) for block in result.content):
            output = [_input(block) for block in result.content]
        items.append({"type": "function_call_output", "call_id": result.call_id, "output": output})
    content = [_input(block) for block in message.blocks if isinstance(block, Text | Image)]
    if content:
        items.append({"type": "message", "role": "user", "content": content})
    return [_json(item) for item in items]


def _input(block: Text | Image) -> dict[str, Any]:
    if isinstance(block, Text):
        return {"type": "input_text", "text": block.text}
    return {"type": "input_image", "detail": "auto", "image_url": data_url(block)}
