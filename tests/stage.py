"""A conversation in this process: a scripted model before the real loop, tools, policy, workspace and session.

And the strict judges: what would be sent next, in each wire format, held before the lab's validators without a network.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anyio

from codi.agent.agent import Agent
from codi.agent.approvals import Approvals
from codi.agent.calls import Calls
from codi.agent.context import messages_of
from codi.agent.context_facts import context_facts
from codi.agent.limits import AgentSettings
from codi.agent.memories import Memories
from codi.agent.mind import Mind
from codi.agent.questions import Questions
from codi.agent.record import Record
from codi.agent.remembering import Remembering
from codi.agent.room.room import Room
from codi.agent.room.upkeep import Upkeep
from codi.agent.taking_back import TakingBack
from codi.agent.windows import ContextSettings
from codi.engine.local import Listeners, LocalConversation
from codi.lab.http1 import HttpRequest
from codi.lab.service import Service
from codi.policy.mode import Mode
from codi.policy.modes import policy_of
from codi.policy.territory import Territory
from codi.protocol.errors import ProviderError, ServerFailed
from codi.protocol.events import ApprovalAsked, Entry, Event, Fact, MessageAdded, QuestionAsked, TurnEnded
from codi.protocol.messages import Cost, Message, user
from codi.protocol.ops import Answer, Interrupt, Prompt, Reply
from codi.protocol.tooling import ToolSpec
from codi.providers.anthropic import Anthropic
from codi.providers.google import Google
from codi.providers.ollama import Ollama
from codi.providers.openai_chat import OpenAIChat
from codi.providers.openai_responses import OpenAIResponses
from codi.providers.provider import Abilities, ModelEntry, Request
from codi.providers.resilient import Resilient
from codi.providers.script import script_of
from codi.providers.scripted import Scripted
from codi.sessions.memory import MemoryStore
from codi.sessions.session import Session
from codi.tools.kit import Live, built_in
from codi.tools.limiting import Limits
from codi.tools.output import cap_for
from codi.tools.results import Results
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.tool import Tool
from codi.tools.toolbox import Toolbox
from codi.workspace.glance import Glance
from codi.workspace.local import LocalWorkspace

Answering = Callable[[ApprovalAsked], Answer | None]
"""What the person says to a question; None: nothing, they stop the turn."""


class Stage:
    """`seen` are the events so far. `root` is where the tools work."""

    def __init__(
        self,
        root: Path,
        script: Mapping[str, Any] | Sequence[Any],
        *,
        mode: Mode = "default",
        limits: AgentSettings | None = None,
        tools: Sequence[Tool] = (),
        context: ContextSettings | None = None,
    ) -> None:
        self.root = root
        self.seen: list[Event] = []
        self.model = Scripted(script_of(dict(script) if isinstance(script, Mapping) else list(script)))
        self.session = Session(MemoryStore("0" * 36, str(root)))
        territory = Territory(root=str(root), home="/nowhere", codi_home="/nowhere/.codi", extra_dirs=(), protected=())
        self.results = Results(None)
        results = Limits(self.results, lambda: cap_for(None))
        memories = Memories(
            str(root / "home"), str(root), is_secret=lambda text: "sk-" in text, today=lambda: "2026-11-20"
        )
        project = Glance(LocalWorkspace(str(root)))
        listeners = Listeners()
        record = Record(self.session, listeners.hear)
        questions = Questions(record)
        live = Live(ask=questions.ask, facts=lambda: context_facts(room, mind, self.session.path()))
        built = built_in(limits=results, gate=SyntaxGate("on"), ripgrep=None, project=project, live=live)
        toolbox = Toolbox([*built, *tools])
        policy = policy_of(mode, territory)
        self.calls = Calls(toolbox, LocalWorkspace(str(root)), policy, Approvals(record, territory), record)
        mind = Mind(
            provider=Resilient(self.model, tries=2, base_s=0),
            system=("You are codi.",),
            tools=toolbox.specs,
            price_of=lambda usage: Cost(),
        )
        room = Room(record, context or ContextSettings(), self.results)
        agent = Agent(mind, self.calls, record, limits or AgentSettings(), room=room)
        self.conversation = LocalConversation(
            agent,
            record,
            listeners,
            0.0,
            _no_other_model,
            lambda mode: policy_of(mode, territory),
            TakingBack(None, self.calls, record, str),
            questions,
            Upkeep(room, record, lambda: agent.mind, self.calls.workspace.resolve),
            Remembering(memories, record),
            self.results,
        )

    @property
    def facts(self) -> list[Fact]:
        return [entry.fact for entry in self.session.path()]

    def play(
        self,
        *prompts: str,
        answer: Answering = lambda asked: None,
        reply: Callable[[QuestionAsked], Reply] = lambda asked: Reply(asked.id),
        interrupt_at: int | None = None,
    ) -> TurnEnded:
        """Run the prompts; how the last ended. The person interrupts when so many events have been seen."""
        return anyio.run(self._play, prompts, answer, reply, interrupt_at)

    async def _play(
        self,
        prompts: Sequence[str],
        answer: Answering,
        reply: Callable[[QuestionAsked], Reply],
        interrupt_at: int | None,
    ) -> TurnEnded:
        ended: list[TurnEnded] = []
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.conversation.work)
                events = self.conversation.events()
                for prompt in prompts:
                    await self.conversation.send(Prompt(prompt))
                    async for event in events:
                        self.seen.append(event)
                        if len(self.seen) == interrupt_at:
                            await self.conversation.send(Interrupt())
                        match event:
                            case Entry(fact=ApprovalAsked() as asked):
                                await self.conversation.send(answer(asked) or Interrupt())
                            case Entry(fact=QuestionAsked() as question):
                                await self.conversation.send(reply(question))
                            case Entry(fact=TurnEnded() as end):
                                ended.append(end)
                                break
                tasks.cancel_scope.cancel()
        return ended[-1]


async def _no_other_model(name: str) -> Mind:
    raise AssertionError(f"nobody chooses {name} here")


class _Key:
    source = "KEY"

    async def secret(self) -> str:
        return "k"


class _Straight:
    """Leads nowhere: what would be sent is kept."""

    service = "lab"

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.sent: HttpRequest | None = None

    @asynccontextmanager
    async def post(self, path: str, body: bytes, headers: Mapping[str, str], **more: Any) -> AsyncIterator[Any]:
        url = urlsplit(self.base_url + path)
        lower = {name.lower(): value for name, value in headers.items()} | {"content-type": "application/json"}
        self.sent = HttpRequest("POST", url.path, dict(parse_qsl(url.query)), lower, body, 0.0, 1)
        raise ServerFailed("it leads nowhere", hint="Look at what was sent.")
        yield


WIRES: dict[str, tuple[Any, str]] = {
    "anthropic": (Anthropic, "http://lab"),
    "openai-chat": (OpenAIChat, "http://lab/v1"),
    "openai-responses": (OpenAIResponses, "http://lab/v1"),
    "google": (Google, "http://lab"),
    "ollama": (Ollama, "http://lab"),
}
_MODEL = ModelEntry(id="m", service="lab", abilities=Abilities(vision=True, thinking=True))


def refusals(messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> dict[str, list[str]]:
    """Why a service would not take these messages, by wire format; empty if all would."""
    return anyio.run(_refusals, messages, tools)


async def _refusals(messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> dict[str, list[str]]:
    found = {}
    for name, (adapter, base_url) in WIRES.items():
        line = _Straight(base_url)
        request = Request(system=("You are codi.",), messages=messages, tools=tools, session_id="s")
        try:
            async for _ in adapter(_MODEL, _Key(), line).stream(request):
                pass
        except ProviderError:
            pass
        assert line.sent is not None, f"{name} sent nothing"
        judge = Service(script_of([{"text": "Yes."}]))
        judge.answer(line.sent, now=0.0)
        if judge.violations:
            found[name] = judge.violations
    return found


def next_messages(path: Sequence[Entry]) -> list[Message]:
    """What is sent when the person speaks after this."""
    return [*messages_of(path), user("And now?")]


def unpaired(facts: Sequence[Fact]) -> list[str]:
    """Calls that are not answered exactly once, in order, before anything else is said."""
    waiting: list[str] = []
    for fact in facts:
        if not isinstance(fact, MessageAdded):
            continue
        for result in fact.message.tool_results:
            if not waiting or waiting.pop(0) != result.call_id:
                return [f"{result.call_id} was not asked for here"]
        if not fact.message.tool_results and waiting:
            break
        waiting += [call.id for call in fact.message.tool_calls]
    return waiting
