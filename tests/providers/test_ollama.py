"""Ollama over a real connection to a server that answers what it is told."""

import json

import anyio
import pytest
from openai_loopback import Canned, Key, parts_of, serving
from openai_told import asking, told

from codi.protocol.errors import IdleTimeout, NetworkError, NotFound, ServerFailed, StreamCut
from codi.protocol.events import TextDelta
from codi.protocol.messages import Message, Text, ToolResult, Usage, user
from codi.providers.addresses import ollama_address
from codi.providers.catalog import Catalog
from codi.providers.ollama import Ollama
from codi.providers.provider import ModelEntry
from codi.providers.transport import Timeouts, Transport

KNOWN = ModelEntry(id="qwen3:8b", service="ollama", window=4_096, max_output=1_000)
ASSUMED = Catalog.load().entry("ollama", "qwen3:8b")
NDJSON = (("content-type", "application/x-ndjson"),)
JSON = (("content-type", "application/json"),)
SHOWN = {
    "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40_960},
    "capabilities": ["tools", "vision"],
}


def lines(*said, headers=NDJSON, **more):
    return Canned(headers=headers, chunks=[json.dumps(one).encode() + b"\n" for one in said], **more)


def whole(said, status=200):
    return Canned(status=status, headers=JSON, chunks=[json.dumps(said).encode()])


def say(text, **more):
    return {"model": "qwen3:8b", "message": {"role": "assistant", "content": text}, "done": False, **more}


END = say("", done=True, done_reason="stop", prompt_eval_count=7, eval_count=2)
HELLO = lines(say("Hel"), say("lo"), END)


def run(story, *answers, model=KNOWN, key=None, timeouts=None):
    async def main():
        async with serving(*answers) as server:
            address = ollama_address(server.url.removeprefix("http://").replace("127.0.0.1", "0.0.0.0"))
            transport = Transport(address, service="ollama", timeouts=timeouts or Timeouts())
            try:
                return await story(Ollama(model, Key(key), transport), server)
            finally:
                await transport.aclose()

    return anyio.run(main)


def test_an_answer_streams_without_any_key():
    async def story(ollama, server):
        deltas, reply = await parts_of(ollama, asking())
        assert deltas == [TextDelta("Hel"), TextDelta("lo")]
        told(deltas, reply.message.blocks)
        assert (reply.stop, reply.raw_stop, reply.usage) == ("end", "stop", Usage(input=7, output=2))
        (asked,) = server.asked
        assert (asked.method, asked.path) == ("POST", "/api/chat")
        assert "authorization" not in asked.headers
        assert asked.json["options"]["num_ctx"] == 4_096

    run(story, HELLO)


def test_the_cloud_is_shown_its_key():
    async def story(ollama, server):
        await parts_of(ollama, asking())
        assert server.asked[0].headers["authorization"] == "Bearer k"

    run(story, HELLO, key="k")


def test_an_answer_in_one_piece_is_understood():
    async def story(ollama, server):
        deltas, reply = await parts_of(ollama, asking())
        told(deltas, reply.message.blocks)
        assert reply.message.text == "Hello" and reply.stop == "end"

    run(story, whole(END | say("Hello", done=True)))


def test_a_window_that_nobody_knows_is_asked_for_once():
    async def story(ollama, server):
        await parts_of(ollama, asking())
        await parts_of(ollama, asking())
        assert [asked.path for asked in server.asked] == ["/api/show", "/api/chat", "/api/chat"]
        assert server.asked[0].json == {"model": "qwen3:8b"}
        assert [asked.json["options"]["num_ctx"] for asked in server.asked[1:]] == [40_960, 40_960]
        assert ollama.model.window == 40_960 and ollama.model.abilities.vision and not ollama.model.assumed

    run(story, whole(SHOWN), HELLO, HELLO, model=ASSUMED)


