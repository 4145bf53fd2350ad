"""What a turn may cost: steps, time, money, tokens, and how often it may fail in the same way."""

from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta, Struct

from codi.protocol.errors import LimitReached
from codi.protocol.messages import Cost, Usage

LOWER = {"project": "lower"}
SET = {"project": "set"}


class AgentSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[agent]"""

    max_steps: Annotated[int, Meta(ge=0, description="steps in a turn; 0 is no limit", extra=LOWER)] = 100
    max_time_s: Annotated[float, Meta(gt=0, description="seconds a turn may take", extra=LOWER)] = 3600
    max_cost: Annotated[float, Meta(ge=0, description="US dollars of one run", extra=LOWER)] | None = None
    max_tokens: Annotated[int, Meta(ge=1, description="tokens of one run", extra=LOWER)] | None = None
    max_failed_steps: Annotated[
        int, Meta(ge=1, description="steps in a row in which every call failed", extra=LOWER)
    ] = 5
    parallel: Annotated[int, Meta(ge=1, le=64, description="actions that run side by side", extra=LOWER)] = 8
    max_cost_unknown: Annotated[
        bool, Meta(description="with a cost limit, allow models without a price", extra={"project": "off"})
    ] = False
    evidence: Annotated[
        Literal["off", "show", "prompt"],
        Meta(description="mark claims that no run backs, or also ask the model for what is missing", extra=SET),
    ] = "show"
    evidence_retries: Annotated[int, Meta(ge=0, description="how often a turn is asked for what is missing")] = 2
    system_prompt: Annotated[str, Meta(description="what stands in place of role and rules", extra=SET)] = ""
    append_system_prompt: Annotated[str, Meta(description="what follows role and rules", extra=SET)] = ""


class Spending:
    """What this run has used, held against its limits before each request. `price_of` puts a price on tokens, None if unknown."""

    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings
        self.tokens = 0
        self.cost = 0.0
        self.warned = False

    def check(self, expected: Usage, price_of: Callable[[Usage], Cost | None]) -> str | None:
        """Raise LimitReached if the next request could pass a limit; at 80 % say so, once."""
        cap, token_cap = self._settings.max_cost, self._settings.max_tokens
        if token_cap is not None and self.tokens + expected.total > token_cap:
            raise LimitReached(
                f"Budget reached: {self.tokens} of {token_cap} tokens used; this request could use {expected.total}.",
                hint="Raise --max-tokens, or start a new session with less context.",
                limit="tokens",
            )
        if token_cap is not None and self.tokens >= 0.8 * token_cap and not self.warned:
            self.warned = True
            return f"{self.tokens} of {token_cap} tokens used"
        if cap is None:
            return None
        price = price_of(expected)
        if price is None:
            if self._settings.max_cost_unknown:
                return None
            raise LimitReached(
                "the price of this model is unknown, so a cost limit cannot hold",
                hint="Choose a model with a known price, or say --max-cost-unknown=ok.",
                limit="cost",
            )
        if self.cost + price.total > cap:
            raise LimitReached(
                f"Budget reached: ${self.cost:.4f} of ${cap:.2f} spent; this request could cost ${price.total:.4f}.",
                hint="Raise --max-cost.",
                limit="cost",
            )
        if self.cost >= 0.8 * cap and not self.warned:
            self.warned = True
            return f"${self.cost:.4f} of ${cap:.2f} spent"
        return None

    def add(self, usage: Usage) -> None:
        self.tokens += usage.total
        self.cost += usage.cost.total if usage.cost else 0.0
