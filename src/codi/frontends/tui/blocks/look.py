"""How much of the transcript is shown: what a person folds and unfolds."""


class Look:
    """`thinking` shows what was thought, `expanded` all of a tool's output. Shared by all blocks, changed by keys."""

    def __init__(self, *, thinking: bool = False, motion: bool = True) -> None:
        self.thinking = thinking
        self.expanded = False
        self.motion = motion
        self.now = 0.0
        """The clock of the frame that is being drawn, in seconds."""
