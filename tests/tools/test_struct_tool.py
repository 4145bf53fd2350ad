"""A struct becomes a tool: what the model is told, and how its arguments are taken."""

from typing import Annotated, Any, Literal

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta, Struct

from codi.protocol.effects import Reads
from codi.tools.struct_tool import StructTool, coerced
from codi.tools.tool import ToolFailed


class Piece(Struct, frozen=True, forbid_unknown_fields=True):
    """One piece."""

    old: Annotated[str, Meta(description="What is there")]
    new: str = ""


class CarveWood(Struct, frozen=True, forbid_unknown_fields=True):
    """Carve something.

    With a knife."""

    path: Annotated[str, Meta(description="Where")]
    pieces: tuple[Piece, ...] = ()
    depth: Annotated[int, Meta(ge=1, le=9)] = 2
    force: float = 1.0
    polish: bool = False
    wood: Literal["oak", "fir"] = "oak"
    tools: tuple[str, ...] = ()
    command: str | tuple[str, ...] | None = None
    note: Annotated[str, Meta(description="For later")] | None = None

    def effects(self):
        yield Reads(self.path)

    async def run(self, workspace, store=None):
        return f"{self.path} {store}"


TOOL = StructTool(CarveWood)


def prepared(**arguments: Any) -> Any:
    return TOOL.prepare({"path": "a", **arguments})


def failure(arguments: dict[str, Any], tool: StructTool = TOOL) -> str:
    with pytest.raises(ToolFailed) as failed:
        tool.prepare(arguments)
    return str(failed.value)


def test_the_model_is_told_the_docstring_and_the_fields():
    assert TOOL.spec.name == "carve_wood"
    assert TOOL.spec.description == "Carve something.\n\nWith a knife."
    assert TOOL.spec.parameters == {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Where"},
            "pieces": {
                "type": "array",
                "items": {
                    "description": "One piece.",
                    "type": "object",
                    "properties": {
                        "old": {"description": "What is there", "type": "string"},
                        "new": {"type": "string", "default": ""},
                    },
                    "required": ["old"],
                    "additionalProperties": False,
                },
                "default": [],
            },
            "depth": {"type": "integer", "minimum": 1, "maximum": 9, "default": 2},
            "force": {"type": "number", "default": 1.0},
            "polish": {"type": "boolean", "default": False},
            "wood": {"enum": ["fir", "oak"], "default": "oak"},
            "tools": {"type": "array", "items": {"type": "string"}, "default": []},
            "command": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            "note": {"type": "string", "description": "For later"},
        },
        "required": ["path"],
        "additionalProperties": False,
    }


def test_a_name_may_be_given():
    assert StructTool(CarveWood, name="carve").spec.name == "carve"


@pytest.mark.parametrize(
    ("given", "field", "taken"),
    [
        ({"depth": "7"}, "depth", 7),
        ({"depth": " 7 "}, "depth", 7),
        ({"depth": 7.0}, "depth", 7),
        ({"depth": "7.0"}, "depth", 7),
        ({"force": "1.5"}, "force", 1.5),
        ({"force": 2}, "force", 2.0),
        ({"note": 12}, "note", "12"),
        ({"note": 1.5}, "note", "1.5"),
        ({"polish": "true"}, "polish", True),
        ({"polish": "False"}, "polish", False),
        ({"tools": "knife"}, "tools", ("knife",)),
        ({"tools": '["knife", "saw"]'}, "tools", ("knife", "saw")),
        ({"tools": ["knife", 3]}, "tools", ("knife", "3")),
        ({"pieces": '[{"old": "x", "new": "y"}]'}, "pieces", (Piece("x", "y"),)),
        ({"pieces": '{"old": "x"}'}, "pieces", (Piece("x"),)),
        ({"pieces": {"old": "x"}}, "pieces", (Piece("x"),)),
        ({"pieces": [{"old": 1}]}, "pieces", (Piece("1"),)),
        ({"command": '["ls"]'}, "command", '["ls"]'),
        ({"command": ["ls"]}, "command", ("ls",)),
        ({"note": None}, "note", None),
    ],
)
def test_what_can_only_mean_one_thing_is_taken_as_that(given, field, taken):
    value = getattr(prepared(**given), field)
    assert value == taken
    assert type(value) is type(taken)


def test_every_fault_is_named_and_the_arguments_are_repeated():
    assert failure({"depth": 10, "pieces": [{"old": "x"}, {"old": "x", "odd": 1}], "colour": "red"}) == (
        'Validation failed for tool "carve_wood":\n'
        " - colour: unknown parameter (known: path, pieces, depth, force, polish, wood, tools, command, note)\n"
        " - path: required parameter is missing\n"
        " - pieces[1]: Object contains unknown field `odd`\n"
        " - depth: Expected `int` <= 9\n"
        "\n"
        "Received arguments:\n"
        "{\n"
        '  "depth": 10,\n'
        '  "pieces": [\n'
        "    {\n"
        '      "old": "x"\n'
        "    },\n"
        "    {\n"
        '      "old": "x",\n'
        '      "odd": 1\n'
        "    }\n"
        "  ],\n"
        '  "colour": "red"\n'
        "}"
    )


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"pieces": [{"old": None}]}, " - pieces[0].old: Expected `str`, got `null`"),
        ({"polish": "yes"}, " - polish: Expected `bool`, got `str`"),
        ({"polish": 1}, " - polish: Expected `bool`, got `int`"),
        ({"depth": True}, " - depth: Expected `int`, got `bool`"),
        ({"depth": "9" * 400}, " - depth: Expected `int`, got `str`"),
        ({"path": True}, " - path: Expected `str`, got `bool`"),
        ({"pieces": "not json"}, " - pieces[0]: Expected `object`, got `str`"),
        ({"wood": "ash"}, " - wood: Invalid enum value 'ash'"),
        ({"depth": 0}, " - depth: Expected `int` >= 1"),
    ],
)
def test_what_does_not_fit_is_refused(given, line):
    assert line in failure({"path": "a", **given}).splitlines()


def test_an_unknown_parameter_is_refused_even_where_the_struct_would_drop_it():
    class Loose(Struct, frozen=True):
        """Loose."""

        path: str = ""

    assert "nope: unknown parameter" in failure({"nope": 1}, StructTool(Loose))


def test_the_repeated_arguments_are_cut_at_2000_characters():
    shown = failure({"depth": "x" * 5000}).partition("Received arguments:\n")[2]
    assert len(shown) == 2000
    assert shown.endswith("...")


def test_half_a_surrogate_pair_is_shown_escaped():
    assert "\\ud800" in failure({"depth": "\ud800"})


def test_what_a_tool_needs_is_handed_to_run_and_not_shown():
    tool = StructTool(CarveWood, needs={"store": "shelf"})
    action = tool.prepare({"path": "a"})
    assert list(action.effects()) == [Reads("a")]
    assert anyio.run(action.run, None) == "a shelf"
    assert "store" not in tool.spec.parameters["properties"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*CarveWood.__struct_fields__, "odd"]), JSON, max_size=5))
@settings(max_examples=150, deadline=None)
def test_any_arguments_give_a_call_or_a_refusal(arguments):
    try:
        TOOL.prepare(arguments)
    except ToolFailed as failed:
        assert str(failed).startswith('Validation failed for tool "carve_wood":\n - ')


@given(JSON)
@settings(max_examples=100, deadline=None)
def test_coercing_twice_changes_nothing_more(value):
    schema = TOOL.spec.parameters
    once = coerced({"path": value, "depth": value, "tools": value, "pieces": value}, schema)
    assert repr(coerced(once, schema)) == repr(once)
