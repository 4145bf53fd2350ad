"""A tool that is known before it is loaded: what a model is told of it stands in `told.json`, and its implementation is loaded
with the first call. A start that offers two dozen tools and calls none pays for none.

`told.json` is written from the tools themselves by `tools/told.py`; a test holds the two against each other.
"""

import os
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from msgspec import json, structs

from codi.protocol.tooling import ToolSpec
from codi.tools.tool import Action, Tool

TOLD = os.path.join(os.path.dirname(__file__), "told.json")

SHAPES: dict[str, str] = {
    "read": "codi.tools.read:Read",
    "write": "codi.tools.write:Write",
    "edit": "codi.tools.edit:Edit",
    "apply_patch": "codi.tools.apply_patch:ApplyPatch",
    "insert_lines": "codi.tools.insert_lines:InsertLines",
    "replace_lines": "codi.tools.replace_lines:ReplaceLines",
    "delete_lines": "codi.tools.delete_lines:DeleteLines",
    "refactor": "codi.tools.refactor:Refactor",
    "shell": "codi.tools.shell:Shell",
    "run_tests": "codi.tools.run_tests:RunTests",
    "grep": "codi.tools.grep:Grep",
    "glob": "codi.tools.glob:Glob",
    "list": "codi.tools.list_files:ListFiles",
    "tree": "codi.tools.tree:Tree",
    "move": "codi.tools.move:Move",
    "delete": "codi.tools.delete:Delete",
    "web_fetch": "codi.tools.web_fetch:WebFetch",
    "web_search": "codi.tools.web_search:WebSearch",
    "view_image": "codi.tools.view_image:ViewImage",
    "recall": "codi.tools.recall:Recall",
    "todo": "codi.tools.todo:Todo",
    "ask_person": "codi.tools.ask_person:AskPerson",
    "context_status": "codi.tools.context_status:ContextStatus",
}
"""Where the struct of each tool is."""


class DeferredTool:
    """`made` gives the tool, when it is first called."""

    def __init__(self, spec: ToolSpec, made: Callable[[], Tool]) -> None:
        self.spec = spec
        self._made = made
        self._tool: Tool | None = None

    def prepare(self, arguments: dict[str, Any]) -> Action:
        if self._tool is None:
            self._tool = self._made()
        return self._tool.prepare(arguments)


def told(name: str, **defaults: Any) -> ToolSpec:
    """What a model is told of a tool. `defaults` are those of the person, in place of the usual ones of these parameters."""
    spec = _told()[name]
    if not defaults:
        return spec
    properties: Mapping[str, Any] = spec.parameters["properties"]
    own = {name: {**properties[name], "default": value} for name, value in defaults.items()}
    return structs.replace(spec, parameters={**spec.parameters, "properties": {**properties, **own}})


def struct_tool(name: str, needs: Mapping[str, Any] = {}, rehearsal: Mapping[str, Any] | None = None) -> DeferredTool:
    """The tool that is the struct of this name, with what StructTool takes."""

    def made() -> Tool:
        tool: Tool = import_module("codi.tools.struct_tool").StructTool(
            shape(name), name=name, needs=needs, rehearsal=rehearsal
        )
        return tool

    return DeferredTool(told(name), made)


def shape(name: str) -> Any:
    """The struct of a tool."""
    module, _, attribute = SHAPES[name].partition(":")
    return getattr(import_module(module), attribute)


@cache
def _told() -> dict[str, ToolSpec]:
    with open(TOLD, "rb") as file:
        return {spec.name: spec for spec in json.decode(file.read(), type=list[ToolSpec])}
