"""Gemini over a real connection to a server that answers what it is told."""

import json

import anyio
import pytest
from openai_loopback import Canned, Key, parts_of, serving
from openai_told import asking, told

from codi.protocol.errors import (
    ContextOverflow,
    CredentialError,
    MalformedAnswer,
    NotFound,
    RateLimited,
    Refused,
    StreamCut,
)
from codi.protocol.events import StatusDelta, TextDelta
from codi.protocol.messages import Message, Origin, Text, ToolCall, ToolResult, Usage, user
from codi.providers.catalog import Catalog
from codi.providers.google import Google
from codi.providers.transport import Transport

PRO = Catalog.load().entry("google", "gemini-2.5-pro")
JSON = (("content-type", "application/json"),)


def chunk(*parts, finish=None, **usage):
    candidate = {"content": {"role": "model", "parts": list(parts)}}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate]} | ({"usageMetadata": usage} if usage else {})


def stream(*chunks, **more) -> Canned:
    return Canned(chunks=[b"data: %s\r\n\r\n" % json.dumps(one).encode() for one in chunks], **more)


HELLO = stream(chunk({"text": "Hel"}), chunk({"text": "lo"}, finish="STOP", promptTokenCount=7, candidatesTokenCount=2))


def run(story, *answers, model=PRO, key="AIza-1", path="", service="google"):
    async def main():
        async with serving(*answers) as server:
            transport = Transport(server.url + path, service=service)
            try:
                return await story(Google(model, Key(key), transport), server)
            finally:
                await transport.aclose()

    return anyio.run(main)


def test_an_answer_streams_and_ends_with_its_reply():
    async def story(google, server):
        deltas, reply = await parts_of(google, asking())
        assert deltas == [TextDelta("Hel"), TextDelta("lo")]
        told(deltas, reply.message.blocks)
        assert reply.message == Message("assistant", (Text("Hello"),), Origin("google-generative-ai", "google", PRO.id))
        assert (reply.stop, reply.raw_stop, reply.usage) == ("end", "STOP", Usage(input=7, output=2))
        assert reply.timing.first_byte_ms > 0
        (asked,) = server.asked
        assert (asked.method, asked.path) == ("POST", "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse")
        assert asked.headers["x-goog-api-key"] == "AIza-1" and "authorization" not in asked.headers
        assert "AIza" not in asked.path

    run(story, HELLO)


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("/v1/projects/p/locations/l", "/v1/projects/p/locations/l/publishers/google/models/"),
        ("/v1/projects/p/locations/l/publishers/google", "/v1/projects/p/locations/l/publishers/google/models/"),
        ("/v1/projects/p/locations/l/publishers/google/models", "/v1/projects/p/locations/l/publishers/google/models/"),
    ],
)
def test_vertex_has_other_paths_and_a_bearer_and_no_ids_of_calls(base, path):
    async def story(google, server):
        call = ToolCall("c1", "read", {})
        result = Message("user", (ToolResult("c1", (Text("x"),), tool="read"),))
        await parts_of(google, asking(user("a"), Message("assistant", (call,), google.origin), result))
        (asked,) = server.asked
        assert asked.path == path + "gemini-2.5-pro:streamGenerateContent?alt=sse"
        assert asked.headers["authorization"] == "Bearer token" and "x-goog-api-key" not in asked.headers
        assert '"id"' not in asked.body.decode()
        assert [entry.id for entry in await google.models()] == [PRO.id]

    run(story, HELLO, key="token", path=base)


@pytest.mark.parametrize(
    ("key", "headers"),
    [("AIza-x", {"x-goog-api-key": "AIza-x"}), ("ya29.login", {"authorization": "Bearer ya29.login"}), (None, {})],
)
def test_keys_and_logins_have_their_headers(key, headers):
    async def story(google, server):
        await parts_of(google, asking())
        shown = server.asked[0].headers
        assert {name: shown[name] for name in ("x-goog-api-key", "authorization") if name in shown} == headers

    run(story, HELLO, key=key)


def test_a_server_that_does_not_stream_is_understood():
    whole = [chunk({"text": "Hel"}), chunk({"text": "lo"}, finish="STOP", promptTokenCount=7, candidatesTokenCount=2)]

    async def story(google, server):
        for _ in range(2):
            deltas, reply = await parts_of(google, asking())
            told(deltas, reply.message.blocks)
            assert reply.message.text == "Hello" and reply.stop == "end"

    one = chunk({"text": "Hello"}, finish="STOP", promptTokenCount=7)
    run(
        story,
        Canned(headers=JSON, chunks=[json.dumps(whole).encode()]),
        Canned(headers=JSON, chunks=[json.dumps(one).encode()]),
    )


def test_signatures_go_back_and_the_next_request_begins_like_this_one():
    call = {"functionCall": {"name": "read", "args": {"b": 1, "a": 2}}, "thoughtSignature": "SIG=="}

    async def story(google, server):
        first = asking(user("go"))
        _, reply = await parts_of(google, first)
        (called,) = reply.message.tool_calls
        result = Message("user", (ToolResult(called.id, (Text("ok"),), tool="read"),))
        await parts_of(google, asking(*first.messages, reply.message, result))
        before, after = (asked.body for asked in server.asked)
        assert after.startswith(before.removesuffix(b"]}"))
        assert server.asked[1].json["contents"][1]["parts"][0]["thoughtSignature"] == "SIG=="
        assert server.connections == 1

    run(story, stream(chunk(call, finish="STOP", promptTokenCount=1)), HELLO)


