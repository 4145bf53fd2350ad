"""A session as plain text, about as a terminal shows it, without its escapes."""

from collections.abc import Iterator

from codi.protocol.events import BranchSummarised, CommandShown, ContextCompacted, MessageAdded
from codi.protocol.messages import Message, Text, ToolCall
from codi.sessions.exports.taken import Taken

_LINES = 10


def text_of(taken: Taken) -> str:
    return "\n\n".join(_parts(taken)) + "\n"


def _parts(taken: Taken) -> Iterator[str]:
    for entry in taken.entries:
        match entry.fact:
            case MessageAdded(Message("assistant") as message, reply):
                for block in message.blocks:
                    if isinstance(block, Text) and block.text.strip():
                        yield _plain(block.text.strip())
                    elif isinstance(block, ToolCall):
                        what = next((value for value in block.arguments.values() if isinstance(value, str)), "")
                        yield _plain(f"· {block.name} {' '.join(what.split())}".rstrip())
                if reply and reply.error:
                    yield _plain(f"{reply.stop}: {reply.error}")
            case MessageAdded(message) if message.tool_results:
                for result in message.tool_results:
                    if result.text.strip():
                        yield _plain(_clipped(result.text, "  failed: " if result.is_error else "  "))
            case MessageAdded(message):
                yield _plain("\n".join(f"› {line}" for line in message.text.splitlines()))
            case CommandShown(command=command, output=output):
                yield _plain(f"! {command}\n{output}".rstrip())
            case ContextCompacted(summary=summary) | BranchSummarised(summary=summary):
                yield _plain(summary)


def _clipped(text: str, before: str) -> str:
    lines = text.rstrip().splitlines()
    more = [f"... ({len(lines) - _LINES} more lines)"] if len(lines) > _LINES else []
    return "\n".join(before + line for line in [*lines[:_LINES], *more])


def _plain(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(
        character
        for character in text
        if character in "\n\t" or (character >= " " and not "\x7f" <= character <= "\x9f")
    )
