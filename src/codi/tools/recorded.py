"""Tools that do nothing and answer what they answered at the time."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.json import encode

from codi.protocol.effects import Effect
from codi.protocol.messages import ToolResult
from codi.protocol.tooling import ToolSpec
from codi.tools.tool import ToolFailed
from codi.workspace.workspace import Workspace

Answers = Mapping[str, deque[ToolResult]]
"""Results by call, as `key_of` names it; of equal calls in their order."""


def key_of(name: str, arguments: Mapping[str, Any]) -> str:
    return f"{name} {encode(arguments, order='deterministic').decode()}"


class RecordedTool:
    def __init__(self, spec: ToolSpec, answers: Answers) -> None:
        self.spec = spec
        self._answers = answers

    def prepare(self, arguments: dict[str, Any]) -> "_Again":
        return _Again(self.spec.name, arguments, self._answers)


class _Again:
    def __init__(self, name: str, arguments: dict[str, Any], answers: Answers) -> None:
        self._key = key_of(name, arguments)
        self._answers = answers

    def effects(self) -> Iterable[Effect]:
        return ()

    async def run(self, workspace: Workspace) -> str:
        waiting = self._answers.get(self._key)
        if not waiting:
            raise ToolFailed("No result was recorded for this call.")
        result = waiting.popleft()
        if result.is_error:
            raise ToolFailed(result.text)
        return result.text
