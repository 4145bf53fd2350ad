"""A plain conversation, line by line: `codi` in a terminal that can do no more, or wants no more.

A line is a prompt, one that begins with `!` a command to run. `/model X`, `/mode X`, `/undo`, `/redo`, `/retry`, `/changes`,
`/blame`, `/bisect`, `/snapshot`, `/evidence`,
`/policy`, `/approvals`, `/allow RULE`, `/deny RULE` and `/exit` are the only commands. Ctrl-C stops a turn, and leaves when none runs.
"""

import os
import signal
import sys
import termios
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import anyio
from anyio.abc import TaskStatus

from codi.commands import context_words
from codi.commands.ledger_words import USAGE
from codi.commands.rules import rule_words
from codi.frontends.answers import Answering
from codi.frontends.approval_chat import ApprovalChat
from codi.frontends.ledger_chat import LedgerChat
from codi.frontends.proof import Proof, mark_of
from codi.frontends.sanitiser import visible, visible_output
from codi.frontends.shell_lines import LINES_OF_SHELL
from codi.protocol.conversation import Conversation
from codi.protocol.errors import UsageError
from codi.protocol.events import (
    AnswerDelta,
    ApprovalAsked,
    CallEndDelta,
    CallStartDelta,
    CommandShown,
    CompactionDelta,
    ContextDelta,
    Entry,
    Event,
    ModelChosen,
    PolicyChosen,
    PolicyDelta,
    QuestionAsked,
    QueueDelta,
    StatusDelta,
    TextDelta,
    ToolProgress,
    TurnEnded,
)
from codi.protocol.ops import (
    ChooseModel,
    ChoosePolicy,
    ConsultPolicy,
    Interrupt,
    Op,
    Prompt,
    ProposeMemories,
    Reply,
    Retry,
    RunCommand,
)

_Said = TypeVar("_Said")

_MODES = ("default", "accept-edits", "plan", "read-only", "full-access")


async def chat(
    conversation: Conversation, greeting: str, prompts: Sequence[Prompt], answering: Answering | None = None
) -> None:
    """Talk until the person leaves. `answering` says yes for them where it is not dangerous."""
    print(visible(greeting), flush=True)
    chatting = _Chat(conversation, answering)
    async with anyio.create_task_group() as tasks:
        await tasks.start(chatting.watch_interrupts, tasks.cancel_scope)
        for prompt in prompts:
            await chatting.turn(prompt)
        while (line := await chatting.line("> ")) is not None:
            if not await chatting.take(line):
                break
        else:
            print(flush=True)
        tasks.cancel_scope.cancel()


