"""What was said: by the person, and by the model."""

import re
from collections.abc import Callable, Sequence

from codi.frontends.sanitiser import visible
from codi.frontends.tui.blocks.look import Look, in_words
from codi.frontends.tui.lines import Line, clipped, wrapped
from codi.frontends.tui.markdown import Markdown
from codi.protocol.messages import Image

_ENDS = ".!?:;*_`\"')"
"""What may stand behind a sentence and belongs to it."""
_ABOVE: tuple[Line, ...] = ((),)
_FILE = re.compile(r'<(file|directory) name="[^"\n]*"[^>\n]*>.*?</\1>\n', re.DOTALL)


class UserBlock:
    """What the person said. It never changes."""

    is_done = True

    def __init__(self, text: str, images: Sequence[Image] = (), look: Look | None = None) -> None:
        self.text = visible(without_files(text).rstrip())
        self._images = images
        self._look = look or Look()

    def settled(self, columns: int) -> int:
        return len(self.lines(columns))

    def lines(self, columns: int) -> list[Line]:
        return self._with(columns, self._look.picture)

    def whole(self, columns: int) -> list[Line]:
        return self._with(columns, in_words)

    def _with(self, columns: int, picture: Callable[[Image, int], Sequence[Line]]) -> list[Line]:
        said = wrapped(((self.text, "user"),), columns, first=(("› ", "accent"),), rest=(("  ", ""),))
        return [(), *said, *(line for image in self._images for line in picture(image, columns))]


def without_files(text: str) -> str:
    """What was typed: the files that stand before it are named in it."""
    while match := _FILE.match(text):
        text = text[match.end() :]
    return text


class AnswerBlock:
    """What the model says, as it comes."""

    def __init__(self, text: str = "") -> None:
        self._markdown = Markdown(visible(text), _ABOVE)
        self.is_done = False

    @property
    def text(self) -> str:
        return self._markdown.text

    def feed(self, text: str) -> None:
        self._markdown.feed(visible(text))

    def replace(self, text: str) -> None:
        """This is what was said; where something else was streamed, this counts."""
        whole = visible(text)
        if whole != self._markdown.text:
            self._markdown = Markdown(whole, _ABOVE)

    def mark(self, sentence: str, mark: str, columns: int, printed: int) -> bool:
        """Put a mark behind a sentence. False where it is not found, or stands among the first `printed` lines."""
        before, found, after = self.text.rpartition(visible(sentence))
        if not found:
            return False
        end = next((at for at, letter in enumerate(after) if letter not in _ENDS), len(after))
        found, after = found + after[:end], after[end:]
        marked = Markdown(f"{before}{found} {mark.replace('[', chr(92) + '[')}{after}", _ABOVE)
        if marked.lines(columns)[:printed] != self._markdown.lines(columns)[:printed]:
            return False
        self._markdown = marked
        return True

    def end(self, text: str) -> None:
        """This is all of it."""
        self.replace(text)
        self._markdown.is_done = self.is_done = True

    def printed(self) -> None:
        """All of it is the terminal's now."""
        self._markdown.forget_lines()

    def settled(self, columns: int) -> int:
        return self._markdown.settled(columns)

    def lines(self, columns: int) -> Sequence[Line]:
        return self._markdown.lines(columns)

    def whole(self, columns: int) -> Sequence[Line]:
        return self._markdown.lines(columns)


class ThinkingBlock:
    """What the model thinks, folded unless the person wants to see it."""

    def __init__(self, look: Look, text: str = "", began: float | None = None) -> None:
        self.text = visible(text)
        self.is_done = False
        self._look = look
        self._began = began
        self._took: float | None = None

    def feed(self, text: str) -> None:
        self.text += visible(text)

    def end(self, text: str | None = None) -> None:
        if text is not None:
            self.text = visible(text)
        if self._began is not None and not self.is_done:
            self._took = self._look.now - self._began
        self.is_done = True

    def settled(self, columns: int) -> int:
        return len(self.lines(columns)) if self.is_done else 0

    def lines(self, columns: int) -> list[Line]:
        if self._look.thinking:
            return self.whole(columns)
        if self.is_done:
            took = "" if self._took is None else f" for {self._took:.0f} s"
            return [(), clipped(((f"Thought{took}", "thinking"),), columns)]
        since = "" if self._began is None else f" {self._look.now - self._began:.0f} s"
        return [(), clipped(((f"Thinking...{since}", "thinking"),), columns)]

    def whole(self, columns: int) -> list[Line]:
        return [(), *wrapped(((self.text.strip("\n"), "thinking"),), columns, first=(("  ", ""),), rest=(("  ", ""),))]
