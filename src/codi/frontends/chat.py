"""A plain conversation, line by line: for a terminal that can do no more, a person who listens to it, or a pipe.

A line is a prompt, a command of the registry, or `!` with a command to run. Nothing that was printed is changed again. Ctrl-C stops
a turn, and leaves when none runs.
"""

import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup, TaskStatus

from codi.commands import ledger_words
from codi.commands.kit import commands
from codi.frontends.approval_chat import ApprovalChat
from codi.frontends.chat_lines import ChatLines
from codi.frontends.chat_outcomes import ChatOutcomes
from codi.frontends.desk import ConversationDesk
from codi.frontends.sanitiser import visible
from codi.frontends.shell_lines import LINES_OF_SHELL
from codi.frontends.tui.pickers import path_to
from codi.frontends.tui.surroundings import Mentioned, Surroundings
from codi.frontends.typed_lines import TypedLines
from codi.protocol.conversation import Conversation
from codi.protocol.events import (
    AnswerDelta,
    ApprovalAsked,
    CommandShown,
    Entry,
    Event,
    NavigatedDelta,
    QuestionAsked,
    QueueDelta,
    StatusDelta,
    TurnEnded,
    UndoDelta,
)
from codi.protocol.ops import Interrupt, Navigate, Op, Prompt, Reply, Retry, Rewind, RunCommand

_Said = TypeVar("_Said")
_LEFT = "-- {} more line{}: Enter shows them, n says no -- "
_PATIENCE_S = 5.0
"""For what is nearly always told at once."""


async def chat(
    conversation: Conversation,
    around: Surroundings,
    greeting: str,
    begin: Sequence[Op],
    typed: TypedLines,
    command: str = "",
) -> tuple[str | None, Sequence[Op]]:
    """Talk until the person leaves; the conversation to go to next, "" for a new one, None for none, and what it begins with.
    `begin` is done first, and `command` obeyed."""
    async with anyio.create_task_group() as tasks:
        chatting = _Chat(conversation, around, typed, tasks)
        await tasks.start(chatting.watch_interrupts)
        await tasks.start(chatting.hear)
        chatting.greet(greeting)
        for op in begin:
            await chatting.do(op)
        if command:
            await chatting.take(command)
        while not chatting.outcomes.has_left and (line := await chatting.line("You: ")) is not None:
            await chatting.take(line)
        tasks.cancel_scope.cancel()
    return chatting.outcomes.next, chatting.outcomes.then


