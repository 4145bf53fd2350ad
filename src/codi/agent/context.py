"""From a session's path to the messages that the model sees.

A fold and nothing else: the same path gives the same messages. Calls that have no result, after an
interrupt or a crash, are left as they are here; every provider answers them when it sends a history.
"""

from collections.abc import Sequence

from msgspec import convert, to_builtins
from msgspec.json import encode

from codi.protocol.events import (
    BranchSummarised,
    CommandShown,
    ContextAdded,
    ContextCompacted,
    Entry,
    MessageAdded,
)
from codi.protocol.messages import Message, Text, ToolResult, user
from codi.wire.characters import without_halves

COMPACTED = "The earlier part of this conversation was compacted into this summary.\n\n<summary>\n{}\n</summary>"
CAME_BACK = "This is a summary of a branch that this conversation came back from.\n\n<summary>\n{}\n</summary>"


class Context:
    """The messages of a path, kept up while the path grows, so that a step costs what is new in it."""

    def __init__(self) -> None:
        self._path: list[Entry] = []
        self._messages: list[Message] = []

    def messages_of(self, path: Sequence[Entry]) -> list[Message]:
        """The same as folding `path` anew. The list belongs to the caller."""
        known = len(self._path)
        new = path[known:]
        grows = not known or (len(path) >= known and path[known - 1].id == self._path[-1].id)
        if not grows or any(isinstance(entry.fact, ContextCompacted) for entry in new):
            self._messages = []
            new = list(standing(path))
        for entry in new:
            _fold(self._messages, entry)
        self._path = list(path)
        return list(self._messages)


def messages_of(path: Sequence[Entry]) -> list[Message]:
    return Context().messages_of(path)


def standing(path: Sequence[Entry]) -> Sequence[Entry]:
    """What of a path is part of the conversation: the newest compaction stands in for all before its first kept entry."""
    newest = max((at for at, entry in enumerate(path) if isinstance(entry.fact, ContextCompacted)), default=None)
    if newest is None:
        return path
    fact = path[newest].fact
    assert isinstance(fact, ContextCompacted)
    first_kept = next((at for at, entry in enumerate(path[:newest]) if entry.id == fact.first_kept), newest)
    kept = [entry for entry in path[first_kept:newest] if not isinstance(entry.fact, ContextCompacted)]
    return [path[newest], *kept, *path[newest + 1 :]]


def _fold(messages: list[Message], entry: Entry) -> None:
    match entry.fact:
        case MessageAdded(message=Message(role="user", blocks=(ToolResult(),)) as result):
            if messages and messages[-1].tool_results and messages[-1].role == "user":
                messages[-1] = Message("user", messages[-1].blocks + _sound(result).blocks)
            else:
                messages.append(_sound(result))
        case MessageAdded(message=message, reply=reply):
            if reply is not None and reply.stop in ("error", "aborted"):
                if message.text.strip():
                    messages.append(Message("assistant", (Text(f"{message.text}\n[interrupted]"),)))
            elif message.blocks:
                messages.append(_sound(message))
        case ContextCompacted(summary=summary):
            messages.append(user(COMPACTED.format(summary)))
        case BranchSummarised(summary=summary):
            messages.append(user(CAME_BACK.format(summary)))
        case ContextAdded(message=message):
            messages.append(_sound(message))
        case CommandShown(excluded=False) as shown:
            messages.append(user(_told(shown)))


def _sound(message: Message) -> Message:
    """The message as every service takes it, whatever bytes came in by a file of another program or by a file's name."""
    try:
        encode(message)
    except UnicodeEncodeError:
        return convert(without_halves(to_builtins(message)), Message)
    return message


def _told(shown: CommandShown) -> str:
    text = f"Ran `{shown.command}`\n"
    text += f"```\n{shown.output.rstrip()}\n```" if shown.output.strip() else "(no output)"
    if shown.cancelled:
        text += "\n\n(command cancelled)"
    elif shown.exit_code:
        text += f"\n\nCommand exited with code {shown.exit_code}"
    if shown.truncated and shown.full_output_path:
        text += f"\n\n[Output truncated. Full output: {shown.full_output_path}]"
    return text
