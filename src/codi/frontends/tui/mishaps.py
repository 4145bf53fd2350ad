"""Bugs of single parts of the interface: a line in the part's place, the rest in the log, and everything else goes on."""

from collections.abc import Callable


class Mishaps:
    """`log` keeps a text and says where it is."""

    def __init__(self, log: Callable[[str], str]) -> None:
        self._log = log

    def told(self, what: str, bug: Exception) -> str:
        """One line about a bug, which is kept with its traceback."""
        from traceback import format_exception  # nobody needs it before something is broken

        path = self._log("".join(format_exception(bug)))
        return f"{what} failed: {type(bug).__name__}: {' '.join(str(bug).split())[:200]}; the details are in {path}"
