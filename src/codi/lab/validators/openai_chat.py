"""What OpenAI's Chat Completions API refuses, and what the strictest of its imitators do."""

import re
from itertools import pairwise
from typing import Any

from msgspec import Struct

from codi.lab.http1 import HttpRequest
from codi.lab.sent import Sent
from codi.lab.validators import images
from codi.lab.validators.fields import check_shape, named
from codi.lab.validators.refusal import Refusal

_PARAMETERS = named(
    "messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens "
    "max_tokens metadata modalities n parallel_tool_calls prediction presence_penalty prompt_cache_key "
    "prompt_cache_retention prompt_cache_options reasoning_effort response_format safety_identifier seed "
    "service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p user "
    "verbosity web_search_options"
)
# Of services that imitate this one: they tell their models apart, and OpenAI's own from them, by the model's id.
_FOREIGN_PARAMETERS = named(
    "thinking enable_thinking chat_template_kwargs reasoning include_reasoning provider tool_stream cache_control "
    "reasoning_format min_p top_k repetition_penalty stop_token_ids"
)
_OWN_MODEL = re.compile(r"(gpt|chatgpt|o\d)\b|gpt-")
_REASONING_MODEL = re.compile(r"(o\d|gpt-5)")
_MESSAGE_FIELDS = {
    "system": {"role", "content", "name"},
    "developer": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "tool": {"role", "content", "tool_call_id", "name"},
    "assistant": {
        "role",
        "content",
        "tool_calls",
        "name",
        "refusal",
        "audio",
        "function_call",
        "reasoning_content",
        "reasoning",
        "reasoning_text",
        "reasoning_details",
    },
}
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_LONGEST_ID = 40
_LARGEST_REQUEST = 50 * 1024 * 1024
_LARGEST_IMAGE = 20 * 1024 * 1024


class _Url(Struct):
    url: str | None = None


class _Part(Struct):
    type: str | None = None
    image_url: _Url | None = None


class _Message(Struct):
    role: str | None = None
    content: str | list[_Part] | None = None
    tool_call_id: str | None = None


class _Function(Struct):
    name: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class _Tool(Struct):
    type: str | None = None
    function: _Function | None = None


