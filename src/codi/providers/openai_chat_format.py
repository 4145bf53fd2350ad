"""Requests in OpenAI's chat format: messages become the bytes of a body.

Each message is encoded by itself and stays as it is, so that the messages of the next request begin with the bytes of this
one's, and a service that caches prefixes meets what it has seen before.
(Source of the format: OpenAI's API reference, "Create chat completion".)
"""

from base64 import b32encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec

from codi.protocol.messages import Image, Message, Origin, Text, Thinking, ToolCall, ToolResult
from codi.protocol.tooling import ToolSpec
from codi.providers.encoded import join_body, join_list
from codi.providers.openai_compat import Compat
from codi.providers.provider import ModelEntry, Request
from codi.providers.schema import is_strict, of_object
from codi.providers.thinking import clamped

REASONING_FIELDS = ("reasoning_content", "reasoning", "reasoning_text")
"""Where servers put what the model thought; the first is the commonest."""

OUTPUT_CAP = 32_000
"""Tokens of one reply, where the request asks for no other number."""

_json = msgspec.json.Encoder(order="deterministic").encode


def legal_id(neutral: str, compat: Compat) -> str:
    """The form of a call's id that the service takes. One id always gives the same form, and two ids two forms."""
    if compat.id_format == "mistral":
        return neutral if len(neutral) == 9 and neutral.isascii() and neutral.isalnum() else _digest(neutral, 9)
    return openai_id(neutral)


def openai_id(neutral: str) -> str:
    """A call's id in at most 40 of the characters that every service takes."""
    if 0 < len(neutral) <= 40 and neutral.isascii() and neutral.replace("_", "a").replace("-", "a").isalnum():
        return neutral
    return "call_" + _digest(neutral, 32)


def replayable(messages: Sequence[Message], origin: Origin, compat: Compat) -> list[Message]:
    """The messages without the thinking of the model itself that its service does not take back: all of it, or that which
    stands alone."""
    return [_without_thinking(message, compat) if message.origin == origin else message for message in messages]


def _without_thinking(message: Message, compat: Compat) -> Message:
    if not any(isinstance(block, Thinking) for block in message.blocks):
        return message
    is_alone = not message.text.strip() and not message.tool_calls
    goes_back = compat.thinking_as_text or (compat.reasoning_replay and not is_alone)
    kept = (block for block in message.blocks if not isinstance(block, Thinking) or (goes_back and block.text.strip()))
    return Message(message.role, tuple(kept), message.origin)


def encoded(message: Message, compat: Compat) -> list[bytes]:
    """One settled message as message objects of the format."""
    return [_json(wire) for wire in (_assistant if message.role == "assistant" else _user)(message, compat)]


def body_of(
    request: Request, model: ModelEntry, compat: Compat, parts: Sequence[bytes], *, served_as: str, usage_wanted: bool
) -> bytes:
    """The body around the encoded messages. `served_as` is the model's name at the service."""
    thinks = model.abilities.thinking
    fields: dict[str, Any] = {"model": served_as, "stream": True}
    if usage_wanted and compat.usage_in_stream:
        fields["stream_options"] = {"include_usage": True}
    if compat.store:
        fields["store"] = False
    if (limit := output_limit(request, model)) is not None:
        by_model = "max_completion_tokens" if thinks else "max_tokens"
        fields[by_model if compat.max_tokens_field == "by_model" else compat.max_tokens_field] = limit
    if compat.temperature_fixed is False or (compat.temperature_fixed == "thinking" and not thinks):
        if request.temperature is not None:
            fields["temperature"] = request.temperature
        if request.top_p is not None:
            fields["top_p"] = request.top_p
    if request.stop:
        fields["stop"] = request.stop[: compat.stop_limit]
    if thinks:
        fields |= _thinking_fields(request, model, compat)
    if request.tools and model.abilities.tools:
        fields |= _tool_fields(request, model, compat)
    if compat.prompt_cache_key and request.session_id and request.cache != "none":
        fields["prompt_cache_key"] = request.session_id[:64]
    if compat.long_cache and request.cache == "long":
        fields["prompt_cache_retention"] = "24h"
    if compat.routing is not None:
        fields["provider"] = compat.routing
    wires = [_json({"role": _system_role(model, compat), "content": text})] if (text := system_text(request)) else []
    wires += parts
    if compat.cache_control_format == "anthropic" and request.cache != "none":
        mark = {"type": "ephemeral", "ttl": "1h"} if request.cache == "long" else {"type": "ephemeral"}
        wires = _marked(wires, mark)
        if "tools" in fields:
            fields["tools"][-1]["cache_control"] = mark
    return join_body({name: _json(value) for name, value in fields.items()} | {"messages": join_list(wires)})


def _marked(wires: list[bytes], mark: dict[str, str]) -> list[bytes]:
    """The messages with a mark on the first, which holds the instructions, and on the last that may carry one."""
    marked = list(wires)
    for at in range(len(wires) - 1, -1, -1):
        wire = msgspec.json.decode(wires[at])
        if wire["role"] == "tool" or not wire["content"]:
            continue
        marked[at] = _with_mark(wire, mark)
        break
    if len(wires) > 1:
        marked[0] = _with_mark(msgspec.json.decode(wires[0]), mark)
    return marked


