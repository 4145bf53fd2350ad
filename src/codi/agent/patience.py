"""How much nonsense of a model a turn bears before it ends."""

from codi.protocol.errors import CodiError

GO_ON = "Your answer was cut off at the output limit. Go on exactly where it stopped."
SAY_SOMETHING = "Your last reply was empty. Go on with the task, or say that it is done."


class StepLost(CodiError):
    """The model cannot go on in a way that makes sense."""

    code = "model"


class Patience:
    """Counts what goes wrong in a turn; each method raises StepLost when it is once too often. A model is nudged `nudges` times
    when it says nothing."""

    def __init__(self, max_failed_steps: int, *, nudges: int = 1) -> None:
        self._max_failed_steps = max_failed_steps
        self._nudges = nudges
        self._malformed = 0
        self._cut = self._continued = self._paused = self._empty = self._defects = self._failed = 0

    def cut_calls(self) -> bool:
        """A reply hit the output limit with a call in it. True: it happened twice in a row, allow more output."""
        self._cut += 1
        if self._cut >= 3:
            raise StepLost(
                "the model's replies hit the output limit three times in a row before a tool call was complete",
                hint="Ask for smaller steps, or raise the limit by --config model.max_output=N.",
            )
        return self._cut == 2

    def cut_text(self) -> None:
        self._continued += 1
        if self._continued > 2:
            raise StepLost(
                "the answer hit the output limit three times", hint="Raise it by --config model.max_output=N."
            )

    def paused(self) -> None:
        self._paused += 1
        if self._paused > 5:
            raise StepLost("the service paused its answer more than five times", hint="Try again later.")

    def empty(self) -> None:
        self._empty += 1
        if self._empty > self._nudges:
            raise StepLost("The model sent an empty reply.", hint="Try again, or choose another model with --model.")

    def malformed(self) -> None:
        """A reply was meant to act, and could not be understood."""
        self._malformed += 1
        if self._malformed > 2:
            raise StepLost(
                "the model wrote tool calls that cannot be read, also after two corrections",
                hint="Say what to do in other words, or choose another model with --model.",
            )

    def whole(self, *, defects: bool) -> None:
        """A reply came to its end; `defects`: with calls whose arguments are no JSON."""
        self._cut = 0
        self._defects = self._defects + 1 if defects else 0

    def after_results(self, *, all_failed: bool, last: str) -> None:
        if self._defects > 2:
            raise StepLost(
                "the model sent tool calls with malformed arguments three times in a row",
                hint="Try again, or choose another model with --model.",
            )
        self._failed = self._failed + 1 if all_failed else 0
        if self._failed >= self._max_failed_steps:
            raise StepLost(
                f"every tool call failed in {self._failed} steps in a row; the last one: {last}",
                hint="Look at what the calls tried, and say how to go on.",
            )
