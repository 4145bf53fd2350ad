"""The official SDK asks the same question with the same body, and reads the same answer."""

import asyncio
import json
import re

import anyio
import pytest
from openai_loopback import Canned, Key, parts_of, serving

from codi.protocol.messages import Image, Message, Origin, Text, Thinking, ToolCall, ToolResult, user
from codi.protocol.tooling import ToolSpec
from codi.providers.catalog import Catalog
from codi.providers.google import Google
from codi.providers.provider import Request
from codi.providers.transport import Transport

genai = pytest.importorskip("google.genai", reason="google-genai is not installed")
types = pytest.importorskip("google.genai.types")

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

SIGNATURE = "c2lnbmVk"  # base64, as the SDK reads it back into bytes
PICTURE = "iVBORw0KGgo="
ANSWER = [
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "hm", "thought": True}]}}]},
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "Grüße 👋"}]}}]},
    {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [{"functionCall": {"name": "read", "args": {"path": "b"}}, "thoughtSignature": SIGNATURE}],
                },
                "finishReason": "STOP",
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 40,
            "cachedContentTokenCount": 8,
            "candidatesTokenCount": 10,
            "thoughtsTokenCount": 5,
            "totalTokenCount": 55,
        },
    },
]
CANNED = Canned(chunks=[b"data: %s\r\n\r\n" % json.dumps(one).encode() for one in ANSWER])
PARAMETERS = {
    "type": "object",
    "properties": {"path": {"type": "string", "description": "where"}, "limit": {"type": "integer", "minimum": 1}},
    "required": ["path"],
}


def asked_by_codi(request, model):
    async def main():
        async with serving(CANNED) as server:
            transport = Transport(server.url, service="google")
            try:
                google = Google(Catalog.load().entry("google", model), Key("AIza-1"), transport)
                _, reply = await parts_of(google, request)
                return server.asked[0], reply
            finally:
                await transport.aclose()

    return anyio.run(main)


def asked_by_the_sdk(contents, config, model):
    async def main():
        async with serving(CANNED) as server:
            options = types.HttpOptions(base_url=server.url, api_version="v1beta")
            client = genai.Client(api_key="AIza-1", vertexai=False, http_options=options)

            def ask():
                stream = client.models.generate_content_stream(model=model, contents=contents, config=config)
                return list(stream)

            chunks = await asyncio.to_thread(ask)
            return server.asked[0], chunks

    return anyio.run(main)


def plain(asked):
    body = asked.json
    body["systemInstruction"].pop("role", None)  # the SDK gives the instruction a role, which Gemini ignores
    return alike(body)


def alike(value):
    """`STRING` and `string` are one type to Gemini, and `mime_type` and `mimeType` one name."""
    if isinstance(value, dict):
        return {
            re.sub("_([a-z])", lambda found: found[1].upper(), key): (
                one.lower() if key == "type" and isinstance(one, str) else alike(one)
            )
            for key, one in value.items()
        }
    return [alike(one) for one in value] if isinstance(value, list) else value


CONVERSATION = (
    user("look at this", Image(PICTURE, "image/png")),
    Message(
        "assistant",
        (Thinking("hm"), Text("I read."), ToolCall("c1", "read", {"path": "a", "limit": 3}, SIGNATURE)),
        Origin("google-generative-ai", "google", "gemini-2.5-flash"),
    ),
    Message("user", (ToolResult("c1", (Text("no such file"),), tool="read", is_error=True), Text("try b"))),
)


def sdk_conversation():
    part = types.Part
    seal = b"signed"
    call = types.FunctionCall(id="c1", name="read", args={"path": "a", "limit": 3})
    response = types.FunctionResponse(id="c1", name="read", response={"error": "no such file"})
    picture = types.Blob(mime_type="image/png", data=b"\x89PNG\r\n\x1a\n")
    return [
        types.Content(role="user", parts=[part(text="look at this"), part(inline_data=picture)]),
        types.Content(
            role="model",
            parts=[
                part(text="hm", thought=True),
                part(text="I read."),
                part(function_call=call, thought_signature=seal),
            ],
        ),
        types.Content(role="user", parts=[part(function_response=response), part(text="try b")]),
    ]


@pytest.mark.parametrize(
    ("model", "thinking", "sdk_thinking"),
    [
        ("gemini-2.5-flash", "medium", {"include_thoughts": True, "thinking_budget": 8192}),
        ("gemini-2.5-flash", "off", {"include_thoughts": False, "thinking_budget": 0}),
        ("gemini-3-flash-preview", "high", {"include_thoughts": True, "thinking_level": "HIGH"}),
    ],
)
@pytest.mark.parametrize("choice", ["auto", "none", "required", "read"])
def test_both_ask_the_same(model, thinking, sdk_thinking, choice):
    messages = CONVERSATION
    if model != "gemini-2.5-flash":
        origin = Origin("google-generative-ai", "google", model)
        messages = tuple(Message(m.role, m.blocks, origin if m.origin else None) for m in messages)
    request = Request(
        system=("Be brief.", "Be kind."),
        messages=messages,
        tools=(
            ToolSpec("read", "Read a file.", PARAMETERS),
            ToolSpec("ls", "List.", {"type": "object", "properties": {}}),
        ),
        tool_choice=choice,
        thinking=thinking,
        max_output=9_000 if thinking == "medium" else 4_000,
        temperature=0.5,
        top_p=0.75,
        stop=("END",),
    )
    mode = {
        "none": {"mode": "NONE"},
        "required": {"mode": "ANY"},
        "read": {"mode": "ANY", "allowed_function_names": ["read"]},
    }
    tool_config = None
    if choice != "auto":
        tool_config = types.ToolConfig(function_calling_config=types.FunctionCallingConfig(**mode[choice]))
    config = types.GenerateContentConfig(
        system_instruction=[types.Part(text="Be brief."), types.Part(text="Be kind.")],
        tools=[
            types.Tool(
                function_declarations=[
                    types.FunctionDeclaration(name="read", description="Read a file.", parameters=PARAMETERS),
                    types.FunctionDeclaration(name="ls", description="List."),
                ]
            )
        ],
        tool_config=tool_config,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        thinking_config=types.ThinkingConfig(**sdk_thinking),
        max_output_tokens=9_216 if thinking == "medium" else 4_000,
        temperature=0.5,
        top_p=0.75,
        stop_sequences=["END"],
    )
    ours, _ = asked_by_codi(request, model)
    theirs, _ = asked_by_the_sdk(sdk_conversation(), config, model)
    assert plain(ours) == plain(theirs)
    assert ours.path == theirs.path
    assert ours.headers["x-goog-api-key"] == theirs.headers["x-goog-api-key"]


def test_both_read_the_same():
    _, reply = asked_by_codi(Request(system=("s",), messages=(user("hi"),)), "gemini-2.5-flash")
    _, chunks = asked_by_the_sdk("hi", types.GenerateContentConfig(system_instruction="s"), "gemini-2.5-flash")
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    thought, text, call = reply.message.blocks
    assert (thought.text, text.text) == (parts[0].text, parts[1].text)
    assert (call.name, call.arguments) == (parts[2].function_call.name, parts[2].function_call.args)
    assert reply.raw_stop == chunks[-1].candidates[0].finish_reason.value
    usage = chunks[-1].usage_metadata
    assert reply.usage.total == usage.total_token_count
    assert reply.usage.cache_read == usage.cached_content_token_count
