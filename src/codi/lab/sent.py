"""What the lab's server has said, so that it can tell whether it comes back unchanged."""

from typing import Any

from msgspec import Struct

from codi.lab.seals import seal
from codi.providers.player import Played


class SentCall(Struct, frozen=True):
    """A call that was sent. `thinking` is what was thought before it, sealed with `seal`; both are empty if nothing was."""

    name: str
    arguments: dict[str, Any]
    thinking: str = ""
    seal: str = ""


class Sent:
    """The calls of all answers so far, by id."""

    def __init__(self) -> None:
        self.calls: dict[str, SentCall] = {}

    def remember(self, played: Played, model: str, *, thought: bool) -> None:
        """Keep what was said; `thought` says whether its thinking was sent along."""
        thinking = played.thinking if thought else ""
        sealed = seal(model, thinking) if thinking else ""
        for call in played.calls:
            self.calls[call.id] = SentCall(call.name, call.plain_arguments, thinking, sealed)
