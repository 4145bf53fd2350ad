"""OpenAI's official library as the judge: it asks as codi asks, and reads what codi reads."""

import json
from typing import Any

import anyio
import pytest
from openai_loopback import Asked, Canned, Key, events, parts_of, serving
from openai_told import PLAIN, READ, THINKER, asking, assistant, results

from codi.protocol.messages import Image, Message, Origin, Text, Thinking, ToolCall, ToolResult, user
from codi.providers.azure import Azure, azure_address
from codi.providers.openai_chat import OpenAIChat
from codi.providers.openai_compat import Compat
from codi.providers.openai_responses import OpenAIResponses
from codi.providers.provider import Reply, Request
from codi.providers.transport import Transport

openai = pytest.importorskip("openai", reason="the official library is not installed")
chat = pytest.importorskip("openai.types.chat")
chat_params = pytest.importorskip("openai.types.chat.completion_create_params")
responses = pytest.importorskip("openai.types.responses")
responses_params = pytest.importorskip("openai.types.responses.response_create_params")
pydantic = pytest.importorskip("pydantic")

pytestmark = pytest.mark.oracle

PNG = Image("iVBORw0KGgo=", "image/png")
URL = "data:image/png;base64,iVBORw0KGgo="
CHAT_TURN = [
    user("look", PNG),
    assistant(Text("I look."), ToolCall("c1", "read", {"path": "a"}), ToolCall("c2", "read", {"path": "b"})),
    results(ToolResult("c1", (Text("one"),)), ToolResult("c2", (Text("two"), PNG))),
    assistant(Text("Done.")),
    user("thanks"),
]


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return {"id": "r", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


def piece(index: int, text: str, **more: Any) -> dict[str, Any]:
    function = {"arguments": text, **({"name": more.pop("name")} if "name" in more else {})}
    return chunk({"tool_calls": [{"index": index, "function": function, **more}]})


CHAT_STREAM = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "I "}),
    chunk({"content": "löök."}),
    piece(0, "", id="a", type="function", name="read"),
    piece(0, '{"path":'),
    piece(1, '{"n":[1,', id="b", type="function", name="read"),
    piece(0, '"x"}'),
    piece(1, "2]}"),
    chunk({}, "tool_calls"),
    {
        **chunk({}),
        "choices": [],
        "usage": {
            "prompt_tokens": 9,
            "completion_tokens": 5,
            "total_tokens": 14,
            "prompt_tokens_details": {"cached_tokens": 3},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
    },
]


def chat_params_of(reasons: bool) -> Any:
    """The turn above in the official types."""
    function = chat.ChatCompletionMessageFunctionToolCallParam
    return chat_params.CompletionCreateParamsStreaming(
        model="t-1" if reasons else "m-1",
        stream=True,
        stream_options=chat.ChatCompletionStreamOptionsParam(include_usage=True),
        store=False,
        prompt_cache_key="s-1",
        parallel_tool_calls=True,
        tools=[
            chat.ChatCompletionFunctionToolParam(
                type="function",
                function={"name": "read", "description": "Read a file.", "parameters": READ.parameters},
            )
        ],
        messages=[
            chat.ChatCompletionDeveloperMessageParam(role="developer", content="Be brief.")
            if reasons
            else chat.ChatCompletionSystemMessageParam(role="system", content="Be brief."),
            chat.ChatCompletionUserMessageParam(
                role="user",
                content=[
                    chat.ChatCompletionContentPartTextParam(type="text", text="look"),
                    chat.ChatCompletionContentPartImageParam(type="image_url", image_url={"url": URL}),
                ],
            ),
            chat.ChatCompletionAssistantMessageParam(
                role="assistant",
                content="I look.",
                tool_calls=[
                    function(id="c1", type="function", function={"name": "read", "arguments": '{"path":"a"}'}),
                    function(id="c2", type="function", function={"name": "read", "arguments": '{"path":"b"}'}),
                ],
            ),
            chat.ChatCompletionToolMessageParam(role="tool", tool_call_id="c1", content="one"),
            chat.ChatCompletionToolMessageParam(role="tool", tool_call_id="c2", content="two\nimage follows"),
            chat.ChatCompletionUserMessageParam(
                role="user",
                content=[
                    chat.ChatCompletionContentPartTextParam(type="text", text="From read (c2):"),
                    chat.ChatCompletionContentPartImageParam(type="image_url", image_url={"url": URL}),
                ],
            ),
            chat.ChatCompletionAssistantMessageParam(role="assistant", content="Done."),
            chat.ChatCompletionUserMessageParam(role="user", content="thanks"),
        ],
        **(
            {"max_completion_tokens": 32_000, "reasoning_effort": "high"}
            if reasons
            else {"max_tokens": 8_000, "temperature": 0.5}
        ),
    )


