"""The Messages API: what is sent for a request, and what is made of a reply."""

import json
import time
from collections.abc import Sequence

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec.structs import replace
from test_history import histories

from codi.protocol.errors import (
    ContextOverflow,
    CredentialError,
    MalformedAnswer,
    NotFound,
    Overloaded,
    ServerFailed,
    StreamCut,
)
from codi.protocol.events import StatusDelta, TextDelta, ThinkingDelta, ToolCallDelta
from codi.protocol.messages import Image, Message, Origin, Text, Thinking, ToolCall, ToolResult, Usage, user
from codi.protocol.tooling import ToolSpec
from codi.providers.anthropic import Anthropic
from codi.providers.anthropic_format import Format
from codi.providers.anthropic_reply import STOPS, Assembly
from codi.providers.provider import Abilities, ModelEntry, Reply, Request, Timing, complete
from codi.providers.transport import Timeouts, Transport
from loopback import END, HANG, WAIT, Loopback, answer, chunk, head, stream

MODEL = ModelEntry(
    id="claude-x",
    service="anthropic",
    window=200_000,
    max_output=64_000,
    abilities=Abilities(vision=True, thinking=True),
)
HERE = Origin("anthropic-messages", "anthropic", "claude-x")
READ = ToolSpec(
    "read", "Read a file.", {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
)
LIST = ToolSpec("list", "List files.", {"type": "object"})
ASK = Request(system=("You are codi.",), messages=(user("hi"),), tools=(LIST, READ))
EPHEMERAL = {"type": "ephemeral"}


class Key:
    def __init__(self, secret: str | None = "k1", source: str = "ANTHROPIC_API_KEY") -> None:
        self.value, self.source = secret, source

    async def secret(self) -> str | None:
        return self.value


def body(request: Request = ASK, model: ModelEntry = MODEL) -> dict:
    return json.loads(Format(model, replace(HERE, model=model.id)).body(request).data)


def sse(*events: dict) -> list[bytes]:
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


def start(usage: dict | None = None) -> dict:
    message = {"id": "msg_1", "type": "message", "model": "claude-x-1", "content": [], "stop_reason": None}
    return {"type": "message_start", "message": {**message, "usage": usage or {"input_tokens": 10, "output_tokens": 1}}}


def block(index: int, first: dict, *changes: dict) -> list[dict]:
    return [
        {"type": "content_block_start", "index": index, "content_block": first},
        *({"type": "content_block_delta", "index": index, "delta": change} for change in changes),
        {"type": "content_block_stop", "index": index},
    ]


def text_block(index: int, *texts: str) -> list[dict]:
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": text} for text in texts))


def call_block(index: int, call_id: str, name: str, *pieces: str) -> list[dict]:
    changes = ({"type": "input_json_delta", "partial_json": piece} for piece in pieces)
    return block(index, {"type": "tool_use", "id": call_id, "name": name, "input": {}}, *changes)


def ends(stop: str | None, output: int = 7) -> list[dict]:
    delta = {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": output}}
    return [delta, {"type": "message_stop"}]


async def heard_from(
    server: Loopback, request: Request = ASK, *, model: ModelEntry = MODEL, key: Key | None = None
) -> list:
    transport = Transport(server.url, service="anthropic", timeouts=Timeouts(first_byte_s=5, idle_s=5))
    try:
        return [part async for part in Anthropic(model, key or Key(), transport).stream(request)]
    finally:
        await transport.aclose()


def play(*events: dict, request: Request = ASK) -> list:
    async def main() -> list:
        async with Loopback(stream(*sse(*events))) as server:
            return await heard_from(server, request)

    return anyio.run(main)


def reply_of(parts: list) -> Reply:
    *deltas, reply = parts
    assert isinstance(reply, Reply)
    assert not any(isinstance(delta, Reply) for delta in deltas)
    for place, made in enumerate(reply.message.blocks):
        said = "".join(delta.text for delta in deltas if getattr(delta, "index", None) == place)
        match made:
            case Text(text) | Thinking(text):
                assert said == text
            case ToolCall(call_id, name, arguments, defect=None):
                assert json.loads(said or "{}") == arguments
                begun = next(delta for delta in deltas if isinstance(delta, ToolCallDelta) and delta.index == place)
                assert (begun.id, begun.name) == (call_id, name)
    return reply


def test_a_plain_request():
    assert body() == {
        "model": "claude-x",
        "max_tokens": 32_000,
        "stream": True,
        "system": [{"type": "text", "text": "You are codi.", "cache_control": EPHEMERAL}],
        "tools": [
            {"name": "list", "description": "List files.", "input_schema": {"type": "object", "properties": {}}},
            {
                "name": "read",
                "description": "Read a file.",
                "input_schema": READ.parameters,
                "cache_control": EPHEMERAL,
            },
        ],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": EPHEMERAL}]}],
    }


def test_a_conversation_with_all_blocks():
    blocks = (
        Thinking("hm", "seal"),
        Thinking("", "DATA", redacted=True),
        Text("I look."),
        ToolCall("toolu_1", "read", {"path": "a", "b": [1, True, None]}),
        ToolCall("a|b", "list", {}),
    )
    results = (
        ToolResult("a|b", (Text("x"), Image("iVBORw0KGgo=", "image/png"))),
        ToolResult("toolu_1", (Text("gone"),), is_error=True, details={"secret": 1}, duration_ms=4),
        Text("go on"),
    )
    made = body(replace(ASK, messages=(user("hi"), Message("assistant", blocks, HERE), Message("user", results))))

    _, said, heard = made["messages"]
    mapped = said["content"][4]["id"]
    assert said == {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "seal"},
            {"type": "redacted_thinking", "data": "DATA"},
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"path": "a", "b": [1, True, None]}},
            {"type": "tool_use", "id": mapped, "name": "list", "input": {}},
        ],
    }
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    assert heard["content"] == [
        {
            "type": "tool_result",
            "tool_use_id": "toolu_1",
            "content": [{"type": "text", "text": "gone"}],
            "is_error": True,
        },
        {"type": "tool_result", "tool_use_id": mapped, "content": [{"type": "text", "text": "x"}, picture]},
        {"type": "text", "text": "go on", "cache_control": EPHEMERAL},
    ]


