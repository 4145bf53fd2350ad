"""Markdown as lines, while it is still being written.

Blocks that are complete are laid out once; only the last one is looked at again when more comes.
"""

from codi.frontends.tui.lines import Line, wrapped


class Markdown:
    """The text of an answer, fed as it comes."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.is_done = False

    def feed(self, text: str) -> None:
        self.text += text

    def lines(self, columns: int) -> list[Line]:
        return wrapped(((self.text.rstrip("\n"), "text"),), columns)

    def settled(self, columns: int) -> int:
        """How many of the first lines will stay as they are."""
        end = self.text.rfind("\n")
        return len(wrapped(((self.text[:end], "text"),), columns)) if end > 0 else 0