class _Chat:
    def __init__(self, conversation: Conversation, around: Surroundings, typed: TypedLines, tasks: TaskGroup) -> None:
        self._conversation = conversation
        self._around = around
        self._typed = typed
        self._tasks = tasks
        self._lines = ChatLines()
        self.outcomes = ChatOutcomes(
            self._lines,
            lambda: self._desk,
            around.beside,
            line=self.line,
            show=self._show,
            send=self._send,
            turn=self.turn,
        )
        self._desk = ConversationDesk(conversation, around.beside, self.outcomes.confirm)
        self._approvals = ApprovalChat(
            line=self.line,
            say=self._lines.say,
            show=self._show,
            answer=self._desk.answer,
            answering=around.answering,
        )
        self._began = time.time()
        self._is_busy = False
        self._sends = False
        self._command: anyio.CancelScope | None = None
        self._ends: Callable[[Event], bool] = lambda event: False
        self._ended = anyio.Event()
        self._question: anyio.CancelScope | None = None
        self._asking = anyio.Lock()

    def greet(self, greeting: str) -> None:
        self._lines.say(greeting)
        self._lines.recall(path_to(*self._desk.tree))

    async def watch_interrupts(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        with anyio.open_signal_receiver(signal.SIGINT) as signals:
            task_status.started()
            async for _ in signals:
                if self._question:
                    self._question.cancel()
                if self._is_busy:
                    await self._conversation.send(Interrupt())
                elif self._command:
                    self._command.cancel()
                else:
                    print(flush=True)
                    self._tasks.cancel_scope.cancel()

    async def hear(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Tell what happens, as it happens. What happened before this program began is only remembered."""
        events = self._conversation.events(since="")
        task_status.started()
        async for event in events:
            if self._desk.hear(event):
                continue
            if isinstance(event, Entry) and event.at < self._began:
                self._lines.remember(event)
                continue
            match event:
                case StatusDelta(kind="warning", text=text, hint=hint) if self._sends:
                    self._lines.error(text, hint)
                case _:
                    self._lines.hear(event)
            match event:
                case Entry(fact=ApprovalAsked() as asked):
                    self._tasks.start_soon(self._answer, asked)
                case Entry(fact=QuestionAsked() as question):
                    self._tasks.start_soon(self._reply, question)
                case NavigatedDelta():
                    self.outcomes.told(event)
            if self._ends(event):
                self._ended.set()

    async def line(self, prompt: str) -> str | None:
        self._lines.ask(prompt)
        line = await self._typed.read()
        self._lines.answered("" if line is None else line, echo=line is None or not self._typed.is_terminal)
        return line

    async def take(self, line: str) -> None:
        """Do what a line says."""
        text = line.strip()
        if not text:
            return
        self._around.history.add(text)
        if text.startswith("!"):
            await self._run(text)
        elif commands().is_command(text):
            await self._obey(text)
        else:
            await self._say(text[1:] if text.startswith("//") else text)

    async def do(self, op: Op) -> None:
        await (self.turn(op) if isinstance(op, Prompt | Retry) else self._send(op))

    async def turn(self, prompt: Prompt | Retry) -> None:
        def is_over(event: Event) -> bool:
            refused = isinstance(prompt, Retry) and isinstance(event, StatusDelta) and event.kind == "warning"
            return refused or (isinstance(event, Entry) and isinstance(event.fact, TurnEnded))

        await self._until(prompt, is_over)

    async def _obey(self, line: str) -> None:
        with anyio.CancelScope() as self._command:
            await self.outcomes.take(await commands().run(line, self._desk))
        if self._command.cancelled_caught:
            self._lines.say("interrupted")
        self._command = None

    async def _say(self, text: str) -> None:
        found = Mentioned()
        if "@" in text:
            found = await to_thread.run_sync(self._around.mentioned, text, abandon_on_cancel=True)
        if found.complaint:
            self._lines.error(found.complaint)
        else:
            await self.turn(Prompt(found.text + text, found.images))

    async def _run(self, line: str) -> None:
        """`!cmd` runs a command, `!!cmd` does so without telling the model."""
        command = line.lstrip("!").strip()
        if not command:
            self._lines.say(LINES_OF_SHELL)
            return
        await self._until(
            RunCommand(command, excluded=line.startswith("!!")),
            lambda event: isinstance(event, Entry) and isinstance(event.fact, CommandShown),
        )

    async def _send(self, op: Op) -> None:
        """Have something done that is told at once, or, where the conversation goes elsewhere, when it has gone."""

        def is_done(event: Event) -> bool:
            match op, event:
                case _, StatusDelta(kind="warning"):
                    return True
                case Rewind(), UndoDelta():
                    self._lines.say("\n".join(ledger_words.undo_in_words(event)))
                    return not op.conversation or not event.done
                case ((Navigate() | Rewind()), _):
                    return isinstance(event, NavigatedDelta)
                case _, (Entry() | AnswerDelta() | QueueDelta()):
                    return True
            return False

        self._sends = True
        await self._until(op, is_done, None if isinstance(op, Navigate | Rewind) else _PATIENCE_S)
        self._sends = False

    async def _until(self, op: Op, is_over: Callable[[Event], bool], patience_s: float | None = None) -> None:
        self._ended, self._ends, self._is_busy = anyio.Event(), is_over, True
        try:
            with anyio.move_on_after(patience_s):
                await self._conversation.send(op)
                await self._ended.wait()
        finally:
            self._ends, self._is_busy = lambda event: False, False

    async def _answer(self, asked: ApprovalAsked) -> None:
        async with self._asking:
            self._typed.forget()
            if answer := await self._unless_stopped(partial(self._approvals.ask, asked)):
                await self._conversation.send(answer)

    async def _reply(self, question: QuestionAsked) -> None:
        async with self._asking:
            if reply := await self._unless_stopped(partial(self._replied, question)):
                await self._conversation.send(reply)

    async def _unless_stopped(self, asking: Callable[[], Awaitable[_Said]]) -> _Said | None:
        """The person's answer; None where they stopped the turn instead."""
        with anyio.CancelScope() as question:
            self._question = question
            try:
                return await asking()
            finally:
                self._question = None
        return None

    async def _show(self, text: str) -> bool:
        """Show a text of any length; in a terminal page by page. False where the person did not want to see its end."""
        lines = visible(text).split("\n")
        rows = len(lines)
        if self._typed.is_terminal and sys.stdout.isatty():
            rows = max(os.get_terminal_size().lines - 2, 1)
        for at in range(0, len(lines), rows):
            self._lines.say("\n".join(lines[at : at + rows]))
            if (left := len(lines) - at - rows) > 0:
                said = await self.line(_LEFT.format(left, "" if left == 1 else "s"))
                if said is None or said.strip().lower() in ("n", "no", "q"):
                    return False
        return True

    async def _replied(self, asked: QuestionAsked) -> Reply:
        self._lines.say(f"Question: {asked.question}")
        for number, option in enumerate(asked.options, 1):
            self._lines.say(f"  {number}. {option}")
        how = [] if not asked.options else ["numbers" if asked.multiple else "a number"]
        how += ["your words"] if asked.free_text else []
        line = (await self.line(f"Answer: {' or '.join(how)} (Enter: no answer): ") or "").strip()
        numbers = line.replace(",", " ").split()
        known = all(number.isdecimal() and 1 <= int(number) <= len(asked.options) for number in numbers)
        if numbers and known and (asked.multiple or len(numbers) == 1):
            return Reply(asked.id, chosen=tuple(dict.fromkeys(int(number) - 1 for number in numbers)))
        same = [at for at, option in enumerate(asked.options) if option.casefold() == line.casefold()]
        if same:
            return Reply(asked.id, chosen=(same[0],))
        return Reply(asked.id, text=line if asked.free_text else "")
