"""One conversation on one terminal: keys become ops, events become lines.

Four things happen side by side and meet in the state: keys are read, events are heard, signals arrive, frames are drawn. A frame
is drawn when something changed, and not more often than a terminal can show.
"""

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, assert_never, get_args

import anyio

from codi.commands.command import Ask, Do, Fail, Leave, Open, Outcome, Show
from codi.commands.kit import commands
from codi.frontends.desk import ConversationDesk
from codi.frontends.sanitiser import visible
from codi.frontends.shell_lines import LINES_OF_SHELL
from codi.frontends.tui import pickers
from codi.frontends.tui.approval_dialog import DEAF_S, ApprovalDialog
from codi.frontends.tui.blocks.look import Look
from codi.frontends.tui.blocks.notice import NoticeBlock, TextBlock
from codi.frontends.tui.completion import Completer
from codi.frontends.tui.composer import Typed
from codi.frontends.tui.keys import Input
from codi.frontends.tui.lines import Line, clipped
from codi.frontends.tui.opening import Opening
from codi.frontends.tui.pager import Pager
from codi.frontends.tui.panes import Pane
from codi.frontends.tui.picker import Choice, Picker
from codi.frontends.tui.pickers import rows_of
from codi.frontends.tui.question_dialogs import ConfirmDialog, QuestionDialog
from codi.frontends.tui.screen import Screen
from codi.frontends.tui.status import Status
from codi.frontends.tui.surroundings import Surroundings
from codi.frontends.tui.transcript import Transcript
from codi.frontends.tui.view import View
from codi.protocol.conversation import Conversation
from codi.protocol.events import (
    ApprovalAsked,
    ApprovalGiven,
    CommandDelta,
    CommandShown,
    Entry,
    Event,
    QuestionAsked,
    TurnEnded,
    TurnStarted,
)
from codi.protocol.messages import Level
from codi.protocol.ops import (
    ChooseModel,
    ChoosePolicy,
    ChooseThinking,
    Interrupt,
    Mode,
    Op,
    Prompt,
    Reply,
    RunCommand,
    Steer,
    Withdraw,
)

FRAME_S = 0.016
_TWICE_S = 2.0
_TICK_S = 0.5
_MODES: tuple[Mode, ...] = ("default", "accept-edits", "plan")


