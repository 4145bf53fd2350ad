"""Looking at the workspace, and finding what became different since it was last looked at.

What the system says of a file (times, size, inode) tells whether it has to be read; only its content tells whether it
changed. A file that changed so lately that it could change again without a trace is read again at the next look.
"""

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256

from msgspec import Struct

from codi.workspace.ledger.contents import Contents
from codi.workspace.ledger.git_objects import GitObjects
from codi.workspace.ledger.states import ABSENT, Change, File, Gap, State
from codi.workspace.ledger.tree import Known, Tree, state_in

MOST_FILES = 200_000
_GRAIN_NS = 50_000_000
_COARSE_GRAIN_NS = 2_000_000_000  # of file systems that count whole seconds
_LOCKS = (".lock",)


class TooMany(Exception):
    """There are more files than anybody wants to have looked at without having been asked."""


class Stopped(Exception):
    """A look was given up in the middle, because nobody waits for it any more."""


class Difference(Struct, frozen=True):
    path: str
    before: Known | None
    after: Known | None


class Scanner:
    """Looks at `root`, and at further `tops` outside of it. `room` says whether a content of so many bytes may still be
    stored. What is not covered stands in `gaps` after each look, what was found so far in `found`."""

    def __init__(
        self,
        root: str,
        tree: Tree,
        contents: Contents,
        git: GitObjects | None,
        *,
        tops: Iterable[str] = (),
        exclude: Iterable[str] = (),
        max_bytes: int,
        room: Callable[[int], bool] = lambda size: True,
    ) -> None:
        self.gaps: list[Gap] = []
        self.found: list[Difference] = []
        self.stopped = False
        self._root = root
        self._tree = tree
        self._contents = contents
        self._git = git
        self._tops = tuple(tops)
        self._exclude = frozenset(exclude)
        self._max_bytes = max_bytes
        self._room = room
        self._excluded: dict[str, list[str]] = {}
        self._why = ""

    def place(self, path: str) -> str:
        """Where a path of the ledger lies on this machine."""
        return path if path.startswith("/") else self._root if path == "." else f"{self._root}/{path}"

    def look(self) -> list[Difference]:
        """Look at everything. The tree knows it afterwards. Raises TooMany, Stopped, and OSError where the disk is full."""
        self.gaps, self._excluded = [], {}
        if self._git:
            self._git.look()
        differences: list[Difference] = []
        self.found = differences
        for top in (".", *self._tops):
            self._settle(top, _status(self.place(top)), differences)
            if os.path.isdir(self.place(top)):
                self._look_below(top, differences)
        self._tree.complete = True
        self.gaps += [Gap(path, why) for path, why in sorted(self._tree.uncovered.items())]
        self.gaps += [
            Gap(paths[0] if len(paths) == 1 else f"{name} ({len(paths)} folders)", "excluded by undo.exclude")
            for name, paths in sorted(self._excluded.items())
        ]
        return differences

    def look_at(self, paths: Iterable[str]) -> list[Difference]:
        """Look at these paths and at what lies below them."""
        self.gaps, self._excluded = [], {}
        differences: list[Difference] = []
        self.found = differences
        for path in paths:
            status = _status(self.place(path))
            self._settle(path, status, differences)
            if status is not None and stat.S_ISDIR(status.st_mode):
                self._look_below(path, differences)
        return differences

    def _look_below(self, top: str, differences: list[Difference]) -> None:
        folders, exclude, waiting = self._tree.folders, self._exclude, [top]
        count = 0
        while waiting:
            folder = waiting.pop()
            known = folders.get(folder, {})
            same = 0
            other: list[tuple[str, os.stat_result]] = []
            prefix = "" if folder == "." else f"{folder}/"
            try:
                with os.scandir(self.place(folder)) as found:
                    entries = list(found)
            except FileNotFoundError:
                continue
            except OSError as error:
                self.gaps.append(Gap(folder, f"cannot be read: {error.strerror}"))
                continue
            for entry in entries:
                name = entry.name
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:
                    continue  # it went away since it was listed
                was = known.get(name)
                if entry.is_dir(follow_symlinks=False):
                    path = prefix + name
                    if (name in exclude and self._is_excluded(path, name)) or self._is_store(folder, name):
                        continue
                    waiting.append(path)
                    if was is not None and was[4] == status.st_mode:
                        same += 1
                    else:
                        other.append((path, status))
                elif (
                    was is not None
                    and was[0] == status.st_ctime_ns
                    and was[1] == status.st_mtime_ns
                    and was[2] == status.st_size
                    and was[3] == status.st_ino
                ):
                    same += 1
                else:
                    other.append((prefix + name, status))
            if same < len(known):
                present = {entry.name for entry in entries}
                for name in [name for name in known if name not in present]:
                    self._forget(prefix + name, differences)
            for path, status in other:
                self._settle(path, status, differences)
            count += len(entries)
            if count > MOST_FILES:
                raise TooMany
            if self.stopped:
                raise Stopped

    def _is_excluded(self, path: str, name: str) -> bool:
        if self._git and path in self._git.tracked_folders:
            return False
        self._excluded.setdefault(name, []).append(path)
        return True

    def _is_store(self, folder: str, name: str) -> bool:
        """Whether a folder holds git's objects, which never change, or its large files: kept alive in another way."""
        if name not in ("objects", "lfs"):
            return False
        inside = f"/{folder}/".partition("/.git/")
        return folder in self._tops or (bool(inside[1]) and not {"refs", "logs"} & set(inside[2].split("/")))

    def _forget(self, path: str, differences: list[Difference]) -> None:
        """Note that what was at a path is gone, and all below it."""
        was = self._tree.known(path)
        if was is None:
            return
        differences += [Difference(inner, known, None) for inner, known in list(self._tree.below(path))]
        differences.append(Difference(path, was, None))
        self._tree.learn(path, None)

    def _settle(self, path: str, status: os.stat_result | None, differences: list[Difference]) -> None:
        """Learn what is at a path, and note it if that is something else than before."""
        was = self._tree.known(path)
        if status is None:
            self._forget(path, differences)
            return
        if path.endswith(_LOCKS) and "/.git/" in f"/{path}":
            return
        now = self._known(path, status, was)
        if now is None:
            self._forget(path, differences)
            return
        if was is not None and stat.S_ISDIR(was[4]) and not stat.S_ISDIR(now[4]):
            differences += [Difference(inner, known, None) for inner, known in list(self._tree.below(path))]
        why = self._tree.uncovered.get(path) if was is not None and _same_times(was, status) else self._why
        self._tree.learn(path, now)
        if stat.S_ISREG(now[4]) and not now[5]:
            self._tree.uncovered[path] = why or "not covered"
        if was is None or state_in(was) != state_in(now):
            differences.append(Difference(path, was, now))

    def _known(self, path: str, status: os.stat_result, was: Known | None) -> Known | None:
        mode, content = status.st_mode, ""
        if stat.S_ISLNK(mode):
            try:
                content = os.readlink(self.place(path))
            except OSError:
                return None
        elif stat.S_ISREG(mode):
            if was is not None and _same_times(was, status):
                content = was[5]
            else:
                told = self._read(path, status)
                if told is None:
                    return None
                status, content = told
        changed = 0 if _is_fresh(status) else status.st_ctime_ns
        return changed, status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode, content

    def _read(self, path: str, status: os.stat_result) -> tuple[os.stat_result, str] | None:
        """The id of a file's content, which is stored, with what stat says of just that; "" where it is not covered."""
        if status.st_size > self._max_bytes:
            self._why = f"larger than {self._max_bytes // 1024 // 1024} MB (undo.max_file_mb)"
            return status, ""
        try:
            descriptor = os.open(
                self.place(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            )
        except FileNotFoundError:
            return None
        except OSError as error:
            self._why = f"cannot be read: {error.strerror}"
            return status, ""
        with open(descriptor, "rb", buffering=0) as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return None
            try:
                content = file.read(self._max_bytes + 1)
            except OSError as error:
                self._why = f"cannot be read: {error.strerror}"
                return status, ""
        if len(content) > self._max_bytes:
            self._why = f"larger than {self._max_bytes // 1024 // 1024} MB (undo.max_file_mb)"
            return status, ""
        id = sha256(content).hexdigest()
        if (self._git and self._git.holds(content, id)) or self._contents.has(id):
            return status, id
        if not self._room(len(content)):
            self._why = "no room in the undo store (undo.quota_mb)"
            return status, ""
        self._contents.put(content, id)
        return status, id

    def known_at(self, paths: Iterable[str]) -> Iterator[tuple[str, State]]:
        """What was seen at these paths and below them."""
        for path in paths:
            yield path, self._tree.state(path)
            for inner, known in self._tree.below(path):
                yield inner, state_in(known)

    def state(self, path: str) -> tuple[State, bytes | None]:
        """What is at a path at this moment, with the content of a file. Nothing is learned or stored."""
        place = self.place(path)
        status = _status(place)
        if status is None:
            return ABSENT, None
        content, id = None, ""
        if stat.S_ISLNK(status.st_mode):
            with suppress(OSError):
                id = os.readlink(place)
        elif stat.S_ISREG(status.st_mode) and status.st_size <= self._max_bytes:
            with suppress(OSError):
                with open(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
                    content = file.read()
                return File(stat.S_IMODE(status.st_mode), sha256(content).hexdigest(), len(content)), content
        return state_in((0, status.st_mtime_ns, status.st_size, 0, status.st_mode, id)), content


def changes_of(differences: Iterable[Difference]) -> tuple[Change, ...]:
    """Differences as changes, one a path; what went away here and appeared there with the same inode was moved."""
    first: dict[str, Known | None] = {}
    last: dict[str, Known | None] = {}
    for difference in differences:
        first.setdefault(difference.path, difference.before)
        last[difference.path] = difference.after
    gone = {
        (was[3], stat.S_IFMT(was[4])): path
        for path, was in first.items()
        if was is not None and was[3] and last[path] is None
    }
    return tuple(_changes(first, last, gone))


def _changes(
    first: dict[str, Known | None], last: dict[str, Known | None], gone: dict[tuple[int, int], str]
) -> Iterator[Change]:
    for path in sorted(first):
        was, now = first[path], last[path]
        before = ABSENT if was is None else state_in(was)
        after = ABSENT if now is None else state_in(now)
        if before != after:
            moved = gone.get((now[3], stat.S_IFMT(now[4]))) if was is None and now is not None else None
            modified = was[1] if was is not None and isinstance(before, File) else 0
            yield Change(path, before, after, moved, modified_ns=modified)


def _status(place: str) -> os.stat_result | None:
    try:
        return os.lstat(place)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def _same_times(was: Known, status: os.stat_result) -> bool:
    return was[0] == status.st_ctime_ns and was[1] == status.st_mtime_ns and was[2:4] == (status.st_size, status.st_ino)


def _is_fresh(status: os.stat_result) -> bool:
    """Whether a file changed so lately that another change might leave it with the same times."""
    newest = max(status.st_ctime_ns, status.st_mtime_ns)
    grain = _COARSE_GRAIN_NS if status.st_ctime_ns % 1_000_000_000 == 0 else _GRAIN_NS
    return newest > time.time_ns() - grain
