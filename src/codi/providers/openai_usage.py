"""What a request cost when the server does not say: four characters a token, and marked as estimated."""

from collections.abc import Iterable, Iterator

import msgspec

from codi.protocol.messages import Block, Image, Text, Thinking, ToolCall, ToolResult, Usage
from codi.providers.provider import Request

_IMAGE_CHARACTERS = 4_000
"""A picture counts like a thousand tokens, however many bytes it has."""


def estimate(request: Request, answer: Iterable[Block]) -> Usage:
    """At least one token each way: something was sent, and the unknown is never 0."""
    asked = [*request.system, *_texts(block for message in request.messages for block in message.blocks)]
    asked += [tool.name + tool.description + _json(tool.parameters) for tool in request.tools]
    blocks = tuple(answer)
    return Usage(
        input=_tokens(asked),
        output=_tokens(_texts(blocks)),
        thinking=sum(-(-len(block.text) // 4) for block in blocks if isinstance(block, Thinking)),
        estimated=True,
    )


def _tokens(texts: Iterable[str]) -> int:
    return max(-(-sum(map(len, texts)) // 4), 1)


def _texts(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Text(text) | Thinking(text):
                yield text
            case Image():
                yield " " * _IMAGE_CHARACTERS
            case ToolCall(name=name, arguments=arguments):
                yield name + _json(arguments)
            case ToolResult(content=content):
                yield from _texts(content)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
