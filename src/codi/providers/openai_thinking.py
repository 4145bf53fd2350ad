"""The thinking level of a request, as the effort that a model knows."""

from codi.protocol.messages import Level
from codi.providers.provider import ModelEntry

_ORDER: tuple[Level, ...] = ("minimal", "low", "medium", "high", "xhigh")
_USUAL: tuple[Level, ...] = ("low", "medium", "high")
"""What is assumed of a model that reasons and of which nothing more is known."""


def effort_of(level: Level, model: ModelEntry) -> tuple[Level | None, str | None]:
    """The effort to ask for, None for `off` and for a model that does not reason; and a note where it is not the level that was
    wanted: the next lower one that the model has, or its lowest."""
    if level == "off" or not model.abilities.thinking:
        return None, None
    known = [one for one in _ORDER if one in (model.thinking_levels or _USUAL)]
    if level in known:
        return level, None
    if not known:
        return None, f"{model.name or model.id} has no thinking level {level}: it is off."
    lower = [one for one in known if _ORDER.index(one) < _ORDER.index(level)]
    effort = lower[-1] if lower else known[0]
    return effort, f"{model.name or model.id} has no thinking level {level}: {effort} is used."
