"""What stands above a conversation: where it is, which instruction files the model is given, and the keys to begin with."""

import os

from codi.agent.context_files import files_in, folders_between
from codi.engine.places import Places

_KEYS = "/ commands  @ files  ! shell  ? help  esc stops  ctrl+o shows all  ctrl+d leaves"
_MOST_NAMED = 4


def header(places: Places, *, with_files: bool = True) -> list[str]:
    lines = [_shown(places.cwd)]
    if with_files:
        folders = [places.home, *folders_between(places.root, places.cwd)]
        names = [_shown(path, places.cwd) for folder in folders for path in files_in(folder)]
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        if names:
            lines.append(f"context: {', '.join(names[-_MOST_NAMED:])}{more}")
    return [*lines, _KEYS]


def _shown(path: str, cwd: str = "") -> str:
    if cwd and path.startswith(f"{cwd}/"):
        return path[len(cwd) + 1 :]
    home = os.path.expanduser("~")
    return f"~{path[len(home) :]}" if path == home or path.startswith(f"{home}/") else path
