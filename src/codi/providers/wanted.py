"""What is said of the model to ask, before it is decided."""

from msgspec import Struct


class Wanted(Struct, frozen=True):
    """What one layer (flags, environment, configuration) says of the model; None or empty for what it leaves open."""

    model: str | None = None
    provider: str | None = None
    base_url: str | None = None