def marks(made: dict) -> list[dict]:
    found = []

    def walk(at: object) -> None:
        if isinstance(at, dict):
            found.extend([at["cache_control"]] if "cache_control" in at else [])
            for value in at.values():
                walk(value)
        elif isinstance(at, list):
            for value in at:
                walk(value)

    walk(made)
    return found


def turns(count: int) -> list[Message]:
    said = [user("go")]
    for step in range(count):
        said.append(Message("assistant", (ToolCall(f"c{step}", "read", {"path": "p"}),), HERE))
        said.append(Message("user", (ToolResult(f"c{step}", (Text("r"),)),)))
    return said


@pytest.mark.parametrize("count", range(4))
def test_at_most_four_marks_on_the_last_two_user_messages(count):
    made = body(replace(ASK, messages=turns(count)))

    assert len(marks(made)) == min(3 + count, 4)
    users = [message for message in made["messages"] if message["role"] == "user"]
    assert ["cache_control" in message["content"][-1] for message in users] == [
        at >= len(users) - 2 for at in range(len(users))
    ]


def test_long_and_no_cache():
    assert marks(body(replace(ASK, cache="long"))) == [{"type": "ephemeral", "ttl": "1h"}] * 3
    assert marks(body(replace(ASK, cache="none"))) == []


