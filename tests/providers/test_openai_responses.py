"""OpenAI's Responses format: what is sent, what is read, and both over a real connection."""

import json
from collections.abc import Sequence
from typing import Any

import anyio
import pytest
from openai_loopback import JSON, Canned, Key, Server, error, parts_of, serving
from openai_told import PLAIN, READ, THINKER, asking, assistant, results, told

from codi.protocol.errors import MalformedAnswer, NotFound, RateLimited, ServerFailed, StreamCut
from codi.protocol.events import Delta, StatusDelta, TextDelta, ThinkingDelta, ToolCallDelta
from codi.protocol.messages import Image, Message, Origin, Text, Thinking, ToolCall, ToolResult, Usage, user
from codi.protocol.tooling import ToolSpec
from codi.providers.encoded import Encoded
from codi.providers.history import settled
from codi.providers.openai_responses import OpenAIResponses
from codi.providers.openai_responses_answer import ResponsesAssembly
from codi.providers.openai_responses_format import body_of, encoded, legal_id
from codi.providers.provider import Abilities, ModelEntry, Reply, Request
from codi.providers.sse import SseReader
from codi.providers.transport import Transport

ORIGIN = Origin("openai-responses", "acme", "t-1")
PNG = Image("iVBORw0KGgo=", "image/png")
REASONING = (
    '{"id": "rs_1", "type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"SEAL"}'
)


def items_of(messages: Sequence[Message], model: ModelEntry = THINKER) -> list[bytes]:
    origin = Origin("openai-responses", model.service, model.id)

    def settle(some: Sequence[Message]) -> list[Message]:
        return settled(some, origin=origin, vision=model.abilities.vision, legal_id=legal_id, sealed_only=True)

    return Encoded(settle, encoded).parts(messages)


def sent(request: Request, model: ModelEntry = THINKER) -> Any:
    return json.loads(body_of(request, model, items_of(request.messages, model), served_as=model.id))


def test_a_model_that_reasons_is_asked_for_its_sealed_thoughts():
    request = asking(tools=(READ,), thinking="high", temperature=0.5, session_id="s-1", cache="long", max_output=99)
    assert sent(request) == {
        "include": ["reasoning.encrypted_content"],
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
        "instructions": "Be brief.",
        "max_output_tokens": 99,
        "model": "t-1",
        "parallel_tool_calls": True,
        "prompt_cache_key": "s-1",
        "prompt_cache_retention": "24h",
        "reasoning": {"effort": "high", "summary": "auto"},
        "store": False,
        "stream": True,
        "tools": [
            {
                "type": "function",
                "name": "read",
                "description": "Read a file.",
                "parameters": READ.parameters,
                "strict": False,
            }
        ],
    }


def test_a_model_that_does_not_reason_is_not():
    assert sent(asking(temperature=0.5, top_p=0.1, cache="none", session_id="s"), PLAIN) == {
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
        "instructions": "Be brief.",
        "max_output_tokens": 8_000,
        "model": "m-1",
        "store": False,
        "stream": True,
        "temperature": 0.5,
        "top_p": 0.1,
    }


def test_thinking_is_switched_off_where_the_model_can_do_that():
    model = ModelEntry(id="t", service="acme", abilities=Abilities(thinking=True), thinking_levels=("off", "low"))
    assert sent(asking(), model)["reasoning"] == {"effort": "none"}
    assert "reasoning" not in sent(asking())


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("auto", None), ("none", "none"), ("required", "required"), ("read", {"type": "function", "name": "read"})],
)
def test_the_choice_of_a_tool(choice, expected):
    assert sent(asking(tools=(READ,), tool_choice=choice)).get("tool_choice") == expected


def test_a_strict_tool_is_declared_so_where_its_schema_allows_it():
    model = ModelEntry(id="x", service="acme", abilities=Abilities(strict=True))
    closed = ToolSpec("read", "", {**READ.parameters, "required": ["path"], "additionalProperties": False})
    assert [tool["strict"] for tool in sent(asking(tools=(closed, READ)), model)["tools"]] == [True, False]
    assert [tool["strict"] for tool in sent(asking(tools=(closed, READ)), PLAIN)["tools"]] == [False, False]


TURN = [
    user("look", PNG),
    assistant(
        Thinking("hm", REASONING),
        Text("I look.", '{"v":1,"id":"msg_1","phase":"commentary"}'),
        ToolCall("call_1", "read", {"path": "a"}, "fc_1"),
        origin=ORIGIN,
    ),
    results(ToolResult("call_1", (Text("a.png"), PNG))),
    assistant(Text("Done.", "msg_2"), origin=ORIGIN),
    user("thanks"),
]


