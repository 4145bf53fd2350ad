"""What a start tells of tools that it has not loaded is what they say of themselves."""

import subprocess
import sys

import pytest
from msgspec import json

from codi.tools.deferred import SHAPES, shape, struct_tool, told
from codi.tools.struct_tool import StructTool
from codi.tools.tool import ToolFailed


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_told_is_what_the_tool_says(name):
    of_itself = StructTool(shape(name), name=name).spec
    assert json.encode(told(name)) == json.encode(of_itself), "write it anew: python tools/told.py"
    assert told(name) == of_itself


def test_the_defaults_of_the_person_are_told():
    usual, own = told("shell"), told("shell", timeout_s=7)
    assert own.parameters["properties"]["timeout_s"]["default"] == 7
    assert own.parameters["properties"]["timeout_s"]["maximum"] == 1800
    assert "default" not in usual.parameters["properties"]["timeout_s"] or usual != own


def test_a_tool_is_loaded_with_its_first_call():
    tool = struct_tool("glob", {"limits": None})
    with pytest.raises(ToolFailed, match="pattern: required parameter is missing"):
        tool.prepare({})
    asked = (
        "import sys; from codi.tools.deferred import struct_tool; tool = struct_tool('glob', {}); tool.spec; "
        "before = 'codi.tools.glob' in sys.modules; tool.prepare({'pattern': '*'}); "
        "print(before, 'codi.tools.glob' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]
