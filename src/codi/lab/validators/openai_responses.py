"""What OpenAI's Responses API refuses, in its words where they are known."""

import re
from itertools import pairwise
from typing import Any

from msgspec import Struct

from codi.lab.http1 import HttpRequest
from codi.lab.seals import is_seal, seal
from codi.lab.sent import Sent
from codi.lab.validators.fields import check_shape, named
from codi.lab.validators.openai_chat import check_image, check_strict
from codi.lab.validators.refusal import Refusal

_PARAMETERS = named(
    "background context_management conversation include input instructions max_output_tokens max_tool_calls metadata model "
    "moderation parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention "
    "reasoning safety_identifier service_tier store stream stream_options temperature text tool_choice tools top_logprobs "
    "top_p truncation user"
)
_ITEM_FIELDS = {
    "message": {"type", "role", "content", "id", "status", "phase"},
    "function_call": {"type", "call_id", "name", "arguments", "id", "status", "namespace"},
    "function_call_output": {"type", "call_id", "output", "id", "status"},
    "reasoning": {"type", "id", "summary", "content", "encrypted_content", "status"},
}
_ID_PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fc", "reasoning": "rs"}
_ASKED = ("input_text", "input_image", "input_file")
_SAID = ("output_text", "refusal")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_LONGEST_ID = 64
_LEAST_OUTPUT = 16
_REASONING_MODEL = re.compile(r"(o\d|gpt-5)")


class _Part(Struct):
    type: str | None = None
    text: str | None = None


class _Item(Struct):
    type: str = "message"
    role: str | None = None
    content: str | list[_Part] | None = None
    output: str | list[_Part] | None = None
    summary: list[_Part] | None = None
    encrypted_content: str | None = None


class _Tool(Struct):
    type: str | None = None
    name: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class _Reasoning(Struct):
    effort: str | None = None
    summary: str | None = None


class _Shape(Struct):
    input: str | list[_Item] | None = None
    instructions: str | None = None
    include: list[str] | None = None
    tools: list[_Tool] | None = None
    reasoning: _Reasoning | None = None
    tool_choice: str | dict[str, Any] | None = None


def check(request: HttpRequest, body: dict[str, Any], model: str, sent: Sent) -> None:
    """Raises Refusal."""
    for name in body:
        if name not in _PARAMETERS:
            raise Refusal(f"Unknown parameter: '{name}'.")
    check_shape(body, _Shape)
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise Refusal("Missing required parameter: 'model'.")
    _check_numbers(body, model)
    _check_tools(body)
    items = body.get("input")
    if isinstance(items, str) and items:
        return
    if not isinstance(items, list) or not items:
        raise Refusal("Missing required parameter: 'input'.")
    for number, item in enumerate(items):
        _check_item(number, item, body, model)
    _check_order(items)
    _check_calls(items)
    _check_reasoning(items, model, sent)


def _check_numbers(body: dict[str, Any], model: str) -> None:
    for name in ("stream", "store", "parallel_tool_calls"):
        if not isinstance(body.get(name, False), bool):
            raise Refusal(f"Invalid type for '{name}': expected a boolean.")
    most = body.get("max_output_tokens")
    if most is not None and (not isinstance(most, int) or most < _LEAST_OUTPUT):
        raise Refusal(
            f"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= {_LEAST_OUTPUT}, but got {most} "
            "instead."
        )
    temperature = body.get("temperature")
    if temperature is not None and _REASONING_MODEL.match(model):
        raise Refusal("Unsupported parameter: 'temperature' is not supported with this model.")
    reasoning = body.get("reasoning")
    if reasoning is not None:
        if not isinstance(reasoning, dict):
            raise Refusal("Invalid type for 'reasoning': expected an object.")
        if extra := set(reasoning) - {"effort", "summary", "generate_summary", "id", "context"}:
            raise Refusal(f"Unknown parameter: 'reasoning.{sorted(extra)[0]}'.")
        efforts = (None, "none", "minimal", "low", "medium", "high", "xhigh", "max")
        if reasoning.get("effort") not in efforts:
            raise Refusal(f"Invalid value: '{reasoning['effort']}' for 'reasoning.effort'.")
    key = body.get("prompt_cache_key")
    if key is not None and (not isinstance(key, str) or len(key) > 64):
        raise Refusal("Invalid 'prompt_cache_key': string too long. Expected a string with maximum length 64.")