def test_each_request_begins_like_the_one_before():
    made = Format(MODEL, HERE)
    said = turns(1)
    before = made.body(replace(ASK, messages=tuple(said), cache="none")).data
    for step in range(1, 30):
        said += [
            Message("assistant", (Thinking("t", "s"), ToolCall(f"d{step}", "read", {"path": "é"})), HERE),
            Message("user", (ToolResult(f"d{step}", (Text("r" * step),)),)),
        ]
        request = replace(ASK, messages=tuple(said), cache="none")
        now = made.body(request).data
        assert now == Format(MODEL, HERE).body(request).data
        assert now.startswith(before.removesuffix(b"]}"))
        before = now


def test_the_same_request_gives_the_same_bytes_whatever_the_order_of_its_arguments():
    def ask(arguments: dict) -> bytes:
        said = (user("hi"), Message("assistant", (ToolCall("c", "read", arguments),), HERE), user("so"))
        return Format(MODEL, HERE).body(replace(ASK, messages=said)).data

    assert ask({"a": 1, "b": 2}) == ask({"b": 2, "a": 1})


@pytest.mark.parametrize(
    "level, most, asked, output, budget",
    [
        ("minimal", 64_000, None, 32_000, 1024),
        ("low", 64_000, None, 32_000, 2048),
        ("medium", 64_000, None, 32_000, 8192),
        ("high", 64_000, None, 32_000, 16_384),
        ("xhigh", 64_000, None, 33_792, 32_768),
        ("xhigh", 32_000, None, 32_000, 30_976),
        ("high", 8192, None, 8192, 7168),
        ("minimal", 64_000, 100, 2048, 1024),
        ("high", 2048, None, 2048, 1024),
    ],
)
def test_thinking_leaves_room_for_the_answer(level, most, asked, output, budget):
    made = body(replace(ASK, thinking=level, max_output=asked, temperature=0.5), replace(MODEL, max_output=most))

    assert made["thinking"] == {"type": "enabled", "budget_tokens": budget}
    assert made["max_tokens"] == output and output - budget >= 1024
    assert "temperature" not in made and "top_p" not in made


def test_no_thinking_where_there_is_no_room_or_no_ability():
    assert "thinking" not in body(replace(ASK, thinking="high"), replace(MODEL, max_output=1500))
    assert "thinking" not in body(replace(ASK, thinking="high"), replace(MODEL, abilities=Abilities()))
    assert "thinking" not in body(replace(ASK, thinking="high", tool_choice="required"))


def test_adaptive_thinking():
    model = replace(MODEL, adaptive_thinking=True)
    for level, effort in (("minimal", "low"), ("low", "low"), ("medium", "medium"), ("high", "high"), ("xhigh", "max")):
        made = body(replace(ASK, thinking=level, temperature=0.5), model)
        assert made["thinking"]["type"] == "adaptive" and made["output_config"] == {"effort": effort}
        assert "temperature" not in made
    assert "thinking" not in body(ASK, model)


def test_a_tool_loop_that_began_without_thought_goes_on_without():
    other = Message("assistant", (Thinking("x", "s"), ToolCall("c", "read", {})), replace(HERE, model="else"))
    own = replace(other, origin=HERE)
    after = (ToolResult("c", (Text("r"),)),)

    def thinks(reply: Message) -> bool:
        return "thinking" in body(replace(ASK, thinking="low", messages=(user("q"), reply, Message("user", after))))

    assert not thinks(other)
    assert thinks(own)


