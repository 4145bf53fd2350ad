"""A plain conversation, line by line: `codi` in a terminal that can do no more, or wants no more.

A line is a prompt. `/model X`, `/mode X` and `/exit` are the only commands. Ctrl-C stops a turn, and leaves when none runs.
"""

import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence

import anyio

from codi.frontends.outcome import said
from codi.frontends.sanitiser import visible
from codi.protocol.conversation import Conversation
from codi.protocol.effects import Allow, Deny
from codi.protocol.events import (
    ApprovalAsked,
    CallEndDelta,
    CallStartDelta,
    Entry,
    Event,
    StatusDelta,
    TextDelta,
    ToolProgress,
    TurnEnded,
)
from codi.protocol.ops import Answer, ChooseModel, ChoosePolicy, Interrupt, Prompt

_MODES = ("default", "accept-edits", "plan", "read-only", "full-access")


async def chat(conversation: Conversation, greeting: str, prompts: Sequence[Prompt]) -> None:
    """Talk until the person leaves."""
    print(visible(greeting), flush=True)
    events = conversation.events()
    chatting = _Chat(conversation, events)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(chatting.watch_interrupts, tasks.cancel_scope)
        for prompt in prompts:
            await chatting.turn(prompt)
        while (line := await chatting.line("> ")) is not None:
            if not await chatting.take(line):
                break
        tasks.cancel_scope.cancel()


class _Chat:
    def __init__(self, conversation: Conversation, events: AsyncIterator[Event]) -> None:
        self._conversation = conversation
        self._events = events
        self._lines = _Lines()
        self._busy = False

    async def watch_interrupts(self, all_of_it: anyio.CancelScope) -> None:
        with anyio.open_signal_receiver(signal.SIGINT) as signals:
            async for _ in signals:
                if not self._busy:
                    print()
                    all_of_it.cancel()
                await self._conversation.send(Interrupt())

    async def line(self, prompt: str) -> str | None:
        print(prompt, end="", flush=True)
        return await self._lines.read()

    async def take(self, line: str) -> bool:
        """Do what a line says; False to leave."""
        word, _, rest = line.strip().partition(" ")
        match word:
            case "":
                pass
            case "/exit" | "/quit":
                return False
            case "/model" if rest:
                await self._conversation.send(ChooseModel(rest.strip()))
            case "/mode" if rest.strip() in _MODES:
                await self._conversation.send(ChoosePolicy(rest.strip()))  # type: ignore[arg-type]
            case _ if word.startswith("/") and "/" not in word[1:]:
                print(f"unknown command {visible(word)}; there are /model NAME, /mode {'|'.join(_MODES)} and /exit")
            case _:
                await self.turn(Prompt(line.strip()))
        return True

    async def turn(self, prompt: Prompt) -> None:
        self._busy = True
        await self._conversation.send(prompt)
        async for event in self._events:
            match event:
                case TextDelta(text):
                    print(visible(text), end="", flush=True)
                case CallStartDelta(tool=tool, arguments=arguments):
                    what = next((str(value) for value in arguments.values()), "")
                    print(visible(f"\n· {tool} {what}".rstrip()[:200]), flush=True)
                case ToolProgress(text=text):
                    print(visible(text), end="", flush=True)
                case CallEndDelta(result) if result.is_error:
                    print(visible(f"  failed: {result.text}"[:400]))
                case StatusDelta(kind="retry" | "warning" | "fallback", text=text):
                    print(visible(f"\nwarning: {text}"))
                case Entry(fact=ApprovalAsked() as asked):
                    await self._conversation.send(await self._ask(asked))
                case Entry(fact=TurnEnded() as ended):
                    print()
                    if ended.message:
                        print(visible(f"{ended.reason}: {ended.message}\nhint: {ended.hint}"))
                    break
        self._busy = False

    async def _ask(self, asked: ApprovalAsked) -> Answer:
        print(visible(f"\n{asked.tool_name} wants to:"))
        for effect in asked.effects:
            print(visible(f"  {said(effect)}"))
        print(visible(f"  risk {asked.risk}: {'; '.join(asked.reasons)}"))
        offer = next(iter(asked.offers), None)
        always = ", [a]lways in this session" if offer else ""
        answer = (await self.line(f"[y]es, [N]o{always}, [s]top the turn, or say why not: ") or "").strip()
        call = asked.tool_call_id
        match answer.lower():
            case "y" | "yes":
                return Answer(call, Allow(by="person"))
            case "a" | "always" if offer:
                return Answer(call, Allow(by="person"), rule=offer)
            case "s" | "stop":
                return Answer(call, Deny(by="person"), abort=True)
            case "" | "n" | "no":
                return Answer(call, Deny(by="person"))
        return Answer(call, Deny(answer, by="person"))


class _Lines:
    """Lines of standard input, without a thread that could not be stopped."""

    def __init__(self) -> None:
        self._rest = b""

    async def read(self) -> str | None:
        """The next line without its end; None at the end of input."""
        while b"\n" not in self._rest:
            await anyio.wait_readable(sys.stdin.fileno())
            piece = os.read(sys.stdin.fileno(), 65536)
            if not piece:
                line, self._rest = self._rest, b""
                return line.decode(errors="replace") or None
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode(errors="replace")
