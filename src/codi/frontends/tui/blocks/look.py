"""How much of the transcript is shown: what a person folds and unfolds."""


class Look:
    """`thinking` shows what was thought, `expanded` all of a tool's output. Shared by all blocks, changed by keys."""

    def __init__(self) -> None:
        self.thinking = False
        self.expanded = False
        self.motion = True
        self.now = 0.0
        """The clock of the frame that is being drawn, in seconds."""