def test_what_the_model_said_goes_back_to_it_as_it_came():
    picture = {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,iVBORw0KGgo="}
    assert REASONING.encode() in items_of(TURN)
    assert sent(asking(*TURN))["input"] == [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "look"}, picture]},
        json.loads(REASONING),
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "phase": "commentary",
            "content": [{"type": "output_text", "text": "I look.", "annotations": []}],
        },
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "read", "arguments": '{"path":"a"}'},
        {
            "type": "function_call_output",
            "call_id": "call_1",
            "output": [{"type": "input_text", "text": "a.png"}, picture],
        },
        {
            "type": "message",
            "id": "msg_2",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Done.", "annotations": []}],
        },
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "thanks"}]},
    ]


def test_another_model_is_shown_no_seals():
    items = sent(asking(*TURN), ModelEntry(id="other", service="acme", abilities=Abilities(thinking=True)))["input"]
    assert "SEAL" not in json.dumps(items)
    assert not [item for item in items if "id" in item]
    assert items[1] == {"type": "message", "role": "assistant", "content": "<thinking>hm</thinking>"}


def test_reasoning_without_what_follows_it_is_left_out():
    request = asking(user("a"), assistant(Thinking("hm", REASONING), origin=ORIGIN), user("b"))
    assert [item["type"] for item in sent(request)["input"]] == ["message", "message"]
    request = asking(user("a"), assistant(Thinking("hm", "no item"), Text("x"), origin=ORIGIN), user("b"))
    assert [item.get("role") for item in sent(request)["input"]] == ["user", "assistant", "user"]


def test_ids_of_other_programs_lose_the_part_that_is_the_items():
    request = asking(
        user("a"), assistant(ToolCall("call_1|fc_1", "read", {})), results(ToolResult("call_1|fc_1", (Text("x"),)))
    )
    assert [item["call_id"] for item in sent(request)["input"][1:]] == ["call_1", "call_1"]
    assert legal_id("|fc").startswith("call_") and legal_id("é").startswith("call_")


def test_each_request_begins_with_the_items_of_the_last():
    for size in (1, 3, 5):
        assert items_of(TURN)[: len(items_of(TURN[:size]))] == items_of(TURN[:size])


def item(index: int, done: bool, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.output_item.{'done' if done else 'added'}", "output_index": index, "item": fields}


def grown(kind: str, index: int, delta: str, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "output_index": index, "delta": delta, **more}


def ended(kind: str = "completed", **more: Any) -> dict[str, Any]:
    usage = {
        "input_tokens": 10,
        "output_tokens": 7,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens_details": {"reasoning_tokens": 2},
    }
    response = {"id": "resp_1", "model": "t-1-x", "status": kind, "output": [], "usage": usage, **more}
    return {"type": f"response.{kind}", "response": response}


def heard(*events: dict[str, Any]) -> tuple[list[Delta], ResponsesAssembly]:
    assembly = ResponsesAssembly("acme", b"seed")
    deltas = [delta for one in events for delta in assembly.add(json.dumps(one).encode())]
    deltas += assembly.end()
    told(deltas, assembly.blocks)
    return deltas, assembly


CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "read"}
REASONING_ITEM = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "h"}, {"type": "summary_text", "text": "m"}],
    "encrypted_content": "SEAL",
}
MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "hello"}]}
STREAM = [
    {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}},
    item(0, False, type="reasoning", id="rs_1", summary=[]),
    grown("reasoning_summary_text", 0, "h", summary_index=0),
    grown("reasoning_summary_text", 0, "m", summary_index=1),
    item(0, True, **REASONING_ITEM),
    item(1, False, type="message", id="msg_1", content=[]),
    grown("output_text", 1, "hel", content_index=0),
    grown("output_text", 1, "lo", content_index=0),
    item(1, True, **MESSAGE, phase="commentary"),
    item(2, False, **CALL, arguments=""),
    grown("function_call_arguments", 2, '{"path"'),
    grown("function_call_arguments", 2, ':"ä"}'),
    {"type": "response.function_call_arguments.done", "output_index": 2, "arguments": '{"path":"ä"}'},
    item(2, True, **CALL, arguments='{"path":"ä"}'),
    ended(),
]


