"""The end of an answer while it is being written: what more of a paragraph or of a listing changes, and nothing else.

Most of what a model says goes on where it stopped, in a paragraph or in code. To parse the block again and to wrap all of it
for every few characters would be most of the work that the screen makes. What may mean more than itself is not taken here: the
whole block is looked at again then.
"""

import re

from codi.frontends.tui.highlighting import highlighted, stretches
from codi.frontends.tui.lines import Line, broken, merged, wrapped

_PLAIN = re.compile(r"""(?:[^\W_]|[ "#$%',./:?=@^{|}+(-])+""")
_MOST_LINES = 2000


def open_paragraph(source: str, columns: int) -> "OpenParagraph | None":
    """The paragraph that ends the source; None where a plain character more could make something else of it."""
    last_line = source[source.rfind("\n") + 1 :]
    if not last_line[:1].isalpha() or not _PLAIN.fullmatch(last_line[-1]) or "\t" in last_line:
        return None
    return OpenParagraph(last_line, columns)


class OpenParagraph:
    """Grows by characters that mean only themselves, wherever they stand in a line that begins with a letter."""

    def __init__(self, last_line: str, columns: int) -> None:
        self._columns = columns
        self._hanging = last_line[len(last_line.rstrip()) :]

    def grow(self, text: str, lines: list[Line]) -> bool:
        """Bring the last row up to date; False if that is not enough."""
        if not _PLAIN.fullmatch(text):
            return False
        said = self._hanging + text
        shown = said.rstrip()
        self._hanging = said[len(shown) :]
        if shown:
            lines[-1:] = wrapped(merged((*lines[-1], (shown, "text"))), self._columns)
        return True


def open_listing(source: str, language: str, columns: int) -> "OpenListing | None":
    """The listing between fences that the source is, if its end has not come and it is not too long for colours."""
    if source[:1] not in ("`", "~") or "\n" not in source or source.count("\n") > _MOST_LINES or _ends_blank(source):
        return None
    return OpenListing(source.partition("\n")[2], language, columns)


class OpenListing:
    """Grows by text without signs of a fence. `settled` is how many rows stay, the one above the code among them."""

    def __init__(self, code: str, language: str, columns: int) -> None:
        self._language = language
        self._columns = columns
        self._left = _MOST_LINES
        self._code = ""
        self._rows = 0
        self._done_rows = 0
        self._shown(code)

    @property
    def settled(self) -> int:
        return 1 + self._done_rows if self._done_rows else 0

    def grow(self, text: str, lines: list[Line]) -> bool:
        """Bring the rows of the last stretch of code up to date; False if that is not enough."""
        if "`" in text or "~" in text or self._left < text.count("\n") or _ends_blank(self._code + text):
            return False
        before = self._rows
        rows = self._shown(self._code + text)
        lines[-1 - before : -1] = rows
        return True

    def _shown(self, code: str) -> list[Line]:
        """The rows of the code from the last stretch on; its last stretch is remembered."""
        lines = code.removesuffix("\n").split("\n")
        rows: list[Line] = []
        begin = stretches(lines)[-1][0]
        for at, line in enumerate(highlighted(lines, self._language)):
            if at == begin:
                self._done_rows += len(rows)
                self._rows = -len(rows)
            rows += broken(line, self._columns)
        self._rows += len(rows)
        self._left -= begin
        self._code = "\n".join(lines[begin:]) + ("\n" if code.endswith("\n") else "")
        return rows


def _ends_blank(code: str) -> bool:
    """Whether the last line is begun and holds only spaces: it does not count until there is more."""
    return code[code.rfind("\n") + 1 :].isspace()
