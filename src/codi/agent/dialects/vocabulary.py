"""Which names and values a text may use: those of the tools that are offered."""

from collections.abc import Mapping
from typing import Any

from codi.agent.dialects.lenient_json import Unreadable, decode_at
from codi.agent.dialects.spoken import Spoken
from codi.tools.names import ORDER, alias_of, canonical_arguments
from codi.tools.struct_tool import coerced
from codi.tools.tool import ToolFailed
from codi.tools.toolbox import Toolbox

_NAMES = frozenset(["path", "cwd", "glob", "source", "target", "url"])
"""Parameters in which space around the value is never meant."""

_TYPES: dict[str, type | tuple[type, ...]] = {
    "array": list,
    "object": dict,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


class Vocabulary:
    """What can be called, and with what."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._toolbox = toolbox
        self._properties: dict[str, Mapping[str, Any]] = {
            spec.name: spec.parameters.get("properties", {}) for spec in toolbox.specs
        }

    def knows(self, name: str) -> bool:
        """It is a tool's name, or certainly stands for one."""
        return self._toolbox.canonical(name) is not None

    def fault(self, call: Spoken) -> str:
        """Why the call cannot be made; empty for one that can. Names that are only similar to a tool's are none."""
        if complaint := self._toolbox.complaint_about(call.name):
            return complaint
        try:
            self._toolbox.resolve(call.name, call.arguments)
        except ToolFailed as failure:
            return str(failure)
        return ""

    def takes(self, tool: str, parameter: str) -> bool:
        """A known tool has the parameter, under this name or another."""
        alias = alias_of(tool)
        if alias is not None and alias.rewrite is not None:
            return True
        return self._parameter(tool, parameter, "") is not None

    def value(self, tool: str, parameter: str, text: str) -> Any:
        """What a text between tags says: JSON where the parameter's type says so, else the text itself. A value that begins
        on a line of its own ends on one."""
        if text.startswith(("\n", "\r\n")):
            text = text.removeprefix("\r").removeprefix("\n")
            text = text[:-1].removesuffix("\r") if text.endswith("\n") else text
        name = self._parameter(tool, parameter, text)
        schema = self._properties_of(tool).get(name or "", {})
        if name in _NAMES:
            text = text.strip()
        for one in schema.get("anyOf", [schema]):
            kind = _TYPES.get(str(one.get("type")))
            if kind is None:
                continue
            changed = coerced(text, one)
            if changed is not text and not (isinstance(changed, list) and changed == [text]):
                return changed
            decoded = _decoded(text.strip())
            if isinstance(decoded, kind) and not (isinstance(decoded, bool) and kind is not bool):
                return decoded
        return text

    def _parameter(self, tool: str, parameter: str, value: str) -> str | None:
        properties = self._properties_of(tool)
        if parameter in properties:
            return parameter
        canonical = self._toolbox.canonical(tool) or tool
        if canonical not in ORDER:
            return None
        known, _ = canonical_arguments(canonical, {parameter: value}, properties)
        return next((name for name in known if name in properties), None)

    def _properties_of(self, tool: str) -> Mapping[str, Any]:
        return self._properties.get(self._toolbox.canonical(tool) or tool, {})


def _decoded(text: str) -> Any:
    try:
        found = decode_at(text, 0)
    except Unreadable:
        return text
    return found.value if found.end == len(text) and not found.missing else text
