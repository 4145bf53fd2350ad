"""Each wire format says the same script, streamed and whole, as its service would."""

import json

import pytest
from asking import BY_NAME, FORMS, Client, following
from hypothesis import given, settings
from hypothesis import strategies as st

from codi.lab.exchange import Billed, Exchange
from codi.lab.formats import anthropic, google, ollama, openai_chat, openai_responses
from codi.lab.running import running
from codi.providers.player import Played, PlayedCall

CALLS = [{"name": "read", "arguments": {"path": "a.py"}}, {"name": "read", "arguments": {"path": "b.py"}}]
TWO_TURNS = [{"thinking": "I think first.", "text": "I look.", "calls": CALLS, "chunk": 4}, {"text": "Done."}]


def thinking_text_calls(name, answer):
    """What a whole answer says."""
    match name:
        case "anthropic-messages":
            said = {block["type"]: block for block in answer["content"]}
            calls = [block["input"] for block in answer["content"] if block["type"] == "tool_use"]
            return said["thinking"]["thinking"], said["text"]["text"], calls
        case "openai-chat":
            message = answer["choices"][0]["message"]
            calls = [json.loads(call["function"]["arguments"]) for call in message["tool_calls"]]
            return message["reasoning_content"], message["content"], calls
        case "openai-responses":
            said = {item["type"]: item for item in answer["output"]}
            calls = [json.loads(item["arguments"]) for item in answer["output"] if item["type"] == "function_call"]
            return said["reasoning"]["summary"][0]["text"], said["message"]["content"][0]["text"], calls
        case "google":
            parts = answer["candidates"][0]["content"]["parts"]
            texts = [
                "".join(part.get("text", "") for part in parts if bool(part.get("thought")) is is_)
                for is_ in (True, False)
            ]
            return *texts, [part["functionCall"]["args"] for part in parts if "functionCall" in part]
        case _:
            message = answer["message"]
            return (
                message["thinking"],
                message["content"],
                [call["function"]["arguments"] for call in message["tool_calls"]],
            )


