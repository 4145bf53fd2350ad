"""The text that is being typed: moving, changing, killing and yanking, selecting, undoing. It knows no keys and no screen.

Positions are indices into the text; motions go by graphemes, so nothing is ever left half. The words for what it does (kill,
yank, point) are those of Emacs and readline.
"""

from codi.frontends.tui.cells import graphemes

_KILLS = 60
_UNDOS = 5000


class Editor:
    """`text` with a `caret` in it; `mark` is where a selection began, None where nothing is selected."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.caret = len(text)
        self.mark: int | None = None
        self._undone: list[tuple[str, int]] = []
        self._done: list[tuple[str, int]] = []
        self._kills: list[str] = []
        self._last = ""
        self._yanked: tuple[int, int] | None = None
        self._goal: int | None = None

    def insert(self, text: str) -> None:
        """Type `text` in place of the selection. Typing undoes word by word."""
        starts_word = text[:1].isspace() or self._last != "insert" or self.mark is not None
        self._change("insert", keep=starts_word or len(text) > 1)
        self._cut_selection()
        self.text = self.text[: self.caret] + text + self.text[self.caret :]
        self.caret += len(text)

    def replace(self, begin: int, end: int, text: str) -> None:
        """Put `text` in place of a stretch, the caret behind it."""
        self._change("replace")
        self.text = self.text[:begin] + text + self.text[end:]
        self.caret = begin + len(text)
        self.mark = None

    def set(self, text: str) -> None:
        """Another text altogether; undo brings the one before back."""
        if text != self.text:
            self.replace(0, len(self.text), text)
        self.caret, self.mark = len(text), None

    def backspace(self) -> None:
        self._delete(self.left_of(self.caret), self.caret)

    def delete(self) -> None:
        self._delete(self.caret, self.right_of(self.caret))

    def kill_to(self, position: int) -> None:
        """Cut from the caret to there into the kill ring; kills in a row join."""
        begin, end = sorted((self.caret, position))
        if begin == end:
            return
        joins = self._last == "kill"
        backwards = position < self.caret
        self._change("kill")
        killed = self.text[begin:end]
        if joins and self._kills:
            self._kills[-1] = killed + self._kills[-1] if backwards else self._kills[-1] + killed
        else:
            self._kills = [*self._kills, killed][-_KILLS:]
        self.text = self.text[:begin] + self.text[end:]
        self.caret, self.mark = begin, None

    def yank(self) -> None:
        """Insert what was killed last."""
        if self._kills:
            self._change("yank")
            self._cut_selection()
            self._put(self._kills[-1])

    def rotate(self) -> None:
        """Put the kill before in place of what was just yanked."""
        if self._last != "yank" or self._yanked is None or len(self._kills) < 2:
            return
        begin, end = self._yanked
        self._kills = [self._kills[-1], *self._kills[:-1]]
        self.text = self.text[:begin] + self.text[end:]
        self.caret = begin
        self._put(self._kills[-1])

    def cut(self) -> str:
        """The selection, taken out; also into the kill ring."""
        text = self.selection
        if text and self.mark is not None:
            self.caret, other = max(self.caret, self.mark), min(self.caret, self.mark)
            self._last = ""
            self.kill_to(other)
        return text

    def undo(self) -> bool:
        return self._step(self._done, self._undone)

    def redo(self) -> bool:
        return self._step(self._undone, self._done)

    @property
    def undos(self) -> int:
        """How many steps can be undone."""
        return len(self._done)

    def join_undos(self, since: int) -> None:
        """Make one step of all that was done since there were so many."""
        del self._done[since + 1 :]

    def move(self, position: int, *, select: bool = False) -> None:
        """Put the caret there; with `select` the stretch from where it was is selected, or the selection grows."""
        if select:
            self.mark = self.caret if self.mark is None else self.mark
        else:
            self.mark = None
        self.caret = max(0, min(position, len(self.text)))
        self._last, self._goal = "", None

    def move_line(self, lines: int, *, select: bool = False) -> bool:
        """Go up or down by lines, staying in the column where that began; False where there is no such line."""
        begin = self.line_begin(self.caret)
        goal = self._goal if self._goal is not None and self._last == "line" else self.caret - begin
        at = begin
        for _ in range(abs(lines)):
            if lines < 0:
                if at == 0:
                    return False
                at = self.line_begin(at - 1)
            else:
                end = self.line_end(at)
                if end == len(self.text):
                    return False
                at = end + 1
        self.move(self._whole(min(at + goal, self.line_end(at))), select=select)
        self._last, self._goal = "line", goal
        return True

    @property
    def selection(self) -> str:
        if self.mark is None:
            return ""
        begin, end = sorted((self.mark, self.caret))
        return self.text[begin:end]

    def left_of(self, position: int) -> int:
        """The beginning of the character before."""
        if position <= 0:
            return 0
        begin = self.line_begin(position)
        if position == begin:
            return position - 1
        *_, last = graphemes(self.text[begin:position])
        return position - len(last)

    def right_of(self, position: int) -> int:
        """The end of the character behind."""
        if position >= len(self.text):
            return len(self.text)
        if self.text[position] == "\n":
            return position + 1
        return position + len(next(iter(graphemes(self.text[position : self.line_end(position)]))))

    def word_left_of(self, position: int) -> int:
        """The beginning of the word before."""
        while position > 0 and not _is_word(self.text[position - 1]):
            position -= 1
        while position > 0 and _is_word(self.text[position - 1]):
            position -= 1
        return position

    def word_right_of(self, position: int) -> int:
        """The end of the word behind."""
        while position < len(self.text) and not _is_word(self.text[position]):
            position += 1
        while position < len(self.text) and _is_word(self.text[position]):
            position += 1
        return position

    def space_left_of(self, position: int) -> int:
        """The beginning of what stands before between spaces."""
        while position > 0 and self.text[position - 1].isspace():
            position -= 1
        while position > 0 and not self.text[position - 1].isspace():
            position -= 1
        return position

    def line_begin(self, position: int) -> int:
        return self.text.rfind("\n", 0, position) + 1

    def line_end(self, position: int) -> int:
        end = self.text.find("\n", position)
        return len(self.text) if end < 0 else end

    def find(self, character: str, *, backwards: bool = False) -> int | None:
        """Where the next such character stands, or the one before the caret."""
        at = self.text.rfind(character, 0, self.caret) if backwards else self.text.find(character, self.caret + 1)
        return None if at < 0 else at

    def _whole(self, position: int) -> int:
        """The position, or the beginning of the character that it would split."""
        begin = self.line_begin(position)
        line = self.text[begin : self.line_end(position)]
        if line.isascii():
            return position
        at = begin
        for part in graphemes(line):
            if at + len(part) > position:
                return at
            at += len(part)
        return at

    def _delete(self, begin: int, end: int) -> None:
        if self.mark is not None and self.mark != self.caret:
            begin, end = sorted((self.mark, self.caret))
        if begin == end:
            self.mark = None
            return
        self._change("delete", keep=self._last != "delete")
        self.text = self.text[:begin] + self.text[end:]
        self.caret, self.mark = begin, None

    def _cut_selection(self) -> None:
        if self.mark is not None:
            begin, end = sorted((self.mark, self.caret))
            self.text = self.text[:begin] + self.text[end:]
            self.caret, self.mark = begin, None

    def _put(self, text: str) -> None:
        begin = self.caret
        self.text = self.text[:begin] + text + self.text[begin:]
        self.caret = begin + len(text)
        self._yanked = (begin, self.caret)

    def _change(self, what: str, *, keep: bool = True) -> None:
        """Remember how it was, unless this only goes on with what was just being done."""
        if keep or not self._done:
            self._done.append((self.text, self.caret))
            del self._done[:-_UNDOS]
        self._undone.clear()
        self._last = what

    def _step(self, back: list[tuple[str, int]], forth: list[tuple[str, int]]) -> bool:
        if not back:
            return False
        forth.append((self.text, self.caret))
        self.text, self.caret = back.pop()
        self.mark, self._last = None, ""
        return True


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
