"""Messages as other programs exchange them, read in each spelling that is known."""

import pytest

from codi.protocol.events import CommandShown, ContextAdded, MessageAdded
from codi.protocol.messages import Image, Message, Text, Thinking, ToolCall, ToolResult, user
from codi.wire.version3 import message_fact, message_json


@pytest.mark.parametrize(
    ("json", "fact"),
    [
        ({"role": "user", "content": "hi"}, MessageAdded(user("hi"))),
        ({"role": "user", "content": None}, MessageAdded(Message("user", ()))),
        ({"role": "user", "content": ["hi", 3, {"type": "video"}]}, MessageAdded(user("hi"))),
        (
            {"role": "user", "content": [{"type": "image", "data": "AA", "media_type": "image/png"}]},
            MessageAdded(Message("user", (Image("AA", "image/png"),))),
        ),
        (
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "c", "content": "x", "is_error": True}],
            },
            MessageAdded(Message("user", (ToolResult("c", (Text("x"),), is_error=True),))),
        ),
        (
            {"role": "toolResult", "tool_use_id": "c", "toolName": "t", "content": "x", "is_error": True},
            MessageAdded(Message("user", (ToolResult("c", (Text("x"),), is_error=True, tool="t"),))),
        ),
        (
            {"role": "bashExecution", "command": "ls", "output": "", "exit_code": 1},
            CommandShown(command="ls", output="", exit_code=1),
        ),
        (
            {"role": "hookMessage", "customType": "h", "content": "x", "display": True, "timestamp": 3},
            ContextAdded(kind="h", message=user("x")),
        ),
        ({"role": "system", "content": "x"}, None),
        ({"content": "x"}, None),
        ("x", None),
    ],
)
def test_spellings(json, fact):
    assert message_fact(json) == fact


@pytest.mark.parametrize("tag", ["ToolUse", "tool_use", "toolUse", "tool_call", "ToolCall", "toolCall"])
def test_calls_under_each_tag(tag):
    block = {"type": tag, "id": "c", "name": "read", "arguments": {"file_path": "a"}}
    fact = message_fact({"role": "assistant", "content": [{"type": "Thinking", "thinking": "hm"}, block]})

    assert fact.message.blocks == (Thinking("hm"), ToolCall("c", "read", {"file_path": "a"}))
    assert fact.reply.stop == "toolUse" and fact.reply.usage.cost is None


def test_a_call_whose_arguments_are_no_object_must_not_run():
    fact = message_fact(
        {"role": "assistant", "content": [{"type": "toolCall", "id": "c", "name": "t", "arguments": "{"}]}
    )

    assert fact.message.tool_calls[0].defect


@pytest.mark.parametrize(
    ("told", "stop", "raw"),
    [
        ("tool_use", "toolUse", None),
        ("ToolUse", "toolUse", None),
        ("end_turn", "stop", "end_turn"),
        (None, "stop", None),
    ],
)
def test_stop_reasons(told, stop, raw):
    reply = message_fact({"role": "assistant", "content": [], "stopReason": told}).reply

    assert (reply.stop, reply.raw_stop) == (stop, raw)


def test_what_others_write_comes_out_in_our_spelling():
    told = {"role": "Assistant", "content": [{"type": "tool_use", "id": "c", "name": "t", "input": {"a_b": 1}}]}
    json = message_json(message_fact(told), 2.0)

    assert json["role"] == "assistant" and json["timestamp"] == 2000
    assert json["content"] == [{"type": "toolCall", "id": "c", "name": "t", "arguments": {"a_b": 1}}]
    assert message_fact(json) == message_fact(told)
