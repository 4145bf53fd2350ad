"""What the keys do that are not the editor's."""

import os
import time
from collections.abc import Callable, Sequence
from typing import get_args

from codi.commands.command import InLine
from codi.frontends.tui.activity import Activity
from codi.frontends.tui.blocks.look import Look
from codi.frontends.tui.blocks.notice import NoticeBlock
from codi.frontends.tui.canvas import Canvas
from codi.frontends.tui.completion import Completer
from codi.frontends.tui.composer import Composer
from codi.frontends.tui.enclosing import Enclosing
from codi.frontends.tui.outside import Outside
from codi.frontends.tui.status import Status
from codi.frontends.tui.surroundings import Surroundings
from codi.frontends.tui.transcript import Transcript
from codi.protocol.messages import Level
from codi.protocol.ops import ChoosePolicy, ChooseThinking, Interrupt, Mode, Op, Withdraw

_TWICE_S = 2.0
_ESC_TWICE_S = 0.6
_MODES: tuple[Mode, ...] = ("default", "accept-edits", "plan")


class Actions:
    """`send` brings ops to the conversation, `obey` runs a line that begins with a slash, `go` leaves, `remember` keeps a setting;
    `waiting` is what waits to be said."""

    def __init__(
        self,
        composer: Composer,
        canvas: Canvas,
        transcript: Transcript,
        status: Status,
        look: Look,
        activity: Activity,
        around: Surroundings,
        enclosing: Enclosing,
        outside: Outside,
        *,
        completer: Completer,
        send: Callable[[Op], None],
        obey: Callable[[str], object],
        go: Callable[[str | None], None],
        remember: Callable[[Sequence[str]], object],
        waiting: Callable[[], Sequence[InLine]],
    ) -> None:
        self._composer = composer
        self._canvas = canvas
        self._transcript = transcript
        self._status = status
        self._look = look
        self._activity = activity
        self._around = around
        self._enclosing = enclosing
        self._outside = outside
        self._completer = completer
        self._send = send
        self._obey = obey
        self._go = go
        self._remember = remember
        self._waiting = waiting
        self._pressed = ("", 0.0)

    def act(self, action: str) -> bool:
        """Do an action that is not the editor's; False if it means nothing now."""
        composer = self._composer
        match action:
            case "interrupt":
                self._escape()
            case "clear":
                self._clear()
            case "exit" if composer.editor.text:
                return composer.do("delete-char-forward")
            case "exit":
                self._go(None)
            case "suspend":
                self.suspend()
            case "cycle-mode":
                at = next((at for at, mode in enumerate(_MODES) if mode == self._status.mode), -1)
                self._send(ChoosePolicy(_MODES[(at + 1) % len(_MODES)]))
            case "toggle-thinking":
                self._look.thinking = not self._look.thinking
                self._remember(("config", "set", "ui.hide_thinking", str(not self._look.thinking).lower()))
            case "expand-tools" | "page-up" | "page-down":
                pages = self._transcript.pages(whole=action == "expand-tools")
                self._canvas.page("transcript", pages.lines, at_end=True, blocks=pages.starts, expand=pages.expand)
            case "redraw":
                self._canvas.repaint()
            case "complete":
                composer.popup = self._completer.path(composer.editor.text, composer.editor.caret)
            case "history-back" | "history-forward":
                history = self._around.history
                text = history.back(composer.text) if action == "history-back" else history.forward()
                if text is not None:
                    composer.set(text)
            case "history-search":
                from codi.frontends.tui.history_search import HistorySearch  # for the few who search

                self._canvas.pane = HistorySearch(self._around.history, self._close_search)
            case "paste-image":
                self._enclosing.paste()
            case "external-editor":
                self._edit_elsewhere()
            case "select-model" | "undo-turn" | "redo-turn":
                line = {"select-model": "/model", "undo-turn": "/undo", "redo-turn": "/redo"}[action]
                self._obey(line)
            case "cycle-model-forward" | "cycle-model-backward":
                self._obey(f"/scoped-models {'next' if action.endswith('forward') else 'back'}")
            case "cycle-thinking-level":
                levels = get_args(Level)
                at = levels.index(self._status.thinking) if self._status.thinking in levels else -1
                self._send(ChooseThinking(levels[(at + 1) % len(levels)]))
            case "dequeue":
                self.pull_back(len(self._waiting()))
            case _:
                return False
        return True

    def _escape(self) -> None:
        """Stops what runs; twice while nothing does it opens what the person has chosen."""
        now = time.monotonic()
        before, self._pressed = self._pressed, ("esc", now)
        opens = self._around.ui.double_escape
        if self._activity.command or self._activity.is_busy:
            self._stop()
        elif before[0] == "esc" and now - before[1] < _ESC_TWICE_S and opens != "none":
            self._pressed = ("", 0.0)
            self._obey(f"/{opens}")

    def _stop(self) -> None:
        if self._activity.command:
            self._activity.command.cancel()
        elif self._activity.is_busy:
            self._send(Interrupt())

    def _clear(self) -> None:
        """Ctrl-C: it copies what is selected; else what it takes away is the text, else the turn, else the program."""
        now = time.monotonic()
        before, self._pressed = self._pressed, ("clear", now)
        if selected := self._composer.editor.selection:
            self._canvas.copy(selected)
            self._composer.editor.move(self._composer.editor.caret)
            self._transcript.add(NoticeBlock("info", f"copied {len(selected)} characters"))
            self._pressed = ("", 0.0)  # who copies twice means to copy
        elif self._composer.editor.text:
            self._composer.clear()
        elif before[0] == "clear" and now - before[1] < _TWICE_S:
            self._go(None)
        elif self._activity.is_busy or self._activity.command:
            self._stop()
        else:
            self._transcript.add(NoticeBlock("info", "ctrl+c again leaves"))

    def suspend(self) -> None:
        self._canvas.step_below()
        self._canvas.terminal.suspend()
        self._canvas.go_on()

    def _edit_elsewhere(self) -> None:
        from codi.frontends.tui.external_editor import edited  # with all that temporary files need

        terminal = self._canvas.terminal
        self._canvas.step_below()
        terminal.hand_over()
        self._outside.release()
        try:
            text, complaint = edited(self._composer.text, os.environ)
        finally:
            self._outside.catch()
            terminal.come_back()
        if complaint:
            self._transcript.add(NoticeBlock("warning", complaint))
        else:
            self._composer.set(text)
        self._canvas.go_on()

    def _close_search(self, found: str | None) -> None:
        self._canvas.pane = None
        if found is not None:
            self._composer.set(found)

    def pull_back(self, number: int) -> None:
        """Take back into the editor what waits at this place, before what stands there."""
        if 1 <= number <= len(self._waiting()):
            item = self._waiting()[number - 1]
            self._send(Withdraw(item.line, item.at))
            draft = self._composer.text
            self._composer.set(f"{item.what.text}\n{draft}" if draft.strip() else item.what.text)
