"""[secrets], as the configuration may say it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field


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
