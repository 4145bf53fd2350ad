"""Who thinks in this conversation, and what they are told each time."""

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from codi.protocol.events import ModelDescribed
from codi.protocol.messages import Cost, Level, Message, Usage
from codi.protocol.tooling import ToolSpec
from codi.providers.provider import Provider, Request
from codi.providers.timeouts import USUAL, Timeouts


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
    begin_turn: Callable[[], None] = lambda: None
    """To be called when a turn begins: then the first of several models is asked again."""
    timeouts: Timeouts = USUAL
    """After which silence the provider gives up; for telling how long a wait may still take."""

    def thinking_for(self, level: Level) -> "Mind":
        """The same, thinking for so long, as far as its model can."""
        return replace(self, thinking=level if self.provider.model.abilities.thinking else "off")

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

    def described(
        self, why: Literal["chosen", "fallback"] = "chosen", *, came_from: str | None = None
    ) -> ModelDescribed:
        """What is known of the model that answers now."""
        origin, entry = self.provider.origin, self.provider.model
        return ModelDescribed(
            provider=origin.provider,
            model_id=origin.model,
            api=origin.api,
            thinking=self.thinking,
            window=entry.window,
            max_output=entry.max_output,
            why=why,
            prices={"input": entry.prices.input, "output": entry.prices.output} if entry.prices else None,
            came_from=came_from,
        )