def test_choices_limits_and_words_to_stop_at():
    assert body(replace(ASK, tool_choice="required"))["tool_choice"] == {"type": "any"}
    assert body(replace(ASK, tool_choice="none"))["tool_choice"] == {"type": "none"}
    assert body(replace(ASK, tool_choice="read"))["tool_choice"] == {"type": "tool", "name": "read"}
    single = replace(MODEL, abilities=Abilities(parallel=False))
    assert body(ASK, single)["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    made = body(replace(ASK, max_output=50_000, temperature=0.0, stop=("END",)))
    assert (made["max_tokens"], made["temperature"], made["stop_sequences"]) == (50_000, 0.0, ["END"])
    assert body(replace(ASK, max_output=90_000))["max_tokens"] == 64_000
    assert body(ASK, replace(MODEL, max_output=4000))["max_tokens"] == 4000


def test_a_history_with_calls_keeps_a_definition_of_them():
    made = body(replace(ASK, tools=(), messages=tuple(turns(1))))

    assert [tool["name"] for tool in made["tools"]] == ["read"] and made["tool_choice"] == {"type": "none"}
    assert "tools" not in body(replace(ASK, tools=()))


def test_schemas_are_those_of_objects():
    odd = ToolSpec("odd", "", {"anyOf": [{"required": ["a"]}], "properties": {"a": {"anyOf": [{"type": "string"}]}}})
    strict = ToolSpec(
        "s", "", {"properties": {"a": {}}, "required": ["a"], "additionalProperties": False, "type": "object"}
    )
    made = body(replace(ASK, tools=(odd, strict)), replace(MODEL, abilities=Abilities(strict=True)))

    assert made["tools"][0]["input_schema"] == {"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}]}}}
    assert [tool.get("strict") for tool in made["tools"]] == [None, True]


def strict_refusal(made: dict) -> str:
    """The rules that the service is known to insist on."""
    waiting: list[str] = []
    for at, message in enumerate(made["messages"]):
        content = message["content"]
        if message["role"] != ("user", "assistant")[at % 2] or not content:
            return f"message {at}: role or nothing in it"
        results = [part["tool_use_id"] for part in content if part["type"] == "tool_result"]
        if results != waiting:
            return f"message {at}: {results} instead of {waiting}"
        waiting = [part["id"] for part in content if part["type"] == "tool_use"]
        for part in content:
            inner = part.get("content", []) if part["type"] == "tool_result" else [part]
            if any(piece["type"] == "text" and not piece["text"].strip() for piece in inner):
                return f"message {at}: empty text"
            if part.get("is_error") and any(piece["type"] != "text" for piece in inner):
                return f"message {at}: a failure that is no text"
            if part["type"] == "thinking" and not part["signature"]:
                return f"message {at}: unsigned thinking"
    return "a call is open" if waiting else ""


@given(histories)
@settings(max_examples=250, deadline=None)
def test_no_history_is_refused(history):
    made = body(replace(ASK, messages=history))

    assert strict_refusal(made) == ""
    assert len(marks(made)) <= 4
    assert bool(made["messages"]) == bool(history)


texts = some.text(some.characters(exclude_categories=["Cs"]), min_size=1, max_size=9).filter(str.strip)
said = some.lists(
    some.one_of(
        some.builds(Text, texts),
        some.builds(Thinking, texts, texts),
        some.builds(ToolCall, some.uuids().map(str), some.just("read"), some.dictionaries(texts, some.integers(0, 9))),
    ),
    min_size=1,
    max_size=5,
)


@given(said)
@settings(max_examples=60, deadline=None)
def test_what_is_sent_comes_back_as_it_was(blocks):
    message = Message("assistant", tuple(blocks), HERE)
    (_, wire, *_) = body(replace(ASK, messages=(user("q"), message)))["messages"]
    assembly = Assembly(HERE, sent=1)
    list(assembly.add_whole(json.dumps({"type": "message", "id": "m", **wire}).encode()))
    assert assembly.reply(Timing()).message == message


def test_text_thinking_and_calls_in_order():
    parts = play(
        start(
            {"input_tokens": 10, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 40, "output_tokens": 1}
        ),
        {"type": "ping"},
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "I "},
            {"type": "thinking_delta", "thinking": "think"},
            {"type": "signature_delta", "signature": "SE"},
            {"type": "signature_delta", "signature": "AL"},
        ),
        *block(1, {"type": "redacted_thinking", "data": "DATA"}),
        *text_block(2),
        *text_block(3, "He", "llo 😀"),
        *block(4, {"type": "server_tool_use", "id": "x"}, {"type": "input_json_delta", "partial_json": "{}"}),
        *call_block(5, "toolu_1", "read", "", '{"path', '": "a"}'),
        *call_block(6, "toolu_2", "list"),
        {"type": "something_new"},
        *ends("tool_use", 33),
    )

    reply = reply_of(parts)
    assert reply.message == Message(
        "assistant",
        (
            Thinking("I think", "SEAL"),
            Thinking("", "DATA", redacted=True),
            Text("Hello 😀"),
            ToolCall("toolu_1", "read", {"path": "a"}),
            ToolCall("toolu_2", "list", {}),
        ),
        HERE,
    )
    assert reply.stop == "tool_calls" and reply.raw_stop == "tool_use"
    assert (reply.model, reply.response_id) == ("claude-x-1", "msg_1")
    assert reply.usage == Usage(input=10, output=33, cache_read=90, cache_write=40)
    assert reply.timing.first_byte_ms >= 1 and reply.timing.total_ms >= reply.timing.first_byte_ms
    kinds = [type(part) for part in parts]
    assert kinds == [ThinkingDelta] * 2 + [TextDelta] * 2 + [ToolCallDelta] * 4 + [Reply]


