"""What is sent in OpenAI's chat format."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai_told import PLAIN, READ, THINKER, asking, assistant, results

from codi.protocol.messages import Image, Message, Origin, Text, Thinking, ToolCall, ToolResult, user
from codi.protocol.tooling import ToolSpec
from codi.providers.encoded import Encoded
from codi.providers.history import settled
from codi.providers.openai_chat import UNKNOWN_SERVER
from codi.providers.openai_chat_format import body_of, encoded, legal_id, replayable
from codi.providers.openai_compat import Compat
from codi.providers.provider import Abilities, ModelEntry, Request
from conftest import SOAK

ORIGIN = Origin("openai-completions", "acme", "m-1")
OPENAI = Compat.of_openai()
PNG = Image("iVBORw0KGgo=", "image/png")


def parts_of(request: Request, model: ModelEntry, compat: Compat) -> list[bytes]:
    origin = Origin("openai-completions", model.service, model.id)

    def settle(messages: Any) -> list[Message]:
        return settled(
            replayable(messages, origin, compat),
            origin=origin,
            vision=model.abilities.vision,
            legal_id=lambda neutral: legal_id(neutral, compat),
        )

    return Encoded(settle, lambda message: encoded(message, compat)).parts(request.messages)


def sent(request: Request, model: ModelEntry = PLAIN, compat: Compat = UNKNOWN_SERVER) -> Any:
    parts = parts_of(request, model, compat)
    return json.loads(body_of(request, model, compat, parts, served_as=model.id, usage_wanted=True))


def test_an_unknown_server_is_sent_only_what_all_servers_take():
    request = asking(tools=(READ,), temperature=0.5, session_id="s-1", cache="long", max_output=100)

    assert sent(request) == {
        "max_tokens": 100,
        "messages": [{"content": "Be brief.", "role": "system"}, {"content": "hi", "role": "user"}],
        "model": "m-1",
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "tools": [
            {
                "function": {"description": "Read a file.", "name": "read", "parameters": READ.parameters},
                "type": "function",
            }
        ],
    }


def test_openai_itself_is_sent_all_it_knows():
    request = asking(
        tools=(READ,), temperature=0.5, session_id="s-1", cache="long", thinking="high", stop=tuple("abcde")
    )

    assert sent(request, THINKER, OPENAI) == {
        "max_completion_tokens": 32_000,
        "messages": [{"content": "Be brief.", "role": "developer"}, {"content": "hi", "role": "user"}],
        "model": "t-1",
        "parallel_tool_calls": True,
        "prompt_cache_key": "s-1",
        "prompt_cache_retention": "24h",
        "reasoning_effort": "high",
        "stop": ["a", "b", "c", "d"],
        "store": False,
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": [
            {
                "function": {"description": "Read a file.", "name": "read", "parameters": READ.parameters},
                "type": "function",
            }
        ],
    }


def test_a_turn_with_calls_results_and_pictures():
    call, look = ToolCall("c1", "read", {"path": "a", "a": 1}), ToolCall("c2", "view_image", {"path": "b.png"})
    request = asking(
        user("look", PNG),
        assistant(call, look),
        results(ToolResult("c2", (Text("b.png"), PNG)), ToolResult("c1", (Text("one"), Text("two"))), text="and now?"),
    )

    url = {"url": "data:image/png;base64,iVBORw0KGgo="}
    assert sent(request)["messages"][1:] == [
        {"role": "user", "content": [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": url}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "read", "arguments": '{"a":1,"path":"a"}'}},
                {"id": "c2", "type": "function", "function": {"name": "view_image", "arguments": '{"path":"b.png"}'}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "one\ntwo"},
        {"role": "tool", "tool_call_id": "c2", "content": "b.png\nimage follows"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "From view_image (c2):"},
                {"type": "image_url", "image_url": url},
                {"type": "text", "text": "and now?"},
            ],
        },
    ]


def test_no_picture_reaches_a_model_that_cannot_see():
    blind = ModelEntry(id="m-1", service="acme")
    request = asking(user("look", PNG), assistant(ToolCall("c1", "view_image", {})), results(ToolResult("c1", (PNG,))))

    wire = json.dumps(sent(request, blind))
    assert "iVBORw0KGgo" not in wire
    assert wire.count("(image omitted: model does not support images)") == 2


def test_an_empty_result_is_said_to_be_empty():
    request = asking(user("go"), assistant(ToolCall("c1", "shell", {})), results(ToolResult("c1", ())))
    assert sent(request)["messages"][-1] == {"role": "tool", "tool_call_id": "c1", "content": "(no output)"}


def test_content_is_absent_only_beside_calls():
    request = asking(user("a"), assistant(Text("b")), user("c"), assistant(Text("d"), ToolCall("c1", "read", {})))
    said = [message for message in sent(request)["messages"] if message["role"] == "assistant"]
    assert [message["content"] for message in said] == ["b", "d"]


THOUGHT = [user("a"), assistant(Thinking("hm", "reasoning"), Text("b"), origin=ORIGIN), user("c")]


@pytest.mark.parametrize(
    ("compat", "expected"),
    [
        (Compat(), {"role": "assistant", "content": "b"}),
        (Compat(reasoning_replay=True), {"role": "assistant", "content": "b", "reasoning": "hm"}),
        (Compat(thinking_as_text=True), {"role": "assistant", "content": "<thinking>hm</thinking>\n\nb"}),
    ],
)
def test_own_thinking_goes_back_as_the_server_wants_it(compat, expected):
    assert sent(asking(*THOUGHT), PLAIN, compat)["messages"][2] == expected


@pytest.mark.parametrize("compat", [Compat(), Compat(reasoning_replay=True), Compat(thinking_as_text=True)])
def test_thinking_of_another_model_goes_on_as_text(compat):
    foreign = assistant(Thinking("hm", "sealed"), Text("b"), origin=Origin("anthropic-messages", "x", "y"))
    message = sent(asking(user("a"), foreign, user("c")), PLAIN, compat)["messages"][2]
    assert message == {"role": "assistant", "content": "<thinking>hm</thinking>b"}


def test_a_message_of_thinking_alone_leaves_no_empty_message():
    request = asking(user("a"), assistant(Thinking("hm", "reasoning_content"), origin=ORIGIN), user("c"))
    assert sent(request)["messages"][1:] == [{"role": "user", "content": "a\n\nc"}]


def after_result(**compat: Any) -> Any:
    request = asking(
        user("a"), assistant(ToolCall("c1", "read", {})), results(ToolResult("c1", (Text("x"),)), text="more")
    )
    return sent(request, PLAIN, Compat(**compat))["messages"][3:]


def test_the_name_of_a_tool_stands_in_its_result_where_wanted():
    assert after_result(tool_result_name=True)[0] == {
        "role": "tool",
        "tool_call_id": "c1",
        "name": "read",
        "content": "x",
    }
    assert "name" not in after_result()[0]


def test_an_assistant_message_stands_between_results_and_user_where_wanted():
    assert [message["role"] for message in after_result(assistant_after_tool_result=True)] == [
        "tool",
        "assistant",
        "user",
    ]
    assert [message["role"] for message in after_result()] == ["tool", "user"]


@pytest.mark.parametrize(
    ("compat", "level", "expected"),
    [
        (Compat(), "high", {"reasoning_effort": "high"}),
        (Compat(), "off", {}),
        (Compat(), "xhigh", {"reasoning_effort": "high"}),
        (Compat(), "minimal", {"reasoning_effort": "low"}),
        (Compat(reasoning_effort=False), "high", {}),
        (Compat(thinking_format="openrouter"), "low", {"reasoning": {"effort": "low"}}),
        (Compat(thinking_format="openrouter"), "off", {"reasoning": {"effort": "none"}}),
        (Compat(thinking_format="deepseek"), "low", {"thinking": {"type": "enabled"}, "reasoning_effort": "low"}),
        (Compat(thinking_format="deepseek", reasoning_effort=False), "off", {"thinking": {"type": "disabled"}}),
        (
            Compat(thinking_format="zai", reasoning_effort=False, reasoning_replay=True),
            "low",
            {"thinking": {"type": "enabled", "clear_thinking": False}},
        ),
        (Compat(thinking_format="zai", reasoning_effort=False), "off", {"thinking": {"type": "disabled"}}),
        (Compat(thinking_format="qwen", reasoning_effort=False), "low", {"enable_thinking": True}),
        (Compat(thinking_format="qwen", reasoning_effort=False), "off", {"enable_thinking": False}),
    ],
)
def test_each_service_is_told_to_think_in_its_own_words(compat, level, expected):
    wire = sent(asking(thinking=level), THINKER, compat)
    named = ("reasoning_effort", "reasoning", "thinking", "enable_thinking")
    assert {name: wire[name] for name in named if name in wire} == expected
    assert not set(named) & set(sent(asking(thinking=level), PLAIN, compat))


def test_thinking_is_switched_off_where_the_model_can_do_that():
    model = ModelEntry(id="t", service="acme", abilities=Abilities(thinking=True), thinking_levels=("off", "low"))
    assert sent(asking(), model)["reasoning_effort"] == "none"


@pytest.mark.parametrize(
    ("fixed", "model", "expected"),
    [(False, THINKER, 0.5), ("thinking", PLAIN, 0.5), ("thinking", THINKER, None), (True, PLAIN, None)],
)
def test_a_temperature_is_not_sent_where_the_service_fixes_it(fixed, model, expected):
    wire = sent(asking(temperature=0.5, top_p=0.5), model, Compat(temperature_fixed=fixed))
    assert (wire.get("temperature"), wire.get("top_p")) == (expected, expected)


@pytest.mark.parametrize(
    ("field", "model", "expected"),
    [
        ("max_tokens", THINKER, "max_tokens"),
        ("max_completion_tokens", PLAIN, "max_completion_tokens"),
        ("by_model", PLAIN, "max_tokens"),
        ("by_model", THINKER, "max_completion_tokens"),
    ],
)
def test_the_limit_of_the_output_has_the_name_that_the_service_knows(field, model, expected):
    wire = sent(asking(max_output=7), model, Compat(max_tokens_field=field))
    assert {name for name in wire if name.startswith("max_")} == {expected}


def test_the_limit_of_the_output_is_the_models_own():
    assumed = ModelEntry(id="x", service="acme", assumed=True)
    assert sent(asking())["max_tokens"] == 8_000
    assert sent(asking(), THINKER)["max_tokens"] == 32_000
    assert sent(asking(max_output=50_000), THINKER)["max_tokens"] == 50_000
    assert sent(asking(max_output=50_000))["max_tokens"] == 8_000
    assert "max_tokens" not in sent(asking(), assumed)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", None),
        ("none", "none"),
        ("required", "required"),
        ("read", {"type": "function", "function": {"name": "read"}}),
    ],
)
def test_the_choice_of_a_tool(choice, expected):
    assert sent(asking(tools=(READ,), tool_choice=choice)).get("tool_choice") == expected


def test_tools_are_not_sent_to_a_model_without_them():
    model = ModelEntry(id="x", service="acme", abilities=Abilities(tools=False))
    assert not {"tools", "tool_choice"} & set(sent(asking(tools=(READ,), tool_choice="read"), model))


def test_the_small_switches_say_what_they_name():
    serial = ModelEntry(id="x", service="acme", abilities=Abilities(parallel=False))
    request = asking(tools=(READ,), session_id="s" * 70, cache="long", stop=("a", "b"))
    assert "parallel_tool_calls" not in sent(request, serial, Compat(parallel_tool_calls=True))
    assert sent(request, PLAIN, Compat(prompt_cache_key=True))["prompt_cache_key"] == "s" * 64
    assert "prompt_cache_key" not in sent(asking(session_id="s", cache="none"), PLAIN, Compat(prompt_cache_key=True))
    assert sent(request, PLAIN, Compat(long_cache=True))["prompt_cache_retention"] == "24h"
    assert "prompt_cache_retention" not in sent(asking(), PLAIN, Compat(long_cache=True))
    assert sent(request, PLAIN, Compat(stop_limit=1))["stop"] == ["a"]
    assert sent(request, PLAIN)["stop"] == ["a", "b"]
    assert sent(request, PLAIN, Compat(routing={"order": ["x"]}))["provider"] == {"order": ["x"]}
    assert "stream_options" not in sent(request, PLAIN, Compat(usage_in_stream=False))


def test_a_strict_tool_is_declared_so_where_its_schema_allows_it():
    model = ModelEntry(id="x", service="acme", abilities=Abilities(strict=True))
    closed = {**READ.parameters, "required": ["path"], "additionalProperties": False}
    request = asking(tools=(ToolSpec("read", "", closed), READ))
    assert [tool["function"].get("strict") for tool in sent(request, model, Compat(strict=True))["tools"]] == [
        True,
        None,
    ]
    assert [tool["function"].get("strict") for tool in sent(request, PLAIN, Compat(strict=True))["tools"]] == [
        None,
        None,
    ]
    assert [tool["function"].get("strict") for tool in sent(request, model, Compat())["tools"]] == [None, None]


def test_what_the_cache_should_keep_is_marked_where_wanted():
    messages = [user("a"), assistant(Text("b"), ToolCall("c", "read", {})), results(ToolResult("c", (Text("x"),)))]
    request = asking(*messages, tools=(READ, READ), cache="long")
    wire = sent(request, PLAIN, Compat(cache_control_format="anthropic"))

    mark = {"type": "ephemeral", "ttl": "1h"}
    system, first, said, result = wire["messages"]
    assert system["content"] == [{"type": "text", "text": "Be brief.", "cache_control": mark}]
    assert said["content"] == [{"type": "text", "text": "b", "cache_control": mark}]
    assert said["tool_calls"] and first == {"role": "user", "content": "a"} and result["content"] == "x"
    assert [tool.get("cache_control") for tool in wire["tools"]] == [None, mark]

    short = sent(asking(user("look", PNG)), PLAIN, Compat(cache_control_format="anthropic"))
    assert short["messages"][1]["content"][-1]["cache_control"] == {"type": "ephemeral"}
    assert "cache_control" not in json.dumps(sent(request))
    assert "cache_control" not in json.dumps(
        sent(asking(tools=(READ,), cache="none"), PLAIN, Compat(cache_control_format="anthropic"))
    )


@pytest.mark.parametrize("neutral", ["call_abc", "a", "x" * 41, "call_1|fc_2", "toolu_01-é", "", "abcdef123"])
@pytest.mark.parametrize("id_format", ["openai", "mistral"])
def test_ids_are_legal_and_keep_what_is_legal_already(neutral, id_format):
    legal = legal_id(neutral, Compat(id_format=id_format))
    if id_format == "mistral":
        assert len(legal) == 9 and legal.isalnum() and legal.isascii()
        assert legal == neutral or neutral != "abcdef123"
    else:
        assert 0 < len(legal) <= 40 and set(legal) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
        assert legal == neutral or neutral not in ("call_abc", "a", "abcdef123")
    assert legal_id(neutral, Compat(id_format=id_format)) == legal


def test_a_call_and_its_result_share_the_legal_id():
    request = asking(
        user("a"), assistant(ToolCall("call|item", "read", {})), results(ToolResult("call|item", (Text("x"),)))
    )
    call, answer = sent(request)["messages"][2:]
    assert call["tool_calls"][0]["id"] == answer["tool_call_id"] != "call|item"


def test_equal_requests_are_equal_bytes_whatever_the_order_of_their_keys():
    def body(arguments: dict[str, Any], schema: dict[str, Any]) -> bytes:
        tool = type(READ)("read", "", schema)
        request = asking(user("a"), assistant(ToolCall("c", "read", arguments)), tools=(tool,))
        return body_of(request, PLAIN, OPENAI, parts_of(request, PLAIN, OPENAI), served_as="m", usage_wanted=True)

    first = body({"a": 1, "b": 2}, {"type": "object", "title": "x"})
    assert first == body({"b": 2, "a": 1}, {"title": "x", "type": "object"})
    assert list(json.loads(first)) == sorted(json.loads(first))


def blocks_of_a_model() -> st.SearchStrategy[Any]:
    names = st.sampled_from(["c1", "c2", "call|x", "y" * 50])
    return st.one_of(
        st.builds(Text, st.sampled_from(["", " ", "yes", "no"])),
        st.builds(Thinking, st.sampled_from(["", "hm"]), st.sampled_from([None, "reasoning_content"])),
        st.builds(ToolCall, names, st.sampled_from(["read", "shell"]), st.just({"n": 1})),
    )


def blocks_of_a_person() -> st.SearchStrategy[Any]:
    names = st.sampled_from(["c1", "c2", "call|x", "y" * 50])
    return st.one_of(
        st.builds(Text, st.sampled_from(["", "do it", "stop"])),
        st.just(PNG),
        st.builds(lambda call_id: ToolResult(call_id, (Text("out"), PNG)), names),
    )


HISTORIES = st.lists(
    st.one_of(
        st.builds(
            lambda blocks, own: Message("assistant", tuple(blocks), ORIGIN if own else None),
            st.lists(blocks_of_a_model(), max_size=3),
            st.booleans(),
        ),
        st.builds(lambda blocks: Message("user", tuple(blocks)), st.lists(blocks_of_a_person(), max_size=3)),
    ),
    max_size=8,
)
COMPATS = st.sampled_from(
    [Compat(), OPENAI, Compat(reasoning_replay=True), Compat(thinking_as_text=True, id_format="mistral")]
)


@settings(max_examples=10_000 if SOAK else 150, deadline=None)
@given(HISTORIES, COMPATS)
def test_whatever_happened_the_service_is_sent_a_legal_conversation(messages, compat):
    wire = sent(Request(system=(), messages=messages), PLAIN, compat)["messages"]
    open_calls: list[str] = []
    seen: set[str] = set()
    before = ""
    for message in wire:
        role = message["role"]
        if role == "tool":
            assert message["tool_call_id"] == open_calls.pop(0)
            assert message["content"]
        else:
            assert not open_calls
            assert role != before
            assert message["content"] or message.get("tool_calls")
            open_calls = [call["id"] for call in message.get("tool_calls", ())]
            assert not seen & set(open_calls) and len(set(open_calls)) == len(open_calls)
            seen |= set(open_calls)
        before = role
    assert not open_calls
    assert not wire or wire[-1]["role"] in ("user", "tool")


@settings(max_examples=100, deadline=None)
@given(HISTORIES, HISTORIES, COMPATS)
def test_the_next_request_begins_with_the_bytes_of_this_one(first, more, compat):
    before = [*first, user("go on")]
    after = [*before, assistant(Text("well"), origin=ORIGIN), user("and"), *more]
    earlier = parts_of(Request(system=(), messages=before), PLAIN, compat)
    later = parts_of(Request(system=(), messages=after), PLAIN, compat)
    assert later[: len(earlier)] == earlier
