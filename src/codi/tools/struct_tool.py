"""A tool that is a struct: the docstring and the fields are all that a model is told of it, an instance is one call.

Models get arguments nearly right: a number as text, one path where a list is wanted, a list as JSON in a string. What
can only mean one thing is taken as that; everything else is answered with every fault and the arguments as they came,
which is what a model needs to do better in one try.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from anyio import to_thread
from msgspec import DecodeError, Struct, ValidationError, convert, json, structs

from codi.protocol.effects import Effect
from codi.protocol.tooling import ToolSpec
from codi.tools.previews import preview_of
from codi.tools.tool import Action, ToolFailed, ToolOutput
from codi.workspace.rehearsal import Rehearsed
from codi.workspace.workspace import Workspace

SHOWN_ARGUMENTS = 2000
"""Characters of the received arguments that an error repeats."""

_NUMBER = re.compile(r"[+-]?\d{1,300}(\.\d{1,300})?([eE][+-]?\d{1,3})?")
_WHERE = re.compile(r"(?P<reason>.*?)(?: - at `(?P<path>.*)`)?", re.DOTALL)


class StructTool:
    """Makes a tool of a frozen struct class with `effects()` and `run(workspace)`.

    The tool's name is the class name in snake case unless `name` is given. What `run` needs from outside, such as a
    store, comes in `needs` and is handed to it as keyword arguments; a model never sees it. Where `rehearsal` is given, a call
    tells beforehand what it would change, by running with that in place of the needs of the same names.
    """

    def __init__(
        self,
        shape: type[Struct],
        *,
        name: str | None = None,
        needs: Mapping[str, Any] | None = None,
        rehearsal: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name or _snake_case(shape.__name__)
        self._shape = shape
        self._needs = dict(needs or {})
        self._rehearsal = None if rehearsal is None else {**self._needs, **rehearsal}

    @cached_property
    def spec(self) -> ToolSpec:
        """Made when first asked for: a start that sends no request pays nothing."""
        return ToolSpec(self.name, _prose(self._shape.__doc__ or ""), parameters_of(self._shape))

    def prepare(self, arguments: dict[str, Any]) -> Action:
        action = self.checked(arguments)
        return _Call(action, self._needs, self._rehearsal) if self._needs else action

    def checked(self, arguments: dict[str, Any]) -> Any:
        """The struct that the arguments make. Raises ToolFailed."""
        unknown = [key for key in arguments if key not in self._shape.__struct_encode_fields__]
        try:
            if unknown:
                raise ValidationError("unknown parameter")
            json.encode(arguments)  # half a surrogate pair can be neither shown nor written, so it gets no further
            return self._converted(arguments)
        except (ValidationError, UnicodeEncodeError) as error:
            raise ToolFailed(self._complaint(arguments, unknown, error)) from error

    def _converted(self, arguments: dict[str, Any]) -> Any:
        try:
            return convert(arguments, self._shape)
        except ValidationError:
            # What fits as it stands is never touched; only what does not is looked at again.
            return convert(coerced(arguments, self.spec.parameters), self._shape)

    def _complaint(self, arguments: dict[str, Any], unknown: list[str], error: Exception) -> str:
        faults = self._faults(arguments, unknown) or [_fault("", error)]
        return (
            f'Validation failed for tool "{self.name}":\n'
            + "".join(f" - {fault}\n" for fault in faults)
            + f"\nReceived arguments:\n{_shown(arguments)}"
        )

    def _faults(self, arguments: dict[str, Any], unknown: list[str]) -> list[str]:
        # Conversion stops at the first fault; field by field it finds one of each.
        properties = self.spec.parameters["properties"]
        known = ", ".join(self._shape.__struct_encode_fields__)
        faults = [f"{_printable(key)}: unknown parameter (known: {known})" for key in unknown]
        for field in structs.fields(self._shape):
            if field.encode_name in arguments:
                value = arguments[field.encode_name]
                try:
                    json.encode(value)
                    convert(coerced(value, properties[field.encode_name]), field.type)
                except (ValidationError, UnicodeEncodeError) as error:
                    faults.append(_fault(field.encode_name, error))
            elif field.required:
                faults.append(f"{field.encode_name}: required parameter is missing")
        return faults


class _Call(Struct, frozen=True):
    """An action together with what it needs from outside."""

    action: Any
    needs: dict[str, Any]
    rehearsal: dict[str, Any] | None = None

    def effects(self) -> Iterable[Effect]:
        effects: Iterable[Effect] = self.action.effects()
        return effects

    async def run(self, workspace: Workspace) -> str | ToolOutput:
        output: str | ToolOutput = await self.action.run(workspace, **self.needs)
        return output

    async def preview(self, workspace: Workspace) -> str | None:
        if self.rehearsal is None:
            return await self.action.preview(workspace) if hasattr(self.action, "preview") else None
        try:
            await self.action.run(workspace, **self.rehearsal)
        except Rehearsed as rehearsed:
            return await to_thread.run_sync(preview_of, workspace, rehearsed, abandon_on_cancel=True)
        except ToolFailed:
            pass  # which the call itself will say
        return None


def parameters_of(shape: type[Struct]) -> dict[str, Any]:
    """The fields as a JSON Schema of type object that stands alone: no references, no titles, and no `null` where leaving
    the parameter out says the same."""
    schema = json.schema(shape)
    parameters: dict[str, Any] = _plain(schema, schema.get("$defs", {}))
    parameters.pop("description", None)
    parameters.setdefault("properties", {})
    return parameters


def _plain(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, list | tuple):
        return [_plain(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        named = definitions[schema["$ref"].rpartition("/")[2]]
        schema = {**named, **{key: value for key, value in schema.items() if key not in ("$ref", "$defs")}}
    if schema.get("default", schema) is None and "anyOf" in schema:
        others = [part for part in schema["anyOf"] if part != {"type": "null"}]
        rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
        schema = {**others[0], **rest} if len(others) == 1 else {**rest, "anyOf": others}
        return _plain(schema, definitions)
    return {
        key: {name: _plain(part, definitions) for name, part in value.items()}
        if key == "properties"
        else _plain(value, definitions)
        for key, value in schema.items()
        if key != "title" or not isinstance(value, str)
    }


def coerced(value: Any, schema: Mapping[str, Any]) -> Any:
    """The value as the schema wants it, where only its form differs; else the value as it is."""
    if "anyOf" in schema:
        return _coerced_to_one_of(value, schema["anyOf"])
    match schema.get("type"):
        case "string" if isinstance(value, int | float) and not isinstance(value, bool):
            return json.encode(value).decode()
        case "integer" | "number" if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            return _number(value.strip(), whole=schema["type"] == "integer")
        case "integer" if isinstance(value, float) and value.is_integer():
            return int(value)
        case "boolean" if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        case "array":
            return _coerced_to_list(value, schema.get("items", {}))
        case "object" if isinstance(value, dict):
            return _coerced_to_object(value, schema)
    return value


def _coerced_to_one_of(value: Any, choices: list[Mapping[str, Any]]) -> Any:
    # A value that already has the type of one choice is meant as that one.
    for choice in choices:
        if _is_of_type(value, choice.get("type")):
            return coerced(value, choice)
    for choice in choices:
        changed = coerced(value, choice)
        if changed is not value:
            return changed
    return value


def _is_of_type(value: Any, name: str | None) -> bool:
    match name:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case "null":
            return value is None
    return False


def _coerced_to_list(value: Any, items: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        value = _list_in(value, items)
    if isinstance(value, dict) and items.get("type") == "object":
        value = [value]
    return [coerced(item, items) for item in value] if isinstance(value, list) else value


def _list_in(text: str, items: Mapping[str, Any]) -> Any:
    try:
        inside = json.decode(text)
    except (DecodeError, UnicodeEncodeError, RecursionError):
        inside = None
    wanted = (list, dict) if items.get("type") == "object" else list
    return inside if isinstance(inside, wanted) else [text]


def _coerced_to_object(value: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties")
    fallback = others if isinstance(others, dict) else {}
    return {key: coerced(item, properties.get(key, fallback)) for key, item in value.items()}


def _number(text: str, *, whole: bool) -> int | float | str:
    try:
        return int(text)
    except ValueError:
        number = float(text)
    if whole:
        return int(number) if number.is_integer() else text
    return number


def _fault(field: str, error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return f"{field}: {error.object[error.start]!a} is half a surrogate pair and no character"
    found = _WHERE.fullmatch(str(error))
    reason = found["reason"] if found else str(error)
    path = field + (found["path"] or "$").removeprefix("$") if found else field
    return f"{path.lstrip('.') or 'arguments'}: {reason}"


def _printable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def _shown(arguments: dict[str, Any]) -> str:
    try:
        text = json.format(json.encode(arguments), indent=2).decode()
    except UnicodeEncodeError:
        text = ascii(arguments)  # half a surrogate pair, which UTF-8 cannot hold
    return text if len(text) <= SHOWN_ARGUMENTS else text[: SHOWN_ARGUMENTS - 3] + "..."


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _prose(docstring: str) -> str:
    return "\n".join(line.strip() for line in docstring.strip().splitlines())
