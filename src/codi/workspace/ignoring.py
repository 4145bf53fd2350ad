"""Walking a folder past what its ignore files name: .ignore, .gitignore and .git/info/exclude, at every level.

They are honoured whether or not the folder is a git repository. As with ripgrep a .ignore file outranks every .gitignore,
nearer files outrank farther ones, and a repository inside another does not obey the outer one's .gitignore.
"""

import os
import stat
from collections.abc import Iterator

from msgspec import Struct

from codi.workspace.descent import naming, read_all
from codi.workspace.ignore_rules import IgnoreRules, ignore_rules


class _Level(Struct, frozen=True):
    """Rules, and how many bytes of an absolute path to leave out before they look at it."""

    rules: IgnoreRules
    offset: int


class _Standing(Struct, frozen=True):
    """The rules that hold in one folder, nearest first."""

    ignore: tuple[_Level, ...] = ()
    gitignore: tuple[_Level, ...] = ()
    exclude: tuple[_Level, ...] = ()

    def below(self, folder: bytes, names: "dict[bytes, os.DirEntry[bytes]]") -> "_Standing":
        """With what a folder itself has to say."""
        if b".git" not in names and b".gitignore" not in names and b".ignore" not in names:
            return self
        gitignore, exclude = self.gitignore, self.exclude
        if b".git" in names:
            gitignore, exclude = (), _level(_exclude_file(folder), folder)
        return _Standing(
            ignore=(_level(folder + b"/.ignore", folder) if b".ignore" in names else ()) + self.ignore,
            gitignore=(_level(folder + b"/.gitignore", folder) if b".gitignore" in names else ()) + gitignore,
            exclude=exclude,
        )

    def ignores(self, name: bytes, path: bytes, *, is_folder: bool) -> bool:
        for levels in (self.ignore, self.gitignore, self.exclude):
            for level in levels:
                verdict = level.rules.verdict(name, path[level.offset :], is_folder=is_folder)
                if verdict is not None:
                    return verdict
        return False


def files_below(folder: str, root: str, *, hidden: bool, include_ignored: bool, folders: bool = False) -> Iterator[str]:
    """Files and links below a real folder, as paths relative to it, sorted within each folder, files before folders. With
    `folders` each folder comes too, before what is in it, and ends in `/`.

    Ignore files are read from the repository's top folder downwards, or from `root` when there is no repository. Raises
    OSError when the folder itself cannot be listed; what cannot be listed below it is left out.
    """
    with naming(folder):
        start = os.fsencode(folder).rstrip(b"/")
        entries = _listed(start)
    standing = _Standing()
    if not include_ignored:
        for above in _folders_above(start, os.fsencode(root)):
            standing = standing.below(above, _ignore_files_of(above))
    return _files(start, entries, standing, hidden, include_ignored, folders)


def _files(
    start: bytes,
    entries: "dict[bytes, os.DirEntry[bytes]]",
    standing: _Standing,
    hidden: bool,
    include_ignored: bool,
    with_folders: bool,
) -> Iterator[str]:
    offset = len(start) + 1
    waiting = [(start, standing)]
    while waiting:
        folder, standing = waiting.pop()
        if folder != start:
            try:
                entries = _listed(folder)
            except OSError:
                entries = {}
            if with_folders:
                yield os.fsdecode(folder[offset:]) + "/"
        if not include_ignored:
            standing = standing.below(folder, entries)
        free = include_ignored or standing == _NOTHING
        folders = []
        for name in sorted(entries):
            entry = entries[name]
            if name == b".git" or (not hidden and name.startswith(b".")):
                continue
            is_folder = entry.is_dir(follow_symlinks=False)
            if not free and standing.ignores(name, entry.path, is_folder=is_folder):
                continue
            if is_folder:
                folders.append((entry.path, standing))
            elif entry.is_file(follow_symlinks=False) or entry.is_symlink():
                yield os.fsdecode(entry.path[offset:])
        waiting += reversed(folders)


_NOTHING = _Standing()


def _listed(folder: bytes) -> "dict[bytes, os.DirEntry[bytes]]":
    with os.scandir(folder or b"/") as found:
        return {entry.name: entry for entry in found}


def _folders_above(start: bytes, root: bytes) -> list[bytes]:
    """The folders whose ignore files hold in `start` without being in it, topmost first."""
    top = next((folder for folder in _upwards(start) if os.path.lexists(folder + b"/.git")), None)
    if top is None:
        top = root if start.startswith(root.rstrip(b"/") + b"/") else start
    above = []
    for folder in _upwards(start):
        if folder == top:
            break
        above.append(os.path.dirname(folder))
    return above[::-1]


def _upwards(folder: bytes) -> Iterator[bytes]:
    while folder not in (b"", b"/"):
        yield folder
        folder = os.path.dirname(folder)


def _ignore_files_of(folder: bytes) -> "dict[bytes, os.DirEntry[bytes]]":
    try:
        return _listed(folder)
    except OSError:
        return {}


def _level(path: bytes, folder: bytes) -> tuple[_Level, ...]:
    rules = ignore_rules(_content(path))
    return (_Level(rules, len(folder) + 1),) if rules else ()


def _content(path: bytes) -> bytes:
    """Of a regular file, as small as ignore files are; git does not follow links to them either."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return b""
    return read_all(descriptor)


def _exclude_file(folder: bytes) -> bytes:
    """Of the repository whose top folder this is. In a linked worktree `.git` is a file that names its place."""
    named = _content(folder + b"/.git")
    if not named.startswith(b"gitdir:"):
        return folder + b"/.git/info/exclude"
    place = os.path.join(folder, named.removeprefix(b"gitdir:").strip())
    return os.path.join(place, _content(place + b"/commondir").strip(), b"info/exclude")
