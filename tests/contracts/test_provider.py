"""What every provider promises, whatever words its service speaks.

A case is a provider and a service that speaks its format: `answer` says a reply in that format, as the pieces of an HTTP
answer. A new format joins by adding a case to `CASES`.
"""

import json
import time
from collections.abc import Callable, Sequence

import anyio
import pytest
from msgspec import Struct

from codi.protocol.errors import CredentialError, NotFound, Overloaded, ProviderError, RateLimited, StreamCut
from codi.protocol.events import TextDelta, ThinkingDelta, ToolCallDelta
from codi.protocol.messages import Block, Message, Text, Thinking, ToolCall, ToolResult, user
from codi.protocol.tooling import ToolSpec
from codi.providers.anthropic import Anthropic
from codi.providers.google import Google
from codi.providers.ollama import Ollama
from codi.providers.provider import Abilities, ModelEntry, Provider, Reply, Request, complete
from codi.providers.transport import Transport
from loopback import HANG, RESET, Loopback, answer, stream


class Case(Struct, frozen=True):
    name: str
    provider: Callable[[Transport], Provider]
    answer: Callable[[Sequence[Block]], list[bytes]]
    """A whole reply of these blocks: text, thinking where `thinks`, and calls."""
    thinks: bool = True


class Key:
    source = "SOME_KEY"

    async def secret(self) -> str:
        return "k"


MODEL = ModelEntry(id="model-1", service="service", max_output=32_000, abilities=Abilities(vision=True, thinking=True))


def anthropic_answer(blocks: Sequence[Block]) -> list[bytes]:
    events: list[dict] = [{"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 5}}}]
    for index, block in enumerate(blocks):
        match block:
            case Text(text):
                first: dict = {"type": "text", "text": ""}
                changes = [{"type": "text_delta", "text": part} for part in (text[:3], text[3:]) if part]
            case Thinking(text, signature):
                first = {"type": "thinking", "thinking": ""}
                changes = [{"type": "thinking_delta", "thinking": text}]
                changes.append({"type": "signature_delta", "signature": signature})
            case ToolCall(call_id, name, arguments):
                first = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
                text = json.dumps(arguments)
                changes = [{"type": "input_json_delta", "partial_json": part} for part in (text[:2], text[2:])]
        events.append({"type": "content_block_start", "index": index, "content_block": first})
        events += [{"type": "content_block_delta", "index": index, "delta": change} for change in changes]
        events.append({"type": "content_block_stop", "index": index})
    stop = "tool_use" if any(isinstance(block, ToolCall) for block in blocks) else "end_turn"
    events.append({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 5}})
    events.append({"type": "message_stop"})
    return stream(*(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events))


def google_answer(blocks: Sequence[Block]) -> list[bytes]:
    parts: list[dict] = []
    for block in blocks:
        match block:
            case Text(text):
                parts += [{"text": part} for part in (text[:3], text[3:]) if part]
            case Thinking(text, signature):
                parts.append({"text": text, "thought": True, "thoughtSignature": signature})
            case ToolCall(_, name, arguments):
                parts.append({"functionCall": {"name": name, "args": arguments}})
    chunks: list[dict] = [{"candidates": [{"content": {"role": "model", "parts": [part]}}]} for part in parts]
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 5, "totalTokenCount": 10}
    chunks.append({"candidates": [{"finishReason": "STOP"}], "usageMetadata": usage})
    return stream(*(b"data: %s\r\n\r\n" % json.dumps(chunk).encode() for chunk in chunks))


def ollama_answer(blocks: Sequence[Block]) -> list[bytes]:
    said: list[dict] = []
    for block in blocks:
        match block:
            case Text(text):
                said += [{"content": part} for part in (text[:3], text[3:]) if part]
            case Thinking(text):
                said.append({"content": "", "thinking": text})
            case ToolCall(_, name, arguments):
                said.append({"content": "", "tool_calls": [{"function": {"name": name, "arguments": arguments}}]})
    lines: list[dict] = [{"model": "model-1", "message": {"role": "assistant", **one}, "done": False} for one in said]
    counts = {"prompt_eval_count": 5, "eval_count": 5}
    lines.append({"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", **counts})
    return stream(*(json.dumps(line).encode() + b"\n" for line in lines), content_type="application/x-ndjson")


CASES = [
    Case("anthropic", lambda transport: Anthropic(MODEL, Key(), transport), anthropic_answer),
    Case("google", lambda transport: Google(MODEL, Key(), transport), google_answer),
    Case("ollama", lambda transport: Ollama(MODEL, Key(), transport), ollama_answer),
]

READ = ToolSpec("read", "Read a file.", {"type": "object", "properties": {"path": {"type": "string"}}})
ASK = Request(system=("You are codi.",), messages=(user("hi"),), tools=(READ,))
WORDS = (Text("Hello, world"),)
CALLS = (Text("I look."), ToolCall("call_1", "read", {"path": "a"}), ToolCall("call_2", "read", {"path": "é"}))


