"""Where a conversation is cut: what comes before is summarised, what comes after stays as it is.

Pure: entries and numbers go in, places come out. A tool result never stands first, so calls stay with their results.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct

from codi.agent.context import compaction_in_force, first_kept_at
from codi.protocol.events import (
    BranchSummarised,
    CommandShown,
    ContextAdded,
    ContextCompacted,
    Entry,
    MessageAdded,
)
from codi.protocol.messages import Message, ToolResult

Count = Callable[[Entry], int]
"""Tokens of an entry, 0 for one that is no part of the conversation."""


class Cut(Struct, frozen=True):
    """Places on a path. `begin` is where the earlier compaction left off; from `first_kept` on everything stays. `turn` is where
    the turn begins that the cut goes through, None where it goes through none. `previous` is the earlier compaction."""

    begin: int
    first_kept: int
    turn: int | None = None
    previous: int | None = None


def cut_of(
    path: Sequence[Entry], count: Count, keep_recent: int, *, min_recent: int = 0, whole: bool = False
) -> Cut | None:
    """Where to cut so that about `keep_recent` tokens and at least `min_recent` messages stay; None where nothing comes before
    that. With `whole` nothing is left standing but what must be answered together."""
    previous = compaction_in_force(path)
    begin = 0 if previous is None else _begin(path, previous)
    places = [at for at in range(begin, len(path)) if can_stand_first(path[at])]
    reached = _reached(path, begin, count, keep_recent)
    if reached is None and not whole:
        return None
    at = next((place for place in places if place >= (reached or 0)), None)
    if whole or at is None:
        at = places[-1] if places else None
    if min_recent and not whole:
        messages = [place for place in range(begin, len(path)) if is_message(path[place])]
        if len(messages) <= min_recent:
            return None
        latest = messages[-min_recent]
        if at is None or at > latest:
            at = max((place for place in places if place <= latest), default=None)
    if at is None:
        return None
    turn = None if _is_prompt(path[at]) else _turn_start(path, begin, at)
    first_kept = _back_over_notes(path, begin, at)
    if not any(is_message(entry) for entry in path[begin:first_kept]):
        return None
    return Cut(begin, first_kept, turn, previous)


def whole_cut(path: Sequence[Entry]) -> Cut | None:
    """The cut after everything; None where nothing stands before it."""
    previous = compaction_in_force(path)
    begin = 0 if previous is None else _begin(path, previous)
    said = any(is_message(entry) for entry in path[begin:])
    return Cut(begin, len(path), None, previous) if said else None


def is_message(entry: Entry) -> bool:
    """Whether the entry is a part of the conversation."""
    match entry.fact:
        case MessageAdded() | ContextAdded() | BranchSummarised() | CommandShown(excluded=False):
            return True
    return False


def can_stand_first(entry: Entry) -> bool:
    """A result cannot, for its call would be missing."""
    match entry.fact:
        case MessageAdded(message=Message(blocks=(ToolResult(), *_))):
            return False
    return is_message(entry)


def _begin(path: Sequence[Entry], previous: int) -> int:
    first = first_kept_at(path, previous)
    return first if first != previous else previous + 1


def _reached(path: Sequence[Entry], begin: int, count: Count, keep_recent: int) -> int | None:
    total = 0
    for at in range(len(path) - 1, begin - 1, -1):
        if is_message(path[at]):
            total += count(path[at])
            if total >= keep_recent:
                return at
    return None


def _is_prompt(entry: Entry) -> bool:
    match entry.fact:
        case MessageAdded(message=Message(role="user") as message):
            return not message.tool_results
    return False


def _begins_turn(entry: Entry) -> bool:
    return _is_prompt(entry) or isinstance(entry.fact, CommandShown | BranchSummarised | ContextAdded)


def _turn_start(path: Sequence[Entry], begin: int, at: int) -> int | None:
    return next((place for place in range(at, begin - 1, -1) if _begins_turn(path[place])), None)


def _back_over_notes(path: Sequence[Entry], begin: int, at: int) -> int:
    """Notes directly before a message belong to it."""
    while at > begin and not is_message(path[at - 1]) and not isinstance(path[at - 1].fact, ContextCompacted):
        at -= 1
    return at
