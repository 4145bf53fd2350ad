"""What fills the context, for the model that asks how full it is."""

from collections.abc import Sequence

from codi.agent.mind import Mind
from codi.agent.room.overview import overview
from codi.agent.room.room import Room
from codi.protocol.events import Entry, FilesChanged, MessageAdded
from codi.tools.context_status import ContextFacts


def context_facts(room: Room, mind: Mind, path: Sequence[Entry]) -> ContextFacts:
    seen = overview(room, mind, path)
    return ContextFacts(
        model=mind.provider.model.id,
        window=seen.window,
        tokens={share.name: share.tokens for share in seen.shares},
        cache=_cache(path),
        changes=_changes(path),
        tools=mind.tools,
        status=seen.status,
    )


def _cache(path: Sequence[Entry]) -> tuple[int, int, int] | None:
    for entry in reversed(path):
        if isinstance(entry.fact, MessageAdded) and entry.fact.reply:
            usage = entry.fact.reply.usage
            return usage.cache_read, usage.cache_write, usage.input
    return None


def _changes(path: Sequence[Entry]) -> tuple[tuple[str, str], ...]:
    """The files with what last happened to them."""
    last: dict[str, str] = {}
    for entry in path:
        if isinstance(entry.fact, FilesChanged):
            for change in entry.fact.changes:
                last[change.path] = change.kind
    return tuple(sorted(last.items()))
