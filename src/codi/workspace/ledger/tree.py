"""The tree as it was last seen: for every path enough to notice a change, and the id of its content.

Its own id is a sum over what stands at every path, kept up to date with each change, so that equal trees have equal ids and
asking for it costs nothing. Git's own files are no part of it.

It is kept between starts in a file that is quick to load. What steps changed since that file was written stands in the
journal, so the file may be older than the journal, but never wrong.
"""

import os
import stat
from collections.abc import Iterator
from hashlib import blake2b

from msgspec import DecodeError, Struct, ValidationError, msgpack

from codi.workspace.ledger.states import ABSENT, Absent, Directory, File, Link, Special, State, Uncovered, state_of

Known = tuple[int, int, int, int, int, str]
"""Change time (0: look at the content again, whatever the times say), modification time, size, inode, mode with type, and
content: the id of a file's ("" if it is not covered) or the target of a link."""

_ALL_BITS = (1 << 128) - 1

_KINDS = {"fifo": stat.S_IFIFO, "socket": stat.S_IFSOCK, "device": stat.S_IFCHR}


class _Saved(Struct, array_like=True):
    step: int
    complete: bool
    sum: str
    folders: dict[str, dict[str, Known]]
    blobs: dict[str, str]
    uncovered: dict[str, str]


class Tree:
    """`folders` holds for each folder what it contains, by name; the root's own entry is that of "." in the folder "".
    `step` is the newest step whose changes are in here; `complete` says that everything was looked at; `blobs` are the contents that git holds, with their ids there;
    `uncovered` says of files why their content is not kept."""

    def __init__(self) -> None:
        self.folders: dict[str, dict[str, Known]] = {}
        self.blobs: dict[str, str] = {}
        self.uncovered: dict[str, str] = {}
        self.step = 0
        self.complete = False
        self._sum = 0

    @property
    def id(self) -> str:
        """The id of all that stands in the tree, 32 hex digits."""
        return f"{self._sum:032x}"

    def known(self, path: str) -> Known | None:
        folder, name = split(path)
        return self.folders.get(folder, {}).get(name)

    def state(self, path: str) -> State:
        known = self.known(path)
        return ABSENT if known is None else state_in(known)

    def learn(self, path: str, known: Known | None) -> None:
        """What is at a path now. Where nothing is, nothing is below it either."""
        folder, name = split(path)
        self.uncovered.pop(path, None)
        before = self.folders.get(folder, {}).get(name)
        if known is None:
            self.folders.get(folder, {}).pop(name, None)
        else:
            self.folders.setdefault(folder, {})[name] = known
        if before is None or known is None or before[4:] != known[4:]:
            self._count(path, before, known)
        if known is None or not stat.S_ISDIR(known[4]):
            self._forget_below(path)

    def assume(self, path: str, state: State) -> None:
        """What a step says is at a path; the next look will look closely."""
        known: Known | None
        match state:
            case Absent():
                known = None
            case File(mode, id, size):
                known = (0, 0, size, 0, stat.S_IFREG | mode, id)
            case Uncovered(mode, size, mtime_ns):
                known = (0, mtime_ns, size, 0, stat.S_IFREG | mode, "")
            case Link(target):
                known = (0, 0, 0, 0, stat.S_IFLNK | 0o777, target)
            case Directory(mode):
                known = (0, 0, 0, 0, stat.S_IFDIR | mode, "")
            case Special(kind, mode):
                known = (0, 0, 0, 0, _KINDS[kind] | mode, "")
        self.learn(path, known)

    def below(self, path: str) -> Iterator[tuple[str, Known]]:
        """Everything under a path, each folder before what it contains."""
        for name, known in self.folders.get(path, {}).items():
            inner = joined(path, name)
            yield inner, known
            if stat.S_ISDIR(known[4]):
                yield from self.below(inner)

    def names_of(self, inode: int) -> Iterator[str]:
        """The paths of all names of a file."""
        for folder, entries in self.folders.items():
            for name, known in entries.items():
                if known[3] == inode:
                    yield joined(folder, name)

    def contents(self) -> set[str]:
        return {
            known[5]
            for folder in self.folders.values()
            for known in folder.values()
            if known[5] and not stat.S_ISLNK(known[4])
        }

    def count(self) -> int:
        return sum(map(len, self.folders.values()))

    def _forget_below(self, path: str) -> None:
        waiting = [path]
        while waiting:
            folder = waiting.pop()
            for name, known in self.folders.pop(folder, {}).items():
                inner = joined(folder, name)
                self.uncovered.pop(inner, None)
                self._count(inner, known, None)
                if stat.S_ISDIR(known[4]):
                    waiting.append(inner)

    def _count(self, path: str, before: Known | None, now: Known | None) -> None:
        if path.startswith(("/", ".git/")) or path == ".git":
            return
        less = _weight(path, before) if before else 0
        self._sum = (self._sum - less + (_weight(path, now) if now else 0)) & _ALL_BITS

    def save(self, path: str) -> None:
        """Raises OSError."""
        try:
            text = msgpack.encode(_Saved(self.step, self.complete, self.id, self.folders, self.blobs, self.uncovered))
        except UnicodeEncodeError:
            return  # a name that is no UTF-8: the next start looks at everything
        fresh = f"{path}.{os.getpid()}.tmp"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "wb") as file:
            file.write(text)
        os.rename(fresh, path)

    @classmethod
    def load(cls, path: str) -> "Tree":
        """The tree in a file; an empty one where there is none that can be read."""
        tree = cls()
        try:
            with open(path, "rb") as file:
                saved = msgpack.decode(file.read(), type=_Saved)
        except (OSError, DecodeError, ValidationError):
            return tree
        tree.step, tree.complete, tree.folders = saved.step, saved.complete, saved.folders
        tree.blobs, tree.uncovered, tree._sum = saved.blobs, saved.uncovered, int(saved.sum, 16)
        return tree


def _weight(path: str, known: Known) -> int:
    told = (
        f"{path}\0{known[4]:o}\0{known[5] or known[1:3]}"
        if stat.S_ISREG(known[4])
        else f"{path}\0{known[4]:o}\0{known[5]}"
    )
    return int.from_bytes(blake2b(told.encode("utf-8", "surrogateescape"), digest_size=16).digest(), "big")


def state_in(known: Known) -> State:
    mode = known[4]
    return state_of(stat.S_IFMT(mode), stat.S_IMODE(mode), known[5], known[2], known[1])


def split(path: str) -> tuple[str, str]:
    """The folder of a path, and its name there."""
    if path == ".":
        return "", "."
    folder, slash, name = path.rpartition("/")
    return (folder or "/" if slash else "."), name


def joined(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"
