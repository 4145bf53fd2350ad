"""The files that a conversation is about, and how much each of its messages matters: folds over the path."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from codi.agent.named_files import paths_in
from codi.protocol.events import Entry, EntryPinned, FilesChanged, MessageAdded
from codi.protocol.messages import Message, ToolCall

MOST_PATHS = 100
RECENT = 25
SHORTEST_NAME = 4

_LOOKING = frozenset({"grep", "glob", "search_code", "find_symbol", "find_references"})
_MENTION = re.compile(r"(?<![\w/])@([\w./-]+)")
_NAME = re.compile(r"[A-Za-z_][\w./-]{3,}")
_EMPHASIS = re.compile(r"\b(?:important|must|never|always|remember|critical|note that|make sure)\b|!", re.IGNORECASE)
_CODE = re.compile(r"[{}();=]|```|\bdef\b|\bclass\b|\breturn\b|\bimport\b")


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


EMPTY = WorkingSet()


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
                    if call.name in _LOOKING and isinstance(pattern := call.arguments.get("pattern"), str):
                        patterns.pop(pattern, None)
                        patterns[pattern] = None
                    for name in paths_in(call.arguments):
                        touch(name, "tool", entry.at)
            case MessageAdded(message=Message(role="user") as message) if not message.tool_results:
                for found in _MENTION.finditer(message.text):
                    touch(found[1].rstrip("."), "mention", entry.at)
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


def names_in(text: str) -> set[str]:
    """Paths and names that a text speaks of; shorter ones than 4 characters are never references."""
    return {name.rstrip("./-") for name in _NAME.findall(text[:20_000]) if len(name.rstrip("./-")) >= SHORTEST_NAME}


def scores(messages: Sequence[Message], known: WorkingSet = EMPTY) -> list[float]:
    """How much each message matters, from 0 to 1: how new it is, how much of what it brought up is spoken of later, whether the
    person stressed it, whether it acts, and whether it is about code."""
    count = len(messages)
    if not count:
        return []
    texts = [_text(message) for message in messages]
    names = [names_in(text) for text in texts]
    first: dict[str, int] = {}
    later = [0] * count
    for at, found in enumerate(names):
        for name in found:
            if name in first:
                later[first[name]] += 1
            else:
                first[name] = at
    recent = known.recent()
    found_scores = []
    for at, message in enumerate(messages):
        recency = math.exp(-(count - 1 - at) / (count / 2))
        references = min(later[at] / 5, 1.0)
        by_person = message.role == "user" and not message.tool_results
        emphasis = (1.0 if _EMPHASIS.search(texts[at][:20_000]) else 0.5) if by_person else 0.0
        action = 1.0 if message.tool_calls else 0.7 if message.tool_results else 0.0
        code = 1.0 if names[at] & recent else 0.5 if _CODE.search(texts[at][:2000]) else 0.0
        found_scores.append(0.25 * recency + 0.15 * references + 0.25 * emphasis + 0.20 * action + 0.15 * code)
    return found_scores


def paths_of_calls(path: Iterable[Entry]) -> Mapping[str, ToolCall]:
    """The calls of a path by their ids."""
    return {
        call.id: call
        for entry in path
        if isinstance(entry.fact, MessageAdded)
        for call in entry.fact.message.tool_calls
    }


def _text(message: Message) -> str:
    parts = [message.text]
    parts += [" ".join(str(value) for value in call.arguments.values()) for call in message.tool_calls]
    parts += [result.text for result in message.tool_results]
    return "\n".join(parts)
