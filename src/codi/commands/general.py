"""Help, leaving, and what this conversation is."""

import platform
import sys
from collections.abc import Sequence

from codi.commands.command import Desk, Fail, Leave, Outcome, Show
from codi.commands.kit import commands
from codi.commands.registry import Registry, usage_of
from codi.protocol.events import ModelChosen, PolicyChosen, ThinkingChosen, TitleGiven, TurnEnded


async def show_help(words: Sequence[str], desk: Desk) -> Outcome:
    registry = commands()
    if words and words[0].startswith("?"):
        return _found(registry, words[0][1:].lower())
    if words:
        name = words[0].lstrip("/")
        command = registry.find(name)
        return Show(command.usage, f"/{command.name}") if command else registry.unknown(name)
    groups: dict[str, list[str]] = {}
    wide = max(len(command.name) for command in registry.commands) + 3
    for command in registry.commands:
        groups.setdefault(command.group, []).append(f"  {f'/{command.name}':<{wide}}{command.summary}")
    return Show("\n\n".join("\n".join([name, *sorted(rows)]) for name, rows in groups.items()), "commands")


def _found(registry: Registry, word: str) -> Outcome:
    """Commands with a word in their names or in what is said of them."""
    rows = {
        f"/{command.name}": command.summary
        for command in registry.commands
        if word in " ".join((command.name, *command.aliases, command.summary, command.group)).lower()
    }
    if not rows:
        return Fail(f"no command is about {word!r}", "/help lists the commands.")
    wide = max(map(len, rows)) + 2
    return Show("\n".join(f"{name:<{wide}}{summary}" for name, summary in rows.items()), f"commands about {word}")


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
