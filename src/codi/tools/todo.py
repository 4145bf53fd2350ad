"""The `todo` tool."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from codi.protocol.effects import Effect
from codi.protocol.events import TodoItem, TodoWritten
from codi.tools.tool import ToolOutput
from codi.workspace.workspace import Workspace

_MARKS = {"pending": "[ ]", "in_progress": "[>]", "completed": "[x]"}


class Todo(Struct, frozen=True, forbid_unknown_fields=True):
    """Keep the list of what is to be done, for work of several steps. Send the whole list each time, with its present states;
    send nothing to read it."""

    items: Annotated[
        tuple[TodoItem, ...] | None, Meta(description="The full list in order; `active_form` says what is being done")
    ] = None

    def effects(self) -> Iterable[Effect]:
        return ()

    async def run(self, workspace: Workspace, *, items: Callable[[], Sequence[TodoItem]]) -> ToolOutput:
        if self.items is None:
            return ToolOutput(text=shown_list(items()))
        return ToolOutput(text=shown_list(self.items), facts=(TodoWritten(self.items),))


def shown_list(items: Sequence[TodoItem]) -> str:
    """The list and how far it is."""
    if not items:
        return "The todo list is empty."
    done = sum(item.status == "completed" for item in items)
    lines = [f"{_MARKS[item.status]} {item.content}" for item in items]
    return "\n".join([f"{done}/{len(items)} completed", *lines])
