"""The same conversation, said with Anthropic's own SDK, gives the same request."""

import json

import anyio
import pytest

from codi.protocol.errors import BadRequest
from codi.protocol.messages import Image, Message, Origin, Text, Thinking, ToolCall, ToolResult, user
from codi.protocol.tooling import ToolSpec
from codi.providers.anthropic import Anthropic
from codi.providers.provider import Abilities, ModelEntry, Request
from codi.providers.transport import Transport
from loopback import Loopback, answer

pytestmark = pytest.mark.oracle

sdk = pytest.importorskip("anthropic", reason="the anthropic SDK is not installed (uv sync --extra oracles)")

HERE = Origin("anthropic-messages", "anthropic", "claude-x")
MODEL = ModelEntry(
    id="claude-x", service="anthropic", max_output=64_000, abilities=Abilities(vision=True, thinking=True)
)
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
ASK = Request(
    system=("You are codi.", "Be brief."),
    messages=(
        user("look", Image("iVBORw0KGgo=", "image/png")),
        Message(
            "assistant", (Thinking("hm", "seal"), Text("I read."), ToolCall("toolu_1", "read", {"path": "é"})), HERE
        ),
        Message("user", (ToolResult("toolu_1", (Text("no"),), is_error=True), Text("and?"))),
    ),
    tools=(ToolSpec("read", "Read.", SCHEMA),),
    thinking="low",
    stop=("END",),
    cache="long",
)
HOUR = {"type": "ephemeral", "ttl": "1h"}


class Key:
    source = "ANTHROPIC_API_KEY"

    async def secret(self) -> str:
        return "k"


async def said_with_the_sdk(url: str) -> None:
    types = sdk.types
    client = sdk.AsyncAnthropic(api_key="k", base_url=url, max_retries=0)
    async with client:
        await client.messages.create(
            model="claude-x",
            max_tokens=32_000,
            stream=True,
            system=[
                types.TextBlockParam(type="text", text="You are codi."),
                types.TextBlockParam(type="text", text="Be brief.", cache_control=HOUR),
            ],
            messages=[
                {
                    "role": "user",
                    "content": [
                        types.TextBlockParam(type="text", text="look"),
                        types.ImageBlockParam(
                            type="image",
                            source={"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
                            cache_control=HOUR,
                        ),
                    ],
                },
                {
                    "role": "assistant",
                    "content": [
                        types.ThinkingBlockParam(type="thinking", thinking="hm", signature="seal"),
                        types.TextBlockParam(type="text", text="I read."),
                        types.ToolUseBlockParam(type="tool_use", id="toolu_1", name="read", input={"path": "é"}),
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        types.ToolResultBlockParam(
                            type="tool_result",
                            tool_use_id="toolu_1",
                            content=[types.TextBlockParam(type="text", text="no")],
                            is_error=True,
                        ),
                        types.TextBlockParam(type="text", text="and?", cache_control=HOUR),
                    ],
                },
            ],
            tools=[types.ToolParam(name="read", description="Read.", input_schema=SCHEMA, cache_control=HOUR)],
            thinking=types.ThinkingConfigEnabledParam(type="enabled", budget_tokens=2048),
            stop_sequences=["END"],
        )


def test_the_sdk_sends_the_same():
    refusal = answer(400, b'{"error":{"type":"invalid_request_error","message":"x"}}', content_type="application/json")

    async def main() -> Loopback:
        async with Loopback(refusal) as server:
            with pytest.raises(sdk.BadRequestError):
                await said_with_the_sdk(server.url)
            transport = Transport(server.url, service="anthropic")
            with pytest.raises(BadRequest):
                async for _ in Anthropic(MODEL, Key(), transport).stream(ASK):
                    pass
            await transport.aclose()
            return server

    theirs, ours = anyio.run(main).heard

    assert json.loads(ours.body) == json.loads(theirs.body)
    assert (ours.method, ours.path) == (theirs.method, theirs.path)
    # How the key travels, and which version of the API is named, changes from SDK to SDK; the words do not.
    assert ours.headers["content-type"] == theirs.headers["content-type"]


def test_the_sdk_reads_what_we_read():
    """What our own tests send as events is what the SDK takes for events."""
    from test_anthropic import FINE

    async def main() -> None:
        async with Loopback(FINE) as server:
            client = sdk.AsyncAnthropic(api_key="k", base_url=server.url, max_retries=0)
            async with client:
                stream = await client.messages.create(
                    model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}], stream=True
                )
                kinds = [event.type async for event in stream]
        assert kinds[0] == "message_start" and kinds[-1] == "message_stop"

    anyio.run(main)
