"""What stands in the context in place of a text that is not shown whole, and how to have it back.

The entry itself is never changed: what the model sees is made anew from it and from the newest word on it.
"""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from codi.protocol.events import ContextAdded, Entry, MessageAdded, Pruned, ResultsPruned, ResultsRestored
from codi.protocol.messages import Block, Image, Message, Text, ToolCall, ToolResult

STUB = '[TOOL: {}; full text: recall(id="{}"), ~{} tokens]'
IMAGE_STUB = "[{}, recall(id={})]"
CUT = '\n[... ~{} tokens are left out here; full text: recall(id="{}") ...]\n'


def stand_ins(path: Iterable[Entry]) -> dict[str, Pruned]:
    """What is pruned on a path, by the id of its entry."""
    pruned: dict[str, Pruned] = {}
    for entry in path:
        match entry.fact:
            case ResultsPruned(items):
                pruned.update((item.entry_id, item) for item in items)
            case ResultsRestored(entry_ids):
                for entry_id in entry_ids:
                    pruned.pop(entry_id, None)
    return pruned


def with_stand_in(entry: Entry, item: Pruned) -> Entry:
    """The entry as the model is to see it."""
    match entry.fact:
        case MessageAdded(message) | ContextAdded(message=message):
            return replace(entry, fact=replace(entry.fact, message=shortened(message, item)))
    return entry


def shortened(message: Message, item: Pruned) -> Message:
    return replace(message, blocks=tuple(_block(block, item) for block in message.blocks))


def stub_of(item: Pruned) -> str:
    return STUB.format(item.summary, item.result_id, item.tokens)


def middle_cut(text: str, item: Pruned) -> str:
    """Beginning and end of a text that is longer than what is to stay of it."""
    if len(text) <= 2 * item.keep + len(CUT) + 40:
        return text
    return text[: item.keep] + CUT.format(item.tokens, item.result_id) + text[-item.keep :]


def _block(block: Block, item: Pruned) -> Block:
    match block:
        case ToolResult():
            return replace(block, content=_content(block, item))
        case Text(text=text) if item.keep:
            return replace(block, text=middle_cut(text, item))
        case Image() if item.image:
            return Text(IMAGE_STUB.format(item.summary, item.result_id))
        case ToolCall(arguments=arguments) if item.keep:
            return replace(block, arguments={name: _value(value, item) for name, value in arguments.items()})
    return block


def _content(result: ToolResult, item: Pruned) -> tuple[Text | Image, ...]:
    if item.image:
        stub = Text(IMAGE_STUB.format(item.summary, item.result_id))
        return tuple(stub if isinstance(part, Image) else part for part in result.content)
    if item.keep:
        return tuple(Text(middle_cut(part.text, item)) if isinstance(part, Text) else part for part in result.content)
    return (Text(stub_of(item)),)


def _value(value: Any, item: Pruned) -> Any:
    if isinstance(value, str):
        return middle_cut(value, item)
    if isinstance(value, list):
        return [_value(inner, item) for inner in value]
    if isinstance(value, dict):
        return {name: _value(inner, item) for name, inner in value.items()}
    return value
