"""What is sent to Gemini, and what its chunks become; without a network."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai_told import told

from codi.protocol.errors import ContextOverflow, MalformedAnswer, Overloaded, Refused, StreamCut
from codi.protocol.messages import Image, Message, Origin, Text, Thinking, ToolCall, ToolResult, Usage, user
from codi.protocol.tooling import ToolSpec
from codi.providers.catalog import Catalog
from codi.providers.encoded import Encoded
from codi.providers.google_format import Answer, body_of, chunks_of, encoded, entries_of, level_of
from codi.providers.history import id_form, settled
from codi.providers.provider import Abilities, ModelEntry, Request
from codi.providers.sse import SseReader

CATALOG = Catalog.load()
PRO = CATALOG.entry("google", "gemini-2.5-pro")
FLASH = CATALOG.entry("google", "gemini-2.5-flash")
THREE = CATALOG.entry("google", "gemini-3-pro-preview")
PLAIN = CATALOG.entry("google", "gemini-2.0-flash")
ORIGIN = Origin("google-generative-ai", "google", PRO.id)
CALL = ToolCall("c1", "read", {"path": "a.txt"}, signature="SIG")
READ = ToolSpec(
    "read", "Read a file.", {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
)


def format_of(model: ModelEntry = PRO) -> Encoded:
    origin = Origin("google-generative-ai", "google", model.id)
    return Encoded(
        lambda messages: settled(messages, origin=origin, vision=model.abilities.vision, legal_id=id_form(64)),
        lambda message: encoded(message, with_ids=True),
    )


def sent(*messages: Message, model: ModelEntry = PRO, **more):
    request = Request(system=("Be brief.",), messages=messages or (user("hi"),), **more)
    return json.loads(body_of(request, model, format_of(model).parts(request.messages)))


def test_the_least_request():
    assert sent(model=PLAIN) == {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {"maxOutputTokens": 8192},
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
    }


def test_a_conversation_with_a_call_and_its_picture():
    picture = Image("iVBORw0KGgo=", "image/png")
    body = sent(
        user("look", picture),
        Message("assistant", (Thinking("hm", "T"), Text("I look."), CALL, ToolCall("c2", "ls", {})), ORIGIN),
        Message(
            "user",
            (
                ToolResult("c2", (Text("x"),), tool="ls", is_error=True),
                ToolResult("c1", (Text("there"), picture), tool="read"),
                Text("and now?"),
            ),
        ),
    )
    inline = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "look"}, inline]},
        {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True, "thoughtSignature": "T"},
                {"text": "I look."},
                {"functionCall": {"id": "c1", "name": "read", "args": {"path": "a.txt"}}, "thoughtSignature": "SIG"},
                {"functionCall": {"id": "c2", "name": "ls", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "c1", "name": "read", "response": {"output": "there\n(image follows)"}}},
                {"functionResponse": {"id": "c2", "name": "ls", "response": {"error": "x"}}},
                inline,
                {"text": "and now?"},
            ],
        },
    ]


def test_another_model_gets_no_signatures_and_the_thinking_as_text():
    answer = Message("assistant", (Thinking("hm", "T"), Text("a", "S"), CALL), ORIGIN)
    (_, said, _) = sent(user("x"), answer, model=FLASH)["contents"]
    assert said["parts"] == [
        {"text": "<thinking>hm</thinking>"},
        {"text": "a"},
        {"functionCall": {"id": "c1", "name": "read", "args": {"path": "a.txt"}}},
    ]


def test_a_model_that_cannot_see_gets_no_bytes():
    blind = ModelEntry(id="b", service="google")
    assert "iVBORw0KGgo=" not in json.dumps(sent(user("look", Image("iVBORw0KGgo=", "image/png")), model=blind))


@pytest.mark.parametrize(
    ("model", "level", "config"),
    [
        (PRO, "high", {"includeThoughts": True, "thinkingBudget": 16384}),
        (PRO, "medium", {"includeThoughts": True, "thinkingBudget": 8192}),
        (PRO, "minimal", {"includeThoughts": True, "thinkingBudget": 1024}),
        (PRO, "off", {"includeThoughts": False, "thinkingBudget": 1024}),
        (FLASH, "off", {"includeThoughts": False, "thinkingBudget": 0}),
        (FLASH, "xhigh", {"includeThoughts": True, "thinkingBudget": 16384}),
        (THREE, "high", {"includeThoughts": True, "thinkingLevel": "HIGH"}),
        (THREE, "medium", {"includeThoughts": True, "thinkingLevel": "LOW"}),
        (THREE, "off", {"includeThoughts": False, "thinkingLevel": "LOW"}),
        (PLAIN, "high", None),
    ],
)
def test_thinking_is_told_as_the_model_wants_it(model, level, config):
    assert sent(model=model, thinking=level)["generationConfig"].get("thinkingConfig") == config


def test_thought_leaves_room_for_the_answer():
    config = sent(model=PRO, thinking="xhigh", max_output=2_000)["generationConfig"]
    assert config["maxOutputTokens"] - config["thinkingConfig"]["thinkingBudget"] >= 1024


def test_a_level_is_clamped_to_what_there_is():
    assert [level_of(level, THREE) for level in ("off", "minimal", "medium", "xhigh")] == ["low", "low", "low", "high"]
    assert level_of("high", PLAIN) == "off"


def test_settings_reach_the_wire():
    config = sent(model=PLAIN, max_output=77, temperature=0.5, top_p=0.9, stop=("END",))["generationConfig"]
    assert config == {"maxOutputTokens": 77, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]}
    assert sent(model=PLAIN, max_output=10**6)["generationConfig"]["maxOutputTokens"] == PLAIN.max_output
    assert sent(model=PRO)["generationConfig"]["maxOutputTokens"] == 32_000


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        ("auto", None),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ("read", {"mode": "ANY", "allowedFunctionNames": ["read"]}),
    ],
)
def test_tools_and_their_choice(choice, config):
    body = sent(tools=(READ,), tool_choice=choice)
    assert body["tools"] == [
        {"functionDeclarations": [{"name": "read", "description": "Read a file.", "parameters": READ.parameters}]}
    ]
    assert body.get("toolConfig") == (config and {"functionCallingConfig": config})
    mute = ModelEntry(id="m", service="google", abilities=Abilities(tools=False))
    assert "tools" not in sent(model=mute, tools=(READ,), tool_choice=choice)


def test_a_schema_is_said_in_the_words_that_gemini_knows():
    tool = ToolSpec(
        "t",
        "d",
        {
            "$schema": "x",
            "type": "object",
            "additionalProperties": False,
            "$defs": {"point": {"type": "object", "properties": {"x": {"type": "number", "default": 1}}}},
            "properties": {
                "kind": {"const": "a"},
                "many": {"type": "array"},
                "maybe": {"type": ["string", "null"], "format": "uri"},
                "n": {"type": "integer", "enum": [1, 2], "exclusiveMinimum": 0},
                "at": {"$ref": "#/$defs/point"},
                "when": {"type": "string", "format": "date-time"},
            },
            "required": [],
        },
    )
    (declared,) = sent(tools=(tool,))["tools"][0]["functionDeclarations"]
    assert declared["parameters"] == {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": ["a"]},
            "many": {"type": "array", "items": {"type": "string"}},
            "maybe": {"type": "string", "nullable": True},
            "n": {"type": "integer"},
            "at": {"type": "object", "properties": {"x": {"type": "number"}}},
            "when": {"type": "string", "format": "date-time"},
        },
    }


def test_a_tool_without_parameters_has_no_schema():
    (declared,) = sent(tools=(ToolSpec("t", "d", {"type": "object", "properties": {}}),))["tools"][0][
        "functionDeclarations"
    ]
    assert declared == {"name": "t", "description": "d"}


def test_the_next_request_begins_with_the_bytes_of_this_one():
    answer = Message("assistant", (Text("yes"), CALL), ORIGIN)
    result = Message("user", (ToolResult("c1", (Text("ok"),), tool="read"),))
    history = [user("a"), answer, result, Message("assistant", (Text("b"),), ORIGIN), user("c")]
    format = format_of()
    bodies = []
    for end in (1, 3, 5):
        request = Request(system=("s",), messages=history[:end], tools=(READ,))
        bodies.append(body_of(request, PRO, format.parts(request.messages)))
        assert bodies[-1] == body_of(request, PRO, format_of().parts(request.messages))
    for before, after in pairwise(bodies):
        assert after.startswith(before.removesuffix(b"]}"))


STREAM = [
    {"candidates": [{"content": {"role": "model", "parts": [{"text": "Let me", "thought": True}]}}], "usageMetadata": {"promptTokenCount": 40}},
    {"candidates": [{"content": {"parts": [{"text": " see.", "thought": True, "thoughtSignature": "T"}]}}]},
    {"candidates": [{"content": {"parts": [{"text": "Grüße 👋 "}]}}], "modelVersion": "gemini-2.5-pro-001", "responseId": "r1"},
    {"candidates": [{"content": {"parts": [{"text": "there."}, {"text": "", "thoughtSignature": "S"}]}}]},
    {"candidates": [{"content": {"parts": [{"functionCall": {"name": "read", "args": {"path": "ä"}}, "thoughtSignature": "C"}, {"functionCall": {"name": "ls", "id": "own"}}, {"executableCode": {"code": "1"}}]}, "finishReason": "STOP", "safetyRatings": []}], "usageMetadata": {"promptTokenCount": 40, "cachedContentTokenCount": 30, "candidatesTokenCount": 10, "thoughtsTokenCount": 5, "toolUsePromptTokenCount": 2, "totalTokenCount": 57}},
]  # fmt: skip


def answered(*chunks: object) -> tuple[Answer, list]:
    answer = Answer("google", b"seed")
    deltas = [delta for chunk in chunks for delta in answer.add(json.dumps(chunk).encode())]
    return answer, deltas


def test_a_stream_becomes_blocks_and_the_deltas_say_the_same():
    answer, deltas = answered(*STREAM)
    thought, seal, text, call, other = answer.blocks()
    assert thought == Thinking("Let me") and seal == Thinking(" see.", "T")
    assert text == Text("Grüße 👋 there.", "S")
    assert call == ToolCall(call.id, "read", {"path": "ä"}, "C") and call.id.startswith("call_")
    assert other == ToolCall("own", "ls", {})
    told(deltas, answer.blocks())
    assert (answer.stop, answer.finish, answer.model, answer.response_id) == (
        "tool_calls",
        "STOP",
        "gemini-2.5-pro-001",
        "r1",
    )
    assert answer.usage == Usage(input=12, output=15, cache_read=30, thinking=5)
    assert answer.has_all


def test_what_was_sealed_goes_back_on_the_part_on_which_it_came():
    answer, _ = answered(*STREAM)
    message = Message("assistant", answer.blocks(), ORIGIN)
    (_, said, _) = sent(user("x"), message)["contents"]
    assert [part.get("thoughtSignature") for part in said["parts"]] == [None, "T", "S", "C", None]


@given(st.integers(1, 60))
def test_the_packets_of_the_network_make_no_difference(size):
    stream = b"".join(b"data: %s\r\n\r\n" % json.dumps(chunk, ensure_ascii=False).encode() for chunk in STREAM)
    reader, answer, deltas = SseReader(), Answer("google", b"seed"), []
    for at in range(0, len(stream), size):
        for event in reader.feed(stream[at : at + size]):
            deltas += answer.add(event.data)
    assert (answer.blocks(), deltas) == (answered(*STREAM)[0].blocks(), answered(*STREAM)[1])


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("STOP", "end"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "filtered"),
        ("RECITATION", "filtered"),
        ("PROHIBITED_CONTENT", "filtered"),
        ("BLOCKLIST", "filtered"),
        ("SPII", "filtered"),
        ("LANGUAGE", "filtered"),
        ("OTHER", "unknown"),
        ("FINISH_REASON_UNSPECIFIED", "unknown"),
        ("SOMETHING_NEW", "unknown"),
    ],
)
def test_why_it_stopped(reason, stop):
    answer, _ = answered({"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": reason}]})
    assert (answer.stop, answer.finish) == (stop, reason)


def test_a_call_in_an_answer_that_ran_out_of_length_is_no_end():
    part = {"functionCall": {"name": "read", "args": {}}}
    answer, _ = answered({"candidates": [{"content": {"parts": [part]}, "finishReason": "MAX_TOKENS"}]})
    assert answer.stop == "length"


def test_no_reason_to_end_is_a_cut_stream():
    answer, _ = answered(*STREAM[:-1])
    with pytest.raises(StreamCut):
        answer.blocks()


def test_a_blocked_prompt_is_refused():
    with pytest.raises(Refused, match="SAFETY"):
        answered({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}})


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}, Overloaded),
        ({"code": 400, "message": "The input token count exceeds the maximum", "status": "INVALID_ARGUMENT"}, ContextOverflow),
    ],
)  # fmt: skip
def test_an_error_within_the_stream_is_what_it_says(error, kind):
    with pytest.raises(kind):
        answered({"error": error})


@pytest.mark.parametrize("data", [b"<html>", b"[1]", b'{"candidates": 3}', b"\xff", b""])
def test_what_is_no_chunk_is_told_so(data):
    with pytest.raises(MalformedAnswer):
        list(Answer("google", b"").add(data))


def test_usage_that_is_not_told_is_not_zero():
    answer, _ = answered({"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}]})
    assert answer.usage is None and not answer.has_all


def test_an_empty_answer_is_an_end():
    answer, _ = answered({"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]})
    assert answer.blocks() == () and answer.stop == "end"


def test_a_whole_answer_is_a_list_of_chunks():
    assert chunks_of(b' [{"a":1},\n{"b":2}]') == [b'{"a":1}', b'{"b":2}']
    assert chunks_of(b'{"a":1}') == [b'{"a":1}']


def test_the_models_that_can_be_talked_to():
    body = {
        "models": [
            {"name": "models/g-1", "displayName": "G 1", "inputTokenLimit": 5, "outputTokenLimit": 6, "supportedGenerationMethods": ["generateContent"]},
            {"name": "models/embedding", "supportedGenerationMethods": ["embedContent"]},
            {"name": "models/g-2", "supportedGenerationMethods": ["generateContent"]},
        ]
    }  # fmt: skip
    first, second = entries_of(json.dumps(body).encode(), "google")
    assert (first.id, first.name, first.window, first.max_output, first.assumed) == ("g-1", "G 1", 5, 6, False)
    assert (second.id, second.assumed) == ("g-2", True)
    with pytest.raises(MalformedAnswer):
        entries_of(b"<html>", "google")
