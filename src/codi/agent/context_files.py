"""The instruction files of a project: AGENTS.md and its kin.

In each folder the first of the known names counts; codi's home comes first, then the project's root down to the working
directory, so that what is nearer is read later. `@path` in a file brings in another. Text is data: it is shown to the
model with its path, and grants no rights.
"""

import os
import re
from collections.abc import Callable, Collection, Iterator

from msgspec import Struct

NAMES = ("AGENTS.md", "CODI.md", "CLAUDE.md")
FALLBACKS = (".codi/CODI.md", ".codi/context.md", ".claude/CLAUDE.md")
MAX_FILE = 32 * 1024
"""Bytes of one file that are sent."""
MAX_ALL = 96 * 1024
"""Bytes of all of them together."""
MAX_DEPTH = 5
_MAX_WORDS = 6
_IMPORT = re.compile(r"(?:^|(?<=[\s(\[]))@(?P<rest>[^\s`@].*)")
_AFTER_A_PATH = ".,;:!?)]}>\"'*"
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>.*)")


class Ground(Struct, frozen=True, kw_only=True):
    """Where files are looked for: absolute, real paths. A file of the project may reach out of it where it is trusted, as it
    now is; what `is_secret` is never brought in."""

    home: str
    root: str
    cwd: str
    trusts: Callable[[str], bool] = lambda path: False
    is_secret: Callable[[str], bool] = lambda path: False


class ContextFile(Struct, frozen=True):
    path: str
    text: str

    @property
    def tagged(self) -> str:
        """As the model reads it. The text cannot end its own tag, and pass for something else."""
        path = self.path.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace("\n", "&#10;")
        text = self.text.replace("</project_", "<\\/project_")
        return f'<project_instructions path="{path}">\n{text}\n</project_instructions>'


class ContextFiles(Struct, frozen=True):
    """`notices` say what was cut or could not be read; person and model are told. `reaching` are files of the project that
    would reach out of it, and are not trusted to."""

    files: tuple[ContextFile, ...]
    notices: tuple[str, ...] = ()
    reaching: tuple[str, ...] = ()


def context_files(ground: Ground) -> ContextFiles:
    """All files that hold for the working directory: those of codi's home, then of each folder from the project's root."""
    reading = _Reading(ground)
    for folder in (ground.home, *folders_between(ground.root, ground.cwd)):
        reading.add_folder(folder)
    return reading.found()


def files_of_folder(folder: str, ground: Ground, given: Collection[ContextFile]) -> ContextFiles:
    """The files of one folder, read when a tool first touches something in it, as far as those already `given` leave room."""
    reading = _Reading(ground, given)
    reading.add_folder(folder)
    return reading.found()


def folders_between(root: str, folder: str) -> list[str]:
    """`root` and the folders below it, down to `folder`; `root` alone where that lies elsewhere."""
    below = os.path.relpath(folder, root)
    names = [] if below == "." or below.split(os.sep)[0] == ".." else below.split(os.sep)
    return [os.path.join(root, *names[:length]) for length in range(len(names) + 1)]


def files_in(folder: str) -> Iterator[str]:
    """The instruction files of a folder: the first known name (or its override), and local additions beside it."""
    try:
        with os.scandir(folder) as entries:
            present = {entry.name: entry.path for entry in entries if entry.is_file()}
    except OSError:
        return
    folded = {name.lower(): path for name, path in sorted(present.items(), reverse=True)}
    if "AGENTS.override.md" in present:
        yield present["AGENTS.override.md"]
    else:
        named = next((path for name in NAMES if (path := present.get(name) or folded.get(name.lower()))), None)
        nested = (os.path.join(folder, name) for name in FALLBACKS)
        if first := named or next((path for path in nested if os.path.isfile(path)), None):
            yield first
    for name in NAMES:
        if local := present.get(name.replace(".md", ".local.md")):
            yield local


