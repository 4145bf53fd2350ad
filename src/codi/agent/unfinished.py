"""What was heard of a reply that has not come to its end, and perhaps never will."""

from codi.protocol.events import Delta, StatusDelta, TextDelta, ThinkingDelta
from codi.protocol.messages import Block, Text, Thinking


class Unfinished:
    """Text and thinking by their place in the reply. Pieces of calls are dropped: a call runs whole or not at all."""

    def __init__(self) -> None:
        self._heard: dict[int, list[str]] = {}
        self._thought: set[int] = set()

    def add(self, delta: Delta) -> None:
        match delta:
            case TextDelta(text, index):
                self._heard.setdefault(index, []).append(text)
            case ThinkingDelta(text, index):
                self._heard.setdefault(index, []).append(text)
                self._thought.add(index)
            case StatusDelta(kind="retry"):
                self._heard.clear()
                self._thought.clear()

    def blocks(self) -> tuple[Block, ...]:
        return tuple(
            Thinking("".join(pieces)) if index in self._thought else Text("".join(pieces))
            for index, pieces in sorted(self._heard.items())
            if any(pieces)
        )
