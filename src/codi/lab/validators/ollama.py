"""What Ollama refuses, and what it silently gets wrong: calls without results, results out of order, unknown parameters."""

from typing import Any

from msgspec import Struct

from codi.lab.http1 import HttpRequest
from codi.lab.sent import Sent
from codi.lab.validators import images
from codi.lab.validators.fields import check_shape, named
from codi.lab.validators.refusal import Refusal

_PARAMETERS = named("model messages stream format options keep_alive tools think logprobs top_logprobs truncate shift")
_MESSAGE_FIELDS = {
    "system": {"role", "content"},
    "user": {"role", "content", "images"},
    "assistant": {"role", "content", "thinking", "tool_calls"},
    "tool": {"role", "content", "tool_name", "tool_call_id"},
}
_OPTIONS = named(
    "num_keep seed num_predict top_k top_p min_p typical_p repeat_last_n temperature repeat_penalty presence_penalty "
    "frequency_penalty penalize_newline stop num_ctx num_batch num_gpu main_gpu use_mmap num_thread"
)


class _Function(Struct):
    name: str | None = None


class _Call(Struct):
    id: str | None = None
    function: _Function | None = None


class _Message(Struct):
    role: str | None = None
    images: list[str] | None = None
    tool_calls: list[_Call] | None = None


class _Shape(Struct):
    messages: list[_Message] = []
    tools: list[dict[str, Any]] | None = None
    options: dict[str, Any] | None = None


def check(request: HttpRequest, body: dict[str, Any], model: str, sent: Sent) -> None:
    """Raises Refusal."""
    for name in body:
        if name not in _PARAMETERS:
            raise Refusal(f'json: unknown field "{name}"')
    check_shape(body, _Shape)
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise Refusal("model is required")
    if body.get("think", True) not in (True, False, "low", "medium", "high", "max"):
        raise Refusal(f'invalid think value: "{body["think"]}" (must be "high", "medium", "low", true, or false)')
    for name in body.get("options") or {}:
        if name not in _OPTIONS:
            raise Refusal(f'invalid option provided: "{name}"')
    for number, tool in enumerate(body.get("tools") or ()):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or tool.get("type") != "function" or not function.get("name"):
            raise Refusal(f"tools[{number}]: a tool of type function with a name is expected")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refusal("messages is required")
    for number, message in enumerate(messages):
        _check_message(number, message)
    _check_order(messages, sent)


def _check_message(number: int, message: Any) -> None:
    where = f"messages[{number}]"
    role = message.get("role") if isinstance(message, dict) else None
    if role not in _MESSAGE_FIELDS:
        raise Refusal(f'{where}: invalid role "{role}", must be one of ["system", "user", "assistant", "tool"]')
    for field in message:
        if field not in _MESSAGE_FIELDS[role]:
            raise Refusal(f'json: unknown field "{field}" in {where} of the role {role}')
    if not isinstance(message.get("content", ""), str):
        raise Refusal("json: cannot unmarshal array into Go struct field ChatRequest.messages.content of type string")
    calls = message.get("tool_calls") or []
    if not message.get("content") and not calls and not message.get("images") and role != "tool":
        raise Refusal(f"{where}: empty content")
    for image in message.get("images") or ():
        content = images.decoded(image)
        if content is None or images.media_type(content) not in ("image/png", "image/jpeg", "image/webp"):
            raise Refusal("Failed to load image or audio file")
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not function.get("name"):
            raise Refusal(f"{where}: a call without a function")
        if not isinstance(function.get("arguments"), dict):
            raise Refusal(
                "json: cannot unmarshal string into Go struct field ChatRequest.messages.tool_calls.function.arguments of type "
                "api.ToolCallFunctionArguments"
            )


def _check_order(messages: list[dict[str, Any]], sent: Sent) -> None:
    open_calls: list[dict[str, Any]] = []
    before = ""
    for number, message in enumerate(messages):
        role = message["role"]
        if role == "tool":
            if not open_calls:
                raise Refusal(f"messages[{number}]: a tool's message that answers no call")
            _check_answer(number, message, open_calls.pop(0))
            before = role
            continue
        if open_calls:
            raise Refusal(f"messages[{number}]: the call of {open_calls[0]['function']['name']} has no answer")
        if role == before and role != "system":
            raise Refusal(f"messages[{number}]: two messages of the {role} in a row")
        if role == "system" and number:
            raise Refusal(f"messages[{number}]: the system's message must come first")
        if role == "assistant" and before not in ("user", "tool"):
            raise Refusal(f"messages[{number}]: the first message after the system's must be the user's")
        open_calls = list(message.get("tool_calls") or ())
        before = role
    if open_calls:
        raise Refusal(f"the call of {open_calls[0]['function']['name']} has no answer")
    if before == "assistant":
        raise Refusal("the last message must be the user's or a tool's")


def _check_answer(number: int, message: dict[str, Any], call: dict[str, Any]) -> None:
    name = message.get("tool_name")
    if name is not None and name != call["function"]["name"]:
        raise Refusal(f"messages[{number}]: {name} does not answer the call of {call['function']['name']} in its place")
    call_id = message.get("tool_call_id")
    if call_id is not None and call.get("id") is not None and call_id != call["id"]:
        raise Refusal(f"messages[{number}]: {call_id} does not answer the call {call['id']} in its place")
