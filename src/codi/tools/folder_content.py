"""All that lies in a folder which is to be moved, copied or deleted as a whole."""

import os
from collections.abc import Iterator, Sequence

from anyio.lowlevel import checkpoint
from msgspec import Struct

from codi.tools.changing import Present, present
from codi.tools.output import size
from codi.tools.tool import ToolFailed
from codi.workspace.workspace import FileFacts, Workspace

MOST_FILES = 2000
MOST_BYTES = 256 * 1024 * 1024


class Content(Struct, frozen=True):
    """`files` with their modes, `links` and `folders` (a folder before those in it), all by their paths below the workspace."""

    files: tuple[tuple[Present, int], ...]
    links: tuple[str, ...]
    folders: tuple[str, ...]


def check_may_go(workspace: Workspace, path: str, own: Sequence[str], what: str) -> None:
    """Raises ToolFailed for what no tool may move, delete or replace: the root, a repository's `.git`, and codi's own files."""
    place = workspace.resolve(path)
    shown = workspace.shown(path)
    if _is_or_holds(place, workspace.root):
        raise ToolFailed(f"{shown} is the workspace root or holds it; it cannot be {what}.")
    if ".git" in place.split("/"):
        raise ToolFailed(f"{shown} belongs to git's own files (.git) and cannot be {what}. Use shell and git.")
    if ".codi" in place.split("/") or any(_is_or_holds(place, folder) or _is_or_holds(folder, place) for folder in own):
        raise ToolFailed(f"{shown} is one of codi's own files and cannot be {what}.")


def _is_or_holds(place: str, other: str) -> bool:
    return place == other or other.startswith(place.rstrip("/") + "/")


async def content_below(workspace: Workspace, path: str, what: str) -> Content:
    """Raises ToolFailed where the folder holds what is not to be touched, or too much for undoing it."""
    files: list[tuple[Present, int]] = []
    links: list[str] = []
    folders: list[str] = []
    room = MOST_BYTES
    for place, facts in _found(workspace, path.rstrip("/") or "/"):
        await checkpoint()
        name = os.path.basename(place)
        if name in (".git", ".codi"):
            raise ToolFailed(
                f"{workspace.shown(path)}/ holds {workspace.shown(place)} and cannot be {what}. Use shell."
            )
        if facts.link is not None:
            links.append(place)
        elif facts.kind == "directory":
            folders.append(place)
        elif facts.kind != "file":
            raise ToolFailed(
                f"{workspace.shown(place)} is not a regular file, so its folder cannot be {what}. Use shell."
            )
        else:
            room -= facts.size
            if room < 0 or len(files) == MOST_FILES:
                raise ToolFailed(
                    f"{workspace.shown(path)}/ holds more than {MOST_FILES} files or {size(MOST_BYTES)}, too much to be "
                    f"{what} with this tool. Use shell."
                )
            files.append((await present(workspace, place), facts.mode))
    return Content(tuple(files), tuple(links), tuple(folders))


def _found(workspace: Workspace, folder: str) -> Iterator[tuple[str, FileFacts]]:
    try:
        entries = sorted(workspace.entries(folder))
    except OSError as error:
        raise ToolFailed(f"Cannot list {workspace.shown(folder)}: {error.strerror}") from error
    for name, facts in entries:
        place = f"{folder}/{name}"
        yield place, facts
        if facts.kind == "directory" and facts.link is None:
            yield from _found(workspace, place)
