"""Who thinks in this conversation, and what they are told each time."""

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from codi.protocol.messages import Cost, Level, Message, Usage
from codi.protocol.tooling import ToolSpec
from codi.providers.provider import Provider, Request
from codi.providers.timeouts import USUAL, Timeouts

_CHARS_PER_TOKEN = 4


class Mind(Struct, frozen=True, kw_only=True):
    """A provider with all of a request that does not change from step to step, so that each request begins with the bytes
    of the one before."""

    provider: Provider
    system: tuple[str, ...]
    tools: tuple[ToolSpec, ...]
    thinking: Level = "off"
    price_of: Callable[[Usage], Cost | None]
    max_output: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    cache: Literal["none", "short", "long"] = "short"
    session_id: str = ""
    timeouts: Timeouts = USUAL
    """After which silence the provider gives up; for telling how long a wait may still take."""

    def request(self, messages: Sequence[Message], *, more_output: bool = False, tool_choice: str = "auto") -> Request:
        return Request(
            system=self.system,
            messages=messages,
            tools=self.tools,
            thinking=self.thinking,
            max_output=self.provider.model.max_output if more_output else self.max_output,
            temperature=self.temperature,
            top_p=self.top_p,
            tool_choice=tool_choice,
            cache=self.cache,
            session_id=self.session_id,
        )

    def worst_case(self, last: Usage | None) -> Usage:
        """What the next request may use at most: about as much input as the last one and its answer, and a full answer."""
        known = last.total if last else sum(map(len, self.system)) // _CHARS_PER_TOKEN
        return Usage(input=known, output=self.max_output or min(self.provider.model.max_output, 32_000), estimated=True)
