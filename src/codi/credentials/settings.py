"""What a person may set about logins, and about what is kept from a model."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field


class IssuerSettings(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """[auth.providers.NAME]. What is left out stays as codi knows it of the service of that name."""

    authorize_url: Annotated[str, Meta(description="where a person logs in")] = ""
    token_url: Annotated[str, Meta(description="where tokens are given out")] = ""
    device_url: Annotated[str, Meta(description="where a login on another device begins")] = ""
    client_id: Annotated[str, Meta(description="the application, as it is registered with the service")] = ""
    client_secret_env: Annotated[
        str, Meta(description="the variable with the application's secret, where the service wants one")
    ] = ""
    scopes: Annotated[tuple[str, ...], Meta(description="what the login may be used for")] = ()
    issuer: Annotated[str, Meta(description="how the service names itself, where that is not its address")] = ""
    exchange_url: Annotated[
        str, Meta(description="where the login is exchanged for a short-lived token (GitHub Copilot)")
    ] = ""


class AuthSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[auth]"""

    providers: Annotated[
        dict[str, IssuerSettings], Meta(description="services to log in to, or other addresses of known ones")
    ] = field(default_factory=dict)


class SecretsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[secrets]"""

    vault: Annotated[
        Literal["on", "warn", "off"],
        Meta(description="put placeholders in place of secrets; warn only says what would be replaced"),
    ] = "on"
    names: Annotated[
        tuple[str, ...], Meta(description="variables whose values are secrets", extra={"project": "set"})
    ] = ()
    detectors: Annotated[
        dict[str, str | bool],
        Meta(description="a pattern under a name finds more; false under a built-in one's name switches that off"),
    ] = field(default_factory=dict)