def test_a_malformed_call_is_asked_again_once_and_both_are_paid():
    bad = stream(
        chunk({"text": "I call "}, finish="MALFORMED_FUNCTION_CALL", promptTokenCount=5, candidatesTokenCount=1)
    )

    async def story(google, server):
        parts = [part async for part in google.stream(asking())]
        kinds = [part.kind if isinstance(part, StatusDelta) else type(part).__name__ for part in parts]
        assert kinds == ["TextDelta", "retry", "TextDelta", "TextDelta", "retry_end", "Reply"]
        assert parts[-1].message.text == "Hello" and parts[-1].usage == Usage(input=12, output=3)
        assert server.asked[0].body == server.asked[1].body

    run(story, bad, HELLO)


def test_a_call_that_is_malformed_twice_fails():
    bad = stream(chunk(finish="MALFORMED_FUNCTION_CALL", promptTokenCount=5))

    async def story(google, server):
        with pytest.raises(MalformedAnswer, match="twice") as caught:
            await parts_of(google, asking())
        assert not caught.value.retriable and len(server.asked) == 2

    run(story, bad, bad)


def test_usage_may_come_after_the_end_and_may_never_come():
    late = stream(
        chunk({"text": "x"}, finish="STOP"), {"usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 1}}
    )

    async def story(google, server):
        _, reply = await parts_of(google, asking())
        assert reply.usage == Usage(input=9, output=1)
        _, reply = await parts_of(google, asking())
        assert reply.usage.estimated and reply.usage.input > 0 and reply.usage.output > 0

    run(story, late, stream(chunk({"text": "x"}, finish="STOP")))


def test_an_open_connection_after_the_end_is_not_waited_for():
    async def story(google, server):
        with anyio.fail_after(5):
            _, reply = await parts_of(google, asking())
        assert reply.stop == "end"

    run(story, stream(chunk({"text": "x"}, finish="STOP", promptTokenCount=1), hold=True))


@pytest.mark.parametrize("cut", [False, True])
def test_an_answer_without_its_end_is_cut(cut):
    async def story(google, server):
        with pytest.raises(StreamCut):
            await parts_of(google, asking())

    run(story, stream(chunk({"text": "x"}), cut=cut))


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT"}, CredentialError),
        (403, {"code": 403, "message": "no", "status": "PERMISSION_DENIED"}, CredentialError),
        (429, {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}, RateLimited),
        (400, {"code": 400, "message": "The input token count (1) exceeds the maximum number of tokens allowed (0).", "status": "INVALID_ARGUMENT"}, ContextOverflow),
    ],
)  # fmt: skip
def test_refusals_are_classified(status, error, kind):
    async def story(google, server):
        with pytest.raises(kind) as caught:
            await parts_of(google, asking())
        assert caught.value.hint and "AIza" not in str(caught.value)
        assert len(server.asked) == 1

    run(story, Canned(status=status, headers=JSON, chunks=[json.dumps({"error": error}).encode()]))


def test_a_model_that_is_not_served_names_those_that_are():
    listing = {"models": [{"name": "models/gemini-2.5-flash", "supportedGenerationMethods": ["generateContent"]}]}
    missing = {"error": {"code": 404, "message": "models/x is not found", "status": "NOT_FOUND"}}

    async def story(google, server):
        with pytest.raises(NotFound) as caught:
            await parts_of(google, asking())
        assert "gemini-2.5-flash" in caught.value.hint
        assert server.asked[1].path == "/v1beta/models?pageSize=1000"

    run(
        story,
        Canned(status=404, headers=JSON, chunks=[json.dumps(missing).encode()]),
        Canned(headers=JSON, chunks=[json.dumps(listing).encode()]),
    )


def test_a_blocked_prompt_is_refused():
    async def story(google, server):
        with pytest.raises(Refused, match="PROHIBITED_CONTENT"):
            await parts_of(google, asking())

    run(story, stream({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}))


def test_closing_the_stream_closes_the_connection_at_once():
    async def story(google, server):
        parts = google.stream(asking())
        assert await anext(parts) == TextDelta("Hel")
        with anyio.fail_after(0.1):
            await parts.aclose()
        with anyio.fail_after(1):
            await server.closed.wait()

    run(story, stream(chunk({"text": "Hel"}), hold=True))


def test_a_level_that_the_model_lacks_is_told_once():
    async def story(google, server):
        first = [part async for part in google.stream(asking(thinking="xhigh"))]
        again = [part async for part in google.stream(asking(thinking="xhigh"))]
        assert isinstance(first[0], StatusDelta) and first[0].kind == "warning" and "xhigh" in first[0].text
        assert not any(isinstance(part, StatusDelta) for part in again)

    run(story, HELLO, HELLO, model=Catalog.load().entry("google", "gemini-2.5-flash"))
