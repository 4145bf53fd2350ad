"""A call in Python's notation, of which only keywords with literal values are taken; nothing is ever evaluated."""

import re
from typing import Any

from msgspec import Struct

_BEGIN = re.compile(r"(?:print\(\s*)?(?:default_api\.)?(?P<name>[A-Za-z_]\w*)(?:\.call)?\(")


class PythonCall(Struct, frozen=True):
    name: str
    arguments: dict[str, Any]


def looks_like_call(text: str) -> bool:
    return _BEGIN.match(text) is not None


def python_call(text: str) -> PythonCall | str:
    """The one call that the text is, or why it is none."""
    import ast  # rarely wanted, and not small

    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "it is not one complete call"
    if _is_call_of(call, "print") and len(call.args) == 1 and not call.keywords:  # type: ignore[attr-defined]
        call = call.args[0]  # type: ignore[attr-defined]
    if not isinstance(call, ast.Call):
        return "it is not one complete call"
    called = call.func
    if isinstance(called, ast.Attribute) and called.attr == "call":
        called = called.value
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "default_api":
        name = called.attr
    elif isinstance(called, ast.Name):
        name = called.id
    else:
        return "it calls something that is no tool"
    if call.args or any(keyword.arg is None for keyword in call.keywords):
        return f'the arguments of "{name}" must be given by name'
    try:
        return PythonCall(
            name, {str(keyword.arg): _plain(ast.literal_eval(keyword.value)) for keyword in call.keywords}
        )
    except (ValueError, TypeError, RecursionError):
        return f'the arguments of "{name}" must be plain values'


def _plain(value: Any) -> Any:
    """The value, if JSON could say it; raises ValueError."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [_plain(item) for item in value]
        case dict() if all(isinstance(key, str) for key in value):
            return {key: _plain(item) for key, item in value.items()}
    raise ValueError("no plain value")


def _is_call_of(node: object, name: str) -> bool:
    return type(node).__name__ == "Call" and getattr(getattr(node, "func", None), "id", None) == name
