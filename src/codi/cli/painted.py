"""The prompt that was painted before anything was loaded, as far as those know it who are not the terminal interface."""

from typing import Protocol


class Painted(Protocol):
    def begin(self) -> None: ...

    def withdraw(self) -> None:
        """Give the terminal back as if nothing had been painted."""
        ...
