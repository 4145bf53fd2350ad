"""Where a person writes: the editor between two rules, with pastes as markers, and what its keys do.

It is drawn before the rest of the program is loaded, so it imports next to nothing; history and completions are handed in when
they are there.
"""

from collections.abc import Callable, Iterable, Mapping

from codi.frontends.tui.cells import graphemes, head, shown, width
from codi.frontends.tui.editor import Editor
from codi.frontends.tui.keymap import Keymap
from codi.frontends.tui.keys import Input
from codi.frontends.tui.lines import Line, Span, merged
from codi.frontends.tui.popup import Popup
from codi.frontends.tui.view import View

Complete = Callable[[str, int], Popup | None]
"""Given the text and the caret: what fits there."""

_MARKER_CHARS = 1000


class Typed:
    """What was sent: the text with its pastes in place. `is_literal` says that it begins with pasted text, and so is no
    command; `later` that it is for after this turn; `typed` is what stood in the editor, its pastes as markers. `images` are the
    files that were put in as pictures, by their markers, in order."""

    __slots__ = ("images", "is_literal", "later", "text", "typed")

    def __init__(
        self,
        text: str,
        *,
        is_literal: bool = False,
        later: bool = False,
        typed: str = "",
        images: Mapping[str, bytes] | None = None,
    ) -> None:
        self.text = text
        self.images: Mapping[str, bytes] = images or {}
        self.typed = typed
        self.is_literal = is_literal
        self.later = later


class Modal:
    """What takes keys before the composer does, as vim's modes do; this one takes none. (No protocol: those come with three times
    as much as the whole composer, and nobody has seen a prompt yet.)"""

    mode: str = ""

    @property
    def told(self) -> str:
        return ""

    def take(self, what: Input) -> bool:
        return False

    def begin_anew(self) -> None:
        pass


