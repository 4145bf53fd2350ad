"""What a person may set about models and services."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from codi.protocol.messages import Level

Api = Literal["anthropic", "openai-chat", "openai-responses", "google", "ollama", "azure"]
"""The wire formats."""


class ServiceSettings(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """[providers.NAME]. What is left out stays as the preset of that name has it."""

    api: Annotated[Api, Meta(description="the wire format")] | UnsetType = UNSET
    base_url: Annotated[str, Meta(description="the address")] | UnsetType = UNSET
    key_env: Annotated[str | list[str], Meta(description="variables that may hold the key")] | UnsetType = UNSET
    key_cmd: Annotated[str, Meta(description="a command that prints the key")] | UnsetType = UNSET
    headers: Annotated[dict[str, str], Meta(description="sent with every request")] | UnsetType = UNSET
    compat: Annotated[dict[str, Any], Meta(description="what the service does differently")] | UnsetType = UNSET
    models: Annotated[list[str], Meta(description="the models it has; the first is the usual one")] | UnsetType = UNSET
    timeouts: (
        Annotated[dict[str, float], Meta(description="seconds: connect_s, first_byte_s, idle_s, total_s")] | UnsetType
    ) = UNSET
    requests_per_minute: Annotated[float, Meta(gt=0, description="how often it is asked at most")] | UnsetType = UNSET
    enabled: Annotated[bool, Meta(description="false: as if there were no such service")] | UnsetType = UNSET


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
    fallbacks: Annotated[
        tuple[str, ...], Meta(description="models that answer when it cannot, in order", extra={"project": "set"})
    ] = ()
    fallback_on_refusal: Annotated[bool, Meta(description="also when it refuses to answer")] = False
    favourites: Annotated[
        tuple[str, ...], Meta(description="models that cycling offers", extra={"project": "set"})
    ] = ()
    handoff_thinking: Annotated[Literal["text", "drop"], Meta(description="thoughts of another model")] = "text"


class RetrySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[retry]"""

    tries: Annotated[int, Meta(ge=1, le=20, description="how often a request is sent at most")] = 5
    base_s: Annotated[float, Meta(ge=0, description="the first wait in seconds; it doubles")] = 1.0
    cap_s: Annotated[float, Meta(ge=0, description="the longest wait in seconds")] = 30.0
    per_turn: Annotated[int, Meta(ge=0, description="how often all requests of a turn are sent again at most")] = 20
    pause_over_s: Annotated[float, Meta(ge=0, description="a longer wait than this ends the turn")] = 300.0


class NetworkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[network]"""

    offline: Annotated[bool, Meta(description="no network beyond this machine", extra={"project": "on"})] = False
