"""The tree of a session: which entry is meant, the path to it, and where two paths part."""

from collections.abc import Sequence

from msgspec import Struct

from codi.protocol.errors import SessionError, UsageError
from codi.protocol.events import ContextAdded, Entry, Labelled, MessageAdded, TurnStarted
from codi.protocol.messages import Image, Message

_SHORTEST_PREFIX = 4


class Place(Struct, frozen=True):
    """Where a conversation goes on: on the entry `leaf`, None at the very beginning. `prompt` and `images` were said there and are
    the person's again."""

    leaf: str | None
    prompt: str = ""
    images: tuple[Image, ...] = ()


def entry_named(text: str, entries: Sequence[Entry]) -> Entry:
    """The entry with this id, or the only one whose id begins so (4 characters or more). Raises SessionError where there is none,
    and UsageError where there are several."""
    wanted = text.lower()
    found = [entry for entry in entries if entry.id.lower() == wanted]
    if not found and len(wanted) >= _SHORTEST_PREFIX:
        found = [entry for entry in entries if entry.id.lower().startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(entry.id for entry in found)
        raise UsageError(f"Several entries match '{text}': {ids}", hint="Give more of the id.")
    raise SessionError(
        f"No entry {text} in this session.",
        hint="`codi sessions tree ID` shows the entries; give 4 characters or more.",
    )


def place_at(entry: Entry) -> Place:
    """Where one goes on who chooses this entry: before it, with its words, if it was said to the model, else behind it."""
    match entry.fact:
        case MessageAdded(Message("user") as message) if not message.tool_results:
            return _before(entry, message)
        case ContextAdded(message=message):
            return _before(entry, message)
    return Place(entry.id)


def place_to_fork(entry: Entry) -> Place:
    """The same for a fork, which begins at something that the person said. Raises SessionError."""
    match entry.fact:
        case MessageAdded(Message("user") as message) if not message.tool_results:
            return _before(entry, message)
    raise SessionError("Invalid entry ID for forking", hint="Name an entry in which the person said something.")


def place_of(text: str, entries: Sequence[Entry]) -> Place:
    """What `--at` means: an entry, or the end of a turn by its number. Raises CodiError."""
    if not text.isdecimal() or any(entry.id == text for entry in entries):
        return place_at(entry_named(text, entries))
    path = path_to(entries[-1].id, entries) if entries else []
    inside = [at for at, entry in enumerate(path) if entry.fact == TurnStarted(int(text))]
    if not inside:
        if len(text) >= _SHORTEST_PREFIX:
            return place_at(entry_named(text, entries))
        newest = max((entry.fact.turn for entry in path if isinstance(entry.fact, TurnStarted)), default=0)
        raise SessionError(f"There is no turn {text} in this session.", hint=f"Its newest turn is {newest}.")
    after = inside[-1] + 1
    while after < len(path) and not isinstance(path[after].fact, TurnStarted):
        after += 1
    return Place(path[after - 1].id)


def path_to(entry_id: str | None, entries: Sequence[Entry]) -> list[Entry]:
    """From the root to an entry."""
    by_id = {entry.id: entry for entry in entries}
    path: list[Entry] = []
    while entry_id is not None and entry_id in by_id:
        path.append(by_id[entry_id])
        entry_id = path[-1].parent
    path.reverse()
    return path


def left_behind(old: Sequence[Entry], new: Sequence[Entry]) -> list[Entry]:
    """What of the path `old` is no part of the path `new`."""
    kept = {entry.id for entry in new}
    return [entry for entry in old if entry.id not in kept]


def labels(entries: Sequence[Entry]) -> dict[str, str]:
    """The labels that hold, by the entries that they stand on; the newest of an entry counts."""
    return {target: fact.label or "" for target, (fact, _) in labelled(entries).items()}


def labelled(entries: Sequence[Entry]) -> dict[str, tuple[Labelled, float]]:
    """The same with the time at which each label was given."""
    found: dict[str, tuple[Labelled, float]] = {}
    for entry in entries:
        if isinstance(entry.fact, Labelled):
            if entry.fact.label:
                found[entry.fact.target] = entry.fact, entry.at
            else:
                found.pop(entry.fact.target, None)
    return found


def _before(entry: Entry, message: Message) -> Place:
    return Place(entry.parent, message.text, tuple(block for block in message.blocks if isinstance(block, Image)))