def test_a_server_that_does_not_tell_is_talked_to_all_the_same():
    async def story(ollama, server):
        _, reply = await parts_of(ollama, asking())
        assert reply.message.text == "Hello" and ollama.model.assumed
        assert server.asked[1].json["options"]["num_ctx"] == 8_192

    run(story, whole({"error": "no such thing"}, status=404), HELLO, model=ASSUMED)


def test_results_go_back_by_the_names_of_their_tools():
    call = {"function": {"name": "read", "arguments": {"path": "a"}}}
    first = lines({"message": {"content": "", "tool_calls": [call]}, "done": False}, END)

    async def story(ollama, server):
        _, reply = await parts_of(ollama, asking(user("go")))
        (called,) = reply.message.tool_calls
        assert reply.stop == "tool_calls"
        result = Message("user", (ToolResult(called.id, (Text("ok"),), tool="read"),))
        await parts_of(ollama, asking(user("go"), reply.message, result))
        assert server.asked[1].json["messages"][-1] == {"role": "tool", "tool_name": "read", "content": "ok"}
        assert server.connections == 1

    run(story, first, HELLO)


def test_a_server_that_does_not_run_is_to_be_started():
    async def main():
        async with serving() as server:
            url = server.url
        for model in (KNOWN, ASSUMED):
            transport = Transport(url, service="ollama")
            with pytest.raises(NetworkError, match="Ollama is not running: ollama serve") as caught:
                await parts_of(Ollama(model, Key(None), transport), asking())
            assert caught.value.hint == "start it with: ollama serve"
            with pytest.raises(NetworkError) as listed:
                await Ollama(model, Key(None), transport).models()
            assert listed.value.hint == "start it with: ollama serve"
            await transport.aclose()

    anyio.run(main)


def test_a_model_that_is_missing_is_to_be_pulled():
    async def story(ollama, server):
        with pytest.raises(NotFound, match="qwen3:8b") as caught:
            await parts_of(ollama, asking())
        assert caught.value.hint == "ollama pull qwen3:8b"

    run(story, whole({"error": "model 'qwen3:8b' not found"}, status=404))


@pytest.mark.parametrize("cut", [False, True])
def test_an_answer_without_its_end_is_cut(cut):
    async def story(ollama, server):
        with pytest.raises(StreamCut):
            await parts_of(ollama, asking())

    run(story, lines(say("Hel"), cut=cut))


def test_what_fails_within_the_stream_is_told():
    async def story(ollama, server):
        with pytest.raises(ServerFailed, match="out of memory"):
            await parts_of(ollama, asking())

    run(story, lines(say("Hel"), {"error": "out of memory"}))


def test_a_silent_server_is_not_waited_for_without_end():
    async def story(ollama, server):
        with pytest.raises(IdleTimeout):
            await parts_of(ollama, asking())

    run(story, lines(say("Hel"), hold=True), timeouts=Timeouts(idle_s=0.2))


def test_closing_the_stream_closes_the_connection_at_once():
    async def story(ollama, server):
        parts = ollama.stream(asking())
        assert await anext(parts) == TextDelta("Hel")
        with anyio.fail_after(0.1):
            await parts.aclose()
        with anyio.fail_after(1):
            await server.closed.wait()

    run(story, lines(say("Hel"), hold=True))


def test_the_models_that_it_has():
    async def story(ollama, server):
        (entry,) = await ollama.models()
        assert (entry.id, entry.window, entry.abilities.vision, entry.assumed) == ("llava", 40_960, True, False)
        assert entry.prices.input == 0
        assert [(asked.method, asked.path) for asked in server.asked] == [("GET", "/api/tags"), ("POST", "/api/show")]

    run(story, whole({"models": [{"name": "llava"}]}), whole(SHOWN), model=ASSUMED)


def test_usage_that_is_not_told_is_estimated():
    async def story(ollama, server):
        _, reply = await parts_of(ollama, asking())
        assert reply.usage.estimated and reply.usage.input > 0

    run(story, lines(say("x", done=True, done_reason="stop", eval_count=1)))
