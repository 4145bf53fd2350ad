"""What a call prints, as it comes: wrapped once, and kept up to a point."""

from codi.frontends.sanitiser import visible_output
from codi.frontends.tui.lines import Line, wrapped

_KEPT = 2000
_INDENT: Line = (("  ", ""),)


class OutputText:
    """`feed` takes text, `lines` gives it wrapped. Whole lines are wrapped when they come and not again; of a long text the
    newest lines are kept, and the older ones counted."""

    def __init__(self, text: str = "", *, keep: int = _KEPT) -> None:
        self._keep = keep
        self._whole: list[str] = []
        self._open = ""
        self._dropped = 0
        self._columns = 0
        self._lines: list[Line] = []
        self._wrapped = 0
        self.feed(text)

    def feed(self, text: str) -> None:
        *whole, self._open = (self._open + visible_output(text)).split("\n")
        self._whole += whole

    def lines(self, columns: int) -> list[Line]:
        """All lines that are kept; blank ones at both ends are left away."""
        if columns != self._columns:
            self._columns, self._lines, self._wrapped, self._dropped = columns, [], 0, 0
        for text in self._whole[self._wrapped :]:
            if self._lines or self._dropped or text.strip():
                self._lines += _wrapped(text, columns)
        self._wrapped = len(self._whole)
        over = len(self._lines) - 2 * self._keep
        if over > 0:
            del self._lines[: over + self._keep]
            self._dropped += over + self._keep
        lines = [*self._lines, *(_wrapped(self._open, columns) if self._open else [])]
        while lines and not any(text.strip() for text, _ in lines[-1]):
            lines.pop()
        return lines

    @property
    def dropped(self) -> int:
        """How many lines were before those that `lines` gives."""
        return self._dropped


def _wrapped(text: str, columns: int) -> list[Line]:
    return wrapped(((text, "tool.output"),) if text else (), columns, first=_INDENT, rest=_INDENT)
