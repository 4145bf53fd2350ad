"""From a session's path to the messages that the model sees.

A fold and nothing else: the same path gives the same messages. Calls that have no result, after an
interrupt or a crash, are left as they are here; every provider answers them when it sends a history.
"""

from collections.abc import Mapping, Sequence

from msgspec import convert, to_builtins
from msgspec.json import encode

from codi.agent.stubs import stand_ins, with_stand_in
from codi.protocol.events import (
    BranchSummarised,
    CommandShown,
    CompactionUndone,
    ContextAdded,
    ContextCompacted,
    Entry,
    MessageAdded,
    Pruned,
    ResultsPruned,
    ResultsRestored,
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
        self._stand_ins: dict[str, Pruned] = {}

    def messages_of(self, path: Sequence[Entry]) -> list[Message]:
        """The same as folding `path` anew. The list belongs to the caller."""
        known = len(self._path)
        new = path[known:]
        grows = not known or (len(path) >= known and path[known - 1].id == self._path[-1].id)
        if not grows or any(isinstance(entry.fact, _CHANGES) for entry in new):
            self._messages = []
            self._stand_ins = stand_ins(path)
            new = list(standing(path))
        for entry in new:
            _fold(self._messages, entry, self._stand_ins)
        self._path = list(path)
        return list(self._messages)


def messages_of(path: Sequence[Entry]) -> list[Message]:
    return Context().messages_of(path)


_CHANGES = (ContextCompacted, CompactionUndone, ResultsPruned, ResultsRestored)
"""Facts that change what was said before them."""


def compaction_in_force(path: Sequence[Entry]) -> int | None:
    """The place of the newest compaction that was not undone later."""
    undone: set[str] = set()
    for at in range(len(path) - 1, -1, -1):
        fact = path[at].fact
        if isinstance(fact, CompactionUndone):
            undone.add(fact.compaction_id)
        elif isinstance(fact, ContextCompacted) and path[at].id not in undone:
            return at
    return None


def standing(path: Sequence[Entry]) -> Sequence[Entry]:
    """What of a path is part of the conversation: the newest compaction in force stands in for all before its first kept
    entry; one whose first kept entry is not on the path, for all before itself."""
    newest = compaction_in_force(path)
    if newest is None:
        return [entry for entry in path if not isinstance(entry.fact, ContextCompacted)]
    first_kept = first_kept_at(path, newest)
    after = (entry for entry in path[first_kept:] if not isinstance(entry.fact, ContextCompacted))
    return [path[newest], *after]


def first_kept_at(path: Sequence[Entry], compaction: int) -> int:
    """The place from which on a compaction kept everything."""
    fact = path[compaction].fact
    assert isinstance(fact, ContextCompacted)
    return next((at for at in range(compaction) if path[at].id == fact.first_kept), compaction)


def message_of(entry: Entry) -> Message | None:
    """What one entry adds to the conversation; None for one that adds nothing."""
    messages: list[Message] = []
    _fold(messages, entry, {})
    return messages[0] if messages else None


def _fold(messages: list[Message], entry: Entry, stand_ins: Mapping[str, Pruned]) -> None:
    if entry.id in stand_ins:
        entry = with_stand_in(entry, stand_ins[entry.id])
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
