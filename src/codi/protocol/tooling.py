"""What a model is told of a tool."""

from typing import Any

from msgspec import Struct


class ToolSpec(Struct, frozen=True):
    """`parameters` is a JSON Schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]
