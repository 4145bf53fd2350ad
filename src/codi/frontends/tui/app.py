"""One conversation on one terminal: keys become ops, events become lines.

Several things happen side by side and meet in the state: keys are read, events are heard, ops are delivered, commands are obeyed,
signals arrive, frames are drawn. A frame is drawn when something changed, and not more often than a terminal can show.
"""

import asyncio
import math
import os
import re
import signal
import time
from collections.abc import Callable, Mapping, Sequence

import anyio

from codi.commands.kit import commands
from codi.commands.settings import UiSettings
from codi.frontends.desk import ConversationDesk, line_of
from codi.frontends.tui import attention
from codi.frontends.tui.actions import Actions
from codi.frontends.tui.activity import Activity
from codi.frontends.tui.attention import Attention
from codi.frontends.tui.blocks.look import Look
from codi.frontends.tui.blocks.notice import NoticeBlock, TextBlock
from codi.frontends.tui.canvas import Canvas
from codi.frontends.tui.completion import Completer
from codi.frontends.tui.composer import Typed
from codi.frontends.tui.enclosing import Enclosing
from codi.frontends.tui.keymap import PREFIX, Keymap
from codi.frontends.tui.keys import Input
from codi.frontends.tui.mishaps import Mishaps
from codi.frontends.tui.opening import Opening
from codi.frontends.tui.outcomes import Outcomes
from codi.frontends.tui.outside import Outside
from codi.frontends.tui.panes import Pane, Pictures
from codi.frontends.tui.questions import Questions
from codi.frontends.tui.saying import Saying
from codi.frontends.tui.status import Status
from codi.frontends.tui.surroundings import Surroundings
from codi.frontends.tui.transcript import Transcript
from codi.frontends.tui.wardrobe import AUTO, Wardrobe
from codi.protocol.conversation import Conversation
from codi.protocol.events import (
    ApprovalAsked,
    Entry,
    Event,
    QuestionAsked,
    QueueDelta,
    SessionOpened,
    StatusDelta,
    TextDelta,
    ThinkingDelta,
    TitleGiven,
    TurnEnded,
    TurnStarted,
)
from codi.protocol.ops import (
    Mode,
    Op,
)

_ASKS_FOR_HELP = re.compile(r"\?[\w-]*")
_FRAME_S = 0.016
_REPAINT_S = 0.05
_TICK_S = 0.5
_TWICE_S = 2.0
_ESC_TWICE_S = 0.6
_LOOK_S = 1.0
_PIECES = (TextDelta, ThinkingDelta)
_SIGNALS = (signal.SIGWINCH, signal.SIGCONT, signal.SIGTSTP)
_MODES: tuple[Mode, ...] = ("default", "accept-edits", "plan")


