"""What of a session can be found: each entry that says something, as a passage."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.json import encode

from codi.protocol.events import (
    BranchSummarised,
    CommandShown,
    ContextCompacted,
    Entry,
    Labelled,
    MessageAdded,
    TitleGiven,
)
from codi.protocol.messages import Message

_LONGEST = 50_000
_FILE_ARGUMENTS = ("path", "file", "file_path", "from", "to", "source", "destination")


class Passage(Struct, frozen=True):
    """`files` are the paths that it names, one a line."""

    entry: str
    at: float
    role: str
    text: str
    tool: str = ""
    model: str = ""
    files: str = ""


def passages_of(entry: Entry) -> Iterator[Passage]:
    match entry.fact:
        case MessageAdded(Message("assistant") as message):
            model = f"{message.origin.provider}/{message.origin.model}" if message.origin else ""
            if message.text.strip():
                yield Passage(entry.id, entry.at, "assistant", message.text[:_LONGEST], model=model)
            for call in message.tool_calls:
                files = [value for name in _FILE_ARGUMENTS if isinstance(value := call.arguments.get(name), str)]
                text = f"{call.name} {_plain(call.arguments)}"[:_LONGEST]
                yield Passage(entry.id, entry.at, "assistant", text, call.name, model, "\n".join(files))
        case MessageAdded(message) if message.tool_results:
            for result in message.tool_results:
                if result.text.strip():
                    yield Passage(entry.id, entry.at, "tool", result.text[:_LONGEST], result.tool)
        case MessageAdded(message):
            if message.text.strip():
                yield Passage(entry.id, entry.at, "user", message.text[:_LONGEST])
        case CommandShown(command=command, output=output):
            yield Passage(entry.id, entry.at, "user", f"{command}\n{output}"[:_LONGEST], "shell")
        case ContextCompacted(summary=summary) | BranchSummarised(summary=summary):
            yield Passage(entry.id, entry.at, "summary", summary[:_LONGEST])
        case Labelled(target, label) if label:
            yield Passage(target, entry.at, "label", label)
        case TitleGiven(name) if name:
            yield Passage(entry.id, entry.at, "title", name)


def _plain(arguments: dict[str, object]) -> str:
    """The words in a call's arguments, without the signs of JSON."""
    try:
        return " ".join(value if isinstance(value, str) else encode(value).decode() for value in arguments.values())
    except UnicodeEncodeError:
        return " ".join(map(repr, arguments.values()))
