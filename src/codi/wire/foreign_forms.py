"""Spellings of version 3 that other programs write, put into the one spelling that codi reads and writes.

Tags come as `ToolUse` or `tool_use`, fields as `tool_use_id` or `media_type`; numbers are missing, texts are null.
Everything here takes any JSON value and never raises.
"""

from collections.abc import Iterable
from math import isfinite
from typing import Any

_STOPS = {"stop", "length", "toolUse", "error", "aborted"}
_ROLES = {
    "user": "user",
    "assistant": "assistant",
    "toolResult": "toolResult",
    "bashExecution": "bashExecution",
    "custom": "custom",
    "hookMessage": "custom",
}
_BLOCKS = {
    "text": "text",
    "thinking": "thinking",
    "image": "image",
    "toolCall": "toolCall",
    "toolUse": "toolCall",
    "toolResult": "toolResult",
}
_FIELDS = {"toolUseId": "toolCallId", "mediaType": "mimeType"}


def camel(name: str) -> str:
    """`tool_use`, `ToolUse` and `toolUse` are all `toolUse`."""
    first, *rest = [part for part in name.split("_") if part] or [""]
    return first[:1].lower() + first[1:] + "".join(part[:1].upper() + part[1:] for part in rest)


def camel_fields(json: dict[Any, Any], also: dict[str, str] = _FIELDS) -> dict[str, Any]:
    """The same object with its own fields renamed, as deep as its first floor. A field in the right spelling wins."""
    renamed: dict[str, Any] = {}
    for name, value in json.items():
        spelled = camel(name) if isinstance(name, str) and name != "_c" else str(name)
        renamed.setdefault(also.get(spelled, spelled), value)
    return renamed | {name: value for name, value in json.items() if name in renamed}


def ordered_message(json: Any) -> dict[str, Any] | None:
    """A message in the shape of `wire.version3`; None where its role is not known."""
    if not isinstance(json, dict):
        return None
    message = camel_fields(json)
    role = _ROLES.get(camel(_text(message.get("role"))))
    if role is None:
        return None
    message["role"] = role
    message["timestamp"] = _whole(message.get("timestamp"))
    _ORDER[role](message)
    return message


def ordered_content(content: Any) -> str | list[dict[str, Any]]:
    """A text, or blocks; what is neither is left out."""
    if isinstance(content, str):
        return content
    return list(_blocks(content))


def _user(message: dict[str, Any]) -> None:
    message["content"] = ordered_content(message.get("content"))


def _assistant(message: dict[str, Any]) -> None:
    message["content"] = content = [block for block in _blocks(message.get("content")) if block["type"] != "toolResult"]
    for name in ("api", "provider", "model"):
        message[name] = _text(message.get(name))
    message["usage"] = _usage(message.get("usage"))
    said = message.get("stopReason")
    stop = camel(_text(said))
    if stop not in _STOPS:
        stop = "toolUse" if any(block["type"] == "toolCall" for block in content) else "stop"
        if isinstance(said, str) and said:
            message.setdefault("rawStopReason", said)
    message["stopReason"] = stop
    for name in ("responseModel", "responseId", "rawStopReason", "errorMessage"):
        _keep_if(message, name, str)


def _tool_result(message: dict[str, Any]) -> None:
    message["toolCallId"] = _text(message.get("toolCallId"))
    message["toolName"] = _text(message.get("toolName"))
    message["content"] = [block for block in _blocks(message.get("content")) if block["type"] in ("text", "image")]
    message["isError"] = message.get("isError") is True
    _keep_if(message, "details", dict)
    _keep_if(message, "durationMs", int)


def _command(message: dict[str, Any]) -> None:
    for name in ("command", "output"):
        message[name] = _text(message.get(name))
    for name in ("cancelled", "truncated", "excludeFromContext"):
        message[name] = message.get(name) is True
    _keep_if(message, "exitCode", int)
    _keep_if(message, "fullOutputPath", str)


def _custom(message: dict[str, Any]) -> None:
    message["customType"] = _text(message.get("customType"))
    message["content"] = ordered_content(message.get("content"))
    message["display"] = message.get("display") is not False


_ORDER = {
    "user": _user,
    "assistant": _assistant,
    "toolResult": _tool_result,
    "bashExecution": _command,
    "custom": _custom,
}


def _blocks(content: Any) -> Iterable[dict[str, Any]]:
    if isinstance(content, str):
        yield {"type": "text", "text": content}
    elif isinstance(content, list | tuple):
        for block in content:
            if isinstance(block, str):
                yield {"type": "text", "text": block}
            elif isinstance(block, dict) and (ordered := _block(camel_fields(block))):
                yield ordered


def _block(block: dict[str, Any]) -> dict[str, Any] | None:
    kind = _BLOCKS.get(camel(_text(block.get("type"))))
    match kind:
        case "text":
            return _with_optional({"type": kind, "text": _text(block.get("text"))}, block, "textSignature")
        case "thinking":
            thinking = {
                "type": kind,
                "thinking": _text(block.get("thinking")),
                "redacted": block.get("redacted") is True,
            }
            return _with_optional(thinking, block, "thinkingSignature")
        case "image":
            return _image(block)
        case "toolCall":
            return _tool_call(block)
        case "toolResult":
            result = block | {"type": kind}
            _tool_result(result)
            return result
    return None


def _image(block: dict[str, Any]) -> dict[str, Any] | None:
    # Messages of Anthropic's shape keep the bytes one floor deeper.
    inner = camel_fields(block["source"]) if isinstance(block.get("source"), dict) else block
    data, media_type = inner.get("data"), inner.get("mimeType")
    if not isinstance(data, str) or not isinstance(media_type, str):
        return None
    return {"type": "image", "data": data, "mimeType": media_type}


def _tool_call(block: dict[str, Any]) -> dict[str, Any]:
    arguments = block.get("arguments", block.get("input"))
    call: dict[str, Any] = {
        "type": "toolCall",
        "id": _text(block.get("id", block.get("toolCallId"))),
        "name": _text(block.get("name")),
        "arguments": arguments if isinstance(arguments, dict) else {},
    }
    if arguments is not None and not isinstance(arguments, dict):
        call["defect"] = "Its arguments were no JSON object."
    return _with_optional(call, block, "thoughtSignature", "defect")


def _usage(usage: Any) -> dict[str, Any]:
    told = camel_fields(usage) if isinstance(usage, dict) else {}
    cost = camel_fields(told["cost"]) if isinstance(told.get("cost"), dict) else {}
    parts = ("input", "output", "cacheRead", "cacheWrite")
    tokens = {name: _whole(told.get(name)) for name in (*parts, "totalTokens", "reasoning", "cacheWrite1h")}
    return {
        **tokens,
        "cost": {name: _number(cost.get(name)) for name in (*parts, "total")},
        "estimated": told.get("estimated") is True,
        # A price that nobody told is unknown, which is never 0.
        "costUnknown": told.get("costUnknown") is True
        or cost.get("costUnknown") is True
        or not any(name in cost for name in parts),
    }


def _with_optional(block: dict[str, Any], told: dict[str, Any], *names: str) -> dict[str, Any]:
    return block | {name: told[name] for name in names if isinstance(told.get(name), str)}


def _keep_if(message: dict[str, Any], name: str, kind: type) -> None:
    if not isinstance(message.get(name), kind) or isinstance(message.get(name), bool):
        message.pop(name, None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    try:
        number = float(value)
    except OverflowError:
        return 0.0
    return number if isfinite(number) else 0.0


def _whole(value: Any) -> int:
    return int(_number(value))
