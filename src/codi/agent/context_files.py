"""The instruction files of a project: AGENTS.md and its kin.

In each folder the first of the known names counts; the home folder comes first, then the project's root down to the
working directory, so that what is nearer is read later. `@path` in a file brings in another. Text is data: it is shown to the
model with its path, and grants no rights.
"""

import os
import re
from collections.abc import Iterator

from msgspec import Struct

NAMES = ("AGENTS.md", "CODI.md", "CLAUDE.md")
FALLBACKS = (".codi/CODI.md", ".codi/context.md", ".claude/CLAUDE.md")
MAX_FILE = 32 * 1024
MAX_ALL = 96 * 1024
MAX_DEPTH = 5
_IMPORT = re.compile(r"(?<![\w`@/])@(?P<path>(?:~/|\.{0,2}/)?[\w.][\w./ -]*\w|~/[\w./-]+)")
_CODE_SPAN = re.compile(r"`[^`\n]*`")


class ContextFile(Struct, frozen=True):
    path: str
    text: str


class ContextFiles(Struct, frozen=True):
    """`notices` say what was cut or could not be read; person and model are told."""

    files: tuple[ContextFile, ...]
    notices: tuple[str, ...] = ()


def context_files(home: str, root: str, cwd: str) -> ContextFiles:
    """All files that hold for `cwd`: those of codi's home, then of each folder from the project's root to `cwd`."""
    reading = _Reading((root, home))
    for folder in (home, *_folders(root, cwd)):
        for path in files_of(folder):
            reading.add(path)
    return ContextFiles(tuple(reading.files), tuple(reading.notices))


def files_below(folder: str, root: str, home: str) -> ContextFiles:
    """The files of one folder below the working directory, read when a tool first touches something in it."""
    reading = _Reading((root, home))
    for path in files_of(folder):
        reading.add(path)
    return ContextFiles(tuple(reading.files), tuple(reading.notices))


def files_of(folder: str) -> Iterator[str]:
    """The instruction files of a folder: the first known name (or its override), and local additions beside it."""
    try:
        present = {name: os.path.join(folder, name) for name in os.listdir(folder)}
    except OSError:
        return
    folded = {name.lower(): path for name, path in sorted(present.items(), reverse=True)}
    if "AGENTS.override.md" in present:
        yield present["AGENTS.override.md"]
    else:
        named = next((path for name in NAMES if (path := present.get(name) or folded.get(name.lower()))), None)
        nested = (os.path.join(folder, name) for name in FALLBACKS)
        first = named or next((path for path in nested if os.path.isfile(path)), None)
        if first:
            yield first
    for name in NAMES:
        local = present.get(name.replace(".md", ".local.md"))
        if local:
            yield local


def _folders(root: str, cwd: str) -> Iterator[str]:
    yield root
    below = os.path.relpath(cwd, root)
    if below != "." and not below.startswith(".."):
        folder = root
        for name in below.split(os.sep):
            folder = os.path.join(folder, name)
            yield folder


class _Reading:
    """Files as they are gathered, within the limits."""

    def __init__(self, places: tuple[str, ...]) -> None:
        self.files: list[ContextFile] = []
        self.notices: list[str] = []
        self._places = tuple(os.path.realpath(place) for place in places)
        self._seen: set[str] = set()
        self._left = MAX_ALL

    def add(self, path: str, depth: int = 0) -> None:
        real = os.path.realpath(path)
        if real in self._seen or not os.path.isfile(real):
            return
        self._seen.add(real)
        try:
            with open(real, "rb") as file:
                content = file.read(MAX_FILE + 1)
        except OSError as error:
            self.notices.append(f"{path} cannot be read: {error.strerror}")
            return
        room = min(MAX_FILE, self._left)
        text = content.decode("utf-8-sig", errors="replace")
        if len(content) > room:
            text = content[:room].decode("utf-8-sig", errors="ignore").rpartition("\n")[0]
            text += f"\n[cut: {path} is longer than what may be sent of it]"
            self.notices.append(f"{path} was cut to {room // 1024} KiB")
        self._left -= len(text.encode())
        for wanted in _imports(text):
            self._import(os.path.join(os.path.dirname(real), os.path.expanduser(wanted)), wanted, path, depth + 1)
        if text.strip() and self._left > -MAX_FILE:
            self.files.append(ContextFile(path, text.rstrip()))

    def _import(self, path: str, wanted: str, by: str, depth: int) -> None:
        real = os.path.realpath(path)
        if not os.path.isfile(real):
            return
        if not any(real.startswith(place + os.sep) for place in self._places):
            self.notices.append(f"{by} imports {wanted}, which lies outside of the project")
        elif depth > MAX_DEPTH:
            self.notices.append(f"{by} imports {wanted} more than {MAX_DEPTH} files deep")
        elif real in self._seen:
            self.notices.append(f"{by} imports {wanted}, which was read already")
        else:
            self.add(path, depth)


def _imports(text: str) -> Iterator[str]:
    fenced = False
    for line in text.splitlines():
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced:
            for match in _IMPORT.finditer(_CODE_SPAN.sub("", line)):
                yield match["path"].strip()