class Composer:
    """`send` is called with what was typed when the person sends it. `act` does what the composer itself cannot, by the name of
    the action; False if it means nothing now."""

    def __init__(self, keymap: Keymap, send: Callable[[Typed], object], act: Callable[[str], bool]) -> None:
        self.editor = Editor()
        self.keymap = keymap
        self.send = send
        self.act = act
        self.mode = ""
        self.level = "off"
        self.complete: Complete = lambda text, caret: None
        self.popup: Popup | None = None
        self.popup_rows = 5
        self.paste_lines = 10
        self.drop: Callable[[str], bool] = lambda text: False
        """Told what is pasted: whether it was the paths of files, and is seen to."""
        self.modal: Modal | None = None
        self._pastes: dict[str, str] = {}
        self._images: dict[str, bytes] = {}
        self._jumping = 0
        self._rows: list[tuple[int, int]] = [(0, 0)]
        self._columns = 80
        self._top = 0
        self._drawn: tuple[tuple[object, ...], View] = ((), View(()))

    @property
    def text(self) -> str:
        """What would be sent: markers stand for their pastes."""
        text, out, at = self.editor.text, [], 0
        for begin, end in self._markers():
            marker = text[begin:end]
            out += [text[at:begin], self._pastes.get(marker, marker)]
            at = end
        return "".join([*out, text[at:]])

    def take(self, what: Input) -> bool:
        kind, text = what
        if self.modal and not self._jumping and self.modal.take(what):
            self.popup = None
            return True
        if kind == "paste":
            self.paste(text)
            return True
        if kind == "text":
            if self._jumping:
                self._jump_to(text)
            else:
                self.editor.insert(text)
                self.look_up()
            return True
        if kind != "key":
            return False
        self._jumping, jumped = 0, self._jumping
        if jumped and text == "esc":
            return True
        if self.popup and self._in_popup(text, self.popup):
            return True
        action = self.keymap.action(text)
        if action != "complete":
            self.popup = None
        done = action is not None and self.do(action)
        if action and action.startswith("delete-"):
            self.look_up()
        return done

    def look_up(self) -> None:
        """Open the list of what may be meant by what stands before the caret."""
        self.popup = self.complete(self.editor.text, self.editor.caret) if self.editor.text else None

    def _in_popup(self, key: str, popup: Popup) -> bool:
        match key:
            case "up" | "ctrl+p":
                popup.move(-1)
            case "down" | "ctrl+n":
                popup.move(1)
            case "esc":
                self.popup = None
            case "tab":
                self.take_completion(popup)
            case "enter" if popup.current.strip() != self.editor.text[popup.begin : popup.end].strip():
                self.take_completion(popup)
            case _:
                return False
        return True

    def take_completion(self, popup: Popup) -> None:
        """Put what is chosen in place of what was typed of it."""
        self.editor.replace(popup.begin, popup.end, popup.current)
        self.popup = None

    def do(self, action: str) -> bool:
        """Do one of the editor's actions; False if it is none, or means nothing here."""
        editor = self.editor
        match action:
            case "submit":
                return self._submit(later=False)
            case "follow-up":
                return self._submit(later=True)
            case "new-line":
                editor.insert("\n")
            case "delete-char-backward":
                if not self._delete_marker(before=True):
                    editor.backspace()
            case "delete-char-forward":
                if not self._delete_marker(before=False):
                    editor.delete()
            case "delete-word-backward":
                editor.kill_to(editor.space_left_of(editor.caret))
            case "delete-word-forward":
                editor.kill_to(editor.word_right_of(editor.caret))
            case "delete-to-line-start":
                editor.kill_to(editor.line_begin(editor.caret) or 0)
            case "delete-to-line-end":
                end = editor.line_end(editor.caret)
                editor.kill_to(end if end != editor.caret else min(end + 1, len(editor.text)))
            case "yank":
                editor.yank()
            case "yank-pop":
                editor.rotate()
            case "undo":
                editor.undo()
            case "redo":
                editor.redo()
            case "jump-forward" | "jump-backward":
                self._jumping = 1 if action == "jump-forward" else -1
            case _:
                return self._move(action) or self.act(action)
        return True

    def paste(self, text: str) -> None:
        """One insertion; a long one is shown as a marker, and stands in the text only when it is sent."""
        if self.drop(text):
            return
        lines = text.count("\n") + 1
        if lines > self.paste_lines or len(text) > _MARKER_CHARS:
            number = len(self._pastes) + 1
            size = f"+{lines} lines" if lines > self.paste_lines else f"{len(text)} chars"
            marker = f"[paste #{number} {size}]"
            self._pastes[marker] = text
            self.editor.insert(marker)
        elif text:
            self.editor.insert(text)

    def attach(self, content: bytes, size: tuple[int, int]) -> None:
        """Put a picture in, as a marker."""
        marker = f"[image #{len(self._images) + 1} {size[0]}x{size[1]}]"
        self._images[marker] = content
        self.editor.insert(marker)

    def put_back(self, typed: Typed) -> None:
        """What was sent and could not go, before what stands here now; its pictures as well."""
        draft = self.text
        if draft.strip():
            self.set(f"{typed.text}\n{draft}")
        else:
            self.set(typed.text)
        self._images |= typed.images

    def set(self, text: str) -> None:
        """Another text in the editor; undo brings back what stood there."""
        self.editor.set(text)

    def clear(self) -> str:
        """Empty the editor; what would have been sent."""
        text = self.text
        self.editor = Editor()
        self._pastes.clear()
        self._images.clear()
        if self.modal:
            self.modal.begin_anew()
        return text

    def view(self, rows: int, columns: int) -> View:
        """At most half of the window's rows, scrolled to the caret, between two rules."""
        editor = self.editor
        told = (editor.text, editor.caret, editor.mark, self.mode, self.level, rows, columns)
        moves = self.popup or self.modal  # they look as they are asked to, whatever stands in the editor
        if moves or self._drawn[0] != told:
            self._drawn = (() if moves else told), self._view(rows, columns)
        return self._drawn[1]

    def _view(self, rows: int, columns: int) -> View:
        rule = ("─" * columns, f"border.{self.level}")
        popup = list(self.popup.lines(max(min(self.popup_rows, rows - 4), 0), columns)) if self.popup else []
        rows -= len(popup)
        tags = [self.mode, *([self.modal.told] if self.modal else [])]
        tag: tuple[Span, ...] = tuple((head(f"─ {tag} ", columns // 2), "mode") for tag in tags if tag)
        above = (*tag, ("─" * max(columns - sum(width(text) for text, _ in tag), 0), rule[1]))
        lines, (row, column) = self._lines(columns)
        room = max(min(rows - 2, rows // 2), 1)
        self._top = max(min(self._top, row, len(lines) - room), row - room + 1, 0)
        shown = lines[self._top : self._top + room]
        if rows < 4:
            return View(shown, (row - self._top, column))
        return View([above, *shown, (rule,), *popup], (row - self._top + 1, column))

    def _lines(self, columns: int) -> tuple[list[Line], tuple[int, int]]:
        text, caret = self.editor.text, self.editor.caret
        self._columns = columns
        self._rows = rows_of(text, max(columns - 1, 1))
        at = self._row_of(caret)
        column = width(shown(text[self._rows[at][0] : caret]))
        return [self._styled(begin, end) for begin, end in self._rows], (at, min(column, columns - 1))

    def _styled(self, begin: int, end: int) -> Line:
        text = self.editor.text
        if self.editor.mark is None:
            return ((shown(text[begin:end]), "text"),) if end > begin else ()
        first, last = sorted((self.editor.mark, self.editor.caret))
        if self.modal and self.modal.mode != "insert":
            last = self.editor.right_of(last)  # the character under the caret is meant as well
        first, last = max(first, begin), min(last, end)
        if first >= last:
            return ((shown(text[begin:end]), "text"),) if end > begin else ()
        return merged(
            (
                (shown(text[begin:first]), "text"),
                (shown(text[first:last]), "selected"),
                (shown(text[last:end]), "text"),
            )
        )

    def _row_of(self, position: int) -> int:
        return max(at for at, (begin, _) in enumerate(self._rows) if begin <= position)

    def _move(self, action: str) -> bool:
        editor = self.editor
        place, _, where = action.partition("-")
        if place not in ("cursor", "select"):
            return False
        select = place == "select"
        match where:
            case "left":
                if editor.mark is not None and not select:
                    editor.move(min(editor.mark, editor.caret))
                else:
                    editor.move(self._over_marker(editor.left_of(editor.caret), forwards=False), select=select)
            case "right":
                if editor.mark is not None and not select:
                    editor.move(max(editor.mark, editor.caret))
                else:
                    editor.move(self._over_marker(editor.right_of(editor.caret), forwards=True), select=select)
            case "word-left":
                editor.move(self._over_marker(editor.word_left_of(editor.caret), forwards=False), select=select)
            case "word-right":
                editor.move(self._over_marker(editor.word_right_of(editor.caret), forwards=True), select=select)
            case "line-start":
                editor.move(editor.line_begin(editor.caret), select=select)
            case "line-end":
                editor.move(editor.line_end(editor.caret), select=select)
            case "start":
                editor.move(0, select=select)
            case "end":
                editor.move(len(editor.text), select=select)
            case "up" | "down":
                return self._move_row(-1 if where == "up" else 1, select=select) or (
                    not select and self.act("history-back" if where == "up" else "history-forward")
                )
            case _:
                return False
        return True

    def _move_row(self, step: int, *, select: bool) -> bool:
        """Go up or down as it is shown, so a long line is gone through row by row."""
        self._rows = rows_of(self.editor.text, max(self._columns - 1, 1))
        caret = self.editor.caret
        at = self._row_of(caret)
        if not 0 <= at + step < len(self._rows):
            return False
        goal = width(self.editor.text[self._rows[at][0] : caret])
        begin, end = self._rows[at + step]
        position, cells = begin, 0
        for part in graphemes(self.editor.text[begin:end]):
            if cells + width(part) > goal:
                break
            position += len(part)
            cells += width(part)
        self.editor.move(self._over_marker(position, forwards=step > 0), select=select)
        return True

    def _submit(self, *, later: bool) -> bool:
        editor = self.editor
        if not later and editor.caret == len(editor.text) and editor.text.endswith("\\"):
            editor.replace(len(editor.text) - 1, len(editor.text), "\n")
            return True
        is_literal = any(editor.text.lstrip().startswith(marker) for marker in self._pastes)
        text, typed = self.text, editor.text
        if not text.strip():
            return True
        images = {typed[begin:end]: self._images[typed[begin:end]] for begin, end in self._markers(self._images)}
        self.clear()
        self.send(Typed(text, is_literal=is_literal, later=later, typed=typed, images=images))
        return True

    def _jump_to(self, text: str) -> None:
        found = self.editor.find(text[:1], backwards=self._jumping < 0)
        self._jumping = 0
        if found is not None:
            self.editor.move(found)

    def _markers(self, of: Iterable[str] | None = None) -> list[tuple[int, int]]:
        """Where the markers of pastes and pictures stand, in order."""
        found = []
        for marker in (*self._pastes, *self._images) if of is None else of:
            at = self.editor.text.find(marker)
            while at >= 0:
                found.append((at, at + len(marker)))
                at = self.editor.text.find(marker, at + len(marker))
        return sorted(found)

    def _over_marker(self, position: int, *, forwards: bool) -> int:
        for begin, end in self._markers():
            if begin < position < end:
                return end if forwards else begin
        return position

    def _delete_marker(self, *, before: bool) -> bool:
        if self.editor.mark is not None:
            return False
        caret = self.editor.caret
        for begin, end in self._markers():
            if begin < caret <= end if before else begin <= caret < end:
                self.editor.replace(begin, end, "")
                return True
        return False


def rows_of(text: str, columns: int) -> list[tuple[int, int]]:
    """The stretches of `text` that are shown as one row each: broken at line feeds, else behind a space, else anywhere."""
    rows: list[tuple[int, int]] = []
    begin = 0
    for line in text.split("\n"):
        end = begin + len(line)
        rows += _rows_of_line(text, begin, end, columns)
        begin = end + 1
    return rows


def _rows_of_line(text: str, begin: int, end: int, columns: int) -> list[tuple[int, int]]:
    rows = []
    while width(shown(text[begin:end])) > columns:
        at, cells, after_space = begin, 0, 0
        for part in graphemes(text[begin:end]):
            wide = width(shown(part))
            if cells + wide > columns:
                break
            at += len(part)
            cells += wide
            if part == " ":
                after_space = at
        at = after_space or max(at, begin + 1)
        rows.append((begin, at))
        begin = at
    return [*rows, (begin, end)]
