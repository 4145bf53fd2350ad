"""What stands on the terminal: the transcript above, then the dialog or list or editor, then the status; or a pager over all.

It puts the views of the parts together and has them drawn. It knows nothing of conversations.
"""

import time
from collections.abc import Callable, Sequence

from codi.frontends.tui.attention import to_clipboard
from codi.frontends.tui.blocks.look import Look
from codi.frontends.tui.blocks.notice import NoticeBlock
from codi.frontends.tui.lines import Line, clipped
from codi.frontends.tui.opening import Opening
from codi.frontends.tui.panes import Pane
from codi.frontends.tui.screen import Screen
from codi.frontends.tui.status import Status
from codi.frontends.tui.theme import Painter
from codi.frontends.tui.transcript import Transcript
from codi.frontends.tui.view import Caret

_SMALL_ROWS, _SMALL_COLUMNS = 8, 30


class Canvas:
    """`dialog` or else `pane` stands in place of the editor while it is there. `waiting` are lines about what will be done next, `busy` says what
    is being done."""

    def __init__(self, opening: Opening, transcript: Transcript, status: Status, look: Look) -> None:
        self.terminal = opening.terminal
        self.composer: Pane = opening.composer
        self.dialog: Pane | None = None
        self.pane: Pane | None = None
        self.busy = ""
        self.waiting: Sequence[str] = ()
        self.painter: Painter = opening.painter
        self._screen = opening.screen
        self._transcript = transcript
        self._status = status
        self._look = look
        self._full: tuple[Pane, Screen] | None = None
        self._foot = ""
        self.mishap: Callable[[str, Exception], str] = lambda what, bug: f"{what} failed: {bug}"
        self._left: Callable[[], object] | None = None

    @property
    def rows(self) -> int:
        return self._screen.rows

    @property
    def columns(self) -> int:
        return self._screen.columns

    @property
    def pager(self) -> Pane | None:
        return self._full[0] if self._full else None

    def draw(self) -> None:
        """Show what has changed."""
        self._whatever_fails(self._draw)

    def repaint(self) -> None:
        """The window is another, or was somebody else's: print what fits into two of it, and the live rows."""
        self._whatever_fails(self._repaint)

    def _whatever_fails(self, draw: Callable[[], None]) -> None:
        """A part with a bug is told of in its place, and the rest is drawn; without an editor there is nothing to go on with."""
        try:
            draw()
        except Exception as bug:
            if not self._mend(bug):
                raise
            draw()

    def _mend(self, bug: Exception) -> bool:
        """Put words in place of each part that cannot be drawn. False where it is none of those that can be spared."""
        found = self._transcript.mend(self.columns, self.mishap)
        if self._full:
            self.leave_pager()
            self._transcript.add(NoticeBlock("error", self.mishap("the pager", bug)))
            return True
        if self.pane and not self.dialog and (trouble := _fault(self.pane, self.rows, self.columns)):
            self.pane = None
            self._transcript.add(NoticeBlock("error", self.mishap("the list", trouble)))
            found = True
        try:
            self._status.line(self.columns)
        except Exception as trouble:  # noqa: BLE001 - whatever it is, there is a conversation to go on with
            self._foot = self.mishap("the status", trouble)
            found = True
        return found

    def _draw(self) -> None:
        self._look.now = time.monotonic()
        if self._full:
            pager, screen = self._full
            view = pager.view(self.rows, self.columns)
            screen.draw((), self.painter.rows(view.lines), view.caret)
            return
        printed = self._transcript.printable(self.columns, 2 * self.rows)
        live, caret = self._live()
        self._screen.draw(self.painter.rows(printed), self.painter.rows(live), caret)

    def _repaint(self) -> None:
        rows, columns = self.terminal.size
        self._screen.rows, self._screen.columns = rows, columns
        if self._full:
            pager, screen = self._full
            screen.rows, screen.columns = rows, columns
            view = pager.view(rows, columns)
            screen.repaint((), self.painter.rows(view.lines), view.caret)
            return
        recent = self._transcript.newest(columns, 2 * rows)
        live, caret = self._live()
        self._screen.repaint(self.painter.rows(recent), self.painter.rows(live), caret)

    def page(
        self,
        title: str,
        content: Callable[[int], Sequence[Line]],
        *,
        at_end: bool = False,
        toggle: Callable[[int], object] | None = None,
        blocks: Callable[[int], Sequence[int]] | None = None,
        expand: Callable[[int], object] | None = None,
        go_on: Callable[[], object] | None = None,
        left: Callable[[], object] | None = None,
    ) -> None:
        """Show all of something, on a screen of its own; see `Pager`. `left` is called when it is gone."""
        from codi.frontends.tui.pager import Pager  # not before something is paged: the first frame does without

        screen = Screen(self.terminal.write, self.rows, self.columns)
        pager = Pager(
            title,
            content,
            self.leave_pager,
            copy=self.copy,
            at_end=at_end,
            toggle=toggle,
            blocks=blocks,
            expand=expand,
            go_on=go_on,
        )
        was_full, self._full, self._left = self._full, (pager, screen), left
        if not was_full:
            self.terminal.full(True)
        screen.repaint((), [()], None)

    def copy(self, text: str) -> None:
        """Into the clipboard."""
        self.terminal.write(to_clipboard(text))

    def leave_pager(self) -> None:
        if not self._full:
            return
        self._full = None
        self.terminal.full(False)
        left, self._left = self._left, None
        if left:
            left()
        if (self.rows, self.columns) != self.terminal.size:
            self.repaint()

    def step_below(self) -> None:
        """Leave what is shown where it is: somebody else goes on below it."""
        if not self._full:
            self._screen.leave()

    def go_on(self) -> None:
        """After `step_below`: below what was printed meanwhile, unless the window has changed."""
        if self._full or (self.rows, self.columns) != self.terminal.size:
            self.repaint()
        else:
            self.draw()

    def close(self) -> None:
        """Take the live rows away; what was said stays."""
        self.leave_pager()
        self._screen.draw(self.painter.rows(self._transcript.printable(self.columns, 2 * self.rows)), [()], (0, 0))

    def _live(self) -> tuple[list[Line], Caret | None]:
        rows, columns = self.rows, self.columns
        is_small = columns < _SMALL_COLUMNS or rows < _SMALL_ROWS
        foot = [self._foot_line(columns)] if rows > 1 else []
        view = (self.dialog or self.pane or self.composer).view(
            max(rows - len(foot) - (0 if is_small else 1), 1), columns
        )
        room = rows - len(foot) - len(view.lines)
        notes = [clipped(((text, "dim"),), columns) for text in (*((self.busy,) if self.busy else ()), *self.waiting)]
        notes = notes[: max(room, 0)]
        room -= len(notes)
        above = self._transcript.live(columns, room) if room > 0 else []
        above = [*above, *notes]
        caret = None if view.caret is None else (len(above) + view.caret[0], view.caret[1])
        return [*above, *view.lines, *foot], caret

    def _foot_line(self, columns: int) -> Line:
        return clipped(((self._foot, "error"),), columns) if self._foot else self._status.line(columns)


def _fault(pane: Pane, rows: int, columns: int) -> Exception | None:
    """The bug that keeps a pane from being drawn."""
    try:
        pane.view(rows, columns)
    except Exception as bug:  # noqa: BLE001 - whatever it is, it is told of
        return bug
    return None