class _Chat:
    def __init__(self, conversation: Conversation, answering: Answering | None) -> None:
        self._conversation = conversation
        self._events = conversation.events()
        self._lines = _Lines()
        self._ledger = LedgerChat(conversation, self._events, self.line, self._answer)
        self._approvals = ApprovalChat(conversation, self._events, self.line, self._show, self._hear, answering)
        self._proof = Proof()
        self._busy = False
        self._question: anyio.CancelScope | None = None

    async def watch_interrupts(
        self, all_of_it: anyio.CancelScope, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        with anyio.open_signal_receiver(signal.SIGINT) as signals:
            task_status.started()
            async for _ in signals:
                if self._question:
                    self._question.cancel()
                if self._busy:
                    await self._conversation.send(Interrupt())
                else:
                    print(flush=True)
                    all_of_it.cancel()

    async def line(self, prompt: str) -> str | None:
        print(prompt, end="", flush=True)
        return await self._lines.read()

    async def take(self, line: str) -> bool:
        """Do what a line says; False to leave."""
        word, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        match word:
            case "":
                pass
            case "/exit" | "/quit":
                return False
            case "/model" if rest:
                await self._choose(ChooseModel(rest))
            case "/mode" if rest in _MODES:
                await self._choose(ChoosePolicy(rest))  # type: ignore[arg-type]
            case "/context" | "/compact" | "/clear" | "/pin" | "/unpin" | "/files" | "/remember" | "/memories":
                await self._context(word[1:], rest.split())
            case "/evidence":
                _print_evidence(self._proof)
            case "/model":
                print("usage: /model NAME", flush=True)
            case "/mode":
                print(f"usage: /mode {'|'.join(_MODES)}", flush=True)
            case _ if word.startswith("!"):
                await self._run(line.strip())
            case "/retry":
                await self.turn(Retry())
            case "/policy":
                await self._consult(rest.split())
            case "/approvals" | "/approved" | "/approval":
                await self._consult(rule_words(rest.split()))
            case "/allow" | "/deny" if rest:
                await self._consult([word[1:], rest])
            case _ if word.startswith("/") and await self._looked_back(word[1:].lower(), rest):
                pass
            case _ if word.startswith("/") and "/" not in word[1:]:
                print(
                    f"unknown command {visible(word)}; there are /model NAME, /mode {'|'.join(_MODES)}, "
                    f"{', '.join(USAGE.values())}, /retry, /evidence, /policy, /approvals, /allow RULE, /deny RULE and /exit",
                    flush=True,
                )
            case _:
                await self.turn(Prompt(line.strip()))
        return True

    async def _run(self, line: str) -> None:
        """`!cmd` runs a command, `!!cmd` does so without telling the model."""
        command = line.lstrip("!").strip()
        if not command:
            print(LINES_OF_SHELL, flush=True)
            return
        self._busy = True
        await self._conversation.send(RunCommand(command, excluded=line.startswith("!!")))
        heard = ""
        async for event in self._events:
            match event:
                case Entry(fact=ApprovalAsked() as asked):
                    await self._answer(asked)
                case Entry(fact=CommandShown() as shown):
                    if not heard:
                        print(visible(shown.output), end="")
                    status = "interrupted" if shown.cancelled else f"exit status {shown.exit_code}"
                    print("" if (heard or shown.output).endswith("\n") else "\n", end="")
                    print(
                        status if shown.cancelled or shown.exit_code else "",
                        end="\n" if shown.exit_code or shown.cancelled else "",
                        flush=True,
                    )
                    break
                case ToolProgress(text=text):
                    heard += text
                    print(visible(text), end="", flush=True)
        self._busy = False

    async def turn(self, prompt: Prompt | Retry) -> None:
        self._busy = True
        await self._conversation.send(prompt)
        async for event in self._events:
            self._proof.hear(event)
            match event:
                case Entry(fact=ApprovalAsked() as asked):
                    await self._answer(asked)
                case Entry(fact=QuestionAsked() as question):
                    if reply := await self._unless_stopped(partial(self._reply, question)):
                        await self._conversation.send(reply)
                case Entry(fact=TurnEnded() as ended):
                    _print_end(ended, self._proof)
                    break
                case _:
                    _print_event(event)
        self._busy = False

    async def _context(self, name: str, words: Sequence[str]) -> None:
        """Do what a command about the context says, and tell what became of it."""
        try:
            op = context_words.op_of(name, words)
        except UsageError as error:
            print(visible(f"error: {error}\nhint: {error.hint}"), flush=True)
            return
        told: list[str] = []
        match await (
            context_words.proposals_kept(self._answered, self._confirmed)
            if isinstance(op, ProposeMemories)
            else self._answered(op)
        ):
            case ContextDelta() as event:
                told = list(context_words.context_in_words(event))
            case CompactionDelta() as event:
                told = list(context_words.compaction_in_words(event))
            case AnswerDelta(text, True, hint):
                told = [text, hint]
            case AnswerDelta(text, _, hint):
                told = [f"error: {text}", f"hint: {hint}"]
        print(visible("\n".join(told).rstrip()), flush=True)

    async def _answered(self, op: Op) -> AnswerDelta | ContextDelta | CompactionDelta:
        await self._conversation.send(op)
        async for event in self._events:
            if isinstance(event, AnswerDelta | ContextDelta | CompactionDelta):
                return event
            _print_event(event)
        return AnswerDelta("the conversation is over", ok=False, hint="Begin another.")

    async def _confirmed(self, question: str) -> bool:
        line = await self.line(visible(f"{question} [y/N] "))
        return (line or "").strip().lower() in ("y", "yes")

    async def _choose(self, op: ChooseModel | ChoosePolicy) -> None:
        """Have it chosen, and say what became of it."""
        await self._conversation.send(op)
        async for event in self._events:
            match event:
                case Entry(fact=ModelChosen(provider, model_id)):
                    print(visible(f"model: {provider}/{model_id}"), flush=True)
                    return
                case Entry(fact=PolicyChosen(mode)):
                    print(f"mode: {mode}", flush=True)
                    return
                case StatusDelta(kind="warning", text=text, hint=hint):
                    print(visible(f"error: {text}\nhint: {hint}"), flush=True)
                    return

    async def _looked_back(self, name: str, rest: str) -> bool:
        self._busy = True
        try:
            return await self._ledger.take(name, rest)
        finally:
            self._busy = False

    async def _answer(self, asked: ApprovalAsked) -> None:
        self._lines.forget()
        if answer := await self._unless_stopped(partial(self._approvals.ask, asked)):
            await self._conversation.send(answer)

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
        rows = os.get_terminal_size().lines - 2 if sys.stdin.isatty() and sys.stdout.isatty() else len(lines)
        for at in range(0, len(lines), rows):
            print("\n".join(lines[at : at + rows]), flush=True)
            if (left := len(lines) - at - rows) > 0:
                said = await self.line(
                    f"-- {left} more line{'' if left == 1 else 's'}: Enter shows them, n says no -- "
                )
                if said is None or said.strip().lower() in ("n", "no", "q"):
                    return False
        return True

    async def _reply(self, asked: QuestionAsked) -> Reply:
        print(visible(f"\n{asked.question}"))
        for number, option in enumerate(asked.options, 1):
            print(visible(f"  {number}. {option}"))
        how = [] if not asked.options else ["numbers" if asked.multiple else "a number"]
        how += ["your answer"] if asked.free_text else []
        line = (await self.line(f"{' or '.join(how)} (Enter: no answer): ") or "").strip()
        numbers = line.replace(",", " ").split()
        known = all(number.isdecimal() and 1 <= int(number) <= len(asked.options) for number in numbers)
        if numbers and known and (asked.multiple or len(numbers) == 1):
            return Reply(asked.id, chosen=tuple(dict.fromkeys(int(number) - 1 for number in numbers)))
        same = [at for at, option in enumerate(asked.options) if option.casefold() == line.casefold()]
        if same:
            return Reply(asked.id, chosen=(same[0],))
        return Reply(asked.id, text=line if asked.free_text else "")

    async def _consult(self, words: Sequence[str]) -> None:
        await self._conversation.send(ConsultPolicy(tuple(words)))
        async for event in self._events:
            if isinstance(event, PolicyDelta):
                print(visible(event.text), flush=True)
                return

    def _hear(self, event: Event) -> None:
        self._proof.hear(event)
        _print_event(event)


def _print_event(event: Event) -> None:
    match event:
        case TextDelta(text):
            print(visible(text), end="", flush=True)
        case ToolProgress(text=text):
            print(visible_output(text), end="", flush=True)
        case CallStartDelta(tool=tool, arguments=arguments):
            what = next((str(value) for value in arguments.values()), "")
            print(visible(f"\n· {tool} {what}".rstrip()[:200]), flush=True)
        case CallEndDelta(result) if result.is_error:
            print(visible(f"  failed: {result.text}"[:400]), flush=True)
        case StatusDelta(kind="retry" | "warning" | "fallback", text=text):
            print(visible(f"\nwarning: {text}"), flush=True)
        case QueueDelta(steering, follow_up):
            for kind, items in (("steer", steering), ("next", follow_up)):
                for item in items:
                    print(visible(f"\n  {kind}: {item.text}"), flush=True)
        case StatusDelta(kind="waiting", text=text):
            print(visible(f"\n  {text}"), flush=True)


def _print_evidence(proof: Proof) -> None:
    for claim in proof.claims:
        run = proof.run_of(claim)
        print(visible(f"{claim.text} {mark_of(claim) or '[backed]'}{f' by {run.id}' if run else ''}"))
        if claim.why:
            print(visible(f"  {claim.why}"))
    for run in proof.evidence:
        status = "no exit status" if run.exit_code is None else f"exit status {run.exit_code}"
        stale = ", stale: files were changed since" if proof.is_stale(run) else ""
        print(visible(f"{run.id}: {run.command} ({run.kind}, {status}{stale})"))
    if not proof.claims and not proof.evidence:
        print("no claims and no evidence yet")
    sys.stdout.flush()


def _print_end(ended: TurnEnded, proof: Proof) -> None:
    stats = ended.stats
    steps = f"{stats.steps} step{'' if stats.steps == 1 else 's'}"
    cost = ", price unknown" if stats.cost is None else f", ${stats.cost:.4f}"
    print()
    for mark in proof.marks():
        print(visible(mark))
    print(f"[{steps}, {stats.total_tokens} tokens{cost}]")
    if ended.message:
        print(visible(f"{ended.reason}: {ended.message}\nhint: {ended.hint}"))
    elif ended.reason == "interrupted":
        print("interrupted")
    sys.stdout.flush()


class _Lines:
    """Lines of standard input, without a thread that could not be stopped."""

    def __init__(self) -> None:
        self._rest = b""

    def forget(self) -> None:
        """What was typed before a question stood there is no answer to it. A pipe has no such moment."""
        if sys.stdin.isatty():
            self._rest = b""
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

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
