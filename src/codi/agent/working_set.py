"""The files that a conversation is about, and what is pinned: folds over the path."""

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from codi.agent.named_files import paths_in
from codi.protocol.events import Entry, EntryPinned, FilesChanged, MessageAdded
from codi.protocol.messages import Message, ToolCall

MOST_PATHS = 100
RECENT = 25
SEARCHING = frozenset({"grep", "glob", "search_code", "find_symbol", "find_references"})
"""Tools that look for a pattern; where they look is no file that is worked on."""
_MENTION = re.compile(r"(?<![\w/])@([\w./-]+)")


class Touched(Struct, frozen=True):
    """`at` is seconds since 1970."""

    path: str
    kind: Literal["tool", "mention", "edit"]
    at: float


class WorkingSet(Struct, frozen=True):
    """`paths` are the newest first, `patterns` were searched for."""

    paths: tuple[Touched, ...] = ()
    patterns: tuple[str, ...] = ()

    def recent(self, count: int = RECENT) -> frozenset[str]:
        return frozenset(touched.path for touched in self.paths[:count])


def working_set(path: Iterable[Entry]) -> WorkingSet:
    touched: dict[str, Touched] = {}
    patterns: dict[str, None] = {}

    def touch(name: str, kind: Literal["tool", "mention", "edit"], at: float) -> None:
        touched.pop(name, None)
        touched[name] = Touched(name, kind, at)

    for entry in path:
        match entry.fact:
            case MessageAdded(message=Message(role="assistant") as message):
                for call in message.tool_calls:
                    if call.name in SEARCHING and isinstance(pattern := call.arguments.get("pattern"), str):
                        patterns.pop(pattern, None)
                        patterns[pattern] = None
                    for name in paths_in(call.arguments) if call.name not in SEARCHING else ():
                        touch(name, "tool", entry.at)
            case MessageAdded(message=Message(role="user") as message) if not message.tool_results:
                for found in _MENTION.finditer(message.text):
                    touch(found[1].rstrip("."), "mention", entry.at)
            case EntryPinned("", False, "*"):
                touched.clear()
                patterns.clear()
            case FilesChanged(changes=changes):
                for change in changes:
                    touch(change.path, "edit", entry.at)
    newest = tuple(reversed(touched.values()))[:MOST_PATHS]
    return WorkingSet(newest, tuple(reversed(patterns))[:MOST_PATHS])


class Pins(Struct, frozen=True):
    entries: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()


def pins(path: Iterable[Entry]) -> Pins:
    """What is held in the context at the end of a path."""
    entries: set[str] = set()
    files: dict[str, None] = {}
    for entry in path:
        match entry.fact:
            case EntryPinned("", pinned, str(name)):
                files.pop(name, None)
                if pinned:
                    files[name] = None
            case EntryPinned(entry_id, pinned):
                (entries.add if pinned else entries.discard)(entry_id)
    return Pins(frozenset(entries), tuple(files))


def paths_of_calls(path: Iterable[Entry]) -> Mapping[str, ToolCall]:
    """The calls of a path by their ids."""
    return {
        call.id: call
        for entry in path
        if isinstance(entry.fact, MessageAdded)
        for call in entry.fact.message.tool_calls
    }
