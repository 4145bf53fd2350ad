"""What a turn may cost: steps, time, money, tokens, and how often it may fail in the same way."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

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
    steering: Annotated[
        Literal["one-at-a-time", "all"], Meta(description="how much of what was said meanwhile goes with a request")
    ] = "one-at-a-time"
    follow_up: Annotated[
        Literal["one-at-a-time", "all"], Meta(description="how much of what waits is taken up when a turn would end")
    ] = "one-at-a-time"
    evidence: Annotated[
        Literal["off", "show", "prompt"],
        Meta(description="mark claims that no run backs, or also ask the model for what is missing", extra=SET),
    ] = "show"
    evidence_retries: Annotated[int, Meta(ge=0, description="how often a turn is asked for what is missing")] = 2
    system_prompt: Annotated[str, Meta(description="what stands in place of role and rules", extra=SET)] = ""
    append_system_prompt: Annotated[str, Meta(description="what follows role and rules", extra=SET)] = ""
