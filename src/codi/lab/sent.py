"""What the lab's server has said, so that it can tell whether it comes back unchanged."""

from msgspec import Struct

from codi.lab.seals import seal
from codi.providers.player import Played


class SentCall(Struct, frozen=True):
    """A call that was sent by `model`; `seal` is that of the thinking before it, empty where there was none."""

    name: str
    model: str
    seal: str = ""


class Sent:
    """The calls of all answers so far by id, and the seals that stood on parts of them."""

    def __init__(self) -> None:
        self.calls: dict[str, SentCall] = {}
        self.seals: set[str] = set()
        self.paused = False
        """The last answer was to be sent back, for the model to go on with it."""

    def remember(self, played: Played, model: str, *, thought: bool, seals: tuple[str, ...] = ()) -> None:
        """Keep what was said; `thought` says whether its thinking was sent along."""
        sealed = seal(model, played.thinking) if played.thinking and thought else ""
        for call in played.calls:
            self.calls[call.id] = SentCall(call.name, model, sealed)
        self.seals.update(seals)
        self.paused = played.stop == "paused"
