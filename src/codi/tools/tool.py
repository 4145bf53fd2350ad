"""A tool turns arguments into an action, which says what it will touch and then does it."""

from collections.abc import Iterable
from typing import Any, Protocol

from msgspec import Struct

from codi.protocol.effects import Effect
from codi.protocol.events import Fact, FileChange
from codi.protocol.messages import Image
from codi.protocol.tooling import ToolSpec
from codi.workspace.workspace import Workspace


class ToolFailed(Exception):
    """Speaks to the model: what went wrong, and what to try next. Never a reason to end a turn."""

    def __init__(self, message: str, *, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details = details


class ToolOutput(Struct, frozen=True, kw_only=True):
    """What a tool gives back when a text alone does not say it. `full` is the whole text where `text` is a part of it (the
    loop keeps it for `recall`); a `fact` is kept in the session; `changes` are what was done to files, which the loop keeps
    under the call's id; `is_error` marks an answer that is true but unwelcome, such as an exit status, and does not
    count as a failure of the tool."""

    text: str
    images: tuple[Image, ...] = ()
    details: dict[str, Any] | None = None
    full: str | None = None
    facts: tuple[Fact, ...] = ()
    changes: tuple[FileChange, ...] = ()
    is_error: bool = False


class Action(Protocol):
    """It may also offer `async def preview(workspace) -> str | None`: what it would do, for the person who is asked. It is
    given a Rehearsal of its effects, and changes nothing."""

    def effects(self) -> Iterable[Effect]:
        """What will be touched; pure, and complete."""
        ...

    async def run(self, workspace: Workspace) -> str | ToolOutput:
        """`workspace` is a grant of the effects; `workspace.tell(text)` shows progress."""
        ...


class Tool(Protocol):
    @property
    def spec(self) -> ToolSpec: ...

    def prepare(self, arguments: dict[str, Any]) -> Action:
        """Arguments in canonical names, checked against the schema; raises ToolFailed."""
        ...
