"""Every provider talks to the lab's strict server: what it sends is accepted, what is wrong with an answer it says by its class."""

from collections.abc import Callable
from contextlib import aclosing

import anyio
import pytest
from msgspec import Struct

from codi.lab.running import running
from codi.protocol.errors import (
    BadRequest,
    ContextOverflow,
    CredentialError,
    IdleTimeout,
    MalformedAnswer,
    NetworkError,
    NotFound,
    Overloaded,
    RateLimited,
    ServerFailed,
    StreamCut,
)
from codi.protocol.events import StatusDelta
from codi.protocol.messages import Image, Message, Text, Thinking, ToolResult, user
from codi.protocol.tooling import ToolSpec
from codi.providers.anthropic import Anthropic
from codi.providers.azure import Azure, azure_address
from codi.providers.google import Google
from codi.providers.ollama import Ollama
from codi.providers.openai_chat import OpenAIChat
from codi.providers.openai_compat import Compat
from codi.providers.openai_responses import OpenAIResponses
from codi.providers.provider import Abilities, ModelEntry, Provider, Reply, Request, complete
from codi.providers.resilient import Resilient
from codi.providers.transport import USUAL, Timeouts, Transport

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"


class Key:
    source = "SOME_KEY"

    async def secret(self) -> str:
        return "k"


class Case(Struct, frozen=True):
    name: str
    model: str
    made: Callable[[ModelEntry, str, Timeouts], tuple[Provider, Transport]]
    thinks: bool = True


def plain(kind: Callable[..., Provider], path: str = "", **options):
    def made(model: ModelEntry, url: str, timeouts: Timeouts) -> tuple[Provider, Transport]:
        transport = Transport(url + path, service="lab", timeouts=timeouts)
        return kind(model, Key(), transport, **options), transport

    return made


def azure(model: ModelEntry, url: str, timeouts: Timeouts) -> tuple[Provider, Transport]:
    address = azure_address({"AZURE_OPENAI_ENDPOINT": url, "AZURE_OPENAI_API_VERSION": "2025-04-01-preview"}, model.id)
    transport = Transport(address.base_url, service="lab", timeouts=timeouts)
    return Azure(model, Key(), transport, address=address), transport


CASES = [
    Case("anthropic", "claude-opus-4-5", plain(Anthropic)),
    Case("openai-chat", "deepseek-chat", plain(OpenAIChat, "/v1", compat=Compat(reasoning_replay=True))),
    Case("openai-chat-own", "gpt-4.1", plain(OpenAIChat, "/v1", compat=Compat(store=True, prompt_cache_key=True))),
    Case("openai-responses", "gpt-5.1", plain(OpenAIResponses, "/v1")),
    Case("azure", "gpt-4.1", azure),
    Case("google", "gemini-3-pro", plain(Google)),
    Case("ollama", "qwen3", plain(Ollama)),
]
READ = ToolSpec(
    "read",
    "Read a file.",
    {
        "type": "object",
        "properties": {"path": {"type": "string"}, "limit": {"type": "integer", "minimum": 1}},
        "required": ["path"],
        "additionalProperties": False,
    },
)
CALLS = [{"name": "read", "arguments": {"path": "a"}}, {"name": "read", "arguments": {"path": "é"}}]
QUICK = Timeouts(connect_s=2, first_byte_s=0.4, thinking_first_byte_s=0.4, idle_s=0.3, total_s=10)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=CASES, ids=[case.name for case in CASES])
def case(request) -> Case:
    return request.param


def asked(case: Case, *messages: Message, **more) -> Request:
    thinks = "medium" if _entry(case).abilities.thinking else "off"
    return Request(
        system=("You are codi.",), messages=messages or (user("go"),), tools=(READ,), thinking=thinks, **more
    )


