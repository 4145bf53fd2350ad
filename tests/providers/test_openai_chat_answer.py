"""What is read from answers in OpenAI's chat format."""

import json
from typing import Any

import pytest
from openai_loopback import events
from openai_told import told

from codi.protocol.errors import CodiError, CredentialError, MalformedAnswer, RateLimited, ServerFailed, StreamCut
from codi.protocol.events import Delta, TextDelta, ThinkingDelta, ToolCallDelta
from codi.protocol.messages import Text, Thinking, ToolCall, Usage
from codi.providers.openai_chat_answer import ChatAssembly
from codi.providers.sse import SseReader


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": "r-1",
        "model": "m-1",
        "choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}],
        **more,
    }


def piece(index: int | None, text: str = "", call_id: str | None = None, name: str | None = None) -> dict[str, Any]:
    wire: dict[str, Any] = {"function": {"name": name, "arguments": text}, "id": call_id}
    return {"tool_calls": [wire if index is None else wire | {"index": index}]}


def heard(*chunks: dict[str, Any], done: bool = True) -> tuple[list[Delta], ChatAssembly]:
    assembly = ChatAssembly("acme", b"seed")
    deltas = [delta for one in chunks for delta in assembly.add(json.dumps(one).encode())]
    if done:
        assembly.add(b"[DONE]")
    deltas += assembly.end()
    told(deltas, assembly.blocks)
    return deltas, assembly


def calls_of(*deltas: dict[str, Any]) -> tuple[ToolCall, ...]:
    _, assembly = heard(*map(chunk, deltas), chunk(finish="tool_calls"))
    return tuple(block for block in assembly.blocks if isinstance(block, ToolCall))


def test_text_and_thinking_grow_side_by_side():
    deltas, assembly = heard(
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "h"}),
        chunk({"reasoning_content": "m"}),
        chunk({"content": "yes", "reasoning_content": None}),
        chunk(finish="stop"),
    )
    assert deltas == [ThinkingDelta("h", 0), ThinkingDelta("m", 0), TextDelta("yes", 1)]
    assert assembly.blocks == (Thinking("hm", "reasoning_content"), Text("yes"))
    assert (assembly.stop, assembly.stop_text, assembly.model, assembly.response_id) == ("end", "stop", "m-1", "r-1")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "reasoning_text"])
def test_the_field_of_the_thinking_is_kept(field):
    _, assembly = heard(chunk({field: "hm"}), chunk({"content": "ok"}, "stop"))
    assert assembly.blocks == (Thinking("hm", field), Text("ok"))


def test_a_thought_under_two_names_is_one_thought():
    _, assembly = heard(chunk({"reasoning_content": "hm", "reasoning": "hm"}), chunk(finish="stop"))
    assert assembly.blocks == (Thinking("hm", "reasoning_content"),)


def test_content_in_parts_holds_text_and_thinking():
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "ok"}]
    _, assembly = heard(chunk({"content": parts}, "stop"))
    assert assembly.blocks == (Thinking("hm", "reasoning_content"), Text("ok"))


def test_two_calls_grow_at_once():
    deltas, assembly = heard(
        chunk({"content": "I look."}),
        chunk(piece(0, "", "a", "read")),
        chunk(piece(1, "", "b", "list")),
        chunk(piece(0, '{"path":')),
        chunk(piece(1, "{}")),
        chunk(piece(0, '"x"}')),
        chunk(finish="tool_calls"),
    )
    assert assembly.blocks == (Text("I look."), ToolCall("a", "read", {"path": "x"}), ToolCall("b", "list", {}))
    assert deltas[1:3] == [ToolCallDelta(1, "a", "read"), ToolCallDelta(2, "b", "list")]
    assert assembly.stop == "tool_calls"


def test_id_and_name_may_come_late():
    assert calls_of(piece(0, '{"a"'), piece(0, ":1}", None, "read"), piece(0, "", "c")) == (
        ToolCall("c", "read", {"a": 1}),
    )


def test_id_and_name_may_be_repeated():
    assert calls_of(piece(0, '{"a"', "c", "read"), piece(0, ":1}", "c", "read")) == (ToolCall("c", "read", {"a": 1}),)


def test_a_missing_id_is_made_and_is_the_same_for_the_same_request():
    (call,) = calls_of(piece(0, "{}", None, "read"))
    assert call.id.startswith("call_") and len(call.id) <= 40
    assert calls_of(piece(0, "{}", "", "read")) == (call,)


