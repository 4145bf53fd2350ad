"""The arguments of a call, from the text that the model wrote."""

import re

import msgspec

from codi.protocol.messages import ToolCall

_BYTE = re.compile(r"\(byte (\d+)\)")


def call_from(call_id: str, name: str, text: str, *, signature: str | None = None) -> ToolCall:
    """The call; with a `defect` that says where, if `text` is no complete JSON object. No text is an empty object."""
    if not text or text.isspace():
        return ToolCall(call_id, name, {}, signature)
    data = text.encode("utf-8", "surrogatepass")
    try:
        arguments = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        cause = str(error) or "it is nested too deeply"
        found = _BYTE.search(cause)
        position = f"at position {found[1]} of {len(data)}" if found else f"at position {len(data)}, its end"
        cause = _BYTE.sub("", cause).strip().rstrip(":")
        return ToolCall(call_id, name, {}, signature, f"the arguments are no complete JSON object, {position}: {cause}")
    if not isinstance(arguments, dict):
        kind = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}.get(
            type(arguments), "a number"
        )
        return ToolCall(call_id, name, {}, signature, f"the arguments are {kind}, not a JSON object, at position 0")
    return ToolCall(call_id, name, arguments, signature)
