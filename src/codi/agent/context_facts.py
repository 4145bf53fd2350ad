"""What fills the context: a fold over the path, for whoever asks how full it is."""

from collections.abc import Sequence

from msgspec import json

from codi.agent.context import messages_of
from codi.agent.mind import Mind
from codi.protocol.events import Entry, FilesChanged, MessageAdded
from codi.protocol.messages import Image, Message, Text, Thinking, ToolCall, ToolResult
from codi.tools.context_status import ContextFacts

_CHARACTERS_PER_TOKEN = 4
_IMAGE_TOKENS = 1600
"""About what services count for an image of the size that is sent."""


def context_facts(mind: Mind, path: Sequence[Entry]) -> ContextFacts:
    tokens = {
        "system prompt": _tokens(sum(map(len, mind.system))),
        "tools": _tokens(sum(len(json.encode(tool)) for tool in mind.tools)),
        "person": 0,
        "model": 0,
        "thinking": 0,
        "calls": 0,
        "results": 0,
        "images": 0,
    }
    for message in messages_of(path):
        _count(message, tokens)
    model = mind.provider.model
    return ContextFacts(
        model=model.id,
        window=model.window,
        tokens=tokens,
        cache=_cache(path),
        changes=_changes(path),
        tools=mind.tools,
    )


def _count(message: Message, tokens: dict[str, int]) -> None:
    for block in message.blocks:
        match block:
            case Text(text=text):
                tokens["person" if message.role == "user" else "model"] += _tokens(len(text))
            case Thinking(text=text):
                tokens["thinking"] += _tokens(len(text))
            case ToolCall(name=name, arguments=arguments):
                tokens["calls"] += _tokens(len(name) + len(json.encode(arguments)))
            case ToolResult():
                tokens["results"] += _tokens(len(block.text))
                tokens["images"] += _IMAGE_TOKENS * sum(isinstance(part, Image) for part in block.content)
            case Image():
                tokens["images"] += _IMAGE_TOKENS


def _cache(path: Sequence[Entry]) -> tuple[int, int, int] | None:
    for entry in reversed(path):
        if isinstance(entry.fact, MessageAdded) and entry.fact.reply:
            usage = entry.fact.reply.usage
            return usage.cache_read, usage.cache_write, usage.input
    return None


def _changes(path: Sequence[Entry]) -> tuple[tuple[str, str], ...]:
    """The files with what last happened to them."""
    last: dict[str, str] = {}
    for entry in path:
        if isinstance(entry.fact, FilesChanged):
            for change in entry.fact.changes:
                last[change.path] = change.kind
    return tuple(sorted(last.items()))


def _tokens(characters: int) -> int:
    return -(-characters // _CHARACTERS_PER_TOKEN)
