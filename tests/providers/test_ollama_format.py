"""What is sent to Ollama, and what its lines become; without a network."""

import json
from itertools import pairwise

import pytest
from openai_told import told

from codi.protocol.errors import MalformedAnswer, ServerFailed, StreamCut
from codi.protocol.messages import Image, Message, Origin, Text, Thinking, ToolCall, ToolResult, Usage, user
from codi.protocol.tooling import ToolSpec
from codi.providers.encoded import Encoded
from codi.providers.history import settled
from codi.providers.ollama_format import KEEP_ALIVE, Answer, body_of, described, encoded, names_of
from codi.providers.provider import Abilities, ModelEntry, Request

QWEN = ModelEntry(
    id="qwen3:8b",
    service="ollama",
    window=40_960,
    max_output=8_000,
    abilities=Abilities(vision=True, thinking=True),
)
ORIGIN = Origin("ollama-chat", "ollama", QWEN.id)
READ = ToolSpec("read", "Read a file.", {"type": "object", "properties": {"path": {"type": "string"}}})


def parts(messages, model=QWEN):
    origin = Origin("ollama-chat", "ollama", model.id)
    return Encoded(lambda some: settled(some, origin=origin, vision=model.abilities.vision), encoded).parts(messages)


def sent(*messages, model=QWEN, **more):
    request = Request(system=("Be", "brief."), messages=messages or (user("hi"),), **more)
    return json.loads(body_of(request, model, parts(request.messages, model)))


def test_the_least_request():
    plain = ModelEntry(id="m", service="ollama", window=8_192, assumed=True)
    assert sent(model=plain) == {
        "model": "m",
        "stream": True,
        "keep_alive": KEEP_ALIVE,
        "options": {"num_ctx": 8_192},
        "messages": [{"role": "system", "content": "Be\n\nbrief."}, {"role": "user", "content": "hi"}],
    }


def test_a_conversation_with_calls_and_a_picture():
    picture = Image("iVBORw0KGgo=", "image/png")
    answer = Message(
        "assistant",
        (Thinking("hm"), Text("I look."), ToolCall("c1", "read", {"path": "a"}), ToolCall("c2", "ls", {})),
        ORIGIN,
    )
    results = Message(
        "user", (ToolResult("c2", (Text("x"),), tool="ls"), ToolResult("c1", (picture,), tool="read"), Text("and now?"))
    )
    assert sent(user("look", picture), answer, results)["messages"][1:] == [
        {"role": "user", "content": "look", "images": ["iVBORw0KGgo="]},
        {
            "role": "assistant",
            "content": "I look.",
            "thinking": "hm",
            "tool_calls": [
                {"function": {"name": "read", "arguments": {"path": "a"}}},
                {"function": {"name": "ls", "arguments": {}}},
            ],
        },
        {"role": "tool", "tool_name": "read", "content": "(image follows)"},
        {"role": "tool", "tool_name": "ls", "content": "x"},
        {"role": "user", "content": "and now?", "images": ["iVBORw0KGgo="]},
    ]


def test_a_model_that_cannot_see_gets_no_bytes():
    blind = ModelEntry(id="b", service="ollama")
    body = sent(user("look", Image("iVBORw0KGgo=", "image/png")), model=blind)
    assert "images" not in body["messages"][1]
    assert "(image omitted: model does not support images)" in body["messages"][1]["content"]


def test_settings_reach_the_wire():
    body = sent(max_output=77, temperature=0.5, top_p=0.9, stop=("END",), tools=(READ,))
    assert body["options"] == {"num_ctx": 40_960, "num_predict": 77, "temperature": 0.5, "top_p": 0.9, "stop": ["END"]}
    assert body["tools"] == [
        {"type": "function", "function": {"name": "read", "description": "Read a file.", "parameters": READ.parameters}}
    ]
    assert "tools" not in sent(tools=(READ,), tool_choice="none")
    assert "tools" not in sent(
        tools=(READ,), model=ModelEntry(id="m", service="ollama", abilities=Abilities(tools=False))
    )


@pytest.mark.parametrize(("level", "think"), [("off", False), ("low", True), ("xhigh", True)])
def test_most_models_are_told_whether_to_think(level, think):
    assert sent(thinking=level)["think"] is think


@pytest.mark.parametrize(
    ("level", "think"), [("off", False), ("minimal", "low"), ("medium", "medium"), ("xhigh", "high")]
)
def test_some_models_are_told_how_much_to_think(level, think):
    oss = ModelEntry(
        id="gpt-oss",
        service="ollama",
        abilities=Abilities(thinking=True),
        thinking_levels=("low", "medium", "high"),
        adaptive_thinking=True,
    )
    assert sent(thinking=level, model=oss)["think"] == think


def test_a_model_that_does_not_think_is_not_told_to():
    assert "think" not in sent(thinking="high", model=ModelEntry(id="m", service="ollama"))