def _entry(case: Case) -> ModelEntry:
    thinks = not case.model.startswith("gpt-4")
    return ModelEntry(
        id=case.model,
        service=case.name,
        max_output=32_000,
        abilities=Abilities(vision=True, thinking=thinks, caching=True),
        thinking_levels=("off", "minimal", "low", "medium", "high") if thinks else (),
    )


class Session:
    """A provider in front of a server, closed at the end."""

    def __init__(self, case: Case, server, timeouts: Timeouts = USUAL) -> None:
        self.case = case
        self.server = server
        self.provider, self._transport = case.made(_entry(case), server.url, timeouts)

    async def __aenter__(self) -> "Session":
        return self

    async def __aexit__(self, *_) -> None:
        await self._transport.aclose()

    async def answered(self, request: Request) -> Reply:
        reply = await complete(self.provider, request)
        assert (self.server.violations, self.server.failures) == ([], [])
        return reply


def results_of(reply: Reply, *content) -> Message:
    return Message(
        "user",
        tuple(ToolResult(call.id, content or (Text("ok"),), tool=call.name) for call in reply.message.tool_calls),
    )


async def test_text(case):
    with running([{"text": "Hello, wörld.", "chunk": 2}]) as server:
        async with Session(case, server) as session:
            reply = await session.answered(asked(case))
    assert (reply.message.text, reply.stop) == ("Hello, wörld.", "end")
    assert reply.usage.input > 0 and reply.usage.output > 0 and not reply.usage.estimated


async def test_three_turns_with_thinking_and_two_calls_are_accepted(case):
    script = [
        {"thinking": "I think.", "text": "I look.", "calls": CALLS, "chunk": 3},
        {"thinking": "And again.", "calls": CALLS[:1]},
        {"text": "Done."},
    ]
    with running(script) as server:
        async with Session(case, server) as session:
            messages = [user("go")]
            for expected in (2, 1):
                reply = await session.answered(asked(case, *messages))
                assert reply.stop == "tool_calls" and len(reply.message.tool_calls) == expected
                if _entry(case).abilities.thinking:
                    assert isinstance(reply.message.blocks[0], Thinking)
                messages += [reply.message, results_of(reply)]
            assert (await session.answered(asked(case, *messages))).message.text == "Done."
        assert server.finished and server.connections == 1


async def test_a_conversation_goes_on_with_every_other_provider(case):
    script = {"loop": True, "steps": [{"thinking": "I think.", "text": "I look.", "calls": CALLS}, {"text": "Done."}]}
    with running(script) as server:
        async with Session(case, server) as session:
            reply = await session.answered(asked(case))
        for other in CASES:
            with running([{"text": "Done."}]) as next_server:
                async with Session(other, next_server) as session:
                    request = asked(other, user("go"), reply.message, results_of(reply))
                    assert (await session.answered(request)).message.text == "Done.", other.name


async def test_images_of_the_person_and_in_results_are_accepted(case):
    picture = Image(PNG, "image/png")
    with running([{"calls": CALLS}, {"text": "Nice."}]) as server:
        async with Session(case, server) as session:
            first = user("look", picture)
            reply = await session.answered(asked(case, first))
            second = asked(case, first, reply.message, results_of(reply, Text("a picture"), picture))
            assert (await session.answered(second)).message.text == "Nice."
        assert server.requests[1].body.count(PNG.encode()) == 3


async def test_a_steer_after_results_is_accepted(case):
    with running([{"calls": CALLS}, {"text": "Yes."}]) as server:
        async with Session(case, server) as session:
            reply = await session.answered(asked(case))
            picture = (Text("a picture"), Image(PNG, "image/png"))
            request = asked(case, user("go"), reply.message, results_of(reply, *picture), user("but quickly"))
            assert (await session.answered(request)).message.text == "Yes."