def test_a_missing_name_is_a_defect():
    (call,) = calls_of(piece(0, "{}", "c"))
    assert call.defect == "the call names no tool"


def test_a_new_id_on_the_same_index_is_a_new_call():
    assert calls_of(piece(0, "{}", "a", "read"), piece(0, '{"b"', "b", "read"), piece(0, ":1}")) == (
        ToolCall("a", "read", {}),
        ToolCall("b", "read", {"b": 1}),
    )


def test_calls_without_index_are_told_apart_by_id():
    assert calls_of(
        piece(None, "{}", "a", "read"), piece(None, '{"b":', "b", "list"), piece(None, "1}"), piece(None, "", "a")
    ) == (ToolCall("a", "read", {}), ToolCall("b", "list", {"b": 1}))


def test_calls_without_id_on_one_index_are_told_apart_by_their_complete_arguments():
    first, second = calls_of(piece(0, '{"a":1}', None, "read"), piece(0, '{"a":2}', None, "read"))
    assert (first.arguments, second.arguments) == ({"a": 1}, {"a": 2})
    assert first.id != second.id


def test_two_calls_never_share_an_id():
    first, second = calls_of(piece(0, "{}", "a", "read"), piece(1, "{}", "a", "read"))
    assert first.id == "a" != second.id


def test_arguments_may_come_as_an_object():
    assert calls_of({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "read", "arguments": {"a": 1}}}]}) == (
        ToolCall("c", "read", {"a": 1}),
    )


def test_the_older_function_call_is_a_call():
    _, assembly = heard(
        chunk({"function_call": {"name": "read", "arguments": '{"a"'}}),
        chunk({"function_call": {"arguments": ":1}"}}),
        chunk(finish="function_call"),
    )
    (call,) = assembly.blocks
    assert isinstance(call, ToolCall) and (call.name, call.arguments) == ("read", {"a": 1})
    assert assembly.stop == "tool_calls"


@pytest.mark.parametrize(
    ("text", "arguments", "defect"),
    [
        ("", {}, None),
        (" ", {}, None),
        ('{"a":1}', {"a": 1}, None),
        ('{"a":', {}, "position 5, its end"),
        ('{"a":1}x', {}, "position 8 of 8"),
        ("[1]", {}, "an array"),
        ("null", {}, "null"),
    ],
)
def test_arguments_are_complete_or_the_call_is_defect(text, arguments, defect):
    (call,) = calls_of(piece(0, text, "c", "read"))
    assert call.arguments == arguments
    assert call.defect is None if defect is None else call.defect and defect in call.defect


@pytest.mark.parametrize(
    ("raw", "stop"),
    [
        ("stop", "end"),
        ("eos", "end"),
        ("length", "length"),
        ("model_length", "length"),
        ("max_tokens", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("content_filter", "filtered"),
        ("refusal", "refused"),
        ("stop_sequence", "stop_sequence"),
        ("insufficient_system_resource", "unknown"),
        ("TOOL_CALLS", "tool_calls"),
    ],
)
def test_every_reason_to_stop(raw, stop):
    _, assembly = heard(chunk({"content": "x"}), chunk(finish=raw), done=False)
    assert (assembly.stop, assembly.stop_text) == (stop, raw)


def test_calls_stop_for_calls_even_where_the_server_says_stop():
    _, assembly = heard(chunk(piece(0, "{}", "c", "read")), chunk(finish="stop"))
    assert assembly.stop == "tool_calls"
    _, assembly = heard(chunk(piece(0, "{", "c", "read")), chunk(finish="length"))
    assert assembly.stop == "length"


def test_done_alone_ends_an_answer_too():
    _, assembly = heard(chunk({"content": "x"}))
    assert (assembly.stop, assembly.stop_text) == ("end", None)


@pytest.mark.parametrize("done", [True, False])
def test_nothing_said_is_no_answer(done):
    with pytest.raises(StreamCut):
        heard({"choices": []}, done=done)


def test_an_answer_without_an_end_is_cut():
    with pytest.raises(StreamCut, match="before its end mark"):
        heard(chunk({"content": "x"}), done=False)


def test_a_filter_names_its_categories():
    filters = {"hate": {"filtered": True, "severity": "high"}, "violence": {"filtered": False, "severity": "safe"}}
    last = chunk(finish="content_filter")
    last["choices"][0]["content_filter_results"] = filters
    _, assembly = heard(chunk({"content": "x"}), last)
    assert (assembly.stop, assembly.stop_text) == ("filtered", "content_filter: hate")


def test_a_refusal_is_text_that_stops_as_refused():
    _, assembly = heard(chunk({"refusal": "No."}), chunk(finish="stop"))
    assert (assembly.stop, assembly.blocks) == ("refused", (Text("No."),))


def usage_of(usage: Any, **more: Any) -> Usage | None:
    _, assembly = heard(chunk({"content": "x"}, "stop"), {"choices": [], "usage": usage, **more})
    return assembly.usage


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 3}, Usage(input=10, output=3)),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 3,
                "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
            Usage(input=5, output=3, cache_read=4, cache_write=1, thinking=2),
        ),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 3,
                "total_tokens": 20,
                "completion_tokens_details": {"reasoning_tokens": 7},
            },
            Usage(input=10, output=10, thinking=7),
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": 3, "prompt_cache_hit_tokens": 8},
            Usage(input=2, output=3, cache_read=8),
        ),
        ({"prompt_tokens": 10, "completion_tokens": 3, "cached_tokens": 8}, Usage(input=2, output=3, cache_read=8)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, None),
        ({}, None),
        (None, None),
    ],
)
def test_usage_is_told_in_many_ways(wire, usage):
    assert usage_of(wire) == usage


