"""One call on its way from what the model wrote to its result."""

import time

import anyio

from codi.agent.cover import Kept
from codi.protocol.effects import Allow, Effect, Verdict
from codi.protocol.messages import Text, ToolCall, ToolResult
from codi.protocol.ops import Answer
from codi.tools.tool import ToolOutput
from codi.tools.toolbox import Resolved


class Act:
    """What is known of a call so far. Its `result` is given once; `done` tells who waits for it."""

    def __init__(self, call: ToolCall) -> None:
        self.call = call
        self.resolved: Resolved | None = None
        self.effects: tuple[Effect, ...] = ()
        self.verdict: Verdict = Allow()
        self.binding: str | None = None
        """What was approved; None where nobody was asked."""
        self.heard = ""
        self.kept: Kept | None = None
        self.started: float | None = None
        self.result: ToolResult | None = None
        self.output: ToolOutput | None = None
        self.failed = False
        self.answer: Answer | None = None
        """What was said to the changes that it made on an overlay."""
        self.done = anyio.Event()

    @property
    def tool(self) -> str:
        return self.resolved.name if self.resolved else self.call.name

    @property
    def mapped(self) -> str | None:
        return self.resolved.mapped if self.resolved else None

    @property
    def canonical(self) -> ToolCall:
        arguments = self.resolved.arguments if self.resolved else self.call.arguments
        return ToolCall(self.call.id, self.tool, arguments)

    @property
    def stops_turn(self) -> bool:
        """Whether the person stopped the turn when they saw what it changed."""
        return self.answer is not None and self.answer.abort

    def settle(self, *content: object, is_error: bool = False, failed: bool = False) -> None:
        """Give the call its result, once."""
        took = None if self.started is None else round((time.monotonic() - self.started) * 1000)
        blocks = tuple(Text(part) if isinstance(part, str) else part for part in content)
        details = self.output.details if self.output else None
        self.result = ToolResult(self.call.id, blocks, is_error, self.tool, details, took)  # type: ignore[arg-type]
        self.failed = failed
        self.done.set()