def test_the_next_request_begins_with_the_bytes_of_this_one():
    call = ToolCall("c", "read", {"b": 1, "a": 2})
    history = [
        user("a"),
        Message("assistant", (Text("yes"), call), ORIGIN),
        Message("user", (ToolResult("c", (Text("ok"),), tool="read"),)),
        Message("assistant", (Text("b"),), ORIGIN),
        user("c"),
    ]
    bodies = []
    for end in (1, 3, 5):
        request = Request(system=("s",), messages=history[:end], tools=(READ,))
        bodies.append(body_of(request, QWEN, parts(request.messages)))
    for before, after in pairwise(bodies):
        assert after.startswith(before.removesuffix(b"]}"))


LINES = [
    {"model": "qwen3:8b", "message": {"role": "assistant", "content": "", "thinking": "hm"}, "done": False},
    {"model": "qwen3:8b", "message": {"role": "assistant", "content": "", "thinking": " so"}, "done": False},
    {"model": "qwen3:8b", "message": {"role": "assistant", "content": "Grü"}, "done": False},
    {"model": "qwen3:8b", "message": {"role": "assistant", "content": "ße"}, "done": False},
    {"message": {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "read", "arguments": {"path": "ä"}}}]}},
    {"message": {"role": "assistant", "content": "", "tool_calls": [{"function": {"index": 1, "name": "ls", "arguments": None}}]}},
    {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 4, "total_duration": 1},
]  # fmt: skip


def answered(*lines):
    answer = Answer("ollama", b"seed")
    deltas = [delta for line in lines for delta in answer.add(json.dumps(line).encode())]
    return answer, deltas


def test_lines_become_blocks_and_the_deltas_say_the_same():
    answer, deltas = answered(*LINES)
    thought, text, first, second = answer.blocks()
    assert (thought, text) == (Thinking("hm so"), Text("Grüße"))
    assert (first.name, first.arguments, second.name, second.arguments) == ("read", {"path": "ä"}, "ls", {})
    assert first.id != second.id
    told(deltas, answer.blocks())
    assert (answer.stop, answer.done_reason, answer.model) == ("tool_calls", "stop", "qwen3:8b")
    assert answer.usage == Usage(input=9, output=4)


@pytest.mark.parametrize(
    ("reason", "stop"), [("stop", "end"), ("length", "length"), ("load", "paused"), (None, "end"), ("new", "unknown")]
)
def test_why_it_stopped(reason, stop):
    line = {"message": {"content": "x"}, "done": True} | ({"done_reason": reason} if reason else {})
    assert answered(line)[0].stop == stop


def test_arguments_as_text_are_read_and_broken_ones_are_marked():
    calls = [{"function": {"name": "a", "arguments": '{"x": 1}'}}, {"function": {"name": "b", "arguments": '{"x": '}}]
    answer, deltas = answered({"message": {"tool_calls": calls}, "done": True, "done_reason": "stop"})
    sound, broken = answer.blocks()
    assert sound.arguments == {"x": 1} and sound.defect is None
    assert broken.defect
    told(deltas, answer.blocks())


def test_no_end_is_a_cut_stream():
    with pytest.raises(StreamCut):
        answered(*LINES[:-1])[0].blocks()


def test_a_prompt_that_was_in_memory_has_no_count():
    assert answered({"message": {"content": "x"}, "done": True, "eval_count": 3})[0].usage is None


def test_an_error_within_the_stream_is_what_it_says():
    with pytest.raises(ServerFailed, match="llama runner"):
        answered({"error": "llama runner process has terminated"})


@pytest.mark.parametrize("line", [b"<html>", b"[1]", b'{"message": 3}', b"\xff"])
def test_what_is_no_line_is_told_so(line):
    with pytest.raises(MalformedAnswer):
        list(Answer("ollama", b"").add(line))


SHOWN = {
    "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40_960, "qwen3.rope.x": 1, "vision.context_length": 5},
    "capabilities": ["completion", "tools", "thinking"],
    "details": {"family": "qwen3"},
}  # fmt: skip
UNKNOWN = ModelEntry(id="m", service="ollama", window=8_192, max_output=8_192, assumed=True)


def test_a_server_tells_the_window_and_the_abilities():
    entry = described(UNKNOWN, json.dumps(SHOWN).encode(), "ollama")
    assert (entry.window, entry.assumed, entry.max_output) == (40_960, False, 32_000)
    assert entry.abilities == Abilities(tools=True, vision=False, thinking=True)
    assert not entry.adaptive_thinking


def test_models_that_are_told_how_much_to_think_are_known():
    shown = SHOWN | {"details": {"family": "gptoss"}}
    entry = described(UNKNOWN, json.dumps(shown).encode(), "ollama")
    assert entry.adaptive_thinking and entry.thinking_levels == ("low", "medium", "high")


@pytest.mark.parametrize("body", [b"{}", b'{"model_info": {"general.architecture": "x"}}', b'{"model_info": null}'])
def test_what_is_not_told_stays_assumed(body):
    assert described(UNKNOWN, body, "ollama") == UNKNOWN


def test_names():
    assert names_of(b'{"models":[{"name":"a:1","size":3},{"name":"b"}]}', "ollama") == ["a:1", "b"]
    with pytest.raises(MalformedAnswer):
        names_of(b"<html>", "ollama")
