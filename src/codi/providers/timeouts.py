"""How long each kind of silence of a service is borne."""

from msgspec import Struct


class Timeouts(Struct, frozen=True):
    """Seconds. `idle_s` counts from the last byte, of whatever kind; `total_s` is for the whole request."""

    connect_s: float = 10.0
    first_byte_s: float = 60.0
    thinking_first_byte_s: float = 300.0
    idle_s: float = 90.0
    total_s: float = 1200.0

    def until_first_byte(self, *, thinking: bool) -> float:
        return self.thinking_first_byte_s if thinking else self.first_byte_s


USUAL = Timeouts()
