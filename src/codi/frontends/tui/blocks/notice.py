"""One line beside the conversation: a warning, an error with its hint, the sum of a turn."""

from codi.frontends.sanitiser import visible
from codi.frontends.tui.lines import Line, Span, clipped, wrapped

_SIGNS = {"warning": "!", "error": "✗", "info": "·"}


class NoticeBlock:
    """`kind` is the style and the sign. With `more`, which may be empty, it takes one line and is only whole in the pager, `more`
    below it. It never changes."""

    is_done = True

    def __init__(self, kind: str, text: str, hint: str = "", *, more: str | None = None) -> None:
        self._kind = kind
        self._more = None if more is None else visible(more)
        self._spans: list[Span] = [(visible(text), kind if kind != "info" else "dim")]
        self._hint = visible(hint)

    def settled(self, columns: int) -> int:
        return len(self.lines(columns))

    def lines(self, columns: int) -> list[Line]:
        if self._more is None:
            return self.whole(columns)
        said = " ".join(text for text, _ in self._spans).replace("\n", " ")
        return [(), clipped((self._sign, (said, self._sign[1])), columns)]

    def whole(self, columns: int) -> list[Line]:
        lines: list[Line] = [(), *wrapped(self._spans, columns, first=(self._sign,), rest=(("  ", ""),))]
        for text, before in ((self._hint, "hint: "), (self._more, "")):
            if text:
                said = ((f"{before}{text}", "dim"),)
                lines += wrapped(said, columns, first=(("  ", ""),), rest=(("  ", ""),))
        return lines

    @property
    def _sign(self) -> Span:
        return (f"{_SIGNS.get(self._kind, '·')} ", self._kind if self._kind != "info" else "dim")


class TextBlock:
    """What a command answered, or codi says of itself. It never changes."""

    is_done = True

    def __init__(self, text: str, style: str = "text") -> None:
        self._text = visible(text.rstrip("\n"))
        self._style = style

    def settled(self, columns: int) -> int:
        return len(self.lines(columns))

    def lines(self, columns: int) -> list[Line]:
        return self.whole(columns)

    def whole(self, columns: int) -> list[Line]:
        return [(), *wrapped(((self._text, self._style),), columns)]
