"""How much of a window may be used for what, and from which point on room is made."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

_SET: dict[str, Any] = {"project": "set"}


KIB_50 = 51_200 // 4
"""Tokens of 50 KiB of text."""

LEAST_OUTPUT = 1024
"""A request that leaves less for its answer is not sent before there is more room."""

MOST_OUTPUT = 32_000
_MARGIN = 512
_LARGE = 200_000
_LARGE_LEFT = 20_000

TierName = Literal["small", "medium", "large", "xlarge"]


class TierSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[context.tiers.NAME]. A number up to 1 is a share of the window, a larger one is tokens; what is left out stays."""

    output_reserve: Annotated[float, Meta(gt=0, description="kept free for the reply")] | None = None
    keep_recent: Annotated[float, Meta(gt=0, description="stays as it is in a compaction")] | None = None
    min_recent: Annotated[int, Meta(ge=1, description="messages that stay at least")] | None = None
    tool_results: Annotated[float, Meta(gt=0, description="results of tools together")] | None = None
    one_result: Annotated[float, Meta(gt=0, description="one result")] | None = None
    system: Annotated[float, Meta(gt=0, description="system prompt and tools together")] | None = None


class TiersSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[context.tiers]"""

    small: TierSettings = TierSettings()
    medium: TierSettings = TierSettings()
    large: TierSettings = TierSettings()
    xlarge: TierSettings = TierSettings()


class ContextSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[context]"""

    auto_compact: Annotated[bool, Meta(description="make room without being asked", extra=_SET)] = True
    threshold: Annotated[
        Annotated[int, Meta(ge=50, le=95)] | Literal["auto"],
        Meta(description="from how many percent of the window on room is made"),
    ] = "auto"
    strategy: Annotated[
        Literal["llm", "mechanical"], Meta(description="who says the conversation shorter: a model, or codi by itself")
    ] = "llm"
    keep_recent_tokens: (
        Annotated[int, Meta(ge=1, description="tokens that stay as they are in a compaction")] | None
    ) = None
    tiers: TiersSettings = TiersSettings()
    compress: Annotated[bool, Meta(description="stand-ins for long values that recur in the context")] = False


USUAL = ContextSettings()


class MemorySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[memory]"""

    enabled: Annotated[bool, Meta(description="tell models what is remembered", extra={"project": "off"})] = True
    max_kb: Annotated[int, Meta(ge=1, description="kilobytes of memories of one kind")] = 64


class Tier(Struct, frozen=True, kw_only=True):
    """Tokens, of one window."""

    name: TierName
    window: int
    reserve: int
    keep_recent: int
    min_recent: int
    tool_results: int
    one_result: int
    system: int


def tier_name(window: int) -> TierName:
    if window < 16_384:
        return "small"
    if window < 65_536:
        return "medium"
    return "large" if window < _LARGE else "xlarge"


def tier_of(window: int, settings: ContextSettings = USUAL) -> Tier:
    """The shares of a window. A reserve never takes all of it."""
    name = tier_name(window)
    eighth = window // 8
    usual: dict[TierName, tuple[float, float, int, float, int, float]] = {
        "small": (0.15 * window, 0.25 * window, 4, 0.20, eighth, 0.35),
        "medium": (min(8192, 0.15 * window), 0.20 * window, 8, 0.25, eighth, 0.30),
        "large": (8192, 20_000, 15, 0.30, min(KIB_50, eighth), 0.25),
        "xlarge": (16_384, 20_000, 25, 0.35, KIB_50, 0.20),
    }
    reserve, keep, recent, results, one, system = usual[name]
    tier = Tier(
        name=name,
        window=window,
        reserve=int(reserve),
        keep_recent=int(keep),
        min_recent=recent,
        tool_results=int(results * window),
        one_result=int(one),
        system=int(system * window),
    )
    said: TierSettings = getattr(settings.tiers, name)
    changes: dict[str, int] = {}
    for key, of_tier in _NAMES.items():
        value = getattr(said, key)
        if value is not None:
            changes[of_tier] = int(value * window) if value <= 1 and key != "min_recent" else int(value)
    if settings.keep_recent_tokens is not None:
        changes["keep_recent"] = settings.keep_recent_tokens
    return replace(tier, **changes)


_NAMES = {
    "output_reserve": "reserve",
    "keep_recent": "keep_recent",
    "min_recent": "min_recent",
    "tool_results": "tool_results",
    "one_result": "one_result",
    "system": "system",
}


def threshold_of(window: int, settings: ContextSettings = USUAL) -> int:
    """The used tokens from which on room is made."""
    if settings.threshold != "auto":
        return -(-window * settings.threshold // 100)
    return window - (_LARGE_LEFT if window > _LARGE else window // 5)


def output_limit(wanted: int, left: int) -> int:
    """How long an answer may be when so many tokens of the window are left."""
    return min(wanted, left - _MARGIN)
