"""What Anthropic's Messages API refuses, in its words where they are known."""

import re
from typing import Any

from msgspec import Struct

from codi.lab.http1 import HttpRequest
from codi.lab.seals import is_seal, seal
from codi.lab.sent import Sent
from codi.lab.validators import images
from codi.lab.validators.fields import check_shape, named
from codi.lab.validators.refusal import Refusal

_PARAMETERS = named(
    "model max_tokens messages system tools tool_choice thinking stream temperature top_p top_k stop_sequences "
    "metadata service_tier container context_management mcp_servers output_config cache_control inference_geo "
    "speed"
)
_BLOCK_FIELDS = {
    "text": {"type", "text", "cache_control", "citations"},
    "image": {"type", "source", "cache_control"},
    "document": {"type", "source", "title", "context", "citations", "cache_control"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
    "tool_use": {"type", "id", "name", "input", "cache_control"},
    "tool_result": {"type", "tool_use_id", "content", "is_error", "cache_control"},
}
_BY_ROLE = {
    "user": {"text", "image", "document", "tool_result"},
    "assistant": {"text", "thinking", "redacted_thinking", "tool_use"},
}
_TOOL_FIELDS = {"type", "name", "description", "input_schema", "cache_control", "strict", "eager_input_streaming"}
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_CALL_ID = re.compile(r"[a-zA-Z0-9_-]+")
_MOST_BREAKPOINTS = 4
_LARGEST_IMAGE = 5 * 1024 * 1024
_LONGEST_SIDE = 8000
_LARGEST_REQUEST = 32 * 1024 * 1024
_LEAST_THINKING = 1024


class _Inner(Struct):
    type: str | None = None
    source: dict[str, Any] | None = None


class _Block(Struct):
    type: str | None = None
    tool_use_id: str | None = None
    content: str | list[_Inner] | None = None
    cache_control: dict[str, Any] | None = None


class _Message(Struct):
    role: str | None = None
    content: str | list[_Block] | None = None


class _Thinking(Struct):
    type: str | None = None
    budget_tokens: int | None = None


class _Choice(Struct):
    type: str | None = None
    name: str | None = None


class _Tool(Struct):
    type: str | None = None
    name: str | None = None
    input_schema: dict[str, Any] | None = None


class _Shape(Struct):
    messages: list[_Message] = []
    system: str | list[_Block] | None = None
    tools: list[_Tool] | None = None
    thinking: _Thinking | None = None
    tool_choice: _Choice | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: list[str] | None = None


def check(request: HttpRequest, body: dict[str, Any], model: str, sent: Sent) -> None:
    """Raises Refusal."""
    _check_frame(request, body, _PARAMETERS)
    if "max_tokens" not in body:
        raise Refusal("max_tokens: Field required")
    if not _is_integer(body["max_tokens"]) or body["max_tokens"] < 1:
        raise Refusal("max_tokens: Input should be greater than or equal to 1")
    _check_sampling(body)
    _check_thinking(request, body)
    _check_conversation(body, model, sent)


def check_count(request: HttpRequest, body: dict[str, Any], model: str, sent: Sent) -> None:
    """For the endpoint that counts tokens; raises Refusal."""
    known = _PARAMETERS - {"max_tokens", "stream", "temperature", "top_p", "top_k", "stop_sequences", "metadata"}
    _check_frame(request, body, known)
    _check_conversation(body, model, sent)


def _check_frame(request: HttpRequest, body: dict[str, Any], known: frozenset[str]) -> None:
    if "anthropic-version" not in request.headers:
        raise Refusal("anthropic-version: header is required")
    if "x-api-key" not in request.headers and "authorization" not in request.headers:
        raise Refusal("x-api-key header is required", status=401)
    if len(request.body) > _LARGEST_REQUEST:
        raise Refusal("Request exceeds the maximum size", status=413)
    for name in body:
        if name not in known:
            raise Refusal(f"{name}: Extra inputs are not permitted")
    check_shape(body, _Shape)
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise Refusal("model: Field required")
    if not isinstance(body.get("messages"), list):
        raise Refusal("messages: Field required")
    if not body["messages"]:
        raise Refusal("messages: at least one message is required")


def _check_sampling(body: dict[str, Any]) -> None:
    for name, most in (("temperature", 1), ("top_p", 1)):
        value = body.get(name)
        if value is not None and not (_is_number(value) and 0 <= value <= most):
            raise Refusal(f"{name}: Input should be less than or equal to {most}")
    if not isinstance(body.get("stream", False), bool):
        raise Refusal("stream: Input should be a valid boolean")
    stops = body.get("stop_sequences", [])
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise Refusal("stop_sequences: Input should be a valid list")
    for stop in stops:
        if not stop.strip():
            raise Refusal("stop_sequences: each stop sequence must contain non-whitespace")


def _check_thinking(request: HttpRequest, body: dict[str, Any]) -> None:
    thinking = body.get("thinking")
    if thinking is None:
        return
    if not isinstance(thinking, dict) or thinking.get("type") not in ("enabled", "disabled", "adaptive"):
        raise Refusal("thinking: Input tag does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'")
    kind = thinking["type"]
    extra = set(thinking) - {"type", "display"} - ({"budget_tokens"} if kind == "enabled" else set())
    if extra:
        raise Refusal(f"thinking.{kind}.{sorted(extra)[0]}: Extra inputs are not permitted")
    if kind == "disabled":
        return
    if kind == "enabled":
        budget = thinking.get("budget_tokens")
        if not isinstance(budget, int):
            raise Refusal("thinking.enabled.budget_tokens: Field required")
        if budget < _LEAST_THINKING:
            raise Refusal(f"thinking.enabled.budget_tokens: Input should be greater than or equal to {_LEAST_THINKING}")
        interleaved = "interleaved-thinking" in request.headers.get("anthropic-beta", "") and body.get("tools")
        if body.get("max_tokens", budget + 1) <= budget and not interleaved:
            raise Refusal("`max_tokens` must be greater than `thinking.budget_tokens`.")
    if body.get("temperature", 1) != 1:
        raise Refusal("`temperature` may only be set to 1 when thinking is enabled.")
    if body.get("top_k") is not None:
        raise Refusal("`top_k` must be unset when thinking is enabled.")
    if body.get("top_p") is not None and body["top_p"] < 0.95:
        raise Refusal("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.")
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        raise Refusal("Thinking may not be enabled when tool_choice forces tool use.")


def _check_conversation(body: dict[str, Any], model: str, sent: Sent) -> None:
    _check_system(body.get("system"))
    _check_tools(body)
    messages = body["messages"]
    for number, message in enumerate(messages):
        _check_message(number, message, messages[number - 1] if number else None)
    _check_pairs(messages)
    for number, message in enumerate(messages):
        _check_seals(number, message, model)
    if messages[-1]["role"] == "assistant" and not sent.paused:
        raise Refusal(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
    if (body.get("thinking") or {}).get("type") in ("enabled", "adaptive"):
        _check_open_loop(messages, model, sent)
    _check_breakpoints(body)


def _check_system(system: Any) -> None:
    if system is None or isinstance(system, str):
        return
    if not isinstance(system, list):
        raise Refusal("system: Input should be a valid list")
    for number, block in enumerate(system):
        if not isinstance(block, dict) or block.get("type") != "text":
            raise Refusal(f"system.{number}: Input should be a text block")
        _check_block(block, f"system.{number}")


def _check_tools(body: dict[str, Any]) -> None:
    tools = body.get("tools")
    if tools is None:
        if body.get("tool_choice") is not None:
            raise Refusal("tool_choice: may only be specified while providing tools.")
        return
    if not isinstance(tools, list):
        raise Refusal("tools: Input should be a valid list")
    names = set()
    for number, tool in enumerate(tools):
        where = f"tools.{number}.custom"
        if not isinstance(tool, dict):
            raise Refusal(f"{where}: Input should be a valid dictionary")
        if tool.get("type", "custom") != "custom":
            continue
        for field in tool:
            if field not in _TOOL_FIELDS:
                raise Refusal(f"{where}.{field}: Extra inputs are not permitted")
        if not isinstance(tool.get("name"), str) or not _TOOL_NAME.fullmatch(tool["name"]):
            raise Refusal(f"{where}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        schema = tool.get("input_schema")
        if not isinstance(schema, dict):
            raise Refusal(f"{where}.input_schema: Field required")
        if schema.get("type") != "object":
            raise Refusal(f"{where}.input_schema.type: Input should be 'object'")
        if tool["name"] in names:
            raise Refusal("tools: Tool names must be unique.")
        names.add(tool["name"])
    choice = body.get("tool_choice")
    if choice is None:
        return
    if not isinstance(choice, dict) or choice.get("type") not in ("auto", "any", "tool", "none"):
        raise Refusal("tool_choice: Input tag does not match any of the expected tags: 'any', 'auto', 'none', 'tool'")
    if choice["type"] == "tool" and choice.get("name") not in names:
        raise Refusal(f"Tool '{choice.get('name')}' not found in provided tools")


def _check_message(number: int, message: Any, before: Any) -> None:
    where = f"messages.{number}"
    if not isinstance(message, dict):
        raise Refusal(f"{where}: Input should be a valid dictionary")
    role = message.get("role")
    if role not in _BY_ROLE:
        raise Refusal(
            f'messages: Unexpected role "{role}". Allowed roles are "user" or "assistant". For system messages, use the '
            "top-level `system` parameter."
        )
    for field in message:
        if field not in ("role", "content"):
            raise Refusal(f"{where}.{field}: Extra inputs are not permitted")
    if number == 0 and role != "user":
        raise Refusal('messages: first message must use the "user" role')
    if before is not None and before["role"] == role:
        raise Refusal(
            f'messages: roles must alternate between "user" and "assistant", but found multiple "{role}" roles in a row'
        )
    content = message.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise Refusal(f"{where}.content: Field required")
    if not content:
        raise Refusal(
            f"{where}: all messages must have non-empty content except for the optional final assistant message"
        )
    for index, block in enumerate(content):
        at = f"{where}.content.{index}"
        kind = block.get("type") if isinstance(block, dict) else None
        if kind not in _BY_ROLE[role]:
            raise Refusal(f"{at}: a block of type {kind!r} may not stand in a message of the {role}")
        _check_block(block, at)


def _check_block(block: dict[str, Any], where: str) -> None:
    kind = block["type"]
    for field in block:
        if field not in _BLOCK_FIELDS[kind]:
            raise Refusal(f"{where}.{kind}.{field}: Extra inputs are not permitted")
    match kind:
        case "text":
            if not isinstance(block.get("text"), str):
                raise Refusal(f"{where}.text.text: Field required")
            if not block["text"]:
                raise Refusal("messages: text content blocks must be non-empty")
            if not block["text"].strip():
                raise Refusal("messages: text content blocks must contain non-whitespace text")
        case "image":
            _check_image(block.get("source"), where)
        case "thinking":
            for field in ("thinking", "signature"):
                if not isinstance(block.get(field), str):
                    raise Refusal(f"{where}.thinking.{field}: Field required")
        case "redacted_thinking":
            if not isinstance(block.get("data"), str):
                raise Refusal(f"{where}.redacted_thinking.data: Field required")
        case "tool_use":
            if not isinstance(block.get("id"), str) or not _CALL_ID.fullmatch(block["id"]):
                raise Refusal(f"{where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
            if not isinstance(block.get("name"), str) or not block["name"]:
                raise Refusal(f"{where}.tool_use.name: Field required")
            if not isinstance(block.get("input"), dict):
                raise Refusal(f"{where}.tool_use.input: Input should be a valid dictionary")
        case "tool_result":
            _check_result(block, where)


def _check_result(block: dict[str, Any], where: str) -> None:
    if not isinstance(block.get("tool_use_id"), str):
        raise Refusal(f"{where}.tool_result.tool_use_id: Field required")
    if not isinstance(block.get("is_error", False), bool):
        raise Refusal(f"{where}.tool_result.is_error: Input should be a valid boolean")
    content = block.get("content", "")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise Refusal(f"{where}.tool_result.content: Input should be a valid list")
    for index, inner in enumerate(content):
        at = f"{where}.tool_result.content.{index}"
        if not isinstance(inner, dict) or inner.get("type") not in ("text", "image", "document"):
            raise Refusal(f"{at}: Input should be a text, image or document block")
        _check_block(inner, at)
        if block.get("is_error") and inner["type"] != "text":
            raise Refusal(f"{at}: all content must be type `text` if `is_error` is true")


def _check_image(source: Any, where: str) -> None:
    if not isinstance(source, dict):
        raise Refusal(f"{where}.image.source: Field required")
    if source.get("type") != "base64":
        return
    if source.get("media_type") not in images.ACCEPTED:
        raise Refusal(
            f"{where}.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"
        )
    content = images.decoded(source.get("data"))
    if content is None:
        raise Refusal(f"{where}.image.source.base64: invalid base64 data")
    if len(source["data"]) > _LARGEST_IMAGE:
        raise Refusal(
            f"{where}.image.source.base64: image exceeds 5 MB maximum: {len(source['data'])} bytes > {_LARGEST_IMAGE} bytes"
        )
    seen = images.media_type(content)
    if not seen:
        raise Refusal("Could not process image")
    if seen != source["media_type"]:
        raise Refusal(
            f"{where}.image.source.base64.media_type: The image was specified using the {source['media_type']} media type, "
            f"but the image appears to be a {seen} image"
        )
    if images.longest_side(content) > _LONGEST_SIDE:
        raise Refusal(
            f"{where}.image.source.base64.data: At least one of the image dimensions exceed max allowed size: "
            f"{_LONGEST_SIDE} pixels"
        )


def _check_pairs(messages: list[Any]) -> None:
    asked: set[str] = set()
    for number, message in enumerate(messages):
        calls = [block["id"] for block in _blocks(messages[number - 1], "tool_use")] if number else []
        blocks = message["content"] if isinstance(message["content"], list) else []
        results = [block["tool_use_id"] for block in _blocks(message, "tool_result")]
        for index, block in enumerate(blocks):
            if block["type"] == "tool_result" and block["tool_use_id"] not in calls:
                raise Refusal(
                    f"messages.{number}.content.{index}: unexpected `tool_use_id` found in `tool_result` blocks: "
                    f"{block['tool_use_id']}. Each `tool_result` block must have a corresponding `tool_use` block in the "
                    "previous message."
                )
        missing = [call for call in calls if call not in results]
        leading = [block["type"] for block in blocks[: len(results)]]
        if missing or (calls and set(leading) != {"tool_result"}):
            raise Refusal(
                f"messages.{number - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing or calls)}. Each `tool_use` block must have a corresponding `tool_result` block in the "
                "next message."
            )
        if len(set(results)) < len(results):
            raise Refusal(
                f"messages.{number}: each tool_use must have a single result. Found multiple `tool_result` blocks"
            )
        if results != calls:
            raise Refusal(f"messages.{number}: `tool_result` blocks are not in the order of their `tool_use` blocks")
        for call in _blocks(message, "tool_use"):
            if call["id"] in asked:
                raise Refusal("messages: `tool_use` ids must be unique")
            asked.add(call["id"])
    if open_calls := [block["id"] for block in _blocks(messages[-1], "tool_use")]:
        raise Refusal(
            f"messages.{len(messages) - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(open_calls)}. Each `tool_use` block must have a corresponding `tool_result` block in the next message."
        )


def _check_seals(number: int, message: Any, model: str) -> None:
    blocks = message["content"] if isinstance(message["content"], list) else []
    for index, block in enumerate(blocks):
        if block["type"] == "thinking" and block["signature"] != seal(model, block["thinking"]):
            raise Refusal(f"messages.{number}.content.{index}: Invalid `signature` in `thinking` block")
        if block["type"] == "redacted_thinking" and not is_seal(block["data"]):
            raise Refusal(f"messages.{number}.content.{index}: Invalid `data` in `redacted_thinking` block")


def _check_open_loop(messages: list[Any], model: str, sent: Sent) -> None:
    # While results go back, the reply that made the calls must still begin with what was thought before them.
    if not _blocks(messages[-1], "tool_result"):
        return
    number = len(messages) - 2
    first = messages[number]["content"][0]
    for call in _blocks(messages[number], "tool_use"):
        known = sent.calls.get(call["id"])
        if known is None or not known.seal or known.model != model:
            continue
        if first["type"] not in ("thinking", "redacted_thinking"):
            raise Refusal(
                f"messages.{number}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first['type']}`. "
                "When `thinking` is enabled, a final `assistant` message must start with a thinking block."
            )
        if known.seal not in (first.get("signature"), first.get("data")):
            raise Refusal(
                f"messages.{number}.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message "
                "cannot be modified. These blocks must remain as they were in the original response."
            )


def _check_breakpoints(body: dict[str, Any]) -> None:
    system = body.get("system")
    parts = [*(body.get("tools") or ()), *(system if isinstance(system, list) else ())]
    for message in body["messages"]:
        for block in message["content"] if isinstance(message["content"], list) else ():
            inner = block.get("content")
            parts += [block, *(inner if isinstance(inner, list) else ())]
    controls = [part["cache_control"] for part in parts if part.get("cache_control") is not None]
    if len(controls) > _MOST_BREAKPOINTS:
        raise Refusal(
            f"A maximum of {_MOST_BREAKPOINTS} blocks with cache_control may be provided. Found {len(controls)}."
        )
    hours = []
    for control in controls:
        if not isinstance(control, dict) or control.get("type") != "ephemeral" or set(control) - {"type", "ttl"}:
            raise Refusal("cache_control: Input tag does not match any of the expected tags: 'ephemeral'")
        if control.get("ttl", "5m") not in ("5m", "1h"):
            raise Refusal("cache_control.ephemeral.ttl: Input should be '5m' or '1h'")
        hours.append(control.get("ttl") == "1h")
    if hours != sorted(hours, reverse=True):
        raise Refusal("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.")


def _blocks(message: Any, kind: str) -> list[dict[str, Any]]:
    content = message["content"]
    return [block for block in content if block["type"] == kind] if isinstance(content, list) else []


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