def _check_tools(body: dict[str, Any]) -> None:
    tools = body.get("tools") or []
    names = set()
    for number, tool in enumerate(tools):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind is None:
            raise Refusal(f"Missing required parameter: 'tools[{number}].type'.")
        if kind != "function":
            continue
        if extra := set(tool) - {"type", "name", "description", "parameters", "strict"}:
            raise Refusal(f"Unknown parameter: 'tools[{number}].{sorted(extra)[0]}'.")
        if not isinstance(tool.get("name"), str) or not _NAME.fullmatch(tool["name"]):
            raise Refusal(f"Missing required parameter: 'tools[{number}].name'.")
        parameters = tool.get("parameters")
        if not isinstance(parameters, dict) or parameters.get("type") != "object":
            raise Refusal(
                f"Invalid schema for function '{tool['name']}': schema must be a JSON Schema of 'type: \"object\"'."
            )
        if tool.get("strict"):
            check_strict(parameters, tool["name"])
        if tool["name"] in names:
            raise Refusal(f"Invalid 'tools': the function name '{tool['name']}' is not unique.")
        names.add(tool["name"])
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "function" and choice.get("name") not in names:
        raise Refusal(f"Tool choice '{choice.get('name')}' not found in 'tools' parameter.")
    if isinstance(choice, str) and choice not in ("auto", "none", "required"):
        raise Refusal(f"Invalid value: '{choice}'. Supported values are: 'none', 'auto', and 'required'.")


def _check_item(number: int, item: Any, body: dict[str, Any], model: str) -> None:
    where = f"input[{number}]"
    kind = item.get("type", "message") if isinstance(item, dict) else None
    if kind not in _ITEM_FIELDS:
        raise Refusal(
            f"Invalid value: '{kind}'. Supported values are: {', '.join(sorted(_ITEM_FIELDS))}. ({where}.type)"
        )
    for field in item:
        if field not in _ITEM_FIELDS[kind]:
            raise Refusal(f"Unknown parameter: '{where}.{field}'.")
    item_id = item.get("id")
    if item_id is not None and not (isinstance(item_id, str) and item_id.startswith(_ID_PREFIXES[kind])):
        raise Refusal(f"Invalid '{where}.id': '{item_id}'. Expected an ID that begins with '{_ID_PREFIXES[kind]}'.")
    match kind:
        case "message":
            _check_message(item, where)
        case "reasoning":
            _check_reasoning_item(item, where, body, model)
        case _:
            call_id = item.get("call_id")
            if not isinstance(call_id, str) or not call_id:
                raise Refusal(f"Missing required parameter: '{where}.call_id'.")
            if len(call_id) > _LONGEST_ID:
                raise Refusal(
                    f"Invalid '{where}.call_id': string too long. Expected a string with maximum length {_LONGEST_ID}, but "
                    f"instead got a string with length {len(call_id)}."
                )
            if kind == "function_call":
                _check_call(item, where)
            else:
                _check_output(item, where)


def _check_call(item: dict[str, Any], where: str) -> None:
    if not isinstance(item.get("name"), str) or not _NAME.fullmatch(item["name"]):
        raise Refusal(f"Invalid '{where}.name': string does not match pattern '^[a-zA-Z0-9_-]+$'.")
    if not isinstance(item.get("arguments"), str):
        raise Refusal(f"Invalid type for '{where}.arguments': expected a string.")


def _check_output(item: dict[str, Any], where: str) -> None:
    output = item.get("output")
    if isinstance(output, str):
        return
    if not isinstance(output, list) or not output:
        raise Refusal(f"Missing required parameter: '{where}.output'.")
    for index, part in enumerate(output):
        _check_part(part, _ASKED, f"{where}.output[{index}]")


def _check_message(item: dict[str, Any], where: str) -> None:
    role = item.get("role")
    if role not in ("user", "assistant", "system", "developer"):
        raise Refusal(f"Invalid value: '{role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.")
    content = item.get("content")
    if isinstance(content, str):
        if not content:
            raise Refusal(f"Invalid '{where}.content': empty string.")
        return
    if not isinstance(content, list) or not content:
        raise Refusal(f"Invalid '{where}.content': empty array. Expected an array with minimum length 1.")
    for index, part in enumerate(content):
        _check_part(part, _SAID if role == "assistant" else _ASKED, f"{where}.content[{index}]")


