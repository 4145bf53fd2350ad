"""Tokens where a service reports none: unknown is never 0, and an estimate is marked as one."""

import msgspec

from codi.protocol.messages import Message, Text, Thinking, ToolCall, Usage

CHARACTERS_PER_TOKEN = 4


def estimated_usage(sent: int, message: Message) -> Usage:
    """The usage of a request of `sent` bytes that was answered by `message`."""
    thought = sum(len(block.text) for block in message.blocks if isinstance(block, Thinking))
    said = 0
    for block in message.blocks:
        if isinstance(block, Text):
            said += len(block.text)
        elif isinstance(block, ToolCall):
            said += len(block.name) + len(msgspec.json.encode(block.arguments))
    thinking = _tokens(thought)
    return Usage(
        input=max(_tokens(sent), 1), output=max(thinking + _tokens(said), 1), thinking=thinking, estimated=True
    )


def _tokens(characters: int) -> int:
    return -(-characters // CHARACTERS_PER_TOKEN)