def test_signed_thinking_goes_back_byte_for_byte():
    seal = "Eq+/==" * 50
    reply = reply_of(
        play(
            start(),
            *block(
                0,
                {"type": "thinking", "thinking": ""},
                {"type": "thinking_delta", "thinking": " é\n"},
                {"type": "signature_delta", "signature": seal},
            ),
            *call_block(1, "c1", "read", '{"path":"a"}'),
            *call_block(2, "c2", "read", '{"path":"b"}'),
            *ends("tool_use"),
        )
    )
    results = tuple(ToolResult(call.id, (Text("r"),)) for call in reply.message.tool_calls)
    made = body(replace(ASK, thinking="low", messages=(user("q"), reply.message, Message("user", results))))

    assert made["messages"][1]["content"][0] == {"type": "thinking", "thinking": " é\n", "signature": seal}
    assert [part["type"] for part in made["messages"][1]["content"]] == ["thinking", "tool_use", "tool_use"]


@pytest.mark.parametrize("raw, stop", [*STOPS.items(), ("later_invention", "unknown"), (None, "end")])
def test_each_stop_has_its_word(raw, stop):
    reply = reply_of(play(start(), *text_block(0, "x"), *ends(raw)))

    assert (reply.stop, reply.raw_stop) == (stop, raw)


@pytest.mark.parametrize(
    "text, part",
    [
        ('{"path": "a', "position 11"),
        ('{"path": }', "position 9"),
        ("[1]", "array"),
        ("null", "null"),
        ("{} {}", "position 4"),
    ],
)
def test_a_call_without_a_whole_object_must_not_run(text, part):
    (call,) = play(start(), *call_block(0, "c", "read", text), *ends("tool_use"))[-1].message.tool_calls

    assert call.arguments == {} and part in call.defect


def test_usage_of_one_hour_and_of_thought():
    usage = {"input_tokens": 1, "cache_creation_input_tokens": 9, "cache_creation": {"ephemeral_1h_input_tokens": 4}}
    done = {"output_tokens": 8, "output_tokens_details": {"thinking_tokens": 5}, "input_tokens": 2}
    reply = reply_of(
        play(
            start(usage),
            *text_block(0, "x"),
            {"type": "message_delta", "delta": {}, "usage": done},
            {"type": "message_stop"},
        )
    )

    assert reply.usage == Usage(input=2, output=8, cache_write=9, cache_write_1h=4, thinking=5)


def test_missing_usage_is_estimated_and_marked():
    first = {"type": "message_start", "message": {"id": "m"}}
    reply = reply_of(play(first, *text_block(0, "four words are said"), {"type": "message_stop"}))

    assert reply.usage.estimated and reply.usage.input > 20 and reply.usage.output == 5


