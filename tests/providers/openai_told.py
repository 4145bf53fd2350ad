"""What is asked and said in the tests of OpenAI's formats."""

from typing import Any

from codi.protocol.events import Delta, TextDelta, ThinkingDelta, ToolCallDelta
from codi.protocol.messages import Block, Message, Text, Thinking, ToolCall, ToolResult, user
from codi.protocol.tooling import ToolSpec
from codi.providers.provider import Abilities, ModelEntry, Request

PLAIN = ModelEntry(id="m-1", service="acme", max_output=8_000, abilities=Abilities(vision=True))
THINKER = ModelEntry(
    id="t-1",
    service="acme",
    max_output=64_000,
    abilities=Abilities(vision=True, thinking=True),
    thinking_levels=("low", "medium", "high"),
)
READ = ToolSpec("read", "Read a file.", {"type": "object", "properties": {"path": {"type": "string"}}})


def asking(*messages: Message, **more: Any) -> Request:
    return Request(system=("Be brief.",), messages=messages or (user("hi"),), **more)


def told(deltas: list[Delta], blocks: tuple[Block, ...]) -> None:
    """The deltas concatenate exactly to the blocks: none is missing, and none is too much."""
    texts: dict[int, str] = {}
    calls: dict[int, tuple[str, str]] = {}
    for delta in deltas:
        if isinstance(delta, TextDelta | ThinkingDelta | ToolCallDelta):
            texts[delta.index] = texts.get(delta.index, "") + delta.text
        if isinstance(delta, ToolCallDelta):
            first = calls.setdefault(delta.index, (delta.id, delta.name))
            assert (delta.id or first[0], delta.name or first[1]) == first
    assert set(texts) <= set(range(len(blocks)))
    for at, block in enumerate(blocks):
        match block:
            case Text(text) | Thinking(text):
                assert texts.get(at, "") == text
            case ToolCall(id=call_id, name=name):
                assert calls[at] == (call_id, name)
            case _:
                raise AssertionError(block)


def assistant(*blocks: Block, origin: Any = None) -> Message:
    return Message("assistant", blocks, origin)


def results(*found: ToolResult, text: str = "") -> Message:
    return Message("user", (*found, *((Text(text),) if text else ())))