@pytest.mark.parametrize("reasons", [True, False])
def test_the_chat_request_is_that_of_the_official_library(reasons: bool):
    request = asking(
        *CHAT_TURN, tools=(READ,), session_id="s-1", thinking="high" if reasons else "off", temperature=0.5
    )
    params = chat_params_of(reasons)
    pydantic.TypeAdapter(chat_params.CompletionCreateParamsStreaming).validate_python(params)

    async def main() -> tuple[Asked, Asked]:
        answer = Canned(chunks=events(*CHAT_STREAM))
        async with serving(answer, answer) as server:
            transport = Transport(server.url + "/v1", service="openai")
            model = THINKER if reasons else PLAIN
            await parts_of(OpenAIChat(model, Key(), transport, compat=Compat.of_openai()), request)
            await transport.aclose()
            async with openai.AsyncOpenAI(api_key="k-123", base_url=server.url + "/v1") as client:
                async for _ in await client.chat.completions.create(**params):
                    pass
            ours, theirs = server.asked
            return ours, theirs

    ours, theirs = anyio.run(main)
    assert (ours.method, ours.path) == (theirs.method, theirs.path)
    assert ours.headers["authorization"] == theirs.headers["authorization"]
    assert ours.json == theirs.json


def test_the_chat_answer_is_that_of_the_official_library():
    async def main() -> tuple[Reply, Any]:
        answer = Canned(chunks=events(*CHAT_STREAM))
        async with serving(answer, answer) as server:
            transport = Transport(server.url + "/v1", service="openai")
            _, reply = await parts_of(OpenAIChat(PLAIN, Key(), transport), asking())
            await transport.aclose()
            async with openai.AsyncOpenAI(api_key="k", base_url=server.url + "/v1") as client:
                async with client.chat.completions.stream(
                    model="m", messages=[{"role": "user", "content": "hi"}]
                ) as stream:
                    return reply, await stream.get_final_completion()

    reply, theirs = anyio.run(main)
    message = theirs.choices[0].message
    assert reply.message.text == message.content
    assert [(call.id, call.name, call.arguments) for call in reply.message.tool_calls] == [
        (call.id, call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls
    ]
    assert reply.raw_stop == theirs.choices[0].finish_reason
    assert reply.usage.input + reply.usage.cache_read == theirs.usage.prompt_tokens
    assert reply.usage.cache_read == theirs.usage.prompt_tokens_details.cached_tokens
    assert reply.usage.output == theirs.usage.completion_tokens
    assert reply.usage.thinking == theirs.usage.completion_tokens_details.reasoning_tokens


def test_azure_is_asked_where_the_official_library_asks_it():
    async def main() -> tuple[Asked, Asked]:
        answer = Canned(chunks=events(*CHAT_STREAM))
        async with serving(answer, answer) as server:
            env = {
                "AZURE_OPENAI_ENDPOINT": server.url,
                "AZURE_OPENAI_API_VERSION": "2024-02-15-preview",
                "AZURE_OPENAI_DEPLOYMENT_NAME_MAP": "m-1=mine",
            }
            address = azure_address(env, "m-1")
            transport = Transport(address.base_url, service="azure")
            await parts_of(Azure(PLAIN, Key(), transport, address=address), asking())
            await transport.aclose()
            async with openai.AsyncAzureOpenAI(
                api_key="k-123", azure_endpoint=server.url, api_version="2024-02-15-preview"
            ) as client:
                async for _ in await client.chat.completions.create(
                    model="mine", messages=[{"role": "user", "content": "hi"}], stream=True
                ):
                    pass
            ours, theirs = server.asked
            return ours, theirs

    ours, theirs = anyio.run(main)
    assert (ours.method, ours.path) == (theirs.method, theirs.path)
    assert ours.headers["api-key"] == theirs.headers["api-key"] == "k-123"
    assert ours.json["model"] == theirs.json["model"] == "mine"


ORIGIN = Origin("openai-responses", "acme", "t-1")
REASONING = {
    "id": "rs_0",
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "encrypted_content": "SEAL",
}
RESPONSES_TURN: list[Message] = [
    user("look", PNG),
    assistant(
        Thinking("hm", json.dumps(REASONING)),
        Text("I look.", "msg_0"),
        ToolCall("call_0", "read", {"path": "a"}, "fc_0"),
        origin=ORIGIN,
    ),
    results(ToolResult("call_0", (Text("one"), PNG)), text="and?"),
    assistant(Text("Done.")),
    user("thanks"),
]


def responses_params_of() -> Any:
    picture = responses.ResponseInputImageParam(type="input_image", detail="auto", image_url=URL)

    def said(text: str) -> Any:
        return responses.ResponseInputTextParam(type="input_text", text=text)

    return responses_params.ResponseCreateParamsStreaming(
        model="t-1",
        stream=True,
        store=False,
        instructions="Be brief.",
        include=["reasoning.encrypted_content"],
        reasoning={"effort": "high", "summary": "auto"},
        max_output_tokens=32_000,
        parallel_tool_calls=True,
        prompt_cache_key="s-1",
        tools=[
            responses.FunctionToolParam(
                type="function", name="read", description="Read a file.", parameters=READ.parameters, strict=False
            )
        ],
        input=[
            responses.EasyInputMessageParam(type="message", role="user", content=[said("look"), picture]),
            responses.ResponseReasoningItemParam(**REASONING),
            responses.ResponseOutputMessageParam(
                type="message",
                id="msg_0",
                role="assistant",
                status="completed",
                content=[responses.ResponseOutputTextParam(type="output_text", text="I look.", annotations=[])],
            ),
            responses.ResponseFunctionToolCallParam(
                type="function_call", id="fc_0", call_id="call_0", name="read", arguments='{"path":"a"}'
            ),
            {"type": "function_call_output", "call_id": "call_0", "output": [said("one"), picture]},
            responses.EasyInputMessageParam(type="message", role="user", content=[said("and?")]),
            responses.EasyInputMessageParam(type="message", role="assistant", content="Done."),
            responses.EasyInputMessageParam(type="message", role="user", content=[said("thanks")]),
        ],
    )


def responses_stream() -> list[bytes]:
    """One answer as the service tells it, all its fields included."""
    reasoning = {**REASONING, "id": "rs_1", "status": "completed"}
    part = {"type": "output_text", "text": "löök", "annotations": [], "logprobs": []}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    call = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "read", "status": "completed"}
    usage = {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 3},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 14,
    }
    empty = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "t-1",
        "status": "in_progress",
        "output": [],
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "temperature": 1,
        "top_p": 1,
        "usage": None,
    }
    arguments = '{"path":"ä"}'
    output = [reasoning, message, {**call, "arguments": arguments}]
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": empty},
        {"type": "response.output_item.added", "output_index": 0, "item": {**reasoning, "summary": []}},
        {
            "type": "response.reasoning_summary_part.added",
            "output_index": 0,
            "item_id": "rs_1",
            "summary_index": 0,
            "part": {"type": "summary_text", "text": ""},
        },
        {
            "type": "response.reasoning_summary_text.delta",
            "output_index": 0,
            "item_id": "rs_1",
            "summary_index": 0,
            "delta": "hm",
        },
        {"type": "response.output_item.done", "output_index": 0, "item": reasoning},
        {"type": "response.output_item.added", "output_index": 1, "item": {**message, "content": []}},
        {
            "type": "response.content_part.added",
            "output_index": 1,
            "item_id": "msg_1",
            "content_index": 0,
            "part": {**part, "text": ""},
        },
    ]
    for text in ("lö", "ök"):
        place = {"output_index": 1, "item_id": "msg_1", "content_index": 0, "logprobs": []}
        told.append({"type": "response.output_text.delta", "delta": text, **place})
    told += [
        {"type": "response.output_item.done", "output_index": 1, "item": message},
        {"type": "response.output_item.added", "output_index": 2, "item": {**call, "arguments": ""}},
    ]
    for text in ('{"path"', ':"ä"}'):
        place = {"output_index": 2, "item_id": "fc_1"}
        told.append({"type": "response.function_call_arguments.delta", "delta": text, **place})
    told += [
        {"type": "response.output_item.done", "output_index": 2, "item": output[2]},
        {"type": "response.completed", "response": {**empty, "status": "completed", "output": output, "usage": usage}},
    ]
    return [
        b"event: %s\ndata: %s\n\n" % (one["type"].encode(), json.dumps({**one, "sequence_number": at}).encode())
        for at, one in enumerate(told)
    ]