@pytest.mark.parametrize(
    "kind, text, raised",
    [
        ("overloaded_error", "Overloaded", Overloaded),
        ("api_error", "Internal", ServerFailed),
        ("invalid_request_error", "prompt is too long: 2 > 1", ContextOverflow),
    ],
)
def test_an_error_in_the_stream_is_raised(kind, text, raised):
    with pytest.raises(raised, match=text.split(":")[0]):
        play(start(), *text_block(0, "x"), {"type": "error", "error": {"type": kind, "message": text}})


def test_a_stream_without_its_end_mark_is_cut():
    events = [start(), *text_block(0, "x"), *ends("end_turn")]
    for count in range(len(events)):
        with pytest.raises(StreamCut):
            play(*events[:count])


def test_garbage_is_no_answer():
    async def main() -> None:
        async with Loopback(stream(b'data: {"type": \n\n')) as server:
            await heard_from(server)

    with pytest.raises(MalformedAnswer):
        anyio.run(main)


def served(*answers: Sequence[bytes | str], **options) -> tuple[list, Loopback]:
    async def main() -> tuple[list, Loopback]:
        async with Loopback(*answers) as server:
            return await heard_from(server, **options), server

    return anyio.run(main)


def test_a_server_that_does_not_stream_is_understood():
    content = [{"type": "text", "text": "Hi"}, {"type": "tool_use", "id": "c", "name": "read", "input": {"path": "a"}}]
    whole = {"type": "message", "id": "m", "content": content, "stop_reason": "tool_use", "usage": {"input_tokens": 3}}
    parts, _ = served(answer(200, json.dumps(whole).encode(), content_type="application/json"))

    reply = reply_of(parts)
    assert reply.message.blocks == (Text("Hi"), ToolCall("c", "read", {"path": "a"})) and reply.stop == "tool_calls"


def test_json_that_is_no_message_is_no_answer():
    with pytest.raises(MalformedAnswer):
        served(answer(200, b'{"ok":true}', content_type="application/json"))


FINE = stream(*sse(start(), *text_block(0, "x"), *ends("end_turn")))


def test_keys_and_logins_travel_in_their_own_headers():
    _, server = served(FINE, key=Key("k1"))
    assert server.heard[0].headers["x-api-key"] == "k1" and "authorization" not in server.heard[0].headers
    assert server.heard[0].headers["anthropic-version"] == "2023-06-01" and server.heard[0].path == "/v1/messages"

    _, server = served(FINE, key=Key("t1", "ANTHROPIC_OAUTH_TOKEN"))
    assert server.heard[0].headers["authorization"] == "Bearer t1" and "x-api-key" not in server.heard[0].headers
    assert "oauth-2025-04-20" in server.heard[0].headers["anthropic-beta"]

    _, server = served(FINE, key=Key(None))
    assert not {"authorization", "x-api-key"} & server.heard[0].headers.keys()


def test_thought_between_calls_is_asked_for():
    _, server = served(FINE, request=replace(ASK, thinking="low"))
    assert "interleaved-thinking-2025-05-14" in server.heard[0].headers["anthropic-beta"]


def test_a_refused_key_is_one_request():
    with pytest.raises(CredentialError, match="the key in ANTHROPIC_API_KEY was refused"):
        served(answer(401, b'{"error":{"type":"authentication_error","message":"invalid x-api-key"}}'))


def test_an_unknown_model_is_told_with_the_nearest():
    listed = {"data": [{"type": "model", "id": name} for name in ("claude-y", "claude-xx", "other")], "has_more": False}
    with pytest.raises(NotFound, match="claude-x") as caught:
        served(answer(404, b'{"error":{"type":"not_found_error"}}'), answer(200, json.dumps(listed).encode()))
    assert "claude-xx" in caught.value.hint