async def test_a_failed_call_and_an_interrupted_one_are_accepted(case):
    with running([{"calls": CALLS}, {"text": "Yes."}]) as server:
        async with Session(case, server) as session:
            reply = await session.answered(asked(case))
            failed = ToolResult(reply.message.tool_calls[0].id, (Text("no such file"),), is_error=True, tool="read")
            request = asked(case, user("go"), reply.message, Message("user", (failed,)), user("go on"))
            assert (await session.answered(request)).message.text == "Yes."


async def test_a_call_whose_arguments_were_cut_is_told_and_goes_back(case):
    long = [{"name": "read", "arguments": {"path": "x" * 60}}]
    with running([{"calls": long, "fault": "length"}, {"text": "Yes."}]) as server:
        async with Session(case, server) as session:
            reply = await session.answered(asked(case))
            assert reply.stop == "length" and all(call.defect for call in reply.message.tool_calls)
            request = asked(case, user("go"), reply.message, results_of(reply), user("again"))
            assert (await session.answered(request)).message.text == "Yes."


async def test_all_parameters_are_accepted(case):
    request = asked(case, max_output=20_000, stop=("END",), tool_choice="auto", cache="long", session_id="s" * 36)
    with running({"loop": True, "steps": [{"text": "Yes."}]}) as server:
        async with Session(case, server) as session:
            await session.answered(request)
            for choice in ("none", "required", "read"):
                await session.answered(asked(case, tool_choice=choice, temperature=0.5))


async def test_a_long_conversation_is_read_from_the_cache(case):
    if case.name == "ollama":
        pytest.skip("Ollama tells nothing of its cache")
    with running([*[{"calls": CALLS, "text": "On."}] * 20, {"text": "Done."}]) as server:
        async with Session(case, server) as session:
            messages = [user("x" * 12_000)]
            read = total = 0
            for turn in range(20):
                reply = await session.answered(asked(case, *messages, session_id="one"))
                messages += [reply.message, results_of(reply, Text("y" * 400))]
                if turn:
                    read += reply.usage.cache_read
                    total += reply.usage.total - reply.usage.output
    assert read / total > 0.9


async def test_models_are_listed(case):
    with running([{"text": "a"}], models=("big", "small")) as server:
        async with Session(case, server) as session:
            assert {"big", "small"} <= {entry.id for entry in await session.provider.models()}


FAULTS = [
    ({"kind": "status", "status": 429, "retry_after": 7}, RateLimited),
    ({"kind": "status", "status": 529}, Overloaded),
    ({"kind": "status", "status": 503}, (Overloaded, ServerFailed)),
    ({"kind": "status", "status": 500}, ServerFailed),
    ({"kind": "status", "status": 502, "body": "<html><title>Bad gateway</title></html>"}, ServerFailed),
    ({"kind": "status", "status": 401}, CredentialError),
    ({"kind": "status", "status": 404}, NotFound),
    ({"kind": "status", "status": 400}, BadRequest),
    ({"kind": "status", "status": 400, "type": "context"}, ContextOverflow),
    ({"kind": "error_event"}, (Overloaded, ServerFailed)),
    ({"kind": "refuse", "seconds": 30}, NetworkError),
    ({"kind": "reset"}, NetworkError),
    ({"kind": "reset", "at": 50}, (StreamCut, NetworkError)),
    ({"kind": "cut"}, StreamCut),
    ({"kind": "cut", "at": 0}, (StreamCut, NetworkError)),
    ({"kind": "unfinished"}, StreamCut),
    ({"kind": "stall"}, IdleTimeout),
    ({"kind": "half_open"}, IdleTimeout),
    ({"kind": "slow_first_byte", "seconds": 30}, IdleTimeout),
    ({"kind": "html"}, MalformedAnswer),
    ({"kind": "json_in_stream"}, ServerFailed),
    ({"kind": "gzip", "at": 60}, (StreamCut, MalformedAnswer)),
]


