"""Asking the person for something that nobody should see."""

import os
import sys
from collections.abc import Callable


def who_asks() -> Callable[[str], str] | None:
    """What asks, by the terminal itself, so that it works while standard input brings something else; None where nobody sits
    at a terminal."""
    return asked if sys.stderr.isatty() and os.path.exists("/dev/tty") else None


def asked(question: str) -> str:
    """The answer, which was not shown. The question goes to the terminal alone."""
    from getpass import getpass  # not before somebody is asked

    try:
        return getpass(question)
    except EOFError:
        return ""
