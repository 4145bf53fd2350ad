"""What can be set of the second opinion: apart from it, for whoever reads settings needs no model."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class ReviewerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[policy.reviewer]"""

    model: Annotated[str, Meta(description="the model that gives a second opinion; empty for none")] = ""
    tools: Annotated[
        tuple[str, ...], Meta(description="the tools whose calls it sees; empty for all that do more than read")
    ] = ()
    block: Annotated[int, Meta(ge=0, le=10, description="the risk from which on only a person may allow a call")] = 8
    warn: Annotated[int, Meta(ge=0, le=10, description="the risk from which on a call is asked about")] = 5
    timeout_s: Annotated[float, Meta(gt=0, le=600, description="seconds after which its silence is a failure")] = 10
    on_error: Annotated[Literal["ask", "deny", "allow"], Meta(description="what becomes of a call when it fails")] = (
        "ask"
    )