def gathered(name, events):
    """A streamed answer, put together by hand to what a whole one looks like."""
    match name:
        case "anthropic-messages":
            blocks = [event["content_block"] for event in events if event["type"] == "content_block_start"]
            for event in events:
                if event["type"] != "content_block_delta":
                    continue
                block, delta = blocks[event["index"]], event["delta"]
                if delta["type"] == "input_json_delta":
                    block["raw"] = block.get("raw", "") + delta["partial_json"]
                else:
                    (field,) = set(delta) - {"type"}
                    block[field] += delta[field]
            for block in blocks:
                if "raw" in block:
                    block["input"] = json.loads(block.pop("raw"))
            return {"content": blocks}
        case "openai-chat":
            message, calls = {"reasoning_content": "", "content": ""}, []
            for event in events:
                for choice in event["choices"] if event != "[DONE]" else ():
                    for field in ("reasoning_content", "content"):
                        message[field] += choice["delta"].get(field) or ""
                    for call in choice["delta"].get("tool_calls", ()):
                        if call["index"] == len(calls):
                            calls.append({"id": call["id"], "type": "function", "function": dict(call["function"])})
                        else:
                            calls[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
            return {"choices": [{"message": {"role": "assistant", **message, "tool_calls": calls}}]}
        case "openai-responses":
            return events[-1]["response"]
        case "google":
            parts = [part for event in events for part in event["candidates"][0]["content"]["parts"]]
            return {"candidates": [{"content": {"role": "model", "parts": parts}}]}
        case _:
            message = {"role": "assistant", "content": "", "thinking": "", "tool_calls": []}
            for event in events:
                for field in ("content", "thinking", "tool_calls"):
                    message[field] += event["message"].get(field) or type(message[field])()
            return {"message": message}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_two_turns_with_calls_pass_the_strict_server(form, stream):
    with running(TWO_TURNS) as server:
        client = Client(server.url)
        told = client.ask(form, stream=stream)
        assert told.status == 200
        answer = gathered(form.name, told.events) if stream else told.json
        thinking, text, calls = thinking_text_calls(form.name, answer)
        assert (thinking, text, calls) == ("I think first.", "I look.", [call["arguments"] for call in CALLS])

        told = client.ask(form, following(form, answer, ["A", "B"]))
        assert told.status == 200 and b"Done." in told.body, told.body
        assert (server.violations, server.failures, server.connections, server.finished) == ([], [], 1, True)


def test_anthropic_streams_its_events_in_order():
    with running(TWO_TURNS) as server:
        told = Client(server.url).ask(BY_NAME["anthropic-messages"], stream=True)
    assert told.headers["content-type"].startswith("text/event-stream")
    kinds = [event["type"] for event in told.events]
    assert kinds[:3] == ["message_start", "content_block_start", "ping"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    start, delta = told.events[0]["message"], told.events[-2]
    assert start["content"] == [] and start["stop_reason"] is None and start["usage"]["input_tokens"] > 0
    assert delta["delta"] == {"stop_reason": "tool_use", "stop_sequence": None} and delta["usage"]["output_tokens"] > 1
    names = [line.removeprefix("event: ") for line in told.body.decode().splitlines() if line.startswith("event: ")]
    assert names == kinds


def test_chat_ends_with_a_finish_reason_the_usage_if_asked_and_done():
    form = BY_NAME["openai-chat"]
    with running({"loop": True, "steps": [{"text": "Hello"}]}) as server:
        client = Client(server.url)
        path, body = form.streamed()
        *_, last, done = client.post(path, body, form.headers).events
        assert last["choices"][0]["finish_reason"] == "stop" and "usage" not in last and done == "[DONE]"
        *_, last, usage, done = client.post(
            path, body | {"stream_options": {"include_usage": True}}, form.headers
        ).events
        assert last["choices"][0]["finish_reason"] == "stop" and last["usage"] is None and done == "[DONE]"
        assert usage["choices"] == [] and usage["usage"]["total_tokens"] == usage["usage"]["prompt_tokens"] + 2


def test_responses_numbers_its_events_and_ends_with_the_whole():
    with running(TWO_TURNS) as server:
        events = Client(server.url).ask(BY_NAME["openai-responses"], stream=True).events
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    kinds = [event["type"] for event in events]
    assert kinds[:3] == ["response.created", "response.in_progress", "response.output_item.added"]
    assert kinds[-2:] == ["response.output_item.done", "response.completed"]
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert done == events[-1]["response"]["output"]


def test_gemini_signs_the_first_call_and_tells_usage():
    with running(TWO_TURNS) as server:
        events = Client(server.url).ask(BY_NAME["google"], stream=True).events
    parts = [part for event in events for part in event["candidates"][0]["content"]["parts"]]
    calls = [part for part in parts if "functionCall" in part]
    assert ["thoughtSignature" in part for part in calls] == [True, False]
    assert [event["candidates"][0].get("finishReason") for event in events][-2:] == [None, "STOP"]
    assert events[-1]["usageMetadata"]["thoughtsTokenCount"] == 4


def test_ollama_ends_with_done_and_counts():
    with running(TWO_TURNS) as server:
        told = Client(server.url).ask(BY_NAME["ollama"], stream=True)
    assert told.headers["content-type"] == "application/x-ndjson"
    assert [event["done"] for event in told.events] == [False] * (len(told.events) - 1) + [True]
    assert told.events[-1]["done_reason"] == "stop" and told.events[-1]["eval_count"] > 0


@pytest.mark.parametrize(
    ("stop", "raw"),
    [
        (
            "end",
            {
                "anthropic-messages": "end_turn",
                "openai-chat": "stop",
                "openai-responses": "completed",
                "google": "STOP",
            },
        ),
        (
            "length",
            {
                "anthropic-messages": "max_tokens",
                "openai-chat": "length",
                "openai-responses": "max_output_tokens",
                "google": "MAX_TOKENS",
                "ollama": "length",
            },
        ),
        ("refused", {"anthropic-messages": "refusal", "google": "PROHIBITED_CONTENT"}),
        ("filtered", {"openai-chat": "content_filter", "openai-responses": "content_filter", "google": "SAFETY"}),
        ("paused", {"anthropic-messages": "pause_turn"}),
    ],
)
def test_each_stop_has_the_word_of_its_service(stop, raw):
    with running({"loop": True, "steps": [{"text": "a", "stop": stop}]}) as server:
        client = Client(server.url)
        for name, word in raw.items():
            assert f'"{word}"'.encode() in client.ask(BY_NAME[name], stream=True).body


def test_a_raw_stop_is_said_verbatim():
    with running({"loop": True, "steps": [{"text": "a", "raw_stop": "strange"}]}) as server:
        client = Client(server.url)
        for form in FORMS:
            assert b'"strange"' in client.ask(form, stream=True).body


def test_azure_is_told_the_deployment_by_the_path():
    form = BY_NAME["openai-chat"]
    body = {key: value for key, value in form.whole()[1].items() if key != "model"}
    with running([{"expect": {"model": "mine"}, "text": "a"}]) as server:
        client = Client(server.url)
        path = "/openai/deployments/mine/chat/completions"
        assert client.post(path, body, {"api-key": "k"}).status == 404
        assert client.post(f"{path}?api-version=2025-04-01-preview", body, {"api-key": "k"}).json["model"] == "mine"
        assert server.requests[-1].query == {"api-version": "2025-04-01-preview"}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_usage_can_be_withheld(form):
    with running({"loop": True, "steps": [{"text": "a", "usage": "none"}]}) as server:
        for stream in (True, False):
            body = Client(server.url).ask(form, stream=stream).body
            for word in (b"input_tokens", b"prompt_tokens", b"promptTokenCount", b"prompt_eval_count"):
                assert word not in body


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_the_script_sees_the_same_in_every_format(form):
    steps = [
        {
            "expect": {
                "message": "^go$",
                "first": "go",
                "system": "brief",
                "tools": ["read"],
                "model": form.body.get("model", "gem"),
            }
        }
        | {"calls": [{"id": "c", "name": "read", "arguments": {"path": "a"}}]},
        {"expect": {"results": ["id=\\d+"], "first": "go"}, "text": "It is {{result:c:id=(\\d+)}}."},
    ]
    with running(steps) as server:
        client = Client(server.url)
        answer = client.ask(form).json
        told = client.ask(form, following(form, answer, ["the id=42 of it"]))
        assert (b"It is 42." in told.body, server.failures) == (True, [])


MODULES = [anthropic, openai_chat, openai_responses, google, ollama]


@settings(max_examples=40, deadline=None)
@given(
    st.text(min_size=1, max_size=40),
    st.text(min_size=1, max_size=40),
    st.dictionaries(st.text(max_size=5), st.text(max_size=9)),
)
def test_any_text_streams_to_what_the_whole_says(text, thinking, arguments):
    call = PlayedCall("c1", "read", json.dumps(arguments))
    played = Played(label="1", serial=1, text=text, thinking=thinking, calls=(call,), stop="tool_calls", chunk=3)
    for module in MODULES:
        form = BY_NAME[module.NAME]
        exchange = Exchange(played=played, model="m", body=form.streamed()[1], billed=Billed(output=1))
        streamed = b"".join(module.stream(exchange)).decode()
        data = [
            line.removeprefix("data: ") for line in streamed.replace("\r\n", "\n").split("\n") if line[:1] in ("d", "{")
        ]
        events = [each if each == "[DONE]" else json.loads(each) for each in data]
        said = thinking_text_calls(module.NAME, gathered(module.NAME, events))
        assert (
            said
            == thinking_text_calls(module.NAME, json.loads(module.whole(exchange)))
            == (thinking, text, [arguments])
        )
