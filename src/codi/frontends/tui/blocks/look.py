"""How much of the transcript is shown: what a person folds and unfolds."""

from collections.abc import Callable, Sequence

from codi.frontends.tui.lines import Line, clipped
from codi.frontends.tui.placeholders import placeholder
from codi.protocol.messages import Image


def in_words(image: Image, columns: int) -> Sequence[Line]:
    """A picture where none can be drawn."""
    return [clipped(((f"  {placeholder(image)}", "dim"),), columns)]


class Look:
    """`thinking` shows what was thought, `expanded` all of a tool's output. Shared by all blocks, changed by keys. `picture` gives the
    lines of an image for a width."""

    def __init__(self, *, thinking: bool = False, motion: bool = True) -> None:
        self.thinking = thinking
        self.expanded = False
        self.motion = motion
        self.picture: Callable[[Image, int], Sequence[Line]] = in_words
        self.now = 0.0
        """The clock of the frame that is being drawn, in seconds."""