class App:
    """Takes over what the opening painted. `run` ends when the person leaves."""

    def __init__(
        self, opening: Opening, conversation: Conversation, around: Surroundings, *, greeting: str = ""
    ) -> None:
        self.look = Look()
        self.look.now = time.monotonic()
        self.transcript = Transcript(self.look)
        self.status = Status(around.cwd, os.path.expanduser("~"))
        self._around = around
        self._opening = opening
        self._terminal = opening.terminal
        self._screen = opening.screen
        self._painter = opening.painter
        self._composer = opening.composer
        self._composer.send, self._composer.act = self._send, self._act
        self._completer = Completer(commands(), around.names)
        self._composer.complete = self._completer.at
        self._conversation = conversation
        self._desk = ConversationDesk(conversation, around.beside, self._confirm)
        self._commands: deque[str] = deque()
        self._command: anyio.CancelScope | None = None
        self._something_to_do = anyio.Event()
        self._pane: Pane | None = None
        self.next: str | None = None
        """The conversation to go to when this one is left; None leaves the program, "" begins a new one."""
        self._greeting = greeting
        self._asked: deque[ApprovalAsked | QuestionAsked] = deque()
        self._dialog: ApprovalDialog | QuestionDialog | None = None
        self._full: tuple[Pager, Screen] | None = None
        self._ops: deque[Op] = deque()
        self._something_to_send = anyio.Event()
        self._changed = anyio.Event()
        self._left = anyio.Event()
        self._is_busy = False
        self._began = 0.0
        self._idle = anyio.Event()
        self._opened = anyio.Event()
        self._pressed = ("", 0.0)
        self._prefix = False
        self._esc_s = 0.2 if os.environ.get("SSH_CONNECTION") else 0.05

    async def run(self, prompts: Sequence[Prompt] = ()) -> None:
        """Until the person leaves."""
        self._opening.done()
        for line in self._header():
            self._screen.draw((self._painter.row(line),), [()], (0, 0))
        for report in self._opening.reports:
            self._report(report)
        for prompt in prompts:
            self._queue(prompt)
        for typed in self._opening.waiting:
            self._send(typed)
        async with anyio.create_task_group() as tasks:
            for work in (
                self._read_keys,
                self._hear,
                self._deliver,
                self._obey,
                self._arm,
                self._watch_signals,
                self._tick,
                self._draw_frames,
            ):
                tasks.start_soon(work)
            await self._left.wait()
            tasks.cancel_scope.cancel()
        self._close()

    def leave(self) -> None:
        self._left.set()

    # Reading, hearing, delivering, drawing: each waits for one thing.

    async def _read_keys(self) -> None:
        keys = self._opening.keys
        while True:
            if keys.waits:
                with anyio.move_on_after(self._esc_s) as patience:
                    await anyio.wait_readable(self._terminal.inp)
                if patience.cancelled_caught:
                    self._take(keys.flush())
                    continue
            else:
                await anyio.wait_readable(self._terminal.inp)
            data = os.read(self._terminal.inp, 65536)
            if not data:
                return self.leave()
            self._take(keys.feed(data))

    async def _hear(self) -> None:
        async for event in self._conversation.events(since=""):
            self._event(event)
            self._dirty()

    async def _deliver(self) -> None:
        while True:
            while not self._ops:
                self._something_to_send = anyio.Event()
                await self._something_to_send.wait()
            await self._conversation.send(self._ops.popleft())

    async def _obey(self) -> None:
        """Run commands one after the other, beside everything else; esc ends the one that runs."""
        while True:
            while not self._commands:
                self._something_to_do = anyio.Event()
                await self._something_to_do.wait()
            with anyio.CancelScope() as self._command:
                await self._show(await commands().run(self._commands.popleft(), self._desk))
            self._command = None
            self._dirty()

    async def _watch_signals(self) -> None:
        with anyio.open_signal_receiver(signal.SIGWINCH, signal.SIGCONT) as signals:
            async for _ in signals:
                self._repaint()

    async def _tick(self) -> None:
        """While something runs its time is shown; else nothing wakes up."""
        while True:
            await anyio.sleep(_TICK_S)
            if self._is_busy and self.look.motion:
                self._dirty()
            elif not self._is_busy:
                self._idle = anyio.Event()
                await self._idle.wait()

    async def _arm(self) -> None:
        """Let a question take keys once it has stood for a moment."""
        while True:
            await self._opened.wait()
            self._opened = anyio.Event()
            await anyio.sleep(DEAF_S)
            if self._dialog and not self._opened.is_set():
                self._dialog.is_armed = True
                self._dirty()

    async def _draw_frames(self) -> None:
        last = 0.0
        while True:
            await self._changed.wait()
            pause = last + FRAME_S - time.monotonic()
            if pause > 0:
                await anyio.sleep(pause)
            self._changed = anyio.Event()
            last = time.monotonic()
            self._draw()

    def _dirty(self) -> None:
        self._changed.set()

    def _queue(self, op: Op) -> None:
        if isinstance(op, Reply):
            self._settled(op.question)
        self._ops.append(op)
        self._something_to_send.set()

    # What events change

    def _event(self, event: Event) -> None:
        self.look.now = time.monotonic()
        self.transcript.hear(event)
        self.status.hear(event)
        self._desk.hear(event)
        match event:
            case Entry(fact=TurnStarted()):
                self._busy(True)
            case CommandDelta():
                self._busy(True)
            case Entry(fact=CommandShown()):
                self._busy(False)
            case Entry(fact=TurnEnded()):
                self._busy(False)
                self._around.refresh()
                self._asked.clear()
                self._dialog = None
            case Entry(fact=ApprovalAsked() | QuestionAsked() as asked):
                self._asked.append(asked)
                self._next_question()
            case Entry(fact=ApprovalGiven(tool_call_id=call_id)):
                self._settled(call_id)
        self._composer.mode = "" if self.status.mode == "default" else self.status.mode
        self._composer.level = self.status.thinking

    def _busy(self, busy: bool) -> None:
        self._is_busy = busy
        self._began = self.look.now
        if busy:
            self._idle.set()

    def _next_question(self) -> None:
        if self._dialog is not None or not self._asked:
            return
        asked = self._asked[0]
        if isinstance(asked, QuestionAsked):
            self._dialog = QuestionDialog(asked, self._queue)
        else:
            place = f"1 of {len(self._asked)}" if len(self._asked) > 1 else ""
            self._dialog = ApprovalDialog(asked, self._queue, place)
        self._opened.set()

    def _settled(self, asked_id: str) -> None:
        """A question was answered, by whomever."""
        self._asked = deque(asked for asked in self._asked if _id_of(asked) != asked_id)
        if self._dialog and _id_of(self._dialog.asked) == asked_id:
            self._dialog = None
            self._next_question()

    async def _show(self, outcome: Outcome) -> None:
        """What a command came to."""
        match outcome:
            case Show(text, title):
                self._show_text(text, title)
            case Do(ops, text):
                for op in ops:
                    self._queue(op)
                if text:
                    self.transcript.add(NoticeBlock("info", text))
            case Ask(prompt, images):
                self._queue(Prompt(prompt, images))
            case Open(view, argument):
                await self._open(view, argument)
            case Fail(message, hint):
                self.transcript.add(NoticeBlock("error", message, hint))
            case Leave():
                self.leave()
            case _ as never:
                assert_never(never)

    def _show_text(self, text: str, title: str) -> None:
        block = TextBlock(text)
        if len(block.lines(self._screen.columns)) > self._screen.rows // 2:
            self._page(title or "codi", block.whole)
        else:
            self.transcript.add(block)

    async def _open(self, view: str, argument: str) -> None:
        match view:
            case "modes":
                await self._pick("mode", [Choice(mode, mode) for mode in get_args(Mode)], ChoosePolicy)
            case "models":
                rows = rows_of((await self._around.beside(("models", "--json"))).text)
                await self._pick("model", pickers.models(rows), ChooseModel)
            case "sessions":
                rows = rows_of((await self._around.beside(("sessions", "--json"))).text)
                await self._pick_session(pickers.sessions(rows))
            case "session":
                self._go(argument)
            case "queued":
                self._pull_back(int(argument))
            case "thinking":
                await self._pick("thinking", [Choice(level, level) for level in get_args(Level)], ChooseThinking)

    async def _pick(self, title: str, choices: Sequence[Choice], op: Callable[[Any], Op]) -> None:
        choice = await self._picked(title, choices)
        if choice:
            self._queue(op(choice.value))

    async def _pick_session(self, choices: Sequence[Choice]) -> None:
        choice = await self._picked("session", choices)
        if choice:
            self._go(str(choice.value))

    async def _picked(self, title: str, choices: Sequence[Choice]) -> Choice | None:
        """What the person chooses; None where they leave the list."""
        answered, answers = anyio.Event(), list[Choice | None]()

        def chosen(choice: Choice | None) -> None:
            answers.append(choice)
            answered.set()

        self._pane = Picker(title, choices, chosen)
        self._dirty()
        try:
            await answered.wait()
        finally:
            self._pane = None
        return answers[0]

    def _go(self, session: str) -> None:
        """Leave this conversation for another, or for a new one where none is named."""
        if self._is_busy:
            self.transcript.add(NoticeBlock("error", "stop the turn first (Esc)"))
            return
        self.next = session
        self.leave()

    async def _confirm(self, question: str) -> bool:
        answered, answers = anyio.Event(), [False]

        def answer(yes: bool) -> None:
            answers[0], self._pane = yes, None
            answered.set()

        self._pane = ConfirmDialog(question, answer)
        self._dirty()
        try:
            await answered.wait()
        finally:
            self._pane = None
        return answers[0]

    # What keys change

    def _take(self, inputs: Sequence[Input]) -> None:
        for what in inputs:
            kind, text = what
            if kind == "report":
                self._report(text)
            elif kind == "focus":
                pass
            elif not self._taker(what).take(what):
                self._key(text)
        if inputs:
            self._dirty()

    def _taker(self, what: Input) -> Pane:
        """Who gets this input. What was typed before a question opened was meant for the editor."""
        if self._full:
            return self._full[0]
        if self._dialog and self._dialog.is_armed:
            return self._dialog
        return self._pane or self._composer

    def _report(self, text: str) -> None:
        if text.startswith("[?") and text.endswith("u"):
            self._terminal.use_keys("kitty")
        elif text.startswith("[?") and text.endswith("c"):
            self._terminal.use_keys("other")

    def _key(self, key: str) -> None:
        if self._dialog or self._pane or self._full:
            action = self._composer.keymap.action(key)
            if action:
                self._act(action)

    def _act(self, action: str) -> bool:
        """Do an action that is not the editor's."""
        empty = not self._composer.editor.text
        match action:
            case "interrupt":
                if self._command:
                    self._command.cancel()
                elif self._is_busy:
                    self._queue(Interrupt())
            case "clear":
                self._clear(empty)
            case "exit":
                if not empty:
                    return self._composer.do("delete-char-forward")
                self.leave()
            case "suspend":
                self._terminal.suspend()
                self._repaint()
            case "select-model":
                self._command_line("/model")
            case "complete":
                editor = self._composer.editor
                self._composer.popup = self._completer.path(editor.text, editor.caret)
            case "history-back" | "history-forward":
                history = self._around.history
                text = history.back(self._composer.text) if action == "history-back" else history.forward()
                if text is not None:
                    self._composer.set(text)
            case "cycle-mode":
                at = next((at for at, mode in enumerate(_MODES) if mode == self.status.mode), -1)
                self._queue(ChoosePolicy(_MODES[(at + 1) % len(_MODES)]))
            case "toggle-thinking":
                self.look.thinking = not self.look.thinking
            case "expand-tools" | "page-up":
                self._page("transcript", self.transcript.whole, at_end=True)
            case "redraw":
                self._repaint()
            case "dequeue":
                self._pull_back(len(self._desk.waiting))
            case "cycle-model-forward" | "cycle-model-backward":
                self._command_line(f"/scoped-models {'next' if action.endswith('forward') else 'back'}")
            case "cycle-thinking-level":
                levels = get_args(Level)
                at = levels.index(self.status.thinking) if self.status.thinking in levels else -1
                self._queue(ChooseThinking(levels[(at + 1) % len(levels)]))
            case _:
                return False
        return True

    def _clear(self, empty: bool) -> None:
        now = time.monotonic()
        before, self._pressed = self._pressed, ("ctrl+c", now)
        if not empty:
            self._composer.clear()
        elif before[0] == "ctrl+c" and now - before[1] < _TWICE_S:
            self.leave()
        elif self._is_busy:
            self._queue(Interrupt())
        else:
            self.transcript.add(NoticeBlock("info", "ctrl+c again leaves"))

    def _send(self, typed: Typed) -> None:
        text = typed.text.strip("\n")
        self._around.history.add(text)
        if not typed.is_literal and commands().is_command(text):
            self._command_line(text)
            return
        if text.startswith("!") and not typed.is_literal:
            self._own_command(text)
            return
        text = text[1:] if text.startswith("//") and not typed.is_literal else text
        self._queue(Steer(text) if self._is_busy and not typed.later else Prompt(text))

    def _command_line(self, text: str) -> None:
        self._commands.append(text)
        self._something_to_do.set()

    def _own_command(self, line: str) -> None:
        """`!cmd` is run and given to the model with the next prompt, `!!cmd` is only run."""
        command = line.lstrip("!").strip()
        if command:
            self._queue(RunCommand(command, excluded=line.startswith("!!")))
        else:
            self.transcript.add(NoticeBlock("info", LINES_OF_SHELL))

    def _pull_back(self, number: int) -> None:
        """Take back into the editor what waits at this place, before what stands there."""
        if 1 <= number <= len(self._desk.waiting):
            item = self._desk.waiting[number - 1]
            self._queue(Withdraw(item.line, item.at))
            draft = self._composer.text
            self._composer.set(f"{item.what.text}\n{draft}" if draft.strip() else item.what.text)

    def _page(self, title: str, content: Callable[[int], Sequence[Line]], *, at_end: bool = False) -> None:
        screen = Screen(self._terminal.write, self._screen.rows, self._screen.columns)
        self._full = (Pager(title, content, self._leave_pager, at_end=at_end), screen)
        self._terminal.full(True)
        screen.repaint((), [()], None)

    def _leave_pager(self) -> None:
        self._full = None
        self._terminal.full(False)
        if (self._screen.rows, self._screen.columns) != self._terminal.size:
            self._repaint()

    # What is drawn

    def _header(self) -> list[Line]:
        return [clipped(((self._greeting, "dim"),), self._screen.columns)] if self._greeting else []

    def _draw(self) -> None:
        self.look.now = time.monotonic()
        rows, columns = self._screen.rows, self._screen.columns
        if self._full:
            pager, screen = self._full
            view = pager.view(rows, columns)
            screen.draw((), self._painter.rows(view.lines), view.caret)
            return
        printed = self.transcript.printable(columns)
        live, caret = self._live(rows, columns)
        self._screen.draw(self._painter.rows(printed), self._painter.rows(live), caret)

    def _live(self, rows: int, columns: int) -> tuple[list[Line], tuple[int, int] | None]:
        small = columns < 30 or rows < 8
        foot = [self.status.line(columns)] if rows > 1 else []
        view = self._bottom(max(rows - len(foot) - (0 if small else 1), 1), columns)
        room = rows - len(foot) - len(view.lines)
        above = self.transcript.live(columns, room) if room > 0 else []
        if self._is_busy and len(above) < room:
            above = [*above, ((f"working {self.look.now - self._began:.0f}s, esc to stop"[:columns], "dim"),)]
        above = [*above, *self._in_line(columns, room - len(above))]
        caret = None if view.caret is None else (len(above) + view.caret[0], view.caret[1])
        return [*above, *view.lines, *foot], caret

    def _in_line(self, columns: int, room: int) -> list[Line]:
        """One line for each item that waits, as many as there is room for."""
        items = self._desk.waiting
        rows = [
            f"{number}. {'steer' if item.line == 'steering' else 'next'} {visible(item.what.text).splitlines()[0] if item.what.text.strip() else '(image)'}"
            for number, item in enumerate(items, 1)
        ]
        if len(rows) > max(room, 0):
            rows = rows[: max(room - 1, 0)] + (
                [f"... and {len(rows) - max(room - 1, 0)} more wait"] if room > 0 else []
            )
        return [clipped(((row, "dim"),), columns) for row in rows]

    def _bottom(self, rows: int, columns: int) -> View:
        dialog = self._dialog
        if isinstance(dialog, ApprovalDialog) and dialog.is_viewing:
            dialog.is_viewing = False
            self._page("approval", dialog.whole)
        return (dialog or self._pane or self._composer).view(rows, columns)

    def _repaint(self) -> None:
        """The window is another, or was somebody else's: print what fits into two of it, and the live rows."""
        rows, columns = self._terminal.size
        self._screen.rows, self._screen.columns = rows, columns
        if self._full:
            pager, screen = self._full
            screen.rows, screen.columns = rows, columns
            view = pager.view(rows, columns)
            screen.repaint((), self._painter.rows(view.lines), view.caret)
            return
        recent = self.transcript.newest(columns, 2 * rows)
        live, caret = self._live(rows, columns)
        self._screen.repaint(self._painter.rows(recent), self._painter.rows(live), caret)

    def _close(self) -> None:
        """Leave the terminal as it was found, with what was said still on it; or to the next conversation."""
        if self._full:
            self._leave_pager()
        printed = self._painter.rows(self.transcript.printable(self._screen.columns))
        self._screen.draw(printed, [()], (0, 0))
        self._opening.waiting.clear()
        if self.next is None:
            self._terminal.leave()


def _id_of(asked: ApprovalAsked | QuestionAsked) -> str:
    return asked.id if isinstance(asked, QuestionAsked) else asked.tool_call_id