class _Shape(Struct):
    messages: list[_Message] = []
    tools: list[_Tool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    stream_options: dict[str, Any] | None = None
    temperature: float | None = None
    stop: str | list[str] | None = None


def check(request: HttpRequest, body: dict[str, Any], model: str, sent: Sent) -> None:
    """Raises Refusal."""
    if "/openai/deployments/" in request.path and not request.query.get("api-version"):
        raise Refusal("Resource not found", status=404)
    if len(request.body) > _LARGEST_REQUEST:
        raise Refusal("Request body is too large", status=413)
    check_shape(body, _Shape)
    _check_parameters(body, model, has_path="/openai/deployments/" in request.path)
    _check_tools(body)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refusal("Missing required parameter: 'messages'.")
    for number, message in enumerate(messages):
        _check_message(number, message, body)
    _check_order(messages)
    _check_calls(messages, sent)


def _check_parameters(body: dict[str, Any], model: str, *, has_path: bool) -> None:
    known = _PARAMETERS if _OWN_MODEL.match(model) else _PARAMETERS | _FOREIGN_PARAMETERS
    for name in body:
        if name not in known:
            raise Refusal(f"Unrecognized request argument supplied: {name}")
    if not has_path and (not isinstance(body.get("model"), str) or not body["model"]):
        raise Refusal("you must provide a model parameter")
    for name in ("stream", "store", "parallel_tool_calls"):
        if not isinstance(body.get(name, False), bool):
            raise Refusal(f"Invalid type for '{name}': expected a boolean.")
    if "stream_options" in body and not body.get("stream"):
        raise Refusal("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
    for name in ("max_tokens", "max_completion_tokens"):
        value = body.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise Refusal(
                f"Invalid '{name}': integer below minimum value. Expected a value >= 1, but got {value} instead."
            )
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        raise Refusal("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
    temperature = body.get("temperature")
    if temperature is not None and not (isinstance(temperature, int | float) and 0 <= temperature <= 2):
        raise Refusal("Invalid 'temperature': expected a value <= 2.")
    if _REASONING_MODEL.match(model):
        if body.get("max_tokens") is not None:
            raise Refusal(
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
            )
        if temperature not in (None, 1):
            raise Refusal(
                f"Unsupported value: 'temperature' does not support {temperature} with this model. Only the default (1) value "
                "is supported."
            )
    elif _OWN_MODEL.match(model) and body.get("reasoning_effort") is not None:
        raise Refusal("Unrecognized request argument supplied: reasoning_effort")
    stop = body.get("stop")
    if isinstance(stop, list) and len(stop) > 4:
        raise Refusal("Invalid 'stop': array too long. Expected an array with maximum length 4.")


def _check_tools(body: dict[str, Any]) -> None:
    tools = body.get("tools")
    if tools is None:
        for name in ("tool_choice", "parallel_tool_calls"):
            if name in body:
                raise Refusal(f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.")
        return
    if not isinstance(tools, list) or not tools:
        raise Refusal(
            "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead."
        )
    names = set()
    for number, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or tool.get("type") != "function":
            raise Refusal(f"Missing required parameter: 'tools[{number}].function'.")
        if extra := (set(tool) - {"type", "function"}) | {
            f"function.{each}" for each in set(function) - {"name", "description", "parameters", "strict"}
        }:
            raise Refusal(f"Unknown parameter: 'tools[{number}].{sorted(extra)[0]}'.")
        if not isinstance(function.get("name"), str) or not _NAME.fullmatch(function["name"]):
            raise Refusal(
                f"Invalid 'tools[{number}].function.name': string does not match pattern. Expected a string that matches the "
                "pattern '^[a-zA-Z0-9_-]+$'."
            )
        parameters = function.get("parameters", {"type": "object"})
        if not isinstance(parameters, dict) or parameters.get("type") != "object":
            raise Refusal(
                f"Invalid schema for function '{function['name']}': schema must be a JSON Schema of 'type: \"object\"'."
            )
        if function.get("strict"):
            check_strict(parameters, function["name"])
        if function["name"] in names:
            raise Refusal(f"Invalid 'tools': the function name '{function['name']}' is not unique.")
        names.add(function["name"])
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and (choice.get("function") or {}).get("name") not in names:
        raise Refusal("Invalid value for 'tool_choice': the named function is not among the 'tools'.")
    if isinstance(choice, str) and choice not in ("auto", "none", "required"):
        raise Refusal(f"Invalid value: '{choice}'. Supported values are: 'none', 'auto', and 'required'.")


def check_strict(schema: Any, function: str) -> None:
    """What a schema must be like for strict mode: all properties required, no others; raises Refusal."""
    if isinstance(schema, list):
        for each in schema:
            check_strict(each, function)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" or "properties" in schema:
        if schema.get("additionalProperties") is not False:
            raise Refusal(
                f"Invalid schema for function '{function}': In context=(), 'additionalProperties' is required to be supplied "
                "and to be false."
            )
        missing = set(schema.get("properties") or ()) - set(schema.get("required") or ())
        if missing:
            raise Refusal(
                f"Invalid schema for function '{function}': In context=(), 'required' is required to be supplied and to be an "
                f"array including every key in properties. Missing '{sorted(missing)[0]}'."
            )
    for name in ("properties", "$defs"):
        for each in (schema.get(name) or {}).values():
            check_strict(each, function)
    for name in ("items", "anyOf"):
        check_strict(schema.get(name), function)


def _check_message(number: int, message: Any, body: dict[str, Any]) -> None:
    where = f"messages[{number}]"
    role = message.get("role") if isinstance(message, dict) else None
    if role not in _MESSAGE_FIELDS:
        raise Refusal(
            f"Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'tool', and 'developer'."
        )
    for field in message:
        if field not in _MESSAGE_FIELDS[role]:
            raise Refusal(f"Unknown parameter: '{where}.{field}'.")
    content = message.get("content")
    if content is None:
        if role != "assistant" or not (message.get("tool_calls") or message.get("refusal")):
            raise Refusal(f"Invalid value for 'content': expected a string, got null. ({where})")
    elif isinstance(content, list):
        if not content:
            raise Refusal(f"Invalid '{where}.content': empty array. Expected an array with minimum length 1.")
        for index, part in enumerate(content):
            _check_part(part, role, f"{where}.content[{index}]")
    elif not isinstance(content, str):
        raise Refusal(f"Invalid type for '{where}.content': expected a string or an array of objects.")
    elif not content and role != "tool" and not message.get("tool_calls"):
        raise Refusal(f"Invalid '{where}.content': empty string.")
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        raise Refusal(f"Missing required parameter: '{where}.tool_call_id'.")
    if "tool_calls" in message:
        _check_tool_calls(message["tool_calls"], where)


def _check_part(part: Any, role: str, where: str) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text":
        if not isinstance(part.get("text"), str) or not part["text"]:
            raise Refusal(f"Invalid '{where}.text': empty string.")
    elif kind == "image_url" and role == "user":
        check_image((part.get("image_url") or {}).get("url"), f"{where}.image_url")
    elif not (kind == "refusal" and role == "assistant"):
        raise Refusal(f"Invalid value: '{kind}'. It may not stand in a message of the role {role}. ({where})")


def check_image(url: Any, where: str) -> None:
    """A picture as a data URL, or an address; raises Refusal."""
    if not isinstance(url, str) or not url:
        raise Refusal(f"Missing required parameter: '{where}.url'.")
    if not url.startswith("data:"):
        return
    kind, _, data = url.removeprefix("data:").partition(";base64,")
    content = images.decoded(data)
    if content is None or not images.media_type(content) or len(content) > _LARGEST_IMAGE:
        raise Refusal(
            "You uploaded an unsupported image. Please make sure your image is valid, below 20 MB in size and is of one of the "
            "following formats: ['png', 'jpeg', 'gif', 'webp']."
        )
    if images.media_type(content) != kind:
        raise Refusal(
            f"Invalid image data. The media type is {kind}, but the image is {images.media_type(content)}. ({where})"
        )


def _check_tool_calls(calls: Any, where: str) -> None:
    if not isinstance(calls, list) or not calls:
        raise Refusal(f"Invalid '{where}.tool_calls': empty array. Expected an array with minimum length 1.")
    for index, call in enumerate(calls):
        at = f"{where}.tool_calls[{index}]"
        if not isinstance(call, dict) or call.get("type") != "function" or not isinstance(call.get("function"), dict):
            raise Refusal(f"Missing required parameter: '{at}.function'.")
        if not isinstance(call.get("id"), str) or not call["id"]:
            raise Refusal(f"Missing required parameter: '{at}.id'.")
        if len(call["id"]) > _LONGEST_ID:
            raise Refusal(
                f"Invalid '{at}.id': string too long. Expected a string with maximum length {_LONGEST_ID}, but instead got a "
                f"string with length {len(call['id'])}."
            )
        if extra := set(call) - {"id", "type", "function", "index"} | set(call["function"]) - {"name", "arguments"}:
            raise Refusal(f"Unknown parameter: '{at}.{sorted(extra)[0]}'.")
        if not isinstance(call["function"].get("name"), str) or not _NAME.fullmatch(call["function"]["name"]):
            raise Refusal(f"Invalid '{at}.function.name': string does not match pattern '^[a-zA-Z0-9_-]+$'.")
        if not isinstance(call["function"].get("arguments"), str):
            raise Refusal(f"Invalid type for '{at}.function.arguments': expected a string, but got an object instead.")


def _check_order(messages: list[dict[str, Any]]) -> None:
    roles = [message["role"] for message in messages if message["role"] not in ("system", "developer", "tool")]
    if not roles:
        raise Refusal("Invalid 'messages': there is no message of the user.")
    if roles[0] != "user":
        raise Refusal("Invalid 'messages': the first message after the system's must be the user's.")
    spoken = [message["role"] for message in messages]
    for first, second in pairwise(spoken):
        if first == second and first in ("user", "assistant"):
            raise Refusal(f"Conversation roles must alternate, but there are two messages of the {first} in a row.")
    if "system" in spoken[1:] and spoken[0] != "system" and spoken[0] != "developer":
        raise Refusal("Invalid 'messages': the system's message must come first.")
    if spoken[-1] == "assistant":
        raise Refusal("Invalid 'messages': the last message must be the user's or a tool's.")


def _check_calls(messages: list[dict[str, Any]], sent: Sent) -> None:
    open_calls: list[str] = []
    seen: set[str] = set()
    for number, message in enumerate(messages):
        if message["role"] == "tool":
            call_id = message["tool_call_id"]
            if call_id not in open_calls:
                raise Refusal(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'. "
                    f"(messages[{number}], {call_id})"
                )
            if call_id != open_calls[0]:
                raise Refusal(f"messages[{number}]: the result of {call_id} is not in the order of the 'tool_calls'.")
            open_calls = open_calls[1:]
            continue
        _refuse_open(open_calls)
        open_calls = [call["id"] for call in message.get("tool_calls") or ()]
        for call in message.get("tool_calls") or ():
            known = sent.calls.get(call["id"])
            if call["id"] in seen:
                raise Refusal(f"Duplicate value for 'tool_call_id' of '{call['id']}' in messages[{number}].")
            if known is not None and known.name != call["function"]["name"]:
                raise Refusal(f"messages[{number}]: the call {call['id']} was made to '{known.name}'.")
            seen.add(call["id"])
    _refuse_open(open_calls)


def _refuse_open(calls: list[str]) -> None:
    if calls:
        raise Refusal(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The "
            f"following tool_call_ids did not have response messages: {', '.join(calls)}"
        )
