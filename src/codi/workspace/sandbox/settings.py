"""What a person may set of the sandbox."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Mode = Literal["off", "auto", "require"]


class SandboxSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[sandbox]"""

    mode: Annotated[
        Mode,
        Meta(
            description="confine commands: as well as this machine can, only if it holds, or not at all",
            extra={"project": "stricter"},
        ),
    ] = "auto"
    require_level: Annotated[
        int,
        Meta(
            ge=1, le=3, description="what must hold where it is required: 2 writes, 3 files", extra={"project": "raise"}
        ),
    ] = 2
    network: Annotated[
        Literal["none", "proxy", "host"],
        Meta(
            description="what commands reach: nothing, the hosts that are listed, or all", extra={"project": "stricter"}
        ),
    ] = "none"
    hosts: Annotated[
        tuple[str, ...], Meta(description="hosts that commands may reach by the proxy", extra={"project": "set"})
    ] = ()
    preview: Annotated[
        bool,
        Meta(
            description="run commands on an overlay, show what they changed, and ask before it becomes true (level 3)",
            extra={"project": "on"},
        ),
    ] = False
