"""A plain conversation, line by line: `codi` in a terminal that can do no more, or wants no more.

A line is a prompt. `/model X`, `/mode X`, `/undo`, `/redo`, `/changes`, `/blame`, `/bisect`, `/snapshot`, `/evidence`, `/policy`,
`/approvals`, `/allow RULE`, `/deny RULE` and `/exit` are the only commands. Ctrl-C stops a turn, and leaves when none runs.
"""

import os
import signal
import sys
import termios
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from shutil import get_terminal_size
from typing import Any, TypeVar

import anyio
import msgspec
from anyio.abc import TaskStatus
from msgspec.structs import replace

from codi.commands import context_words
from codi.commands.ledger_words import USAGE
from codi.commands.rules import rule_words
from codi.frontends.answers import MOST_RISK, Answering
from codi.frontends.approval_text import MISLEADING, escaped, shown_approval
from codi.frontends.ledger_chat import LedgerChat
from codi.frontends.proof import Proof, mark_of
from codi.frontends.sanitiser import visible
from codi.protocol.conversation import Conversation
from codi.protocol.effects import Allow, Deny
from codi.protocol.errors import UsageError
from codi.protocol.events import (
    AnswerDelta,
    ApprovalAsked,
    CallEndDelta,
    CallStartDelta,
    CompactionDelta,
    ContextDelta,
    Entry,
    Event,
    ModelChosen,
    PolicyChosen,
    PolicyDelta,
    QuestionAsked,
    RuleTriedDelta,
    StatusDelta,
    TextDelta,
    ToolProgress,
    TurnEnded,
)
from codi.protocol.ops import (
    Answer,
    ChooseModel,
    ChoosePolicy,
    ConsultPolicy,
    Interrupt,
    Prompt,
    Reply,
    TryRule,
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
        self._answering = answering
        self._events = conversation.events()
        self._lines = _Lines()
        self._ledger = LedgerChat(conversation, self._events, self.line, self._answer)
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
                    f"{', '.join(USAGE.values())}, /evidence, /policy, /approvals, /allow RULE, /deny RULE and /exit",
                    flush=True,
                )
            case _:
                await self.turn(Prompt(line.strip()))
        return True

    async def turn(self, prompt: Prompt) -> None:
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
            await self._conversation.send(context_words.op_of(name, words))
        except UsageError as error:
            print(visible(f"error: {error}\nhint: {error.hint}"), flush=True)
            return
        async for event in self._events:
            match event:
                case AnswerDelta(text, ok, hint):
                    told = [text, hint] if ok else [f"error: {text}", f"hint: {hint}"]
                case ContextDelta():
                    told = list(context_words.context_in_words(event))
                case CompactionDelta():
                    told = list(context_words.compaction_in_words(event))
                case _:
                    _print_event(event)
                    continue
            print(visible("\n".join(told).rstrip()), flush=True)
            return

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
        if answer := await self._unless_stopped(partial(self._ask, asked)):
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

    async def _ask(self, asked: ApprovalAsked) -> Answer:
        if self._answering and asked.risk < MOST_RISK:
            return self._answering(asked)
        self._lines.forget()
        call, offers = asked.tool_call_id, asked.offers
        who = os.environ.get("LOGNAME") or os.environ.get("USER")
        no = Answer(call, Deny(by="person"), binding=asked.binding, who=who)
        if not await self._show_approval(asked):
            return no
        yes = replace(no, verdict=Allow(by="person"))
        risky = asked.risk >= MOST_RISK
        kept = ", for this [s]ession, [a]lways" if offers else ""
        question = (
            f"{'yes (the whole word)' if risky else '[y]es'}, [N]o{kept}, [e]dit, e[x]it the turn, or say why not: "
        )
        while True:
            answer = (await self.line(question) or "").strip()
            match answer.lower():
                case "yes":
                    return await self._once(asked, yes)
                case "y" if not risky:
                    return await self._once(asked, yes)
                case "s" | "session" if offers:
                    return replace(yes, rule=offers[0])
                case "a" | "always" if offers:
                    if with_rule := await self._always(asked, yes):
                        return with_rule
                case "e" | "edit":
                    if edited := await self._edited(asked, yes):
                        return edited
                case "x" | "exit":
                    return replace(no, abort=True)
                case "d":
                    why = (await self.line("why not: ") or "").strip()
                    return replace(no, verdict=Deny(why, by="person"))
                case "" | "n" | "no":
                    return no
                case "y" | "s" | "a":
                    print(
                        "type the whole word yes" if answer.lower() == "y" else "no rule is kept for a call like this"
                    )
                case _:
                    return replace(no, verdict=Deny(answer, by="person"))

    async def _show_approval(self, asked: ApprovalAsked) -> bool:
        """All of what is asked, a screen at a time; False where the person has seen enough to say no."""
        shown = shown_approval(asked)
        columns, rows = get_terminal_size()
        left = rows - 4 if sys.stdout.isatty() else sys.maxsize
        print()
        for number, line in enumerate(shown.lines):
            height = 1 + len(line) // max(columns, 1)
            if left < height and left < rows - 4:
                more = await self.line(f"-- {len(shown.lines) - number} more lines, Enter shows them, n denies: ")
                if more is None or more.strip().lower() in ("n", "no", "x"):
                    return False
                left = rows - 4
            left -= height
            print(visible(line))
        if shown.is_escaped:
            print(MISLEADING)
        sys.stdout.flush()
        return True

    async def _once(self, asked: ApprovalAsked, yes: Answer) -> Answer:
        """Yes, and whether the rule is wanted that now suggests itself."""
        if asked.suggested is None:
            return yes
        print(visible(f"you allowed this before; the rule {asked.suggested} would do it from now on in this project"))
        keep = (await self.line("keep the rule? [y]es, [N]o (it is not offered again): ") or "").strip().lower()
        if keep in ("y", "yes"):
            return replace(yes, rule=asked.suggested, remember="project")
        return replace(yes, refused=True)

    async def _always(self, asked: ApprovalAsked, yes: Answer) -> Answer | None:
        """Yes, with a rule that the person may change first; None to go back."""
        text = (await self.line(visible(f"the rule, Enter for {asked.offers[0]}: ")) or "").strip() or asked.offers[0]
        await self._conversation.send(TryRule(text))
        async for event in self._events:
            self._proof.hear(event)
            if isinstance(event, RuleTriedDelta):
                break
            _print_event(event)
        else:
            return None
        if event.problem:
            print(visible(f"error: {event.problem}"))
            return None
        for match in event.matches:
            print(visible(f"  would also have allowed: {match}"))
        match (await self.line("keep it for this [p]roject, for the [u]ser everywhere, [N]o: ") or "").strip().lower():
            case "p" | "project" | "y":
                return replace(yes, rule=text, remember="project")
            case "u" | "user":
                return replace(yes, rule=text, remember="user")
        return None

    async def _edited(self, asked: ApprovalAsked, yes: Answer) -> Answer | None:
        """Yes to other arguments; None to go back."""
        now = msgspec.json.encode(asked.arguments).decode()
        line = (
            await self.line(visible(f"{escaped(now)}\nthe arguments instead, as JSON (Enter: back): ")) or ""
        ).strip()
        if not line:
            return None
        try:
            return replace(yes, changed=msgspec.json.decode(line, type=dict[str, Any]))
        except (msgspec.DecodeError, RecursionError) as error:
            print(visible(f"error: these are no arguments: {error}"))
            return None

    async def _consult(self, words: Sequence[str]) -> None:
        await self._conversation.send(ConsultPolicy(tuple(words)))
        async for event in self._events:
            if isinstance(event, PolicyDelta):
                print(visible(event.text), flush=True)
                return


def _print_event(event: Event) -> None:
    match event:
        case TextDelta(text) | ToolProgress(text=text):
            print(visible(text), end="", flush=True)
        case CallStartDelta(tool=tool, arguments=arguments):
            what = next((str(value) for value in arguments.values()), "")
            print(visible(f"\n· {tool} {what}".rstrip()[:200]), flush=True)
        case CallEndDelta(result) if result.is_error:
            print(visible(f"  failed: {result.text}"[:400]), flush=True)
        case StatusDelta(kind="retry" | "warning" | "fallback", text=text):
            print(visible(f"\nwarning: {text}"), flush=True)
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
    cost = "" if stats.cost is None else f", ${stats.cost:.4f}"
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