@pytest.mark.parametrize(("fault", "kinds"), FAULTS, ids=[str(fault).replace("'", "") for fault, _ in FAULTS])
async def test_each_fault_has_its_class(case, fault, kinds):
    with running([{"text": "Hello, this is an answer of some length.", "fault": fault}]) as server:
        async with Session(case, server, QUICK if kinds is IdleTimeout else USUAL) as session:
            with anyio.fail_after(20):
                with pytest.raises(kinds) as raised:
                    await session.answered(asked(case))
    assert raised.value.hint
    if fault.get("retry_after"):
        assert raised.value.retry_after_s == 7


@pytest.mark.parametrize("kind", ["split", "crlf", "long_line", "slow"])
async def test_harmless_oddities_change_nothing(case, kind):
    fault = {"kind": kind} if kind != "slow" else {"kind": "slow", "size": 400, "seconds": 0.001}
    with running([{"thinking": "Hm.", "text": "größer", "calls": CALLS, "fault": fault}]) as server:
        async with Session(case, server) as session:
            reply = await session.answered(asked(case))
    assert reply.message.text == "größer"
    assert [call.arguments for call in reply.message.tool_calls] == [call["arguments"] for call in CALLS]


@pytest.mark.parametrize("kind", ["garbage", "bad_utf8"])
async def test_garbage_is_never_taken_for_an_answer(case, kind):
    with running([{"text": "Hello, this is an answer of some length.", "fault": kind}]) as server:
        async with Session(case, server) as session:
            with anyio.fail_after(20):
                try:
                    reply = await session.answered(asked(case))
                except (StreamCut, MalformedAnswer, ServerFailed):
                    return
    # Three bytes may have fallen into a name that nobody reads; in the text they are replaced.
    assert kind == "bad_utf8" and reply.message.text.replace("\ufffd", "") == "Hello, this is an answer of some length."


async def test_a_cut_at_every_byte_is_never_an_answer(case):
    script = {"loop": True, "steps": [{"text": "Hello.", "calls": CALLS[:1]}]}
    with running(script) as server:
        async with Session(case, server) as session:
            await session.answered(asked(case))
        size = server.requests[0].sent
    # Chat's and Gemini's answers are complete with the finish reason: what follows is usage and good-bye.
    last = size - (420 if case.name not in ("anthropic", "ollama", "openai-responses") else 30)
    steps = [
        {"text": "Hello.", "calls": CALLS[:1], "fault": {"kind": "cut", "at": at, "times": 1}}
        for at in range(0, last, 41)
    ]
    for step in steps:
        with running([step]) as server:
            async with Session(case, server) as session:
                with pytest.raises((StreamCut, NetworkError)):
                    await session.answered(asked(case))


async def test_what_is_busy_is_tried_again_until_it_answers(case):
    overloaded = {"kind": "status", "status": 529, "times": 3}
    with running([{"text": "Hello.", "fault": overloaded}]) as server:
        async with Session(case, server) as session:
            waits = []

            async def rested(seconds: float) -> None:
                waits.append(seconds)

            provider = Resilient(session.provider, sleep=rested)
            parts = [part async for part in provider.stream(asked(case))]
        assert parts[-1].message.text == "Hello." and len(server.requests) == 4
    assert len(waits) >= 3 and any(isinstance(part, StatusDelta) for part in parts)


def has_lost_its_client(server) -> bool:
    return server.requests[0].ended == "client gone"


async def test_the_server_hears_of_a_closed_iterator_at_once(case):
    with running([{"text": "Hello there", "chunk": 1, "fault": {"kind": "stall", "at": 300}}]) as server:
        async with Session(case, server) as session:

            async def drain() -> None:
                async with aclosing(session.provider.stream(asked(case))) as parts:
                    async for _ in parts:
                        pass

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(drain)
                await anyio.to_thread.run_sync(server.wait_for, lambda server: bool(server.requests))
                tasks.cancel_scope.cancel()
            await anyio.to_thread.run_sync(server.wait_for, has_lost_its_client)
