"""The prompt that was painted before anything was loaded, as far as those know it who are not the terminal interface."""

from typing import Protocol


class Painted(Protocol):
    def begin(self) -> None: ...

    def greet(self, text: str) -> None:
        """Show above the prompt who will answer, as it will stand above the conversation."""
        ...

    def withdraw(self) -> None:
        """Give the terminal back as if nothing had been painted."""
        ...
