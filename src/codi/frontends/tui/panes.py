"""What the parts of the interface owe each other: panes take keys and give lines, blocks give the lines of the transcript.

A pane stands where the editor is, or fills the window: the editor itself, a dialog, a picker, the pager. A block is one thing
in the transcript: what was said, a call, a notice. Both are functions from their state to lines and know no terminal.
"""

from collections.abc import Sequence
from typing import Protocol

from codi.frontends.tui.keys import Input
from codi.frontends.tui.lines import Line
from codi.frontends.tui.view import View


class Pane(Protocol):
    def take(self, what: Input) -> bool:
        """Do what the input asks for; False if it means nothing here."""
        ...

    def view(self, rows: int, columns: int) -> View:
        """At most so many lines of at most so many cells."""
        ...


class Pictures(Protocol):
    """What draws images, once the terminal has said whether it can."""

    def hear(self, report: str) -> None:
        """An answer of the terminal."""
        ...


class Block(Protocol):
    @property
    def is_done(self) -> bool:
        """Nothing of it changes any more: all of it may be printed for good."""
        ...

    def settled(self, columns: int) -> int:
        """How many of its first lines will not change any more, whatever comes."""
        ...

    def lines(self, columns: int) -> Sequence[Line]:
        """As it stands in the transcript, long parts shortened with the number of what is hidden."""
        ...

    def whole(self, columns: int) -> Sequence[Line]:
        """All of it, as the pager shows it."""
        ...