def _with_mark(wire: dict[str, Any], mark: dict[str, str]) -> bytes:
    content = wire["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return _json({**wire, "content": [*parts[:-1], {**parts[-1], "cache_control": mark}]})


def system_text(request: Request) -> str:
    return "\n\n".join(filter(None, request.system))


def output_limit(request: Request, model: ModelEntry) -> int | None:
    """Tokens that the reply may have; None leaves it to the server, where nobody knows the model's own maximum."""
    if request.max_output is not None:
        return request.max_output if model.assumed else min(request.max_output, model.max_output)
    return None if model.assumed else min(model.max_output, OUTPUT_CAP)


def arguments_text(call: ToolCall) -> str:
    return _json(call.arguments).decode()


def countable_size(body: bytes, request: Request) -> int:
    """Bytes of the body for an estimate of its tokens: a picture counts like a thousand tokens, however large it is."""
    shown = [block for message in request.messages for block in message.blocks]
    shown += [block for message in request.messages for result in message.tool_results for block in result.content]
    return len(body) - sum(max(len(block.data) - 4_000, 0) for block in shown if isinstance(block, Image))


def plain_text(request: Request) -> str | None:
    """All that a request says, for a tokenizer that knows text alone; None where there are images."""
    texts = [*request.system, *(_json(tool).decode() for tool in request.tools)]
    for message in request.messages:
        for block in message.blocks:
            match block:
                case Image():
                    return None
                case ToolCall():
                    texts += [block.name, _json(block.arguments).decode()]
                case ToolResult(content=content):
                    if any(isinstance(part, Image) for part in content):
                        return None
                    texts.append(block.text)
                case Text(text=text) | Thinking(text=text):
                    texts.append(text)
    return "\n".join(texts)


def data_url(image: Image) -> str:
    return f"data:{image.media_type};base64,{image.data}"


def _system_role(model: ModelEntry, compat: Compat) -> str:
    return "developer" if compat.developer_role and model.abilities.thinking else "system"


def _thinking_fields(request: Request, model: ModelEntry, compat: Compat) -> dict[str, Any]:
    level = clamped(request.thinking, model)
    effort = None if level == "off" else level
    fields: dict[str, Any] = {}
    match compat.thinking_format:
        case "openrouter":
            fields["reasoning"] = {"effort": effort or "none"}
            return fields
        case "deepseek":
            fields["thinking"] = {"type": "enabled" if effort else "disabled"}
        case "zai":
            # Z.AI forgets earlier thinking unless it is told that it is sent again.
            kind = (
                {"type": "enabled", "clear_thinking": not compat.reasoning_replay} if effort else {"type": "disabled"}
            )
            fields["thinking"] = kind
        case "qwen":
            fields["enable_thinking"] = effort is not None
        case "openai" if effort is None and "off" in model.thinking_levels and compat.reasoning_effort:
            fields["reasoning_effort"] = "none"
    if effort is not None and compat.reasoning_effort:
        fields["reasoning_effort"] = effort
    return fields


def _tool_fields(request: Request, model: ModelEntry, compat: Compat) -> dict[str, Any]:
    strict = compat.strict and model.abilities.strict
    fields: dict[str, Any] = {"tools": [_tool(tool, strict) for tool in request.tools]}
    match request.tool_choice:
        case "auto":
            pass
        case "none" | "required":
            fields["tool_choice"] = request.tool_choice
        case name:
            fields["tool_choice"] = {"type": "function", "function": {"name": name}}
    if compat.parallel_tool_calls and model.abilities.parallel:
        fields["parallel_tool_calls"] = True
    return fields


def _tool(tool: ToolSpec, strict: bool) -> dict[str, Any]:
    schema = of_object(tool.parameters)
    function: dict[str, Any] = {"name": tool.name, "description": tool.description, "parameters": schema}
    if strict and is_strict(schema):
        function["strict"] = True
    return {"type": "function", "function": function}


def _assistant(message: Message, compat: Compat) -> list[dict[str, Any]]:
    text = message.text
    wire: dict[str, Any] = {"role": "assistant"}
    thoughts = [block for block in message.blocks if isinstance(block, Thinking)]
    if compat.reasoning_replay:
        for block in thoughts:
            field = block.signature if block.signature in REASONING_FIELDS else REASONING_FIELDS[0]
            wire[field] = wire.get(field, "") + block.text
    elif thoughts:
        thought = "".join(f"<thinking>{block.text}</thinking>" for block in thoughts)
        text = f"{thought}\n\n{text}" if text else thought
    calls = message.tool_calls
    wire["content"] = text or (None if calls else "")  # absent only beside calls
    if calls:
        wire["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments_text(call)}}
            for call in calls
        ]
    return [wire]


def _user(message: Message, compat: Compat) -> list[dict[str, Any]]:
    wires: list[dict[str, Any]] = []
    content: list[Text | Image] = []
    for result in message.tool_results:
        images = [block for block in result.content if isinstance(block, Image)]
        text = "\n".join(filter(None, (result.text, "image follows" if images else "")))
        wire = {"role": "tool", "tool_call_id": result.call_id, "content": text or "(no output)"}
        if compat.tool_result_name and result.tool:
            wire["name"] = result.tool
        wires.append(wire)
        if images:
            content += [Text(f"From {result.tool or 'the tool'} ({result.call_id}):"), *images]
    content += [block for block in message.blocks if isinstance(block, Text | Image) and block != Text("")]
    if content:
        if wires and compat.assistant_after_tool_result:
            wires.append({"role": "assistant", "content": "The results are here."})
        wires.append({"role": "user", "content": _content(content)})
    return wires


def _content(blocks: Sequence[Text | Image]) -> str | list[dict[str, Any]]:
    # Several servers know content only as one string, so it is a list only where there is more than text.
    if all(isinstance(block, Text) for block in blocks):
        return "\n\n".join(block.text for block in blocks if isinstance(block, Text))
    return [
        {"type": "text", "text": block.text}
        if isinstance(block, Text)
        else {"type": "image_url", "image_url": {"url": data_url(block)}}
        for block in blocks
    ]


def _digest(text: str, length: int) -> str:
    return b32encode(sha256(text.encode()).digest())[:length].decode().lower()
