"""OpenAI's chat format over a real connection."""

import json
from contextlib import aclosing
from itertools import pairwise
from typing import Any

import anyio
import pytest
from openai_loopback import JSON, Canned, Key, Server, error, events, parts_of, serving
from openai_told import PLAIN, THINKER, asking, assistant, results, told

from codi.protocol.errors import (
    BadRequest,
    ContextOverflow,
    CredentialError,
    MalformedAnswer,
    NotFound,
    RateLimited,
    StreamCut,
)
from codi.protocol.events import StatusDelta, TextDelta
from codi.protocol.messages import Origin, Text, Thinking, ToolCall, ToolResult, Usage, user
from codi.providers.openai_chat import OpenAIChat
from codi.providers.openai_compat import Compat
from codi.providers.provider import ModelEntry, Reply, Request
from codi.providers.transport import Transport


def said(text: str, finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    return {"id": "r", "model": "m-1-x", "choices": [{"delta": {"content": text}, "finish_reason": finish}], **more}


USAGE = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}
OK = Canned(chunks=events(said("hel", None), said("lo"), USAGE))


def ask(
    *answers: Canned, requests: tuple[Request, ...] = (asking(),), model: ModelEntry = PLAIN, **more: Any
) -> tuple[list[tuple[list[Any], Reply]], Server]:
    """Ask a server that gives these answers, one request after the other."""

    async def main() -> tuple[list[tuple[list[Any], Reply]], Server]:
        key = more.pop("key", Key())
        async with serving(*answers) as server:
            transport = Transport(server.url + "/v1", service="acme")
            provider = OpenAIChat(model, key, transport, **more)
            try:
                return [await parts_of(provider, request) for request in requests], server
            finally:
                await transport.aclose()

    return anyio.run(main)


def test_an_answer_comes_in_deltas_and_one_reply():
    [(deltas, reply)], server = ask(OK)

    assert deltas == [TextDelta("hel", 0), TextDelta("lo", 0)]
    assert reply.message == assistant(Text("hello"), origin=Origin("openai-completions", "acme", "m-1"))
    assert (reply.stop, reply.raw_stop, reply.model, reply.response_id) == ("end", "stop", "m-1-x", "r")
    assert reply.usage == Usage(input=9, output=2)
    assert reply.timing.total_ms >= reply.timing.first_byte_ms > 0
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/chat/completions")
    assert asked.headers["authorization"] == "Bearer k-123"
    assert asked.headers["content-type"] == "application/json"


def test_a_server_without_a_key_is_shown_none():
    _, server = ask(OK, key=Key(None))
    assert "authorization" not in server.asked[0].headers


def test_five_turns_are_one_connection_and_each_begins_with_the_bytes_of_the_last():
    requests = []
    messages = [user("0")]
    for turn in range(5):
        requests.append(asking(*messages))
        call = ToolCall(f"c{turn}", "read", {"n": turn})
        messages += [assistant(Text("I look."), call), results(ToolResult(f"c{turn}", (Text("x"),)))]

    replies, server = ask(*[OK] * 5, requests=tuple(requests))

    assert [reply.message.text for _, reply in replies] == ["hello"] * 5
    assert server.connections == 1
    bodies = [asked.body for asked in server.asked]
    for before, after in pairwise(bodies):
        messages_of_before = before[: before.index(b'],"model"')]
        assert after.startswith(messages_of_before)
        assert after.endswith(before[len(messages_of_before) :])


def test_usage_that_is_not_told_is_estimated():
    [(_, reply)], _ = ask(Canned(chunks=events(said("x" * 400))))
    assert reply.usage.estimated
    assert reply.usage.output == 100
    assert 10 < reply.usage.input < 100


def test_a_server_that_refuses_to_be_asked_for_usage_is_asked_without():
    refused = error(400, message="Unrecognized request argument supplied: stream_options", type="invalid_request_error")
    replies, server = ask(refused, OK, OK, requests=(asking(), asking(user("again"))))

    assert [reply.message.text for _, reply in replies] == ["hello", "hello"]
    assert ["stream_options" in asked.json for asked in server.asked] == [True, False, False]


def test_any_other_refusal_is_asked_once():
    with pytest.raises(BadRequest, match="temperature"):
        ask(error(400, message="temperature is out of range"))


@pytest.mark.parametrize("finish", ["stop", None])
@pytest.mark.parametrize("headers", [JSON, (("content-type", "text/event-stream"),)])
def test_a_server_that_does_not_stream_is_read_as_one_reply(headers, finish):
    message = {"role": "assistant", "content": "hello", "tool_calls": None}
    body = {"id": "r", "choices": [{"message": message, "finish_reason": finish}], "usage": USAGE["usage"]}
    [(deltas, reply)], _ = ask(Canned(headers=headers, chunks=[json.dumps(body).encode()]))

    assert deltas == [TextDelta("hello", 0)]
    assert reply.usage == Usage(input=9, output=2)


@pytest.mark.parametrize(
    "answer",
    [
        Canned(chunks=events(said("hel", None), done=False)),
        Canned(chunks=events(said("hel", None), done=False), cut=True),
        Canned(chunks=[b"data: [DONE]\n\n"]),
        Canned(chunks=[]),
    ],
)
def test_a_stream_without_its_end_is_cut(answer):
    with pytest.raises(StreamCut):
        ask(answer)


@pytest.mark.parametrize("answer", [{"cut": True}, {}])
def test_what_goes_wrong_after_the_end_takes_nothing_from_the_answer(answer):
    [(_, reply)], _ = ask(Canned(chunks=events(said("hello"), done=False), **answer))
    assert reply.message.text == "hello"


