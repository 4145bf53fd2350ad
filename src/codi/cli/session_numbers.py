"""What a session did and what it used, in numbers, for `codi sessions stats`."""

from collections import Counter
from typing import Any

from codi.cli.printing import print_json, print_table
from codi.engine.places import Places
from codi.engine.shelf import Shelf
from codi.protocol.events import FilesChanged, MessageAdded, TurnEnded
from codi.sessions import folds
from codi.sessions.files import reading_of
from codi.sessions.tree import path_to


def show_numbers(args: Any, places: Places, shelf: Shelf) -> int:
    path = shelf.path_of(args.id)
    reading = reading_of(path)
    entries = reading.entries
    active = path_to(entries[-1].id if entries else None, entries)
    used = folds.usage(entries)
    tools: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    models: Counter[str] = Counter()
    roles: Counter[str] = Counter()
    files: set[str] = set()
    duration_ms = 0
    for entry in entries:
        match entry.fact:
            case MessageAdded(message):
                kind = "toolResult" if message.tool_results else message.role
                roles[kind] += 1
                tools.update(call.name for call in message.tool_calls)
                errors.update(result.tool for result in message.tool_results if result.is_error)
                if message.origin:
                    models[f"{message.origin.provider}/{message.origin.model}"] += 1
            case FilesChanged(changes=changes):
                files.update(change.path for change in changes)
            case TurnEnded(stats=stats):
                duration_ms += stats.duration_ms
    told = {
        "id": reading.header.id,
        "path": path,
        "turns": folds.turns(active),
        "entries": len(entries),
        "branches": _branches(entries),
        "messages": dict(roles),
        "models": dict(models),
        "toolCalls": sum(tools.values()),
        "toolErrors": sum(errors.values()),
        "tools": {name: {"calls": count, "errors": errors[name]} for name, count in tools.most_common()},
        "filesChanged": len(files),
        "inputTokens": used.input,
        "outputTokens": used.output,
        "cacheReadTokens": used.cache_read,
        "cacheWriteTokens": used.cache_write,
        "totalTokens": used.total,
        "cost": used.cost.total if used.cost else None,
        "durationMs": duration_ms,
    }
    if args.json:
        print_json(told)
        return 0
    rows = [[name, "?" if value is None else str(value)] for name, value in told.items() if not isinstance(value, dict)]
    rows += [[f"{role} messages", str(count)] for role, count in roles.items()]
    rows += [[model, f"{count} replies"] for model, count in models.items()]
    rows += [[name, f"{count} calls, {errors[name]} failed"] for name, count in tools.most_common()]
    print_table(("", ""), rows)
    return 0


def _branches(entries: list[Any]) -> int:
    """How many ends the tree has."""
    parents = {entry.parent for entry in entries}
    return sum(entry.id not in parents for entry in entries)
