"""Recorded answers of Gemini, read over a real connection."""

import json
import os
from pathlib import Path

import anyio
import pytest
from openai_loopback import Canned, Key, serving
from openai_told import asking, told

from codi.protocol.errors import CredentialError
from codi.protocol.messages import Text, ToolCall, Usage
from codi.providers.catalog import Catalog
from codi.providers.google import Google
from codi.providers.transport import Transport

SHARED = Path(os.environ.get("CODI_SHARED", Path(__file__).parents[2].parent / "shared"))
STREAMS = SHARED / "fixtures" / "provider-streams"

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(not STREAMS.is_dir(), reason=f"no recorded streams in {STREAMS}"),
]

ANSWERS = {
    "gemini_simple_text": ((Text("pong"),), "end", Usage(input=20, output=5)),
    "gemini_multi_paragraph": ((Text("Paragraph 1.\n\nParagraph 2."),), "end", Usage(input=35, output=12)),
    "gemini_unicode_content": ((Text("😀 你好 שלום"),), "end", Usage(input=25, output=10)),
    "gemini_tool_call_single": ((ToolCall("", "echo", {"text": "hello"}),), "tool_calls", Usage(input=40, output=10)),
}


def replay(name, pieces):
    """The parts of the answer to a request whose recorded answer comes in these pieces."""
    (interaction,) = json.loads((STREAMS / f"{name}.json").read_text())["interactions"]
    response = interaction["response"]
    body = "".join(response["body_chunks"]).encode()
    canned = Canned(
        status=response["status"],
        headers=tuple((name.lower(), value) for name, value in response["headers"]),
        chunks=[body[at : at + pieces] for at in range(0, len(body), pieces)],
    )

    async def main():
        async with serving(canned) as server:
            transport = Transport(server.url, service="google")
            model = Catalog.load().entry("google", "gemini-1.5-flash")
            try:
                return [part async for part in Google(model, Key(), transport).stream(asking())], server.asked[0]
            finally:
                await transport.aclose()

    return anyio.run(main)


def test_all_recordings_are_read():
    assert {path.stem for path in STREAMS.glob("gemini_*.json")} == {*ANSWERS, "gemini_auth_failure_401"}


@pytest.mark.parametrize("pieces", [1, 7, 100_000])
@pytest.mark.parametrize("name", ANSWERS)
def test_a_recorded_answer(name, pieces):
    blocks, stop, usage = ANSWERS[name]
    (*deltas, reply), asked = replay(name, pieces)
    said = tuple(
        ToolCall("", block.name, block.arguments) if isinstance(block, ToolCall) else block
        for block in reply.message.blocks
    )
    assert (said, reply.stop, reply.usage) == (blocks, stop, usage)
    told(deltas, reply.message.blocks)
    assert asked.path == "/v1beta/models/gemini-1.5-flash:streamGenerateContent?alt=sse"


def test_a_refused_key_is_named():
    with pytest.raises(CredentialError, match="the key in TEST_KEY was refused"):
        replay("gemini_auth_failure_401", 100_000)