def test_the_responses_request_is_that_of_the_official_library():
    request = asking(*RESPONSES_TURN, tools=(READ,), session_id="s-1", thinking="high")
    params = responses_params_of()
    pydantic.TypeAdapter(responses_params.ResponseCreateParamsStreaming).validate_python(params)

    async def main() -> tuple[Asked, Asked]:
        answer = Canned(chunks=responses_stream())
        async with serving(answer, answer) as server:
            transport = Transport(server.url + "/v1", service="openai")
            await parts_of(OpenAIResponses(THINKER, Key(), transport), request)
            await transport.aclose()
            async with openai.AsyncOpenAI(api_key="k-123", base_url=server.url + "/v1") as client:
                async for _ in await client.responses.create(**params):
                    pass
            ours, theirs = server.asked
            return ours, theirs

    ours, theirs = anyio.run(main)
    assert (ours.method, ours.path) == (theirs.method, theirs.path)
    assert ours.json == theirs.json


def test_the_responses_answer_is_that_of_the_official_library():
    async def main() -> tuple[Reply, Any]:
        answer = Canned(chunks=responses_stream())
        async with serving(answer, answer) as server:
            transport = Transport(server.url + "/v1", service="openai")
            _, reply = await parts_of(OpenAIResponses(THINKER, Key(), transport), asking())
            await transport.aclose()
            async with openai.AsyncOpenAI(api_key="k", base_url=server.url + "/v1") as client:
                async with client.responses.stream(model="t-1", input="hi") as stream:
                    return reply, await stream.get_final_response()

    reply, theirs = anyio.run(main)
    reasoning, _, call = theirs.output
    assert reply.message.text == theirs.output_text
    thinking = reply.message.blocks[0]
    assert isinstance(thinking, Thinking)
    assert json.loads(thinking.signature or "") == reasoning.to_dict()
    (ours,) = reply.message.tool_calls
    assert (ours.id, ours.signature, ours.name) == (call.call_id, call.id, call.name)
    assert ours.arguments == json.loads(call.arguments)
    assert reply.usage.input + reply.usage.cache_read == theirs.usage.input_tokens
    assert reply.usage.output == theirs.usage.output_tokens
    assert reply.response_id == theirs.id