def _check_part(part: Any, kinds: tuple[str, ...], where: str) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in kinds:
        raise Refusal(f"Invalid value: '{kind}'. Supported values are: {', '.join(map(repr, kinds))}. ({where})")
    if kind in ("input_text", "output_text") and (not isinstance(part.get("text"), str) or not part["text"]):
        raise Refusal(f"Invalid '{where}.text': empty string.")
    if kind == "refusal" and not part.get("refusal"):
        raise Refusal(f"Invalid '{where}.refusal': empty string.")
    if kind == "input_image" and "file_id" not in part:
        check_image(part.get("image_url"), f"{where}.image_url")


def _check_reasoning_item(item: dict[str, Any], where: str, body: dict[str, Any], model: str) -> None:
    if not isinstance(item.get("id"), str):
        raise Refusal(f"Missing required parameter: '{where}.id'.")
    if not isinstance(item.get("summary"), list):
        raise Refusal(f"Missing required parameter: '{where}.summary'.")
    sealed = item.get("encrypted_content")
    if sealed is None:
        if body.get("store", True):
            return
        raise Refusal(
            f"Item with id '{item['id']}' not found. Items are not persisted when `store` is set to false. Try again with "
            "`store` set to true, or remove this item from your input.",
            status=404,
        )
    thought = "".join(part.get("text") or "" for part in item["summary"] if isinstance(part, dict))
    if not (is_seal(sealed) if not thought else sealed == seal(model, thought)):
        raise Refusal(f"The encrypted content for item {item['id']} could not be verified.")


def _check_order(items: list[dict[str, Any]]) -> None:
    for number, (item, following) in enumerate(pairwise([*items, {}])):
        kind, next_kind = item.get("type", "message"), following.get("type", "message")
        is_reply = next_kind in ("function_call", "reasoning") or following.get("role") == "assistant"
        if kind == "reasoning" and not is_reply:
            raise Refusal(f"Item '{item['id']}' of type 'reasoning' was provided without its required following item.")
        # A reply may well be several items; what the person says at once may not.
        if item.get("role") == following.get("role") == "user":
            raise Refusal(
                f"Conversation roles must alternate, but input[{number + 1}] is one more message of the user."
            )
    last = items[-1]
    if last.get("role") == "assistant" or last.get("type") in ("function_call", "reasoning"):
        raise Refusal("The last item of the input must be the user's message or a function's output.")


def _check_calls(items: list[dict[str, Any]]) -> None:
    calls: list[str] = []  # of the present reply, still without output
    seen: set[str] = set()
    answering = False
    for item in items:
        kind = item.get("type", "message")
        if kind == "function_call_output":
            answering = True
            if item["call_id"] not in calls:
                raise Refusal(f"No tool call found for function call output with call_id {item['call_id']}.")
            if item["call_id"] != calls[0]:
                raise Refusal(f"The output for call_id {item['call_id']} is not in the order of the function calls.")
            calls = calls[1:]
            continue
        if calls and (answering or (kind == "message" and item.get("role") != "assistant")):
            raise Refusal(f"No tool output found for function call {calls[0]}.")
        answering = False
        if kind == "function_call":
            if item["call_id"] in seen:
                raise Refusal(f"Duplicate function call with call_id {item['call_id']}.")
            seen.add(item["call_id"])
            calls.append(item["call_id"])
    if calls:
        raise Refusal(f"No tool output found for function call {calls[0]}.")


def _check_reasoning(items: list[dict[str, Any]], model: str, sent: Sent) -> None:
    # In an open tool loop, a call goes back with what was thought before it.
    since = max((number for number, item in enumerate(items) if item.get("role") == "user"), default=-1)
    thought: set[str] = set()
    for item in items[since + 1 :]:
        if item.get("type") == "reasoning":
            thought.add(item.get("encrypted_content") or "")
        known = sent.calls.get(item.get("call_id", "")) if item.get("type") == "function_call" else None
        if known is not None and known.seal and known.model == model and known.seal not in thought:
            raise Refusal(
                f"Item '{item.get('id', item['call_id'])}' of type 'function_call' was provided without its required "
                "'reasoning' item."
            )
