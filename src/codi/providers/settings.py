"""What a person may set about models and services."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from codi.protocol.messages import Level


class ModelSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[model]"""

    default: Annotated[str, Meta(description="the model: [provider/]id[:thinking]")] = ""
    provider: Annotated[str, Meta(description="the service")] = ""
    base_url: Annotated[str, Meta(description="the address of the service")] = ""
    thinking: Annotated[Level, Meta(description="how long to think")] = "medium"
    context_window: Annotated[int, Meta(ge=1024, description="the model's window in tokens")] | None = None
    max_output: Annotated[int, Meta(ge=1, description="the longest answer in tokens")] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    cache_retention: Annotated[Literal["none", "short", "long"], Meta(description="how long the service caches")] = (
        "short"
    )
    handoff_thinking: Annotated[Literal["text", "drop"], Meta(description="thoughts of another model")] = "text"


class RetrySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[retry]"""

    tries: Annotated[int, Meta(ge=1, le=20, description="how often a request is sent at most")] = 5
    base_s: Annotated[float, Meta(ge=0, description="the first wait in seconds; it doubles")] = 1.0
    cap_s: Annotated[float, Meta(ge=0, description="the longest wait in seconds")] = 30.0
    pause_over_s: Annotated[float, Meta(ge=0, description="a longer wait than this ends the turn")] = 300.0


class NetworkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[network]"""

    offline: Annotated[bool, Meta(description="no network beyond this machine")] = False
