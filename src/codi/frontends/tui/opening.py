"""The first frame: painted before anything of codi is loaded, and typed into while it is being loaded.

The door calls `begin`; from then on every import is followed by a look at the keyboard, so what is typed is seen at once. The
application takes over terminal, screen and composer as they then are.
"""

import os
import select
import sys
from collections.abc import Mapping

from codi.frontends.tui.composer import Composer, Typed
from codi.frontends.tui.keymap import Keymap
from codi.frontends.tui.keys import Input, Keys
from codi.frontends.tui.lines import Line
from codi.frontends.tui.screen import Screen
from codi.frontends.tui.terminal import Terminal
from codi.frontends.tui.theme import DARK, Painter, depth_of


class Opening:
    """`waiting` is what was sent while nobody could take it, `rest` what came from the first key or paste on that only the
    application, which knows the person's settings, can take; `reports` what the terminal told by itself. `signals` what came before
    the application listens."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self.terminal = Terminal()
        self.keys = Keys()
        self.painter = Painter(DARK, depth_of(environment))
        rows, columns = self.terminal.size
        self.screen = Screen(self.terminal.write, rows, columns)
        self.composer = Composer(Keymap(), self._send, self._act)
        self.waiting: list[Typed] = []
        self.rest: list[Input] = []
        self.reports: list[Input] = []
        self.signals: list[int] = []
        self._above: list[Line] = []
        self._left = False

    def begin(self) -> None:
        """Paint the prompt, and look at the keyboard between imports from now on."""
        self.terminal.enter()
        if select.select([self.terminal.inp], [], [], 0)[0]:
            # Typed before the terminal was ours: it was echoed, and its returns were made line feeds.
            self._feed(self.terminal.read().replace(b"\n", b"\r"))
            self.terminal.write("\r\x1b[J")
        self.paint()
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Asked by the import system before a module is loaded; never finds one, but looks at the keyboard."""
        self.look()

    def look(self) -> None:
        """Take what was typed, without waiting."""
        changed = False
        while select.select([self.terminal.inp], [], [], 0)[0]:
            data = self.terminal.read()
            if not data:
                break
            changed |= self._feed(data)
        if changed:
            self.paint()
        if self._left:
            self.withdraw()
            os._exit(0)  # nothing was begun that would have to be ended

    def paint(self) -> None:
        rows, columns = self.screen.rows, self.screen.columns
        view = self.composer.view(rows, columns)
        status: Line = ((" …"[: columns - 1], "dim"),)
        above = self._above if len(self._above) + len(view.lines) < rows else []
        lines = [*above, *view.lines, status][:rows]
        caret = view.caret and (len(above) + view.caret[0], view.caret[1])
        self.screen.draw((), self.painter.rows(lines), caret)

    def greet(self, text: str) -> None:
        """Show above the prompt who will answer. The application prints the same there, for good."""
        import signal  # nobody waits for these to see the prompt

        from codi.frontends.tui.blocks.notice import TextBlock

        for number in (signal.SIGTSTP, signal.SIGCONT):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._hear)

        self._above = TextBlock(text, "dim").lines(self.screen.columns)
        self.paint()

    def _hear(self, number: int, frame: object) -> None:
        """To be suspended as well waits for the application: it gives the terminal back first."""
        self.signals.append(number)

    def done(self) -> None:
        """All is loaded; the application reads the keys from now on."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def withdraw(self) -> None:
        """Give the terminal back as if nothing had been painted."""
        self.done()
        if self.terminal.is_entered:
            if self.terminal.is_full:
                self.terminal.full(False)
            self.screen.draw((), [()], (0, 0))
            self.terminal.leave()

    def _feed(self, data: bytes) -> bool:
        changed = False
        for what in self.keys.feed(data):
            if what[0] in ("report", "focus"):
                self.reports.append(what)
            elif self.rest or what[0] == "paste":
                self.rest.append(what)
            elif self.composer.take(what):
                changed = True
            else:
                self.rest.append(what)
        return changed

    def _send(self, typed: Typed) -> None:
        self.waiting.append(typed)

    def _act(self, action: str) -> bool:
        empty = not self.composer.editor.text
        if action == "clear" and self.composer.editor.selection:
            return False  # it is copied, which the application does
        if action == "clear" and not empty:
            self.composer.clear()
            return True
        if action in ("clear", "exit") and empty:
            self._left = True
            return True
        return False
