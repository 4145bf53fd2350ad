"""Where ops go in and events come out."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from msgspec import Struct

from codi.protocol.events import Event
from codi.protocol.ops import Op
from codi.protocol.tooling import ToolSpec


class Conversation(Protocol):
    """Near or far: the agent may run in this task, in a child process, or on another host."""

    session_id: str
    began: float
    """When the session began, in seconds since 1970."""

    @property
    def session_file(self) -> str | None:
        """None for a session that is kept in memory alone."""
        ...

    @property
    def warnings(self) -> Sequence[str]:
        """What was amiss when it was opened: told to who listens from before, and no answer to any op."""
        ...

    async def send(self, op: Op) -> None: ...

    def events(self, *, since: str | None = None) -> AsyncIterator[Event]:
        """Listen, from this call on: live events alone, or first the entries after the one named by `since` ("" is before the
        first). A slow listener loses deltas, never entries."""
        ...


class SessionSummary(Struct, frozen=True, kw_only=True):
    """One session, as a list shows it. Times are seconds since 1970; `cost` is None where a part is unknown."""

    path: str
    id: str
    cwd: str
    name: str = ""
    parent: str | None = None
    created: float = 0.0
    modified: float = 0.0
    messages: int = 0
    turns: int = 0
    model: str = ""
    tokens: int = 0
    cost: float | None = None
    first_message: str = "(no messages)"
    branch: str = ""
    size: int = 0
    readable: bool = True


class Host(Protocol):
    """Opens conversations. `session_id` goes on with that session; None begins a new one."""

    def open(self, session_id: str | None = None) -> AbstractAsyncContextManager[Conversation]: ...

    def sessions(self) -> Sequence[SessionSummary]: ...

    def tools(self) -> Sequence[ToolSpec]: ...