def test_the_official_types_take_what_another_services_history_becomes():
    foreign = Origin("anthropic-messages", "anthropic", "c")
    messages = [
        user("a"),
        assistant(Thinking("hm", "SEAL"), ToolCall("toolu|01", "read", {}), origin=foreign),
        results(ToolResult("toolu|01", (PNG,), is_error=True)),
        assistant(Thinking("", "SEAL", redacted=True), origin=foreign),
    ]
    request = Request(system=("x",), messages=messages, tools=(READ,))

    async def main() -> tuple[Any, Any]:
        async with serving(Canned(chunks=events(*CHAT_STREAM)), Canned(chunks=responses_stream())) as server:
            transport = Transport(server.url, service="openai")
            await parts_of(OpenAIChat(PLAIN, Key(), transport, compat=Compat.of_openai()), request)
            await parts_of(OpenAIResponses(THINKER, Key(), transport), request)
            await transport.aclose()
            return tuple(asked.json for asked in server.asked)

    in_chat, in_responses = anyio.run(main)
    pydantic.TypeAdapter(chat_params.CompletionCreateParamsStreaming).validate_python(in_chat)
    pydantic.TypeAdapter(responses_params.ResponseCreateParamsStreaming).validate_python(in_responses)
    assert "SEAL" not in json.dumps([in_chat, in_responses])
