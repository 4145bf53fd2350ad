"""The editor as in vim: modes, operators with counts and motions, text objects, and the last change again.

It is given keys before the composer is; what it does not take is the composer's, so enter still sends and ctrl+c still clears.
"""

from collections.abc import Callable
from typing import Literal

from codi.frontends.tui.cells import graphemes
from codi.frontends.tui.composer import Modal
from codi.frontends.tui.editor import Editor
from codi.frontends.tui.keys import Input
from codi.frontends.tui.motions import Stretch, found, moved, object_at

Mode = Literal["normal", "insert", "visual", "visual line"]

_OPERATORS = "dcy"
_TAKES_LETTER = "fFtTr"
_KEYS = {"left": "h", "right": "l", "up": "k", "down": "j", "home": "0", "end": "$", "backspace": "h", "delete": "x"}
_MOST_COUNT = 9999


class Vim(Modal):
    """`editor` gives the editor as it is now, `up_down` moves the caret by a row where the lines are wrapped or goes through the
    history. The mode is `insert` at first: a person types a prompt."""

    def __init__(self, editor: Callable[[], Editor], up_down: Callable[[int], object]) -> None:
        self.mode: Mode = "insert"
        self._editor_now = editor
        self._up_down = up_down
        self._typed = ""
        self._register, self._is_of_lines = "", False
        self._sought: tuple[str, str] | None = None
        self._searching: str | None = None
        self._wanted, self._backwards = "", False
        self._change: list[Input] = []
        self._recording: list[Input] | None = None
        self._is_repeating = False
        self._begun = 0

    @property
    def told(self) -> str:
        """The mode, and what was begun, for the rule above the editor."""
        sought = f" {'?' if self._backwards else '/'}{self._searching}" if self._searching is not None else ""
        return f"{self.mode}{sought}{' ' + self._typed if self._typed else ''}"

    def take(self, what: Input) -> bool:
        kind, text = what
        if kind not in ("key", "text"):
            return False
        if self._searching is not None:
            return self._search(kind, text)
        if self.mode == "insert":
            return self._insert(kind, text)
        if kind == "text":
            letters = list(graphemes(text))
            for at, letter in enumerate(letters, 1):
                if self._searching is not None:
                    self._search(kind, letter)
                    continue
                self._press(letter)
                if self._is_insert() and letters[at:]:  # what came in one piece with the key that began to insert
                    self.type("".join(letters[at:]))
                    break
            return True
        if text in _KEYS and not (text in ("up", "down") and not self._typed and self.mode == "normal"):
            self._press(_KEYS[text])
            return True
        if text == "esc":
            return self._escape()
        if text == "ctrl+r":
            self._editor.redo()
            self._settle()
            return True
        return False

    def type(self, text: str) -> None:
        """Insert what is typed, and remember it for when the change is made again."""
        if self._recording is not None:
            self._recording.append(("text", text))
        self._editor.insert(text)

    def begin_anew(self) -> None:
        """The text was sent: the next one is typed."""
        self.mode, self._typed, self._recording, self._begun = "insert", "", None, 0

    @property
    def _editor(self) -> Editor:
        return self._editor_now()

    def _is_insert(self) -> bool:
        return self.mode == "insert"

    def _insert(self, kind: str, text: str) -> bool:
        if kind == "key" and text in ("esc", "ctrl+["):
            if self._recording is not None:
                self._change, self._recording = self._recording, None
            editor = self._editor
            editor.join_undos(self._begun)
            if editor.caret > editor.line_begin(editor.caret):
                editor.move(editor.left_of(editor.caret))
            self.mode = "normal"
            return True
        if self._recording is not None:
            self._recording.append((kind, text))
        return False

    def _escape(self) -> bool:
        """Out of what was begun, or out of visual; where nothing was, it is somebody else's key."""
        if not self._typed and self.mode == "normal":
            return False
        self._typed, self.mode = "", "normal"
        self._editor.mark = None
        self._settle()
        return True

    def _press(self, letter: str) -> None:
        if not self._typed:
            self._begun = self._editor.undos
        self._typed += letter
        count, rest = _counted(self._typed)
        if not rest:
            return
        if self.mode.startswith("visual"):
            done = self._visual(count, rest)
        elif rest[0] in _OPERATORS:
            done = self._operate(count, rest)
        else:
            done = self._command(count, rest)
        if done:
            self._typed = ""

    def _command(self, count: int | None, keys: str) -> bool:
        """A command of normal mode; False while it is not complete."""
        editor, times = self._editor, count or 1
        key = keys[0]
        if (key in _TAKES_LETTER or key == "g") and len(keys) < 2:
            return False
        match key:
            case "i" | "a" | "I" | "A" | "o" | "O":
                self._begin_to_insert(key)
            case "v" | "V":
                self.mode = "visual" if key == "v" else "visual line"
                editor.mark = editor.caret
            case "x" | "X" | "D" | "C" | "s" | "S" | "Y":
                long = {"x": "dl", "X": "dh", "D": "d$", "C": "c$", "s": "cl", "S": "cc", "Y": "yy"}[key]
                return self._operate(count, long, said=keys)
            case "r":
                end = editor.caret
                for _ in range(times):
                    end = editor.right_of(end)
                if end <= editor.line_end(editor.caret):
                    editor.replace(editor.caret, end, keys[1] * times)
                    editor.move(editor.left_of(editor.caret))
                    self._keep(count, keys)
            case "~":
                self._swap_case(times)
                self._keep(count, keys)
            case "J":
                self._join(times)
                self._keep(count, keys)
            case "p" | "P":
                self._put(before=key == "P", times=times)
                self._keep(count, keys)
            case "u":
                for _ in range(times):
                    editor.undo()
                self._settle()
            case ".":
                self._again(times)
            case "/" | "?":
                self._searching, self._backwards = "", key == "?"
            case "n" | "N":
                self._find(times, backwards=self._backwards ^ (key == "N"))
            case "j" | "k" if count is None:
                self._up_down(1 if key == "j" else -1)
                self._settle()
            case _:
                self._go(count, keys)
        return True

    def _go(self, count: int | None, keys: str, *, select: bool = False) -> None:
        editor = self._editor
        if keys[0] in "fFtT":
            self._sought = (keys[0], keys[1])
        stretch = moved(editor, keys, count, self._sought)
        if stretch is not None:
            mark = editor.mark
            editor.move(stretch.caret)
            editor.mark = mark if select else None
            if not select:
                self._settle()

    def _operate(self, count: int | None, keys: str, said: str = "") -> bool:
        """An operator over what comes behind it; False while that is not complete."""
        editor, operator = self._editor, keys[0]
        inner, rest = _counted(keys[1:])
        times = None if count is None and inner is None else (count or 1) * (inner or 1)
        if not rest or (rest[0] in "fFtTgia" and len(rest) < 2):
            return False
        stretch: Stretch | None
        if rest[0] == operator:
            stretch = _lines(editor, times or 1)
        elif rest[0] in "ia":
            stretch = object_at(editor, rest)
        else:
            if rest[0] in "fFtT":
                self._sought = (rest[0], rest[1])
            # To change a word leaves the space behind it.
            is_word = operator == "c" and rest in ("w", "W") and not _is_space(editor.text, editor.caret)
            stretch = moved(editor, f"c{rest}" if is_word else rest, times, self._sought)
        if stretch is not None:
            self._do(operator, stretch)
            if operator != "y":
                self._keep(count, said or keys)
        return True

    def _do(self, operator: str, stretch: Stretch) -> None:
        editor = self._editor
        begin, end = stretch.begin, stretch.end
        self._register, self._is_of_lines = editor.text[begin:end], stretch.is_lines
        editor.mark = None
        if operator == "y":
            editor.move(begin)
            self._settle()
            return
        if stretch.is_lines and operator == "d":
            if end < len(editor.text):
                end += 1
            elif begin:
                begin -= 1
        if end > begin:
            editor.replace(begin, end, "")
        if operator == "c":
            self.mode = "insert"
            return
        if stretch.is_lines:
            editor.move(_first_sign(editor, editor.line_begin(editor.caret)))
        self._settle()

    def _visual(self, count: int | None, keys: str) -> bool:
        editor, key = self._editor, keys[0]
        if key in "fFtTgia" and len(keys) < 2:
            return False
        match key:
            case "v" | "V":
                wanted: Mode = "visual" if key == "v" else "visual line"
                self.mode = "normal" if self.mode == wanted else wanted
                editor.mark = None if self.mode == "normal" else editor.mark
            case "d" | "x" | "c" | "s" | "y" | "D" | "X" | "C" | "S" | "Y":
                stretch = self._selected(lines=key.isupper())
                self.mode = "normal"
                self._do({"x": "d", "s": "c"}.get(key.lower(), key.lower()), stretch)
            case "p" | "P":
                stretch, text = self._selected(), self._register
                self.mode, editor.mark = "normal", None
                editor.replace(stretch.begin, stretch.end, text)
                self._settle()
            case "~" | "u" | "U":
                stretch = self._selected()
                self.mode, editor.mark = "normal", None
                text = editor.text[stretch.begin : stretch.end]
                new = text.swapcase() if key == "~" else text.lower() if key == "u" else text.upper()
                editor.replace(stretch.begin, stretch.end, new)
                editor.move(stretch.begin)
            case "o" if editor.mark is not None:
                editor.caret, editor.mark = editor.mark, editor.caret
            case "i" | "a":
                if inside := object_at(editor, keys):
                    editor.mark, editor.caret = inside.begin, max(editor.left_of(inside.end), inside.begin)
            case _:
                self._go(count, keys, select=True)
        return True

    def _selected(self, *, lines: bool = False) -> Stretch:
        """What is selected: the character under the caret as well, and whole lines where they are meant."""
        editor = self._editor
        mark = editor.caret if editor.mark is None else editor.mark
        begin, end = sorted((mark, editor.caret))
        if lines or self.mode == "visual line":
            return Stretch(editor.line_begin(begin), editor.line_end(end), begin, is_lines=True)
        return Stretch(begin, editor.right_of(end), begin)

    def _begin_to_insert(self, key: str) -> None:
        editor = self._editor
        begin, end = editor.line_begin(editor.caret), editor.line_end(editor.caret)
        match key:
            case "a":
                editor.move(min(editor.right_of(editor.caret), end))
            case "I":
                editor.move(_first_sign(editor, begin))
            case "A":
                editor.move(end)
            case "o":
                editor.replace(end, end, "\n")
            case "O":
                editor.replace(begin, begin, "\n")
                editor.move(begin)
        self.mode = "insert"
        self._keep(None, key)

    def _keep(self, count: int | None, keys: str) -> None:
        """Remember a change, to do it again; with what is typed where it goes on to insert."""
        if self._is_repeating:
            return
        self._change = [("text", f"{count or ''}{keys}")]
        self._recording = list(self._change) if self.mode == "insert" else None

    def _again(self, times: int) -> None:
        if not self._change or self._is_repeating:
            return
        self._is_repeating = True
        for _ in range(times):
            self._typed = ""
            first, *more = self._change
            for letter in first[1]:
                self._press(letter)
            for what in more:
                if what[0] == "key" and what[1] == "backspace":
                    self._editor.backspace()
                elif what[0] == "text":
                    self._editor.insert(what[1])
                elif what[1] in ("enter", "shift+enter", "ctrl+j"):
                    self._editor.insert("\n")
            if self._is_insert():
                self._insert("key", "esc")
        self._is_repeating, self._typed = False, ""

    def _put(self, *, before: bool, times: int) -> None:
        editor, text = self._editor, self._register * times
        if not text:
            return
        if self._is_of_lines:
            lines = "\n".join([self._register] * times)
            if before:
                at = editor.line_begin(editor.caret)
                editor.replace(at, at, f"{lines}\n")
                editor.move(_first_sign(editor, at))
            else:
                at = editor.line_end(editor.caret)
                editor.replace(at, at, f"\n{lines}")
                editor.move(_first_sign(editor, at + 1))
            return
        at = editor.caret if before else min(editor.right_of(editor.caret), editor.line_end(editor.caret))
        editor.replace(at, at, text)
        editor.move(editor.left_of(editor.caret))

    def _swap_case(self, times: int) -> None:
        editor = self._editor
        end = min(editor.caret + times, editor.line_end(editor.caret))
        if end > editor.caret:
            editor.replace(editor.caret, end, editor.text[editor.caret : end].swapcase())
        self._settle()

    def _join(self, times: int) -> None:
        editor = self._editor
        for _ in range(max(times - 1, 1)):
            end = editor.line_end(editor.caret)
            if end == len(editor.text):
                return
            behind = end + 1
            while behind < len(editor.text) and editor.text[behind] in " \t":
                behind += 1
            editor.replace(end, behind, " ")
            editor.move(end)

    def _search(self, kind: str, text: str) -> bool:
        assert self._searching is not None
        if kind == "text":
            self._searching += text
        elif text == "backspace" and self._searching:
            self._searching = self._searching[:-1]
        elif text in ("esc", "ctrl+c", "backspace"):
            self._searching = None
        elif text == "enter":
            self._wanted, self._searching = self._searching or self._wanted, None
            self._find(1, backwards=self._backwards)
        return True

    def _find(self, times: int, *, backwards: bool) -> None:
        editor = self._editor
        for _ in range(times):
            at = found(editor.text, self._wanted, editor.caret, backwards=backwards)
            if at is not None:
                mark = editor.mark
                editor.move(at)
                editor.mark = mark

    def _settle(self) -> None:
        """In normal mode the caret stands on a character, not behind the last one of its line."""
        editor = self._editor
        begin, end = editor.line_begin(editor.caret), editor.line_end(editor.caret)
        if self.mode == "normal" and editor.caret == end and end > begin:
            editor.move(editor.left_of(editor.caret))


def _counted(keys: str) -> tuple[int | None, str]:
    """The count in front, and the rest; a zero alone is a motion."""
    digits = 0
    while digits < len(keys) and keys[digits].isascii() and keys[digits].isdigit() and (digits or keys[0] != "0"):
        digits += 1
    return (min(int(keys[:digits]), _MOST_COUNT) if digits else None), keys[digits:]


def _lines(editor: Editor, count: int) -> Stretch:
    begin = editor.line_begin(editor.caret)
    end = editor.line_end(editor.caret)
    for _ in range(count - 1):
        if end < len(editor.text):
            end = editor.line_end(end + 1)
    return Stretch(begin, end, begin, is_lines=True)


def _first_sign(editor: Editor, begin: int) -> int:
    end = editor.line_end(begin)
    line = editor.text[begin:end]
    return begin + len(line) - len(line.lstrip()) if line.strip() else begin


def _is_space(text: str, at: int) -> bool:
    return at >= len(text) or text[at].isspace()
