"""A tool's JSON Schema in the words that a service knows.

Tools of strangers describe their parameters with all that JSON Schema offers; services know less of it, and refuse the rest.
A reduced schema says less, never something else: arguments are validated here anyway. The same schema is always reduced to
the same bytes.
"""

from collections.abc import Mapping
from typing import Any

_SCHEMAS_BY_NAME = ("properties", "patternProperties", "$defs", "definitions")
_SCHEMA_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SCHEMAS = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")

DEPTH = 12
"""Levels of a schema that services take; a schema that contains itself would have no end."""


def reduced(schema: Mapping[str, Any], keywords: frozenset[str], *, depth: int = DEPTH) -> dict[str, Any]:
    """The schema with `$ref` replaced by what it names and only `keywords` left, cut `depth` levels down to bare types.

    What has an equal among `keywords` becomes that: `const` an `enum`, `oneOf` an `anyOf`, a list of types `nullable` or an
    `anyOf`; the parts of an `allOf` are taken together.
    """
    return _reduced(schema, schema, keywords, depth)


def of_object(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as that of an object with nothing to choose from at its top, as services want it of a tool."""
    kept = {
        key: value for key, value in schema.items() if key not in (*_SCHEMA_LISTS, "enum", "const", "not", "$schema")
    }
    properties = schema.get("properties")
    return {**kept, "type": "object", "properties": properties if isinstance(properties, Mapping) else {}}


def is_strict(schema: Any) -> bool:
    """Whether every object in it requires all its properties and allows no others, which strict tools presuppose."""
    if isinstance(schema, list):
        return all(map(is_strict, schema))
    if not isinstance(schema, dict):
        return True
    properties = schema.get("properties")
    if schema.get("type") == "object" or properties is not None:
        if schema.get("additionalProperties") is not False:
            return False
        if set(schema.get("required") or ()) != set(properties or ()):
            return False
    named = [schema[key] for key in _SCHEMAS_BY_NAME if isinstance(schema.get(key), dict)]
    inner = [part for schemas in named for part in schemas.values()]
    inner += [schema[key] for key in (*_SCHEMA_LISTS, *_SCHEMAS) if key in schema]
    return all(map(is_strict, inner))


def _reduced(schema: Any, root: Mapping[str, Any], keywords: frozenset[str], depth: int) -> dict[str, Any]:
    if not isinstance(schema, Mapping):  # true and false are schemas too: all, and nothing
        return {}
    schema = _as_known(_merged(_resolved(schema, root, depth), root, depth), keywords)
    if depth <= 0:
        return {key: schema[key] for key in ("type", "description", "nullable") if key in schema and key in keywords}
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key not in keywords:
            continue
        if key in _SCHEMAS_BY_NAME:
            if isinstance(value, Mapping):
                kept[key] = {name: _reduced(part, root, keywords, depth - 1) for name, part in value.items()}
        elif key in _SCHEMA_LISTS:
            if isinstance(value, list):
                kept[key] = [_reduced(part, root, keywords, depth - 1) for part in value if isinstance(part, Mapping)]
        elif key in _SCHEMAS and isinstance(value, Mapping):
            kept[key] = _reduced(value, root, keywords, depth - 1)
        else:
            kept[key] = value
    if isinstance(kept.get("required"), list) and "properties" in kept:
        kept["required"] = [name for name in kept["required"] if isinstance(name, str) and name in kept["properties"]]
    return kept


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
    for _ in range(max(depth, 1)):
        name = schema.get("$ref")
        if not isinstance(name, str):
            return schema
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        target = _at(root, name)
        schema = {**target, **beside}
    return {key: value for key, value in schema.items() if key != "$ref"}


def _at(root: Mapping[str, Any], pointer: str) -> Mapping[str, Any]:
    """What a JSON pointer within the schema names; empty for what is not there or lies elsewhere."""
    at: Any = root
    start, _, path = pointer.partition("#")
    if start:
        return {}
    for step in path.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        at = at.get(step) if isinstance(at, Mapping) else None
    return at if isinstance(at, Mapping) else {}


def _merged(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
    parts = schema.get("allOf")
    if not isinstance(parts, list):
        return schema
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in parts:
        if not isinstance(part, Mapping):
            continue
        for key, value in _merged(_resolved(part, root, depth), root, depth - 1).items() if depth > 0 else ():
            if key == "properties" and isinstance(value, Mapping):
                known = merged.get(key)
                merged[key] = {**value, **(known if isinstance(known, Mapping) else {})}
            elif key == "required" and isinstance(value, list):
                merged[key] = [*merged.get(key, []), *(name for name in value if name not in merged.get(key, []))]
            else:
                merged.setdefault(key, value)
    return merged


def _as_known(schema: Mapping[str, Any], keywords: frozenset[str]) -> Mapping[str, Any]:
    known = dict(schema)
    if "const" in known and "const" not in keywords:
        known.setdefault("enum", [known.pop("const")])
    if "oneOf" in known and "oneOf" not in keywords:
        known.setdefault("anyOf", known.pop("oneOf"))
    kinds = known.get("type")
    if isinstance(kinds, list) and "nullable" in keywords:
        named = [kind for kind in kinds if kind != "null"]
        if len(named) < len(kinds):
            known["nullable"] = True
        if len(named) == 1:
            known["type"] = named[0]
        else:
            del known["type"]
            if named and "anyOf" in keywords:
                known.setdefault("anyOf", [{"type": kind} for kind in named])
    choices = known.get("anyOf")
    if isinstance(choices, list) and "nullable" in keywords:
        real = [choice for choice in choices if not (isinstance(choice, Mapping) and choice.get("type") == "null")]
        if len(real) < len(choices):
            known["nullable"] = True
            known["anyOf"] = real
        if len(real) == 1 and isinstance(real[0], Mapping):
            del known["anyOf"]
            known = {**real[0], **known}
    return known
