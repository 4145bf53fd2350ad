"""Recorded answers of OpenAI and Azure, read over a real connection."""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest
from openai_loopback import Asked, Canned, Key, parts_of, serving
from openai_told import told

from codi.protocol.errors import CredentialError
from codi.protocol.messages import Block, Message, Text, ToolCall, Usage, user
from codi.providers.azure import Azure, azure_address
from codi.providers.openai_chat import OpenAIChat
from codi.providers.openai_compat import Compat
from codi.providers.provider import ModelEntry, Reply, Request
from codi.providers.transport import Transport

SHARED = Path(os.environ.get("CODI_SHARED", Path(__file__).parents[2].parent / "shared"))
STREAMS = SHARED / "fixtures" / "provider-streams"
MODEL = ModelEntry(id="gpt-4o-mini", service="openai", max_output=4096)

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(not STREAMS.is_dir(), reason=f"no recorded streams in {STREAMS}"),
]


def recorded(name: str) -> Any:
    (interaction,) = json.loads((STREAMS / f"{name}.json").read_text())["interactions"]
    return interaction


def replay(
    name: str, request: Request, model: ModelEntry = MODEL, compat: Compat | None = None
) -> tuple[Any, Reply, Asked]:
    """Ask as the recorded program did, of a server that answers what was recorded."""
    interaction = recorded(name)
    url = urlsplit(interaction["request"]["url"])
    response = interaction["response"]
    canned = Canned(
        status=response["status"],
        headers=tuple((name.lower(), value) for name, value in response["headers"]),
        chunks=[chunk.encode() for chunk in response["body_chunks"]],
    )

    async def main() -> tuple[Any, Reply, Asked]:
        async with serving(canned) as server:
            provider: OpenAIChat | Azure
            if "azure" in url.netloc:
                address = azure_address({"AZURE_OPENAI_BASE_URL": f"{server.url}{url.path}?{url.query}"}, model.id)
                transport = Transport(address.base_url, service="azure")
                provider = Azure(model, Key(), transport, address=address)
            else:
                transport = Transport(server.url + "/v1", service="openai")
                provider = OpenAIChat(model, Key(), transport, compat=compat or Compat.of_openai())
            try:
                deltas, reply = await parts_of(provider, request)
            finally:
                await transport.aclose()
            (asked,) = server.asked
            assert asked.path == url.path + (f"?{url.query}" if url.query else "")
            secret_in = {name.lower() for name, value in interaction["request"]["headers"] if value == "[REDACTED]"}
            assert secret_in <= set(asked.headers)
            told(deltas, reply.message.blocks)
            return deltas, reply, asked

    return anyio.run(main)


HI = Request(system=(), messages=(user("hi"),))
ECHO = {"text": "hello"}


@pytest.mark.parametrize(
    ("name", "block", "pieces", "stop", "usage"),
    [
        ("openai_simple_text", Text("pong"), 2, "end", Usage(input=28, output=2)),
        ("openai_multi_paragraph", Text("Paragraph 1.\n\nParagraph 2."), 7, "end", Usage(input=42, output=8)),
        ("openai_unicode_content", Text("😀 你好 שלום"), 3, "end", Usage(input=25, output=10)),
        (
            "openai_tool_call_single",
            ToolCall("call_vcr004a", "echo", ECHO),
            3,
            "tool_calls",
            Usage(input=40, output=15),
        ),
        ("azure_simple_text", Text("pong"), 2, "end", Usage(input=25, output=2)),
        ("azure_multi_paragraph", Text("Paragraph 1.\n\nParagraph 2."), 7, "end", Usage(input=42, output=8)),
        ("azure_unicode_content", Text("😀 你好 שלום"), 3, "end", Usage(input=30, output=8)),
        (
            "azure_tool_call_single",
            ToolCall("call_azure_001", "echo", ECHO),
            3,
            "tool_calls",
            Usage(input=45, output=12),
        ),
        ("rpc_prompt", Text("hello"), 1, "end", Usage(input=10, output=5)),
    ],
)
def test_a_recorded_answer_is_read(name: str, block: Block, pieces: int, stop: str, usage: Usage):
    deltas, reply, _ = replay(name, HI)

    assert reply.message == Message("assistant", (block,), reply.message.origin)
    assert len(deltas) == pieces
    assert (reply.stop, reply.usage) == (stop, usage)
    assert reply.raw_stop == ("tool_calls" if stop == "tool_calls" else "stop")


def test_the_recorded_request_is_sent_word_for_word():
    _, _, asked = replay("rpc_prompt", HI, compat=Compat())
    assert asked.json == recorded("rpc_prompt")["request"]["body"]


@pytest.mark.parametrize("name", ["openai_auth_failure_401", "azure_auth_failure_401"])
def test_a_recorded_refusal_names_the_key_and_does_not_show_it(name: str):
    with pytest.raises(CredentialError, match="the key in TEST_KEY was refused") as raised:
        replay(name, HI)
    assert "k-123" not in str(raised.value)
    assert raised.value.hint