class _Reading:
    """Files as they are gathered, within the limits."""

    def __init__(self, ground: Ground, given: Collection[ContextFile] = ()) -> None:
        self._ground = ground
        self._home, self._root = os.path.realpath(ground.home), os.path.realpath(ground.root)
        self._files: list[ContextFile] = []
        self._notices: list[str] = []
        self._reaching: dict[str, None] = {}
        self._seen = {os.path.realpath(file.path) for file in given}
        self._left = MAX_ALL - sum(len(file.text.encode()) for file in given)

    def found(self) -> ContextFiles:
        return ContextFiles(tuple(self._files), tuple(self._notices), tuple(self._reaching))

    def add_folder(self, folder: str) -> None:
        is_own = os.path.realpath(folder) == self._home
        for path in files_in(folder):
            real = os.path.realpath(path)
            if not is_own and self._ground.is_secret(real):
                self._notices.append(f"{path} is not read: it leads to a place where secrets are kept")
            elif not is_own and not _inside(real, self._root) and not self._may_reach(path):
                self._notices.append(f"{path} is not read: it leads out of a project that is not trusted")
            else:
                self._add(path, (), is_own=is_own)

    def _add(self, path: str, importers: tuple[str, ...], *, is_own: bool) -> None:
        real = os.path.realpath(path)
        if real in self._seen:
            return
        self._seen.add(real)
        try:
            with open(real, "rb") as file:
                content = file.read(MAX_FILE + 1)
        except OSError as error:
            self._notices.append(f"{path} cannot be read: {error.strerror}")
            return
        text = self._cut(path, content)
        if not text.strip():
            return
        wanted, remarks = self._imports(text, path, (*importers, real), is_own=is_own)
        self._files.append(ContextFile(path, "\n".join((text.rstrip(), *remarks))))
        for each in wanted:
            self._add(each, (*importers, real), is_own=is_own)

    def _cut(self, path: str, content: bytes) -> str:
        """The text as far as there is room for it, cut at a line."""
        room = max(0, min(MAX_FILE, self._left))
        if len(content) <= room:
            self._left -= len(content)
            return content.decode("utf-8-sig", errors="replace")
        text = content[:room].decode("utf-8-sig", errors="ignore")
        text = text[: text.rfind("\n") + 1] or text
        self._left -= len(text.encode())
        limit = f"{MAX_FILE // 1024} KiB a file" if room == MAX_FILE else f"{MAX_ALL // 1024} KiB of all such files"
        self._notices.append(f"{path} was cut: no more than {limit} is sent")
        return f"{text}[cut: {path} goes on; no more than {limit} is sent]\n"

    def _imports(self, text: str, by: str, importers: tuple[str, ...], *, is_own: bool) -> tuple[list[str], list[str]]:
        """The files that a text brings in, and remarks on those that it cannot."""
        wanted, remarks = [], []
        for words in _mentions(text):
            found = _file_named(words, os.path.dirname(importers[-1]))
            if found is None:
                continue
            named, path = found
            why = self._refusal(os.path.realpath(path), importers, is_own=is_own)
            if why is None:
                wanted.append(path)
            else:
                remarks.append(f"[@{named} is not imported: {why}]")
                self._notices.append(f"{by}: @{named} is not imported: {why}")
        return wanted, remarks

    def _refusal(self, real: str, importers: tuple[str, ...], *, is_own: bool) -> str | None:
        """Why a file may not be brought in; None if it may."""
        if real in importers:
            return "the files import each other in a circle"
        is_inside = _inside(real, self._root) or (is_own and _inside(real, self._home))
        if not is_inside and not (_inside(real, self._home) and self._may_reach(importers[-1])):
            is_known = is_own or not _inside(real, self._home)
            return "it lies outside of the project" + ("" if is_known else ", which is not trusted")
        if self._ground.is_secret(real):
            return "it is a place where secrets are kept"
        if len(importers) > MAX_DEPTH:
            return f"it is more than {MAX_DEPTH} files deep"
        return None

    def _may_reach(self, path: str) -> bool:
        """Whether a file of the project is trusted to reach out of it; one that is not is told of."""
        if self._ground.trusts(path):
            return True
        self._reaching[path] = None
        return False


def _mentions(text: str) -> Iterator[list[str]]:
    """The words after each `@` that stands neither in a fenced block nor in a code span."""
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            if mark and mark["fence"].startswith(fence) and not mark["info"].strip():
                fence = ""
        elif mark and not (mark["fence"][0] == "`" and "`" in mark["info"]):
            fence = mark["fence"]
        else:
            rest = _CODE_SPAN.sub(" ` ", line)
            while match := _IMPORT.search(rest):
                rest = match["rest"]
                yield rest.split("`")[0].split()[:_MAX_WORDS]


def _file_named(words: list[str], folder: str) -> tuple[str, str] | None:
    """The longest beginning of the words that names a file, as it was written and as a path."""
    for count in range(len(words), 0, -1):
        whole = " ".join(words[:count])
        for name in dict.fromkeys((whole, whole.rstrip(_AFTER_A_PATH))):
            path = os.path.normpath(os.path.join(folder, os.path.expanduser(name)))
            if name and os.path.isfile(path):
                return name, path
    return None


def _inside(path: str, place: str) -> bool:
    return path.startswith(place.rstrip(os.sep) + os.sep)
