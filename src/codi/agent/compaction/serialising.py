"""A conversation as plain text, for a model that is to summarise it and not to go on with it."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import json

from codi.agent.context import message_of
from codi.protocol.events import Entry
from codi.protocol.messages import Image, Message, Text, Thinking, ToolCall, ToolResult

RESULT_CHARACTERS = 2000
"""Of one result, half from its beginning and half from its end."""


def serialised(entries: Iterable[Entry]) -> list[str]:
    """Of each entry that says something its paragraphs, whole."""
    texts = ("\n\n".join(_paragraphs(message)) for entry in entries if (message := message_of(entry)))
    return [text for text in texts if text]


def chunks_of(texts: Sequence[str], size: int) -> list[str]:
    """The texts in pieces of at most `size` characters; one that alone is longer is split."""
    chunks: list[str] = []
    now = ""
    for text in texts:
        for start in range(0, max(len(text), 1), size):
            piece = text[start : start + size]
            joined = f"{now}\n\n{piece}" if now else piece
            if len(joined) > size:
                chunks.append(now)
                now = piece
            else:
                now = joined
    return [*chunks, now] if now else chunks


def shortened_result(text: str, most: int = RESULT_CHARACTERS) -> str:
    """Beginning and end of a result, and how much is missing between them."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


def _paragraphs(message: Message) -> Iterator[str]:
    said, thought, calls = [], [], []
    for block in message.blocks:
        match block:
            case Text(text=text) if text.strip():
                said.append(text)
            case Thinking(text=text) if text.strip():
                thought.append(text)
            case Image():
                said.append("[image]")
            case ToolCall():
                calls.append(_call(block))
            case ToolResult():
                images = " [image]" * sum(isinstance(part, Image) for part in block.content)
                yield f"[Tool result]: {shortened_result(block.text)}{images}"
    if message.role == "user":
        if said:
            yield f"[User]: {chr(10).join(said)}"
        return
    if thought:
        yield f"[Assistant thinking]: {chr(10).join(thought)}"
    if said:
        yield f"[Assistant]: {chr(10).join(said)}"
    if calls:
        yield f"[Assistant tool calls]: {'; '.join(calls)}"


def _call(call: ToolCall) -> str:
    arguments = ", ".join(f"{name}={json.encode(value).decode()}" for name, value in call.arguments.items())
    return f"{call.name}({arguments})"
