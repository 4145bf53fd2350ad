"""Schemas of strangers in the words that a service knows."""

import json

from hypothesis import given, settings
from hypothesis import strategies as some

from codi.providers.schema import is_strict, of_object, reduced

PLAIN = frozenset({"type", "properties", "required", "items", "enum", "description", "anyOf"})
NULLABLE = PLAIN | {"nullable"}


def test_references_are_replaced_by_what_they_name():
    schema = {
        "type": "object",
        "properties": {"at": {"$ref": "#/$defs/point", "description": "here"}, "far": {"$ref": "https://x/y"}},
        "$defs": {
            "point": {"type": "object", "properties": {"x": {"$ref": "#/$defs/number"}}},
            "number": {"type": "number"},
        },
    }

    assert reduced(schema, PLAIN) == {
        "type": "object",
        "properties": {
            "at": {"type": "object", "properties": {"x": {"type": "number"}}, "description": "here"},
            "far": {},
        },
    }


def test_what_contains_itself_is_cut_at_a_depth():
    schema = {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}

    assert reduced(schema, PLAIN, depth=2) == {"type": "array", "items": {"type": "array", "items": {"type": "array"}}}
    assert reduced({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, PLAIN) == {}


def test_unknown_words_go_or_become_known_ones():
    schema = {
        "type": "object",
        "title": "T",
        "properties": {
            "kind": {"const": "a", "examples": ["a"]},
            "name": {"type": ["string", "null"], "minLength": 1},
            "either": {"oneOf": [{"type": "string", "format": "uri"}, {"type": "integer"}]},
            "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "title": {"type": "string"},
            "any": True,
        },
        "required": ["kind", "gone"],
        "additionalProperties": False,
    }

    assert reduced(schema, NULLABLE) == {
        "type": "object",
        "properties": {
            "kind": {"enum": ["a"]},
            "name": {"type": "string", "nullable": True},
            "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            "maybe": {"type": "integer", "nullable": True},
            "title": {"type": "string"},
            "any": {},
        },
        "required": ["kind"],
    }


def test_parts_of_an_all_of_are_taken_together():
    schema = {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"$ref": "#/$defs/more"},
        ],
        "$defs": {"more": {"properties": {"b": {"type": "integer"}}, "required": ["b"]}},
    }

    assert reduced(schema, PLAIN) == {
        "type": "object",
        "properties": {"b": {"type": "integer"}, "a": {"type": "string"}},
        "required": ["a", "b"],
    }


values = some.recursive(
    some.one_of(some.none(), some.booleans(), some.integers(), some.text(max_size=5)),
    lambda inner: some.one_of(
        some.lists(inner, max_size=3),
        some.dictionaries(
            some.sampled_from(
                ["type", "properties", "items", "anyOf", "allOf", "$ref", "enum", "const", "required", "x"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(some.dictionaries(some.sampled_from(["type", "properties", "items", "allOf", "anyOf", "$ref", "oneOf"]), values))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_is_reduced_in_the_same_way(schema):
    made = reduced(schema, NULLABLE)

    assert json.dumps(made) == json.dumps(reduced(json.loads(json.dumps(schema)), NULLABLE))
    assert set(made) <= NULLABLE


def test_a_tools_schema_is_that_of_an_object():
    assert of_object({}) == {"type": "object", "properties": {}}
    assert of_object({"oneOf": [], "properties": {"a": {}}, "required": ["a"]}) == {
        "type": "object",
        "properties": {"a": {}},
        "required": ["a"],
    }


def test_strict_schemas_are_known():
    inner = {
        "type": "object",
        "properties": {"x": {"type": "string"}},
        "required": ["x"],
        "additionalProperties": False,
    }
    outer = {"type": "object", "properties": {"in": inner}, "required": ["in"], "additionalProperties": False}

    assert is_strict(outer)
    assert not is_strict({**outer, "required": []})
    assert not is_strict({**outer, "properties": {"in": {**inner, "additionalProperties": True}}})
    assert not is_strict({"type": "object", "properties": {}})