def test_a_stream_becomes_deltas_and_blocks():
    deltas, assembly = heard(*STREAM)
    assert deltas == [
        ThinkingDelta("h", 0),
        ThinkingDelta("\n\nm", 0),
        TextDelta("hel", 1),
        TextDelta("lo", 1),
        ToolCallDelta(2, "call_1", "read"),
        ToolCallDelta(2, text='{"path"'),
        ToolCallDelta(2, text=':"ä"}'),
    ]
    thinking, text, call = assembly.blocks
    assert isinstance(thinking, Thinking) and json.loads(thinking.signature or "") == REASONING_ITEM
    assert text == Text("hello", '{"id":"msg_1","phase":"commentary","v":1}')
    assert call == ToolCall("call_1", "read", {"path": "ä"}, "fc_1")
    assert (assembly.stop, assembly.stop_text, assembly.model) == ("tool_calls", "completed", "t-1-x")
    assert assembly.response_id == "resp_1"
    assert assembly.usage == Usage(input=6, cache_read=4, output=7, thinking=2)


def test_what_was_not_told_in_pieces_is_taken_from_the_whole():
    whole = [REASONING_ITEM, MESSAGE, {**CALL, "arguments": "{}"}]
    deltas, assembly = heard(ended(output=whole))
    assert [type(block) for block in assembly.blocks] == [Thinking, Text, ToolCall]
    assert deltas[1] == TextDelta("hello", 1)

    in_items = [item(at, True, **one) for at, one in enumerate(whole)]
    assert heard(*in_items, ended(output=whole))[1].blocks == assembly.blocks

    part_of = [grown("output_text", 1, "hel"), item(1, True, **MESSAGE), ended()]
    assert heard(*part_of)[0] == [TextDelta("hel", 0), TextDelta("lo", 0)]


def test_events_without_places_are_told_apart_by_their_items():
    def without_index(event: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in event.items() if name != "output_index"}

    _, assembly = heard(
        without_index(grown("output_text", 0, "hel", item_id="msg_1")),
        without_index(grown("output_text", 0, "lo", item_id="msg_1")),
        ended(output=[MESSAGE]),
    )
    assert assembly.blocks == (Text("hello", "msg_1"),)


def test_open_thoughts_are_thinking_too():
    reasoning = {"type": "reasoning", "id": "rs", "content": [{"type": "reasoning_text", "text": "hm"}], "summary": []}
    _, assembly = heard(grown("reasoning_text", 0, "hm"), item(0, True, **reasoning), ended())
    (thinking,) = assembly.blocks
    assert isinstance(thinking, Thinking) and thinking.text == "hm" and thinking.signature


def test_reasoning_that_cannot_be_returned_has_no_seal():
    _, assembly = heard(item(0, True, type="reasoning", id="rs", summary=[]), item(1, True, **MESSAGE), ended())
    assert assembly.blocks == (Text("hello", "msg_1"),)


def test_sealed_reasoning_without_a_summary_is_kept():
    sealed = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "SEAL"}
    _, assembly = heard(item(0, True, **sealed), item(1, True, **MESSAGE), ended())
    thinking, _ = assembly.blocks
    assert isinstance(thinking, Thinking) and thinking.text == "" and "SEAL" in (thinking.signature or "")


@pytest.mark.parametrize(
    ("reason", "stop"),
    [("max_output_tokens", "length"), ("content_filter", "filtered"), ("tired", "unknown"), (None, "unknown")],
)
def test_every_reason_to_be_incomplete(reason, stop):
    details = {"reason": reason} if reason else None
    _, assembly = heard(grown("output_text", 0, "x"), ended("incomplete", incomplete_details=details))
    assert (assembly.stop, assembly.stop_text) == (stop, reason or "incomplete")


def test_a_call_that_was_cut_off_is_defect():
    _, assembly = heard(
        item(0, False, **CALL, arguments=""),
        grown("function_call_arguments", 0, '{"path":'),
        ended("incomplete", incomplete_details={"reason": "max_output_tokens"}),
    )
    (call,) = assembly.blocks
    assert isinstance(call, ToolCall) and call.defect and "its end" in call.defect


def test_a_refusal_is_text_that_stops_as_refused():
    _, assembly = heard(grown("refusal", 0, "No."), ended())
    assert (assembly.stop, assembly.blocks) == ("refused", (Text("No."),))
    refusal = {**MESSAGE, "content": [{"type": "refusal", "refusal": "No."}]}
    _, assembly = heard(ended(output=[refusal]))
    assert (assembly.stop, assembly.blocks) == ("refused", (Text("No.", "msg_1"),))


def test_a_call_without_an_id_gets_one():
    _, assembly = heard(item(0, True, type="function_call", name="read", arguments="{}"), ended())
    (call,) = assembly.blocks
    assert isinstance(call, ToolCall) and call.id.startswith("call_") and call.name == "read"


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "error", "code": "rate_limit_exceeded", "message": "slow down"}, RateLimited),
        ({"type": "error", "error": {"code": "server_error", "message": "boom"}}, ServerFailed),
        (ended("failed", error={"code": "server_error", "message": "boom"}), ServerFailed),
        (ended("failed", error={"code": "rate_limit_exceeded", "message": "slow down"}), RateLimited),
        ({"type": "response.output_item.done", "item": {"type": 3}}, MalformedAnswer),
    ],
)
def test_an_error_in_the_stream_is_raised(event, kind):
    with pytest.raises(kind):
        heard(*STREAM[:5], event)


