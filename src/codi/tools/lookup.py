"""The file that a path means, or the words for why it cannot be had."""

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice
from os.path import basename, dirname
from unicodedata import normalize

from codi.tools.tool import ToolFailed
from codi.workspace.workspace import Kind, Workspace

_MOST_NAMES = 3
_MOST_COMPARED = 5000


def spellings(path: str) -> tuple[str, ...]:
    """The path, then other spellings of it that look the same: composed and decomposed characters, the narrow space that macOS
    puts before AM and PM, curly apostrophes."""
    narrow = path.replace(" AM", "\u202fAM").replace(" PM", "\u202fPM")
    curly = path.replace("'", "\u2019")
    forms = (path, normalize("NFC", path), normalize("NFD", path), narrow, curly, normalize("NFD", curly))
    return tuple(dict.fromkeys(forms))


async def content_of(workspace: Workspace, path: str) -> bytes:
    """The bytes of a regular file. Raises ToolFailed in words for a model, and FileNotFoundError for what is not there."""
    kind = kind_of(workspace, path)
    if kind == "directory":
        raise ToolFailed(f"{workspace.shown(path)} is a directory; use list.")
    if kind not in ("file", "absent", "link"):
        raise ToolFailed(f"{workspace.shown(path)} is not a regular file.")
    try:
        return await workspace.read(path)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except OSError as error:
        raise ToolFailed(f"Cannot read {workspace.shown(path)}: {error.strerror or error}") from error


def kind_of(workspace: Workspace, path: str) -> Kind:
    """What a path names. Raises ToolFailed where that can not be told."""
    try:
        return workspace.facts(path).kind
    except OSError as error:
        raise ToolFailed(f"Cannot reach {workspace.shown(path)}: {error.strerror or error}") from error


def not_found(workspace: Workspace, path: str) -> ToolFailed:
    """Says so, with up to three names that may be meant."""
    near = list(dict.fromkeys(islice(_near_names(workspace, path), _MOST_NAMES)))
    question = f"\nDid you mean: {', '.join(near)}?" if near else ""
    return ToolFailed(f"File not found: {workspace.shown(path)} (No such file or directory){question}")


def _near_names(workspace: Workspace, path: str) -> Iterator[str]:
    place = workspace.resolve(path)
    folder, name = dirname(place), basename(place)
    names = _names_in(workspace, folder)
    for near in get_close_matches(name.lower(), names, n=_MOST_NAMES, cutoff=0.6):
        yield workspace.shown(f"{folder}/{names[near]}")
    yield from _namesakes(workspace, path)


def _names_in(workspace: Workspace, folder: str) -> dict[str, str]:
    """The files of a folder, by their names in small letters."""
    try:
        entries = workspace.entries(folder)[:_MOST_COMPARED]
    except OSError:
        return {}
    return {name.lower(): name for name, facts in entries if facts.kind in ("file", "link") and _can_be_said(name)}


def _namesakes(workspace: Workspace, path: str) -> Iterator[str]:
    try:
        yield from filter(_can_be_said, workspace.namesakes(path))
    except OSError:
        return


def _can_be_said(name: str) -> bool:
    """A name that is no UTF-8 holds halves of characters, which no message can."""
    return name.encode(errors="ignore").decode() == name