class App:
    """Takes over what the opening painted. `next` is the conversation to go to when this one is left: None leaves the program,
    "" begins a new one."""

    def __init__(
        self, opening: Opening, conversation: Conversation, around: Surroundings, *, greeting: str = ""
    ) -> None:
        self.next: str | None = None
        self.then: Sequence[Op] = ()
        self.drawn = anyio.Event()
        """Set when the first frame is on the terminal."""
        self._opening = opening
        self._conversation = conversation
        self._around = around
        self._greeting = greeting
        self._look = Look(thinking=not around.ui.hide_thinking, motion=around.ui.motion)
        self._transcript = Transcript(self._look)
        home, is_utf8 = os.path.expanduser("~"), _is_utf8(os.environ)
        self._status = Status(around.cwd, home, around.ui.status, unicode=is_utf8)
        self._canvas = Canvas(opening, self._transcript, self._status, self._look)
        self._composer = opening.composer
        self._questions = Questions(self._send_op, self._redraw, around.answering)
        self._wardrobe = Wardrobe(opening.painter, around.themes, os.environ)
        self._outcomes = Outcomes(
            self._canvas,
            self._transcript,
            around,
            send=self._send_op,
            go=self._go,
            redraw=self._redraw,
            keys=lambda: self._composer.keymap.told(),
            wardrobe=self._wardrobe,
            pull_back=lambda number: self._actions.pull_back(number),
            tree=lambda: self._desk.tree,
            put=self._composer.set,
            reread=self._reread,
            waiting=lambda: self._desk.waiting,
            standing=lambda: (self._status.used, f"{self._status.provider}/{self._status.model}"),
            obey=lambda line: self._lines.send_nowait(line),
        )
        self._desk = ConversationDesk(conversation, around.beside, self._outcomes.confirm)
        self._parts = (self._desk, self._status, self._questions, self._outcomes, self._transcript)
        self._completer = Completer(commands(), around.names)
        self._attention = Attention(around.ui.notify, os.environ)
        self._ops, self._ops_to_send = anyio.create_memory_object_stream[Op](math.inf)
        self._lines, self._lines_to_obey = anyio.create_memory_object_stream[str](math.inf)
        self._activity = Activity()
        self._left = anyio.Event()
        self._repaint_wanted, self._status_wanted = anyio.Event(), anyio.Event()
        self._changed, self._typed = asyncio.Event(), asyncio.Event()  # used again and again, with every frame
        self._touched = asyncio.Event()
        """Set with all that the terminal sends."""
        self._drawn_at = 0.0
        self._was_for_key = False
        self._prefixed = False
        self._esc_s = 0.2 if os.environ.get("SSH_CONNECTION") else 0.05
        self._remember: Callable[[Sequence[str]], object] = lambda words: None
        """Runs a subcommand beside the conversation, and nobody waits for it."""
        self._mishaps = Mishaps(around.log)
        self._outside = Outside(opening.terminal, around.log)
        self._canvas.mishap = self._mishaps.told
        self._pictures: Pictures | None = None
        self._enclosing = Enclosing(
            self._composer,
            opening.terminal.write,
            around.cwd,
            tell=lambda text: self._tell("info", text),
            changed=self._redraw,
        )
        self._actions = Actions(
            self._composer,
            self._canvas,
            self._transcript,
            self._status,
            self._look,
            self._activity,
            around,
            self._enclosing,
            self._outside,
            completer=self._completer,
            send=self._send_op,
            obey=self._lines.send_nowait,
            go=self._go,
            remember=lambda words: self._remember(words),
            waiting=lambda: self._desk.waiting,
        )
        self._saying = Saying(
            around,
            self._activity,
            send=self._send_op,
            obey=self._lines.send_nowait,
            tell=self._tell,
            give_back=self._give_back,
        )
        self._take_over_composer()

    async def run(self, begin: Sequence[Op] = (), command: str = "") -> None:
        """Until the person leaves. `begin` is sent first, and `command` obeyed, as if they had been typed."""
        self._opening.done()
        self._canvas.terminal.keep_title()
        if self._greeting:
            self._transcript.add(TextBlock(self._greeting, "dim"))
        for complaint in self._composer.keymap.complaints:
            self._transcript.add(NoticeBlock("warning", f"ui.keys: {complaint}"))
        self._dress(self._around.ui.theme)
        self._take(self._opening.reports)
        for op in begin:
            self._send_op(op)
        if command:
            self._lines.send_nowait(command)
        for typed in self._opening.waiting:
            self._saying.take(typed)
        self._opening.waiting.clear()
        self._redraw()
        self._outside.catch()
        try:
            await self._talk()
        finally:
            self._outside.heard()  # what nobody was told of is in the log all the same
            self._outside.release()
        self._canvas.close()
        if self.next is None:
            self._canvas.terminal.leave()

    async def _talk(self) -> None:
        async with anyio.create_task_group() as tasks:
            self._remember = lambda words: tasks.start_soon(self._run_beside, words)
            work = (
                self._read_keys,
                self._hear,
                self._deliver,
                self._obey,
                self._saying.work,
                self._enclosing.work,
                self._questions.arm,
            )
            for each in (*work, self._watch_signals, self._look_around, self._repaint, self._tick, self._draw_frames):
                tasks.start_soon(each)
            if self._around.ui.status_command:
                tasks.start_soon(self._ask_for_status, self._around.ui.status_command)
            await self._left.wait()
            tasks.cancel_scope.cancel()

    async def _run_beside(self, words: Sequence[str]) -> None:
        await self._around.beside(words)

    async def _read_keys(self) -> None:
        keys, terminal = self._opening.keys, self._canvas.terminal
        self._take(self._opening.rest)
        self._opening.rest.clear()
        while True:
            if keys.waits:
                with anyio.move_on_after(self._esc_s) as patience:
                    await anyio.wait_readable(terminal.inp)
                if patience.cancelled_caught:
                    self._take(keys.flush())
                    continue
            else:
                await anyio.wait_readable(terminal.inp)
            data = terminal.read()
            if not data:
                return self._left.set()
            self._take(keys.feed(data))

    async def _hear(self) -> None:
        async for event in self._conversation.events(since=""):
            self._event(event)
            now = time.monotonic()
            if isinstance(event, _PIECES) and now - self._drawn_at >= _FRAME_S and self.drawn.is_set():
                self._draw(now)  # at once: to wake up a task for it costs as much as a part of the frame
                self._was_for_key = False
            else:
                self._redraw()

    async def _deliver(self) -> None:
        async for op in self._ops_to_send:
            await self._conversation.send(op)

    async def _obey(self) -> None:
        """Run commands one after the other, beside everything else; esc ends the one that runs."""
        async for line in self._lines_to_obey:
            with anyio.CancelScope() as self._activity.command:
                try:
                    await self._outcomes.show(await commands().run(line, self._desk))
                except Exception as bug:  # noqa: BLE001 - the bug of a command is told of, and costs no conversation
                    self._transcript.add(NoticeBlock("error", self._mishaps.told(line.split()[0], bug)))
            self._activity.command = None
            self._redraw()

    async def _watch_signals(self) -> None:
        heeded = [each for each in _SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
        with anyio.open_signal_receiver(*heeded) as signals:
            if (self._canvas.rows, self._canvas.columns) != self._canvas.terminal.size:
                self._repaint_wanted.set()  # it changed before anybody listened
            for number in self._opening.signals:
                self._signalled(number)
            self._opening.signals.clear()
            async for number in signals:
                self._signalled(number)

    def _signalled(self, number: int) -> None:
        if number == signal.SIGTSTP:
            self._actions.suspend()
            return
        if number == signal.SIGCONT:
            self._canvas.terminal.keep()
        self._repaint_wanted.set()

    async def _repaint(self) -> None:
        """A window that is being dragged sends hundreds of signals; the last one counts."""
        while True:
            await self._repaint_wanted.wait()
            self._repaint_wanted = anyio.Event()
            self._canvas.repaint()
            await anyio.sleep(_REPAINT_S)

    def _dress(self, name: str) -> None:
        """Put on the theme of the settings, before anything is drawn in another."""
        complaints = self._wardrobe.wear(name)
        if complaints is None:
            there = ", ".join(self._wardrobe.names)
            self._transcript.add(NoticeBlock("warning", f"ui.theme: there is no theme {name!r}", f"There are {there}."))
            self._wardrobe.wear(AUTO)
        self._outcomes.complain(complaints or ())

    async def _look_around(self) -> None:
        """A theme that is being written is seen as it is saved, and what others print is told of; while nobody looks and nothing
        runs, when somebody looks again."""
        while True:
            await anyio.sleep(_LOOK_S)
            if not self._attention.is_focused and not self._activity.is_busy:
                self._touched.clear()
                await self._touched.wait()
            heard, where = self._outside.heard()
            if heard:
                self._transcript.add(NoticeBlock("warning", heard, more=f"It is in {where}."))
                self._redraw()
            complaints = self._wardrobe.changed()
            if complaints is not None:
                self._outcomes.complain(complaints)
                self._canvas.repaint()
                self._redraw()

    async def _ask_for_status(self, command: str) -> None:
        """At the beginning, and when a turn has ended."""
        from codi.frontends.tui.status_program import said_by  # for those who have one

        while True:
            self._status.said = await said_by(command, self._status.facts, self._around.cwd)
            self._redraw()
            await self._status_wanted.wait()
            self._status_wanted = anyio.Event()

    async def _tick(self) -> None:
        """While something runs its time is shown; else nothing wakes up."""
        while True:
            await self._activity.has_begun.wait()
            while self._activity.is_busy and self._look.motion:
                await anyio.sleep(_TICK_S)
                if time.monotonic() - self._drawn_at >= _TICK_S:  # what comes meanwhile shows the time as well
                    self._redraw()
            self._activity.has_begun = anyio.Event()

    async def _draw_frames(self) -> None:
        while True:
            await self._changed.wait()
            pause = self._drawn_at + _FRAME_S - time.monotonic()
            if pause > 0:
                with anyio.move_on_after(pause):
                    # What a person typed does not wait for what streams, only for what they typed before.
                    await (anyio.sleep_forever() if self._was_for_key else self._typed.wait())
            self._was_for_key = self._typed.is_set()
            self._typed.clear()
            due, now = self._drawn_at + _FRAME_S, time.monotonic()
            self._draw(now)
            if pause > 0 and not self._was_for_key:
                # From when it was due: timers are late by a part of a millisecond, and who adds these up falls behind what streams.
                self._drawn_at = min(due, now)

    def _draw(self, now: float) -> None:
        self._changed.clear()
        self._drawn_at = now
        self._canvas.busy = self._activity.told(now, in_motion=self._look.motion)
        self._canvas.dialog = self._questions.dialog
        self._canvas.draw()
        self.drawn.set()
        if self._canvas.terminal.is_lost:
            self._left.set()

    def _give_back(self, typed: Typed, why: str) -> None:
        self._composer.put_back(typed)
        self._tell("error", why)

    def _redraw(self) -> None:
        self._changed.set()

    def _tell(self, kind: str, text: str) -> None:
        """A notice below what was said."""
        self._transcript.add(NoticeBlock(kind, text))
        self._redraw()

    def _send_op(self, op: Op) -> None:
        self._ops.send_nowait(op)

    def _go(self, session: str | None, then: Sequence[Op] = ()) -> None:
        """Leave this conversation for another, for a new one, or for good. `then` is what the other begins with."""
        if session is not None and self._activity.is_busy:
            self._transcript.add(NoticeBlock("error", "stop the turn first (Esc)"))
            return
        self.next, self.then = session, then
        self._left.set()

    def _event(self, event: Event) -> None:
        self._look.now = time.monotonic()
        # Pieces of an answer come by the hundred a second, and say nothing to anybody else.
        is_piece = isinstance(event, _PIECES)
        is_told = False
        for part in (self._transcript,) if is_piece else self._parts:
            if is_told and part is self._transcript:
                continue  # the command that asked tells it
            try:
                is_told = (bool(part.hear(event)) and isinstance(event, StatusDelta)) or is_told
            except Exception as bug:  # noqa: BLE001 - a part that failed costs no other, and no conversation
                self._transcript.add(NoticeBlock("error", self._mishaps.told(type(part).__name__, bug)))
        self._activity.hear(event, self._look.now)
        if is_piece:
            return
        match event:
            case QueueDelta():
                self._canvas.waiting = [line_of(item, number) for number, item in enumerate(self._desk.waiting, 1)]
            case Entry(fact=TurnStarted() | TurnEnded()) if not self.drawn.is_set():
                pass  # of what was said before nothing is on the terminal yet that could be marked
            case Entry(fact=TurnStarted()):
                self._canvas.terminal.write(attention.ANSWER_MARK)
            case Entry(fact=SessionOpened() | TitleGiven()):
                self._canvas.terminal.write(attention.title(self._status.title, self._around.cwd))
            case Entry(fact=TurnEnded()):
                self._around.refresh()
                self._status_wanted.set()
                took = self._look.now - self._activity.began
                self._canvas.terminal.write(attention.END_MARK + self._attention.turn_ended(took))
            case Entry(fact=ApprovalAsked() | QuestionAsked()):
                self._canvas.terminal.write(self._attention.call("codi waits for your answer"))
        self._composer.mode = "" if self._status.mode == "default" else self._status.mode
        self._composer.level = self._status.thinking

    def _reread(self, ui: UiSettings) -> None:
        """Take over what the settings say now."""
        composer = self._composer
        composer.keymap, composer.popup_rows, composer.paste_lines = Keymap(ui.keys), ui.popup_rows, ui.paste_lines
        self._look.thinking, self._look.motion = not ui.hide_thinking, ui.motion
        self._outcomes.complain([f"ui.keys: {complaint}" for complaint in composer.keymap.complaints])
        self._transcript.add(NoticeBlock("info", "keys and looks are as the settings say now"))
        self._outcomes.use_theme(ui.theme)

    def _take_over_composer(self) -> None:
        ui, composer = self._around.ui, self._composer
        composer.keymap = Keymap(ui.keys) if ui.keys else composer.keymap
        composer.send, composer.act, composer.complete = self._saying.take, self._actions.act, self._completer.at
        composer.drop = self._enclosing.drop
        if ui.vim and not composer.modal:
            from codi.frontends.tui.vim import Vim  # for those who have it switched on

            composer.modal = Vim(
                lambda: composer.editor, lambda step: composer.do(f"cursor-{'down' if step > 0 else 'up'}")
            )
        composer.popup_rows, composer.paste_lines = ui.popup_rows, ui.paste_lines
        composer.look_up()

    def _take(self, inputs: Sequence[Input]) -> None:
        for what in inputs:
            kind, text = what
            if kind == "report":
                self._report(text)
            elif kind == "focus":
                self._attention.is_focused = text == "in"
            elif self._prefixed:
                self._prefixed = False
                self._key(f"{PREFIX} {text}")
            elif text == PREFIX and kind == "key":
                self._prefixed = True
            elif not self._given(what) and kind == "key":
                self._key(text)
        dialog = self._questions.dialog
        if dialog and dialog.is_viewing:
            from codi.frontends.tui.approval_dialog import ApprovalDialog  # loaded with the first of them

            assert isinstance(dialog, ApprovalDialog), "a question has nothing to view"
            dialog.is_viewing = False
            self._canvas.page("approval", dialog.whole, toggle=dialog.toggle)
        if inputs:
            self._touched.set()
            self._typed.set()
            self._redraw()

    def _given(self, what: Input) -> bool:
        """Give an input to whom it is for. A list or pager that fails at it goes away."""
        taker = self._taker()
        try:
            return taker.take(what)
        except Exception as bug:
            if taker not in (self._canvas.pager, self._canvas.pane):
                raise
            self._canvas.leave_pager()
            self._canvas.pane = None
            self._transcript.add(NoticeBlock("error", self._mishaps.told(type(taker).__name__, bug)))
            return True

    def _taker(self) -> Pane:
        """Who gets the next input. What was typed before a question opened was meant for the editor."""
        if self._canvas.pager:
            return self._canvas.pager
        dialog = self._questions.dialog
        if dialog and dialog.is_armed:
            return dialog
        return self._canvas.pane or self._composer

    def _report(self, text: str) -> None:
        """What the terminal answered to what it was asked at the start."""
        if text.startswith("[?") and text.endswith("u"):
            self._canvas.terminal.use_keys("kitty")
        elif text.startswith("[?") and text.endswith("c"):
            self._canvas.terminal.use_keys("other")
            self._open_gallery()
        if self._pictures:
            self._pictures.hear(text)
        self._enclosing.hear(text)
        if text.startswith("]11;") and self._wardrobe.told(text):
            self._redraw()  # what is printed by now stays: it is little, and what stood there before codi is not ours to clear

    def _open_gallery(self) -> None:
        """Once the terminal has answered: it says then whether pictures can be drawn."""
        if self._pictures or not self._around.ui.images:
            return
        from codi.frontends.tui.images.gallery import Gallery  # after the first frame, which shows no pictures

        terminal = self._canvas.terminal
        knows_keys = terminal.keys == "kitty"
        self._pictures = pictures = Gallery(os.environ, terminal.write, lambda: terminal.size, knows_keys=knows_keys)
        self._look.picture, self._canvas.painter.picture = pictures.lines, pictures.opening

    def _key(self, key: str) -> None:
        action = self._composer.keymap.action(key)
        if action:
            self._actions.act(action)


def _is_utf8(environment: Mapping[str, str]) -> bool:
    """Whether the terminal shows more than ASCII, by what says so first."""
    said = next((environment[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(name)), "")
    return not said or "utf" in said.lower()