def test_unknown_events_and_items_are_skipped():
    _, assembly = heard(
        {"type": "response.web_search_call.searching", "output_index": 0},
        item(0, False, type="web_search_call", id="ws"),
        item(0, True, type="web_search_call", id="ws", content="text", name={"a": 1}),
        {"type": "codex.rate_limits", "delta": {"a": 1}},
        item(1, True, **MESSAGE),
        ended(),
    )
    assert assembly.blocks == (Text("hello", "msg_1"),)


def test_a_stream_that_is_not_completed_is_cut():
    with pytest.raises(StreamCut, match="before its end mark"):
        heard(*STREAM[:-1])


def test_however_a_stream_is_split_the_parts_are_the_same():
    stream = b"".join(
        b"event: %s\ndata: %s\n\n" % (one["type"].encode(), json.dumps(one, ensure_ascii=False).encode())
        for one in STREAM
    )

    def parts(chunks: list[bytes]) -> Any:
        reader, assembly, deltas = SseReader(), ResponsesAssembly("acme", b""), []
        for event in [event for chunk in chunks for event in reader.feed(chunk)] + reader.close():
            deltas += assembly.add(event.data)
        deltas += assembly.end()
        return deltas, assembly.blocks, assembly.usage, assembly.stop

    whole = parts([stream])
    for at in range(0, len(stream), 3):
        assert parts([stream[:at], stream[at:]]) == whole
    assert parts([stream[at : at + 1] for at in range(len(stream))]) == whole


def ask(*answers: Canned, request: Request | None = None) -> tuple[list[Any], Reply, Server]:
    async def main() -> tuple[list[Any], Reply, Server]:
        async with serving(*answers) as server:
            transport = Transport(server.url + "/v1", service="acme")
            try:
                provider = OpenAIResponses(THINKER, Key(), transport)
                return *await parts_of(provider, request or asking()), server
            finally:
                await transport.aclose()

    return anyio.run(main)


def test_over_a_connection():
    chunks = [b"event: x\ndata: %s\n\n" % json.dumps(one).encode() for one in STREAM]
    deltas, reply, server = ask(Canned(chunks=chunks), request=asking(*TURN))

    told(deltas, reply.message.blocks)
    assert reply.message.origin == ORIGIN
    assert reply.usage.total == 17
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/responses")
    assert asked.headers["authorization"] == "Bearer k-123"
    assert REASONING.encode() in asked.body


def test_a_server_that_does_not_stream_is_read_as_one_reply():
    whole = {"id": "r", "object": "response", "status": "completed", "output": [MESSAGE, {**CALL, "arguments": "{}"}]}
    deltas, reply, _ = ask(Canned(headers=JSON, chunks=[json.dumps(whole).encode()]))

    assert deltas == [TextDelta("hello", 0), ToolCallDelta(1, "call_1", "read"), ToolCallDelta(1, text="{}")]
    assert (reply.stop, reply.usage.estimated) == ("tool_calls", True)
    assert reply.usage.output > 0 and reply.usage.input > 0


@pytest.mark.parametrize("cut", [True, False])
def test_a_stream_that_breaks_off_is_cut(cut):
    with pytest.raises(StreamCut):
        ask(Canned(chunks=[b"data: %s\n\n" % json.dumps(one).encode() for one in STREAM[:-1]], cut=cut))


def test_a_failed_whole_is_raised():
    failed = {"object": "response", "status": "failed", "error": {"code": "server_error", "message": "boom"}}
    with pytest.raises(ServerFailed):
        ask(Canned(headers=JSON, chunks=[json.dumps(failed).encode()]))


def test_a_model_that_is_not_served_is_told_with_the_nearest():
    listing = Canned(headers=JSON, chunks=[b'{"data": [{"id": "t-10"}, {"id": "other"}]}'])
    with pytest.raises(NotFound, match='model "t-1" not found at acme') as raised:
        ask(error(404, message="no such model"), listing)
    assert "t-10" in raised.value.hint


def test_a_level_that_the_model_lacks_is_noted():
    deltas, _, server = ask(
        Canned(chunks=[b"data: %s\n\n" % json.dumps(ended()).encode()]), request=asking(thinking="xhigh")
    )
    (note,) = deltas
    assert isinstance(note, StatusDelta) and "high is used" in note.text
    assert server.asked[0].json["reasoning"]["effort"] == "high"
