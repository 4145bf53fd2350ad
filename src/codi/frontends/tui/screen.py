"""Draws lines on the terminal's main screen, and sends only what changed.

Of what is drawn, the *live* rows at the bottom stay ours and may change; the rows committed above them are printed once and
then belong to the terminal and its scrollback. Positions are relative to where the first row was drawn, so it does not matter
where on the screen that was, and nothing must be asked of the terminal.

Rows between the first and the last change are rewritten; where rows only moved, the terminal is told to insert or delete
lines (IL, DL of VT102) instead of being sent them again; of a row that grew, only the end is sent.
"""

from collections.abc import Callable, Sequence

from codi.frontends.tui.cells import width

Row = tuple[tuple[str, str], ...]
"""A painted line: runs of an opening escape sequence ("" for none) and a text."""

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_SAVE, _RESTORE = "\x1b7", "\x1b8"
_RESET, _CLOSE_LINK = "\x1b[0m", "\x1b]8;;\x1b\\"


class Screen:
    """`write` takes the text of one whole frame. `rows` and `columns` are the size of the window."""

    def __init__(self, write: Callable[[str], object], rows: int, columns: int) -> None:
        self.rows = rows
        self.columns = columns
        self._write = write
        self._shown: list[Row] = []
        self._at = 0
        self._caret: tuple[int, int] | None = (0, 0)

    def draw(self, committed: Sequence[Row], live: Sequence[Row], caret: tuple[int, int] | None) -> None:
        """Print `committed` above the live rows, make the live rows `live`, and put the cursor to `caret`: row and column of
        the live rows, or None to hide it. No row is wider than the window, and there are no more live rows than it has."""
        old, new = self._shown, [*committed, *live]
        before = self._caret
        target = None if caret is None else (len(committed) + caret[0], caret[1])
        if old == new and before == target:
            self._shown, self._caret = list(live), caret
            self._at -= len(committed)
            return
        same = _common(old, new)
        kept = _common_end(old, new, min(len(old), len(new)) - same)
        if len(new) > self.rows or (kept == 0 and len(old) != len(new)):
            out = self._rewrite_from(same, new)
            quiet = False
        else:
            out = self._rewrite_between(same, kept, new)
            quiet = len(old) == len(new) and len(old) - same - kept <= 1 and before == target and before is not None
            quiet = quiet and not any(
                _SAVE in piece for piece in out
            )  # a picture saves the cursor, and there is room for one
        if quiet:  # the cursor is back at its place before the frame is shown
            self._at = before[0] if before else 0
            frame = [_BEGIN, _SAVE, *out, _RESTORE, _END]
        else:
            frame = [_BEGIN, "" if before is None else _HIDE, *out, *self._place(target), _END]
        self._shown = list(live)
        self._at -= len(committed)
        self._caret = caret
        self._write("".join(frame))

    def repaint(self, recent: Sequence[Row], live: Sequence[Row], caret: tuple[int, int] | None) -> None:
        """Clear the window and print everything anew: after its size or the theme changed, or when a person asks for it."""
        self._write(f"{_BEGIN}\x1b[H\x1b[2J{_END}")
        self.forget()
        self.draw(recent, live, caret)

    def forget(self) -> None:
        """Nothing is known of the screen but that the cursor stands at the beginning of a free row."""
        self._shown, self._at, self._caret = [], 0, (0, 0)

    def leave(self) -> None:
        """Put the cursor on a free row below everything, visible."""
        rows = max(len(self._shown) - 1, 0)
        self._write("".join([*self._move(rows), "\r\n" if self._shown else "\r", _SHOW]))
        self.forget()

    def _rewrite_from(self, first: int, new: Sequence[Row]) -> list[str]:
        """Write all rows from the `first` changed one on; the window scrolls where there is no room."""
        old = self._shown
        # Of rows that have left the window nothing can be changed any more.
        first = max(first, len(old) - self.rows, 0)
        if first == len(new):
            return [*self._move(first), "\r\x1b[J"] if len(old) > len(new) else []
        out = []
        if first < len(old) or not old:
            out += self._move(first)
        else:
            out += [*self._move(len(old) - 1), "\r\n"]
            self._at = first
        for at in range(first, len(new)):
            if at > first:
                out.append("\r\n")
            is_last = at == len(new) - 1
            out.append("\r\x1b[J" if is_last and len(old) > len(new) else "\r")
            out += self._whole(new[at], clear=at < len(old))
        self._at = len(new) - 1
        return out

    def _rewrite_between(self, same: int, kept: int, new: Sequence[Row]) -> list[str]:
        """Write the rows between the first `same` and the last `kept` ones, which only move."""
        old = self._shown
        more = len(new) - len(old)
        out: list[str] = []
        if more > 0:
            out += [*self._move(len(old) - 1), "\n" * more]
            self._at = len(new) - 1
            out += [*self._move(len(old) - kept), f"\x1b[{more}L" if more > 1 else "\x1b[L"]
        elif more < 0:
            out += [*self._move(len(new) - kept), f"\x1b[{-more}M" if more < -1 else "\x1b[M"]
        for at in range(same, len(new) - kept):
            was = old[at] if at < len(old) - kept else ()
            if was != new[at]:
                out += [*self._move(at), *self._changed(was, new[at])]
        return out

    def _changed(self, was: Row, row: Row) -> list[str]:
        """What makes a row of `was`: the part behind what both begin with."""
        begin, runs = _after_common(was, row)
        wider = _width(was) > _width(row)
        column = f"\x1b[{begin + 1}G" if begin else "\r"
        return [column, *_painted(runs), "\x1b[K" if wider else ""]

    def _whole(self, row: Row, *, clear: bool) -> list[str]:
        # In the last column a cursor waits to wrap, and to clear from there would take the last character.
        return [*_painted(row), "\x1b[K" if clear and _width(row) < self.columns else ""]

    def _move(self, row: int) -> list[str]:
        steps, self._at = row - self._at, row
        if not steps:
            return []
        count = "" if abs(steps) == 1 else str(abs(steps))
        return [f"\x1b[{count}{'B' if steps > 0 else 'A'}"]

    def _place(self, target: tuple[int, int] | None) -> list[str]:
        if target is None:
            return []
        row, column = target
        return [*self._move(row), f"\x1b[{column + 1}G" if column else "\r", _SHOW]


def _common(one: Sequence[Row], other: Sequence[Row]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a is not b and a != b:
            break
        count += 1
    return count


def _common_end(one: Sequence[Row], other: Sequence[Row], most: int) -> int:
    count = 0
    while count < most:
        a, b = one[-1 - count], other[-1 - count]
        if a is not b and a != b:
            break
        count += 1
    return count


def _after_common(was: Row, row: Row) -> tuple[int, Row]:
    """The column at which two rows begin to differ, and the runs of `row` from there on."""
    column = 0
    for at, (opening, text) in enumerate(row):
        if at < len(was) and was[at] == (opening, text):
            column += width(text)
            continue
        if at < len(was) and was[at][0] == opening and text.isascii() and was[at][1].isascii():
            length = _length_of_common(was[at][1], text)
            return column + length, ((opening, text[length:]), *row[at + 1 :])
        return column, row[at:]
    return column, ()


def _length_of_common(one: str, other: str) -> int:
    if other.startswith(one):
        return len(one)
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _width(row: Row) -> int:
    return sum(width(text) for _, text in row)


def _painted(runs: Row) -> list[str]:
    return [text if not opening else f"{opening}{text}{_closing(opening)}" for opening, text in runs if text]


def _closing(opening: str) -> str:
    return _RESET + _CLOSE_LINK if "\x1b]8;" in opening else _RESET
