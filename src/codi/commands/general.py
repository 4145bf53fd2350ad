"""Help, leaving, and what this conversation is."""

import platform
import sys
from collections.abc import Sequence

from codi.commands.command import Desk, Fail, Leave, Outcome, Show
from codi.commands.kit import commands
from codi.commands.registry import usage_of
from codi.protocol.events import ModelChosen, PolicyChosen, ThinkingChosen, TitleGiven, TurnEnded


async def show_help(words: Sequence[str], desk: Desk) -> Outcome:
    registry = commands()
    name = words[0].lstrip("/?").lower() if words else ""
    is_search = bool(words) and words[0].startswith("?")
    command = registry.find(name) if name and not is_search else None
    if command:
        return Show(command.usage, f"/{command.name}")
    found = [
        each
        for each in registry.commands
        if name in " ".join((each.name, *each.aliases, each.group, each.summary.lower()))
    ]
    if not found:
        return (
            Fail(f"no command is about {name!r}", "/help lists the commands.") if is_search else registry.unknown(name)
        )
    groups: dict[str, list[str]] = {}
    wide = max(len(command.name) for command in found) + 3
    for command in found:
        groups.setdefault(command.group, []).append(f"  {f'/{command.name}':<{wide}}{command.summary}")
    return Show("\n\n".join("\n".join([name, *sorted(rows)]) for name, rows in groups.items()), "commands")


async def leave(words: Sequence[str], desk: Desk) -> Outcome:
    return usage_of(commands().commands[1]) if words else Leave()


async def show_status(words: Sequence[str], desk: Desk) -> Outcome:
    said = {"session": f"{desk.session_id} ({desk.session_file or 'kept in memory alone'})"}
    turns = 0
    for entry in desk.entries:
        match entry.fact:
            case ModelChosen(provider, model):
                said["model"] = f"{provider}/{model}"
            case ThinkingChosen(level):
                said["thinking"] = level
            case PolicyChosen(mode):
                said["mode"] = mode
            case TitleGiven(name):
                said["name"] = name
            case TurnEnded():
                turns += 1
    rows = {"mode": "default", **said, "turns": str(turns), "waiting": str(len(desk.waiting))}
    return Show("\n".join(f"{name:<10}{value}" for name, value in rows.items()), "status")


async def show_version(words: Sequence[str], desk: Desk) -> Outcome:
    told = await desk.subcommand("--version")
    return Show(f"{told.text.strip()}, Python {sys.version.split()[0]}, {platform.platform()}")