def test_usage_may_stand_in_the_choice_or_in_an_envelope():
    last = chunk(finish="stop")
    last["choices"][0]["usage"] = {"prompt_tokens": 1, "completion_tokens": 2}
    _, assembly = heard(last)
    assert assembly.usage == Usage(input=1, output=2)
    assert usage_of(None, x_groq={"usage": {"prompt_tokens": 1, "completion_tokens": 2}}) == Usage(input=1, output=2)


def test_a_whole_answer_is_read_like_a_stream():
    message = {
        "role": "assistant",
        "content": "ok",
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "read", "arguments": "{}"}},
            {"id": "b", "type": "function", "function": {"name": "read", "arguments": "{}"}},
        ],
    }
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    choices = [{"index": 0, "message": message, "finish_reason": "tool_calls"}]
    _, assembly = heard({"id": "r", "choices": choices, "usage": usage}, done=False)
    assert assembly.blocks == (Text("ok"), ToolCall("a", "read", {}), ToolCall("b", "read", {}))
    assert assembly.usage == Usage(input=1, output=2)


def test_other_choices_and_unknown_fields_are_skipped():
    both = chunk({"content": "x", "audio": {"a": [1]}}, "stop", system_fingerprint="f")
    both["choices"].append({"index": 1, "delta": {"content": "y"}})
    _, assembly = heard(both, {"object": "ping"})
    assert assembly.blocks == (Text("x"),)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "slow down", "code": 429}, RateLimited),
        ({"message": "boom"}, ServerFailed),
        ({"message": "bad key", "code": "invalid_api_key"}, CredentialError),
        ("out of order", ServerFailed),
    ],
)
def test_an_error_in_the_stream_is_raised(error: Any, kind: type[CodiError]):
    with pytest.raises(kind):
        heard(chunk({"content": "x"}), {"error": error})


@pytest.mark.parametrize("data", [b"nonsense", b"[1]", b'{"choices": 3}', b'{"choices": [{"delta": {"content": 3}}]}'])
def test_what_is_no_chunk_is_malformed(data):
    with pytest.raises(MalformedAnswer):
        ChatAssembly("acme", b"").add(data)


def test_however_a_stream_is_split_the_parts_are_the_same():
    stream = b"".join(
        events(
            chunk({"reasoning": "hä"}),
            chunk({"content": "日本 "}),
            chunk(piece(0, '{"p":', "c", "read")),
            chunk(piece(0, '"ö"}')),
            chunk(finish="tool_calls"),
            {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 6}},
        )
    ).replace(b"\\u65e5", "日".encode())

    def parts(chunks: list[bytes]) -> Any:
        reader, assembly, deltas = SseReader(), ChatAssembly("acme", b""), []
        for data in [*(event.data for one in chunks for event in reader.feed(one)), *(e.data for e in reader.close())]:
            deltas += assembly.add(data)
        deltas += assembly.end()
        return deltas, assembly.blocks, assembly.usage, assembly.stop

    whole = parts([stream])
    assert len(whole[0]) == 4
    for at in range(len(stream)):
        assert parts([stream[:at], stream[at:]]) == whole
    assert parts([stream[at : at + 1] for at in range(len(stream))]) == whole
