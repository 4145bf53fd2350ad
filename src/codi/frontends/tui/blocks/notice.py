"""One line beside the conversation: a warning, an error with its hint, the sum of a turn."""

from codi.frontends.sanitiser import visible
from codi.frontends.tui.lines import Line, Span, wrapped

_SIGNS = {"warning": "!", "error": "✗", "info": "·"}


class NoticeBlock:
    """`kind` is the style and the sign. It never changes."""

    is_done = True

    def __init__(self, kind: str, text: str, hint: str = "") -> None:
        self._kind = kind
        self._spans: list[Span] = [(visible(text), kind if kind != "info" else "dim")]
        self._hint = visible(hint)

    def settled(self, columns: int) -> int:
        return len(self.lines(columns))

    def lines(self, columns: int) -> list[Line]:
        return self.whole(columns)

    def whole(self, columns: int) -> list[Line]:
        sign = (f"{_SIGNS.get(self._kind, '·')} ", self._kind if self._kind != "info" else "dim")
        lines = [(), *wrapped(self._spans, columns, first=(sign,), rest=(("  ", ""),))]
        if self._hint:
            lines += wrapped(((f"hint: {self._hint}", "dim"),), columns, first=(("  ", ""),), rest=(("  ", ""),))
        return lines


class TextBlock:
    """What a command answered. It never changes."""

    is_done = True

    def __init__(self, text: str) -> None:
        self._text = visible(text.rstrip("\n"))

    def settled(self, columns: int) -> int:
        return len(self.lines(columns))

    def lines(self, columns: int) -> list[Line]:
        return self.whole(columns)

    def whole(self, columns: int) -> list[Line]:
        return [(), *wrapped(((self._text, "text"),), columns)]
