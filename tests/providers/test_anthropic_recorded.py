"""Recorded answers of the real service, read by the adapter from a server on the loopback."""

import json
import os
from pathlib import Path

import anyio
import pytest

from codi.protocol.errors import CodiError
from codi.protocol.events import TextDelta, ThinkingDelta
from codi.protocol.messages import Message, Text, Thinking, ToolCall
from codi.protocol.tooling import ToolSpec
from codi.providers.anthropic import Anthropic
from codi.providers.provider import Abilities, ModelEntry, Reply, Request
from codi.providers.transport import Transport
from loopback import END, Loopback, chunk

pytestmark = pytest.mark.outside

ROOT = Path(__file__).parents[2]
RECORDED = Path(os.environ.get("CODI_SHARED", ROOT.parent / "shared")) / "fixtures" / "provider-streams"


def interactions() -> list:
    found = []
    for path in sorted(RECORDED.glob("anthropic_*.json")):
        for number, each in enumerate(json.loads(path.read_text())["interactions"]):
            found.append(pytest.param(each, id=f"{path.stem}-{number}"))
    if not found:
        found.append(pytest.param(None, marks=pytest.mark.skip(reason=f"no recordings at {RECORDED}")))
    return found


class Key:
    source = "ANTHROPIC_API_KEY"

    async def secret(self) -> str:
        return "k"


def request_of(body: dict) -> Request:
    messages = tuple(
        Message(each["role"], tuple(Text(part["text"]) for part in each["content"])) for each in body["messages"]
    )
    tools = tuple(ToolSpec(each["name"], each["description"], each["input_schema"]) for each in body.get("tools", ()))
    return Request(
        system=(body["system"],),
        messages=messages,
        tools=tools,
        thinking="minimal" if "thinking" in body else "off",
        max_output=body["max_tokens"],
        temperature=body["temperature"],
        cache="none",
    )


def served(response: dict, splits: int) -> list[bytes]:
    names = ("transfer-encoding", "content-length", "connection", "content-encoding")
    lines = [f"HTTP/1.1 {response['status']} X", "transfer-encoding: chunked"]
    lines += [f"{name}: {value}" for name, value in response["headers"] if name.lower() not in names]
    data = "".join(response["body_chunks"]).encode()
    pieces = [data[at : at + splits] for at in range(0, len(data), splits)]
    return ["\r\n".join(lines).encode() + b"\r\n\r\n", *map(chunk, pieces), END]


def blocks_of(text: str) -> list:
    """The blocks that the recorded events spell, read in the simplest way."""
    blocks: dict[int, list] = {}
    for line in text.splitlines():
        if not line.startswith("data:"):
            continue
        event = json.loads(line[5:])
        if event["type"] == "content_block_start":
            blocks[event["index"]] = [event["content_block"], "", ""]
        elif event["type"] == "content_block_delta":
            change = event["delta"]
            blocks[event["index"]][1] += (
                change.get("text") or change.get("thinking") or change.get("partial_json") or ""
            )
            blocks[event["index"]][2] += change.get("signature") or ""
    made: list = []
    for first, said, seal in blocks.values():
        if first["type"] == "tool_use":
            made.append(ToolCall(first["id"], first["name"], json.loads(said or "{}")))
        elif first["type"] == "thinking":
            made.append(Thinking(said, seal))
        else:
            made.append(Text(said))
    return made


def last_usage(text: str) -> dict:
    events = [json.loads(line[5:]) for line in text.splitlines() if line.startswith("data:")]
    return next(event["usage"] for event in events if event["type"] == "message_delta")


@pytest.mark.parametrize("splits", [7, 4096])
@pytest.mark.parametrize("recorded", interactions())
def test_a_recorded_answer(recorded, splits):
    body, response = recorded["request"]["body"], recorded["response"]
    model = ModelEntry(
        id=body["model"], service="anthropic", max_output=64_000, abilities=Abilities(vision=True, thinking=True)
    )
    parts: list = []

    async def main() -> Loopback:
        async with Loopback(served(response, splits)) as server:
            transport = Transport(server.url, service="anthropic")
            try:
                async for part in Anthropic(model, Key(), transport).stream(request_of(body)):
                    parts.append(part)
            except CodiError as error:
                parts.append(error)
            await transport.aclose()
            return server

    server = anyio.run(main)
    sent = json.loads(server.heard[0].body)
    # Where it thinks, the recorded client chose budgets of its own, some of which the service refused.
    apart = ("thinking", "temperature", "max_tokens") if "thinking" in body else ()
    wanted = {**body, "system": [{"type": "text", "text": body["system"]}]}
    assert {name: sent[name] for name in sent if name not in apart} == {
        name: wanted[name] for name in wanted if name not in apart
    }

    spoken = "".join(response["body_chunks"])
    if response["status"] >= 400:
        (error,) = parts
        kind = json.loads(spoken)["error"]["type"]
        assert error.code == {"invalid_request_error": "bad_request", "rate_limit_error": "rate_limited"}[kind]
        assert error.status == response["status"] and error.hint
        waits = {name.lower(): value for name, value in response["headers"]}
        assert error.retry_after_s == (float(waits["retry-after"]) if "retry-after" in waits else None)
        return
    *deltas, reply = parts
    assert isinstance(reply, Reply)
    assert list(reply.message.blocks) == blocks_of(spoken)
    for place, block in enumerate(reply.message.blocks):
        if isinstance(block, (Text, Thinking)):
            assert block.text == "".join(
                delta.text for delta in deltas if isinstance(delta, (TextDelta, ThinkingDelta)) and delta.index == place
            )
    usage = last_usage(spoken)
    assert (reply.usage.input, reply.usage.output) == (usage["input_tokens"], usage["output_tokens"])
    assert reply.stop == ("tool_calls" if reply.message.tool_calls else "end")