@pytest.fixture(params=CASES, ids=[case.name for case in CASES])
def case(request) -> Case:
    return request.param


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


pytestmark = pytest.mark.anyio


async def heard_from(case: Case, *answers: list, request: Request = ASK) -> tuple[list, Loopback]:
    async with Loopback(*answers) as server:
        transport = Transport(server.url, service="service")
        try:
            return [part async for part in case.provider(transport).stream(request)], server
        finally:
            await transport.aclose()


async def test_deltas_concatenate_to_the_blocks_of_the_one_reply(case):
    blocks = (Thinking("I think", "c2VhbA=="), *CALLS) if case.thinks else CALLS
    (*deltas, reply), _ = await heard_from(case, case.answer(blocks))

    assert isinstance(reply, Reply) and not any(isinstance(delta, Reply) for delta in deltas)
    assert [type(block) for block in reply.message.blocks] == [type(block) for block in blocks]
    assert reply.message.role == "assistant" and reply.message.origin is not None
    assert reply.stop == "tool_calls"
    for place, block in enumerate(reply.message.blocks):
        said = "".join(delta.text for delta in deltas if delta.index == place)
        match block:
            case Text(text):
                assert said == text
                assert all(isinstance(delta, TextDelta) for delta in deltas if delta.index == place)
            case Thinking(text):
                assert said == text
                assert all(isinstance(delta, ThinkingDelta) for delta in deltas if delta.index == place)
            case ToolCall(call_id, name, arguments):
                first = next(delta for delta in deltas if delta.index == place)
                assert isinstance(first, ToolCallDelta) and (first.id, first.name) == (call_id, name)
                assert json.loads(said) == arguments
    assert [call.arguments for call in reply.message.tool_calls] == [{"path": "a"}, {"path": "é"}]


async def test_usage_is_never_nothing(case):
    (*_, reply), _ = await heard_from(case, case.answer(WORDS))

    assert reply.stop == "end" and reply.usage.input > 0 and reply.usage.output > 0


async def test_results_go_back_and_the_same_request_is_the_same_bytes(case):
    async with Loopback(case.answer(CALLS), case.answer(WORDS)) as server:
        transport = Transport(server.url, service="service")
        provider = case.provider(transport)
        reply = await complete(provider, ASK)
        results = tuple(ToolResult(call.id, (Text(f"result {call.id}"),)) for call in reply.message.tool_calls)
        more = Request(
            system=ASK.system, tools=ASK.tools, messages=(*ASK.messages, reply.message, Message("user", results))
        )
        assert (await complete(provider, more)).message.text == "Hello, world"
        await complete(provider, more)
        await complete(case.provider(transport), more)
        await transport.aclose()

    first, *again = (heard.body for heard in server.heard)
    assert len(set(again)) == 1 and first != again[0]
    assert again[0].index(b"result ") < again[0].rindex(b"result ")


async def test_five_turns_are_one_connection(case):
    async with Loopback(case.answer(WORDS)) as server:
        transport = Transport(server.url, service="service")
        provider = case.provider(transport)
        for _ in range(5):
            await complete(provider, ASK)
        await transport.aclose()

    assert server.connections == 1


async def test_closing_closes_the_socket(case):
    start, *pieces = case.answer(WORDS)
    async with Loopback([start, *pieces[:-2], HANG]) as server:
        transport = Transport(server.url, service="service")
        parts = case.provider(transport).stream(ASK)
        await anext(parts)
        closed = time.monotonic()
        await parts.aclose()
        with anyio.fail_after(1):
            await server.hung_up.wait()
        assert time.monotonic() - closed < 0.1
        await transport.aclose()


async def test_a_cut_stream_is_no_reply(case):
    whole = b"".join(case.answer(CALLS))
    start = whole.index(b"\r\n\r\n") + 4
    for at in range(start, len(whole) - len(b"0\r\n\r\n") - 40, 97):
        with pytest.raises(StreamCut):
            await heard_from(case, [whole[:at], RESET])


REFUSALS = [
    (401, CredentialError),
    (404, NotFound),
    (429, RateLimited),
    (529, Overloaded),
]


@pytest.mark.parametrize("status, kind", REFUSALS)
async def test_refusals_have_their_class_and_a_hint(case, status, kind):
    said = json.dumps({"error": {"message": "no", "type": "x", "code": status}}).encode()
    with pytest.raises(kind) as caught:
        await heard_from(case, answer(status, said, content_type="application/json", retry_after="2"))

    assert caught.value.hint
    if isinstance(caught.value, ProviderError):
        assert caught.value.status == status
    if kind is RateLimited:
        assert caught.value.retry_after_s == 2
    if kind is CredentialError:
        assert "SOME_KEY" in str(caught.value)
