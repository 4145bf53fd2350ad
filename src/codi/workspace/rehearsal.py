"""What an action would change, found by letting it run where nothing can be changed.

An action reaches the world through its grant alone. One that reads as usual and ends the run at the first change tells what the
action would do, computed by the very code that will do it.
"""

from collections.abc import Sequence

from codi.protocol.effects import Effect
from codi.workspace.grant import Grant
from codi.workspace.workspace import Replacement, Workspace


class Rehearsed(Exception):
    """The changes that were about to be made: of files, or the making of a folder."""

    def __init__(self, changes: Sequence[Replacement], folder: str | None = None) -> None:
        super().__init__()
        self.changes = tuple(changes)
        self.folder = folder


class Rehearsal(Grant):
    """Changing anything raises Rehearsed; what is read is not remembered as seen."""

    def __init__(self, workspace: Workspace, effects: Sequence[Effect]) -> None:
        super().__init__(workspace, effects, lambda text: None)

    async def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        raise Rehearsed([Replacement(path, content, expected)])

    async def replace_all(self, changes: Sequence[Replacement]) -> None:
        raise Rehearsed(changes)

    async def make_directory(self, path: str) -> None:
        raise Rehearsed((), path)

    def saw(self, path: str, content: bytes) -> None:
        pass
