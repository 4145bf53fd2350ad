"""What fills the context, in a table whose rows sum to what is used: for `/context` and for the model's own question."""

from collections.abc import Sequence

from msgspec.structs import replace

from codi.agent.context import message_of, standing
from codi.agent.counting import tokens_of
from codi.agent.mind import Mind
from codi.agent.room.room import Room
from codi.agent.stubs import stand_ins, with_stand_in
from codi.agent.working_set import pins
from codi.protocol.events import (
    CompactionUndone,
    ContextAdded,
    ContextCompacted,
    ContextDelta,
    Entry,
    RequestSent,
    Share,
)
from codi.protocol.messages import Image, Message

_BIGGEST = 10


def overview(room: Room, mind: Mind, path: Sequence[Entry]) -> ContextDelta:
    model, tier = mind.provider.model, room.tier(mind)
    shares, biggest = _counted(room, mind, path)
    used, counted = room.used(mind), sum(shares.values())
    held = pins(path)
    undone = {entry.fact.compaction_id for entry in path if isinstance(entry.fact, CompactionUndone)}
    return ContextDelta(
        model=f"{mind.provider.origin.provider}/{model.id}",
        window=tier.window,
        assumed=model.assumed and room.chosen_window is None,
        used=used,
        reserve=tier.reserve,
        threshold=room.limit(mind),
        shares=_summing_to(shares, used),
        biggest=tuple(
            replace(each, tokens=each.tokens * used // max(counted, 1))
            for each in sorted(biggest, key=lambda each: -each.tokens)[:_BIGGEST]
        ),
        pruned=len(stand_ins(path)),
        pinned=(*sorted(held.entries), *held.files),
        compactions=sum(isinstance(entry.fact, ContextCompacted) and entry.id not in undone for entry in path),
        cache=cache_state(path),
        auto_compact=room.settings.auto_compact,
        compress=room.settings.compress,
    )


def cache_state(path: Sequence[Entry]) -> str:
    """What the last request read from the service's cache, and why not more."""
    for entry in reversed(path):
        if isinstance(entry.fact, RequestSent) and entry.fact.purpose == "turn":
            sent = entry.fact
            if sent.cache_read is None:
                return "the service told nothing of a cache"
            read = f"{sent.cache_read} tokens of the last request came from the cache"
            return f"{read}; {sent.miss.tokens} did not: {sent.miss.cause}" if sent.miss else read
    return "no request was sent yet"


def _counted(room: Room, mind: Mind, path: Sequence[Entry]) -> tuple[dict[str, int], list[Share]]:
    counter = room.fill.counter
    files = sum(map(tokens_of, _parts(mind.system, "project_context")))
    memory = sum(map(tokens_of, _parts(mind.system, "memory")))
    shares = {
        "system": max(counter.texts(mind.system) - files - memory, 0),
        "tools": 0,
        "context files": files,
        "memory": memory,
        "messages": 0,
        "tool results": 0,
        "images": 0,
    }
    biggest = [Share("system", shares["system"])]
    for tool in mind.tools:
        server = tool.name.split("__")[1] if tool.name.startswith("mcp__") else ""
        name = f"tools of {server}" if server else "tools"
        tokens = counter.tools([tool])
        shares[name] = shares.get(name, 0) + tokens
    shares["tools"] += room.fill.head(mind) - counter.system(mind.system, mind.tools)
    biggest.append(Share("tools", shares["tools"]))
    seen = stand_ins(path)
    for entry in standing(path):
        message = message_of(with_stand_in(entry, seen[entry.id]) if entry.id in seen else entry)
        if message is None:
            continue
        _add(room, message, entry, shares)
        biggest.append(Share(entry.id, counter.message(message), _kind(message)))
    return shares, biggest


def _add(room: Room, message: Message, entry: Entry, shares: dict[str, int]) -> None:
    whole = room.fill.counter.message(message)
    images = sum(room.fill.counter.block(block) for block in message.blocks if isinstance(block, Image))
    images += sum(
        room.fill.counter.block(part)
        for result in message.tool_results
        for part in result.content
        if isinstance(part, Image)
    )
    shares["images"] += images
    if isinstance(entry.fact, ContextAdded) and entry.fact.kind == "codi/context-file":
        shares["context files"] += whole - images
    else:
        shares["tool results" if message.tool_results else "messages"] += whole - images


def _parts(system: Sequence[str], tag: str) -> list[str]:
    found = []
    for text in system:
        begin, end = text.find(f"<{tag}>\n"), text.find(f"</{tag}>")
        if 0 <= begin < end:
            found.append(text[begin:end])
    return found


def _kind(message: Message) -> str:
    if results := message.tool_results:
        return f"result of {results[0].tool}" if results[0].tool else "result"
    return message.role


def _summing_to(shares: dict[str, int], used: int) -> tuple[Share, ...]:
    """Estimates of the parts, scaled so that they sum to what is known of the whole."""
    total = sum(shares.values())
    if not total:
        return tuple(Share(name, 0) for name in shares)
    scaled = {name: tokens * used // total for name, tokens in shares.items()}
    largest = max(scaled, key=lambda name: scaled[name])
    scaled[largest] += used - sum(scaled.values())
    return tuple(Share(name, tokens) for name, tokens in scaled.items())