def test_a_level_that_the_model_lacks_is_noted_once():
    model = replace(MODEL, thinking_levels=("low", "medium"))

    async def main() -> list[list]:
        async with Loopback(FINE) as server:
            transport = Transport(server.url, service="anthropic")
            provider = Anthropic(model, Key(), transport)
            runs = [[part async for part in provider.stream(replace(ASK, thinking="high"))] for _ in range(2)]
            assert all(json.loads(heard.body)["thinking"]["budget_tokens"] == 8192 for heard in server.heard)
            await transport.aclose()
            return runs

    first, second = anyio.run(main)
    assert isinstance(first[0], StatusDelta) and first[0].kind == "warning" and "medium" in first[0].text
    assert not any(isinstance(part, StatusDelta) for part in second)


def test_five_turns_are_one_connection_and_closing_hangs_up():
    async def main() -> None:
        async with Loopback(FINE) as server:
            transport = Transport(server.url, service="anthropic")
            provider = Anthropic(MODEL, Key(), transport)
            for _ in range(5):
                assert (await complete(provider, ASK)).message.text == "x"
            await transport.aclose()
        assert server.connections == 1

        begun = sse(start(), *text_block(0, "first")[:2])
        async with Loopback([head(), *map(chunk, begun), HANG]) as server:
            transport = Transport(server.url, service="anthropic")
            parts = Anthropic(MODEL, Key(), transport).stream(ASK)
            assert await anext(parts) == TextDelta("first")
            closed = time.monotonic()
            await parts.aclose()
            await server.hung_up.wait()
            assert time.monotonic() - closed < 0.1
            await transport.aclose()

    anyio.run(main)


def test_the_first_text_is_seen_before_the_last_is_sent():
    async def main() -> None:
        early = sse(start(), *text_block(0, "early"))
        late = sse(*text_block(1, "more"), *ends("end_turn"))
        async with Loopback([head(), *map(chunk, early), WAIT, *map(chunk, late), END]) as server:
            transport = Transport(server.url, service="anthropic")
            parts = Anthropic(MODEL, Key(), transport).stream(ASK)
            assert await anext(parts) == TextDelta("early")
            server.go_on.set()
            assert [part.text async for part in parts if isinstance(part, TextDelta)] == ["more"]
            await transport.aclose()

    anyio.run(main)


@pytest.mark.parametrize(
    "suffix, path", [("", "/v1"), ("/", "/v1"), ("/v1", "/v1"), ("/proxy/v1/messages", "/proxy/v1")]
)
def test_base_urls_with_and_without_their_version(suffix, path):
    page = {"data": [{"id": "m", "display_name": "M", "max_input_tokens": 9, "max_tokens": 3}], "has_more": False}

    async def main() -> None:
        async with Loopback(FINE, answer(200, json.dumps(page).encode())) as server:
            transport = Transport(server.url + suffix, service="anthropic")
            provider = Anthropic(MODEL, Key(), transport)
            await complete(provider, ASK)
            (entry,) = await provider.models()
            assert (entry.id, entry.name, entry.window, entry.max_output, entry.assumed) == ("m", "M", 9, 3, False)
            await transport.aclose()
        assert [heard.path for heard in server.heard] == [f"{path}/messages", f"{path}/models?limit=1000"]

    anyio.run(main)


def test_all_pages_of_the_models_are_read():
    pages = [{"data": [{"id": "a"}], "has_more": True, "last_id": "a"}, {"data": [{"id": "b"}], "has_more": False}]

    async def main() -> None:
        async with Loopback(*(answer(200, json.dumps(page).encode()) for page in pages)) as server:
            transport = Transport(server.url, service="anthropic")
            assert [entry.id for entry in await Anthropic(MODEL, Key(), transport).models()] == ["a", "b"]
            await transport.aclose()
        assert server.heard[1].path.endswith("&after_id=a")

    anyio.run(main)