def test_a_server_that_does_not_hang_up_is_not_waited_for():
    [(_, reply)], _ = ask(Canned(chunks=events(said("hello"), USAGE, done=False), hold=True))
    assert (reply.message.text, reply.usage.output) == ("hello", 2)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (error(401, message="Incorrect API key provided: k-1"), CredentialError, "the key in TEST_KEY was refused"),
        (error(429, message="slow down"), RateLimited, "limits the rate"),
        (error(400, message="too long", code="context_length_exceeded"), ContextOverflow, "too long"),
        (
            Canned(headers=JSON, chunks=[b'{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}']),
            RateLimited,
            "limits the rate",
        ),
        (
            Canned(headers=(("content-type", "text/html"),), chunks=[b"<html><title>Sign in</title></html>"]),
            MalformedAnswer,
            "Sign in",
        ),
        (Canned(chunks=[*events(said("x", None), done=False), b"data: <oops>\n\n"]), MalformedAnswer, "no chat"),
    ],
)
def test_failures_are_told_as_what_they_are(answer, kind, words):
    with pytest.raises(kind, match=words) as raised:
        ask(answer)
    assert raised.value.hint


def test_a_level_that_the_model_lacks_is_noted_once():
    requests = (asking(thinking="xhigh"), asking(user("again"), thinking="xhigh"))
    [(first, _), (second, _)], server = ask(OK, OK, requests=requests, model=THINKER)

    (note,) = [delta for delta in first if isinstance(delta, StatusDelta)]
    assert "xhigh" in note.text and "high is used" in note.text
    assert not [delta for delta in second if isinstance(delta, StatusDelta)]
    assert [asked.json["reasoning_effort"] for asked in server.asked] == ["high", "high"]


def test_closing_the_stream_closes_the_connection():
    async def main() -> None:
        async with serving(Canned(chunks=events(said("hel", None), done=False), hold=True)) as server:
            transport = Transport(server.url, service="acme")
            async with aclosing(OpenAIChat(PLAIN, Key(), transport).stream(asking())) as stream:
                assert await anext(stream) == TextDelta("hel", 0)
            with anyio.fail_after(0.1):
                await server.closed.wait()
            await transport.aclose()

    anyio.run(main)


def test_calls_come_in_deltas_that_make_the_reply():
    def piece(**more: Any) -> dict[str, Any]:
        return {"choices": [{"delta": {"tool_calls": [{"index": 0, **more}]}}]}

    chunks = events(
        said("I look.", None),
        piece(id="c", function={"name": "read", "arguments": '{"path"'}),
        piece(function={"arguments": ':"a"}'}),
        {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]},
    )
    [(deltas, reply)], _ = ask(Canned(chunks=chunks))

    told(deltas, reply.message.blocks)
    assert reply.message.blocks == (Text("I look."), ToolCall("c", "read", {"path": "a"}))
    assert reply.stop == "tool_calls"


@pytest.mark.parametrize(("handoff", "words"), [("drop", "b"), ("text", "<thinking>hm</thinking>b")])
def test_thinking_of_another_model_is_handed_on_or_dropped(handoff, words):
    foreign = assistant(Thinking("hm"), Text("b"), origin=Origin("anthropic-messages", "x", "y"))
    _, server = ask(OK, requests=(asking(user("a"), foreign, user("c")),), handoff=handoff)
    assert server.asked[0].json["messages"][2] == {"role": "assistant", "content": words}


def test_models_are_listed_with_what_the_server_tells():
    listing = {
        "object": "list",
        "data": [
            {"id": "plain", "object": "model", "owned_by": "x"},
            {"id": "vllm", "max_model_len": 4096},
            {"id": "router", "name": "Router", "context_length": 9, "top_provider": {"max_completion_tokens": 5}},
            {"id": "groq", "context_window": 7, "max_completion_tokens": 6},
            {"id": "mistral", "max_context_length": 8, "context_length": None},
        ],
    }

    async def main(body: Any) -> Any:
        async with serving(Canned(headers=JSON, chunks=[json.dumps(body).encode()])) as server:
            transport = Transport(server.url + "/v1", service="acme")
            try:
                models = await OpenAIChat(PLAIN, Key(), transport).models()
            finally:
                await transport.aclose()
            assert (server.asked[0].method, server.asked[0].path) == ("GET", "/v1/models")
            assert server.asked[0].headers["authorization"] == "Bearer k-123"
            return [(one.id, one.service, one.name, one.window, one.max_output, one.assumed) for one in models]

    assert anyio.run(main, listing) == [
        ("plain", "acme", "", 128_000, 32_000, True),
        ("vllm", "acme", "", 4096, 32_000, False),
        ("router", "acme", "Router", 9, 5, False),
        ("groq", "acme", "", 7, 6, False),
        ("mistral", "acme", "", 8, 32_000, False),
    ]
    assert len(anyio.run(main, listing["data"])) == 5
    with pytest.raises(MalformedAnswer, match="no list of models"):
        anyio.run(main, {"models": []})


def test_a_model_that_is_not_served_is_told_with_the_nearest():
    listing = Canned(headers=JSON, chunks=[b'{"data": [{"id": "m-10"}, {"id": "other"}]}'])
    with pytest.raises(NotFound, match='model "m-1" not found at acme') as raised:
        ask(error(404, message="no such model"), listing)
    assert "m-10" in raised.value.hint


def test_the_compat_of_a_service_reaches_the_wire():
    _, server = ask(OK, compat=Compat(store=True, usage_in_stream=False))
    assert server.asked[0].json["store"] is False
    assert "stream_options" not in server.asked[0].json
