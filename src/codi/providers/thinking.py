"""How long a model may think: levels for people, tokens for services."""

from codi.protocol.messages import Level
from codi.providers.provider import ModelEntry

LEVELS: tuple[Level, ...] = ("off", "minimal", "low", "medium", "high", "xhigh")

BUDGETS: dict[Level, int] = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768}
"""Tokens of thought, where a service counts them."""

LEAST_BUDGET = 1024
LEAST_OUTPUT = 1024
"""Tokens that stay for the answer itself."""


def clamped(level: Level, model: ModelEntry) -> Level:
    """The level itself, or the next lower one that the model has, or its lowest."""
    if level == "off" or not (model.abilities.thinking or model.adaptive_thinking or model.thinking_levels):
        return "off"
    if not model.thinking_levels or level in model.thinking_levels:
        return level
    below = [known for known in LEVELS[1 : LEVELS.index(level)] if known in model.thinking_levels]
    above = [known for known in LEVELS[LEVELS.index(level) + 1 :] if known in model.thinking_levels]
    return below[-1] if below else above[0] if above else "off"


def clamp_note(level: Level, model: ModelEntry) -> str | None:
    """What the person is told when the level is not the one that was asked for."""
    used = clamped(level, model)
    if used == level:
        return None
    return (
        f"{model.id} does not think" if used == "off" else f"{model.id} does not think at level {level}; {used} is used"
    )


def budgeted(level: Level, limit: int, most: int) -> tuple[int, int]:
    """Tokens of output and, of these, of thought, so that LEAST_OUTPUT are left to answer with. The limit is raised for it up
    to the model's `most`, then the thought is shortened; 0 where there is no room to think at all."""
    budget = BUDGETS.get(level, 0)
    if not budget:
        return limit, 0
    output = max(limit, min(budget + LEAST_OUTPUT, most))
    budget = min(budget, output - LEAST_OUTPUT)
    return (output, budget) if budget >= LEAST_BUDGET else (limit, 0)
