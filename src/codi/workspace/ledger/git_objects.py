"""Git's objects as a store of contents that costs nothing, and kept alive whatever a command does to the repository.

Git never changes an object, so a hard link to each file of `.git/objects` in a repository of codi's own keeps what
`reset --hard`, `stash drop`, `branch -D`, `gc` or even `rm -rf .git` would lose, and takes no room as long as the user's
repository holds the same objects.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from errno import EMLINK, EPERM, EXDEV
from hashlib import sha1

from codi.workspace import processes
from codi.workspace.git import NEUTRAL
from codi.workspace.ledger import git_index

_SMALL = 1024 * 1024
_MOST_COPIED = 32 * 1024 * 1024


class GitObjects:
    """`folder` is the repository of our own, `git` the user's git folder, `common` where its objects and refs are (the same
    but for a worktree). `blobs` gives the id of a content there by its SHA-256."""

    def __init__(self, folder: str, git: str, common: str, blobs: dict[str, str]) -> None:
        self.git = git
        self.common = common
        self.blobs = blobs
        self.tracked_folders: frozenset[str] = frozenset()
        self._folder = folder
        self._ids: set[str] = set()
        self._index: tuple[int, ...] = ()
        self._linked: dict[str, int] = {}
        self._copied = 0
        self._cat: _Cat | None = None

    def look(self) -> None:
        """Read the index if it changed, and link what objects came since."""
        try:
            status = os.stat(os.path.join(self.git, "index"))
            seen = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
            if seen != self._index:
                with open(os.path.join(self.git, "index"), "rb") as file:
                    tracked = list(git_index.entries(file.read()))
                self._ids = {entry.id for entry in tracked if len(entry.id) == 40}
                self.tracked_folders = frozenset(_folders(entry.path for entry in tracked))
                self._index = seen
        except OSError:
            self._ids, self.tracked_folders, self._index = set(), frozenset(), ()
        self._link()

    def holds(self, content: bytes, id: str) -> bool:
        """Whether git has this content, as a file of its index."""
        if not self._ids:
            return False
        blob = sha1(b"blob %d\0" % len(content), usedforsecurity=False)
        blob.update(content)
        if (name := blob.hexdigest()) not in self._ids:
            return False
        self.blobs[id] = name
        return True

    def content(self, id: str) -> bytes | None:
        """A content that git holds. None where it does not, or git is not there. `rest` when no more are asked for."""
        blob = self.blobs.get(id)
        if blob is None:
            return None
        try:
            self._cat = self._cat or _Cat(self._folder)
            return self._cat.blob(blob)
        except (OSError, ValueError):
            return None

    def rest(self) -> None:
        if self._cat:
            self._cat.close()
            self._cat = None

    def objects(self) -> str:
        return os.path.join(self._folder, "objects")

    def put_back(self) -> None:
        """Link every object that we keep into the user's repository, which lost its own. Raises OSError."""
        ours, theirs = self.objects(), os.path.join(self.common, "objects")
        for folder, _, names in os.walk(ours):
            there = os.path.join(theirs, os.path.relpath(folder, ours))
            os.makedirs(there, exist_ok=True)
            for name in names:
                if not os.path.lexists(os.path.join(there, name)) and name != "alternates":
                    _copy(os.path.join(folder, name), os.path.join(there, name), 0o444)

    def used(self) -> int:
        """Bytes of objects that only we still hold."""
        return sum(size for _, size in self._alone())

    def drop(self) -> None:
        """Give up the objects that the user's repository has no more."""
        theirs = os.path.join(self.common, "objects")
        for path, _ in list(self._alone()):
            if not os.path.lexists(os.path.join(theirs, os.path.relpath(path, self.objects()))):
                os.unlink(path)

    def _alone(self) -> Iterator[tuple[str, int]]:
        for folder, _, names in os.walk(self.objects()):
            for name in names:
                with suppress(FileNotFoundError):
                    status = os.lstat(os.path.join(folder, name))
                    if status.st_nlink == 1 and name != "alternates":
                        yield os.path.join(folder, name), status.st_size

    def _link(self) -> None:
        theirs = os.path.join(self.common, "objects")
        try:
            with os.scandir(theirs) as entries:
                folders = [(entry.name, entry.stat().st_mtime_ns) for entry in entries if entry.is_dir()]
        except OSError:
            return
        _make(self.objects())
        for name, changed in folders:
            if name == "info" or self._linked.get(name) == changed:
                continue
            ours = os.path.join(self.objects(), name)
            _make(ours)
            with suppress(OSError):
                present = set(os.listdir(ours))
                for file in os.listdir(os.path.join(theirs, name)):
                    if file not in present and not file.startswith("tmp_"):
                        with suppress(FileNotFoundError):
                            self._link_or_copy(os.path.join(theirs, name, file), os.path.join(ours, file))
                self._linked[name] = changed
        if not os.path.exists(os.path.join(self._folder, "HEAD")):
            self._make_repository(theirs)

    def _link_or_copy(self, source: str, target: str) -> None:
        # A link shares the mode of git's own file. What is small is copied, and is as private as all else in codi's home.
        size = os.stat(source).st_size
        if size <= _SMALL and self._copied + size <= _MOST_COPIED:
            self._copied += size
            _copy(source, target, 0o600)
            return
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in (EXDEV, EMLINK, EPERM):
                raise

    def _make_repository(self, theirs: str) -> None:
        _make(os.path.join(self._folder, "refs"))
        _make(os.path.join(self.objects(), "info"))
        others = [theirs]
        with suppress(OSError), open(os.path.join(theirs, "info", "alternates"), encoding="utf-8") as file:
            others += [os.path.normpath(os.path.join(theirs, line.rstrip("\n"))) for line in file if line.strip()]
        _write(os.path.join(self.objects(), "info", "alternates"), "".join(f"{path}\n" for path in others))
        _write(os.path.join(self._folder, "HEAD"), "ref: refs/heads/none\n")


class _Cat:
    """A running `git cat-file`."""

    def __init__(self, repository: str) -> None:
        asked, self._ask = os.pipe()
        answer, told = os.pipe()
        actions = [
            (os.POSIX_SPAWN_DUP2, asked, 0),
            (os.POSIX_SPAWN_DUP2, told, 1),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        words = ("git", f"--git-dir={repository}", "cat-file", "--batch")
        environment = processes.environment_for(os.environ, NEUTRAL)
        try:
            self._process = os.posix_spawn(_program("git"), words, environment, file_actions=actions)
        except OSError:
            os.close(self._ask)
            os.close(answer)
            raise
        finally:
            os.close(asked)
            os.close(told)
        self._answer = open(answer, "rb")  # noqa: SIM115 - closed with the process

    def blob(self, id: str) -> bytes | None:
        os.write(self._ask, f"{id}\n".encode())
        words = self._answer.readline().split()
        if len(words) != 3:
            return None
        content = self._answer.read(int(words[2]) + 1)[:-1]
        return content if words[1] == b"blob" else None

    def close(self) -> None:
        os.close(self._ask)
        self._answer.close()
        os.waitpid(self._process, 0)


def _program(name: str) -> str:
    for folder in os.get_exec_path():
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(name)


def _make(folder: str) -> None:
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def _copy(source: str, target: str, mode: int) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with open(source, "rb") as read, open(descriptor, "wb") as written:
        written.write(read.read())


def _folders(paths: Iterator[str]) -> set[str]:
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found
