"""Giving paths the states they should have, and touching nothing else.

What has to go goes first, deepest first; then comes what has to be there, shallowest first; the modes of folders come last,
since a folder that may not be written could not be filled. Before each change the path is looked at once more: if it is not
what it was when the plan was made, somebody is faster than we are, and it stays.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import ENOTEMPTY

from msgspec import Struct

from codi.workspace.descent import folder_of, naming, open_folder
from codi.workspace.ledger.contents import Missing
from codi.workspace.ledger.coverage import CACHES
from codi.workspace.ledger.durability import sync_all
from codi.workspace.ledger.scanning import Scanner
from codi.workspace.ledger.states import ABSENT, Absent, Directory, File, Link, Special, State, Uncovered
from codi.workspace.replacing import Change, replace_together


class Target(Struct, frozen=True):
    """A path, what it was when the plan was made, and what it should become. A file whose content comes back was modified at
    `modified_ns`; 0 is now."""

    path: str
    now: State
    to: State
    modified_ns: int = 0


class Restorer:
    """`content` gives the bytes of a content id, or raises Missing. Why paths stayed as they were stands in `failed`."""

    def __init__(self, scanner: Scanner, content: Callable[[str], bytes]) -> None:
        self.failed: dict[str, str] = {}
        self._scanner = scanner
        self._content = content
        self._written: list[str] = []
        self._opened: dict[str, int] = {}
        self._parted: set[str] = set()

    def apply(self, targets: Sequence[Target]) -> None:
        """Give the paths their states. A path that cannot get it is told in `failed`, and the others still get theirs."""
        self._parted = self._to_be_parted(targets)
        try:
            for target in sorted(targets, key=lambda target: target.path, reverse=True):
                if not isinstance(target.now, Absent) and type(target.to) is not type(target.now):
                    self._do(target, self._take_away)
            for target in sorted(targets, key=lambda target: target.path):
                if target.path not in self.failed and not isinstance(target.to, Absent):
                    self._do(target, self._put)
        finally:
            for place, mode in self._opened.items():
                with suppress(OSError):
                    _set_mode(place, mode)
        for target in sorted(targets, key=lambda target: target.path, reverse=True):
            if target.path not in self.failed and isinstance(target.to, Directory):
                self._do(target, self._set_folder_mode)
        present = [place for place in self._written if os.path.isfile(place)]
        sync_all(present, os.path.dirname(present[0]) if present else "/")

    def _to_be_parted(self, targets: Sequence[Target]) -> set[str]:
        """Files that are names of one file now, and should have different contents."""
        names: dict[int, list[Target]] = {}
        for target in targets:
            if isinstance(target.now, File) and isinstance(target.to, File):
                with suppress(OSError):
                    status = os.lstat(self._scanner.place(target.path))
                    if status.st_nlink > 1:
                        names.setdefault(status.st_ino, []).append(target)
        return {each.path for same in names.values() if len({each.to for each in same}) > 1 for each in same}

    def _do(self, target: Target, work: Callable[[Target, str], None]) -> None:
        place = self._scanner.place(target.path)
        try:
            work(target, place)
        except _Stays as stays:
            self.failed[target.path] = str(stays)
        except Missing:
            self.failed[target.path] = "its content is no longer in the undo store"
        except OSError as error:
            self.failed[target.path] = error.strerror or str(error)

    def _check(self, target: Target, expected: State) -> None:
        present, _ = self._scanner.state(target.path)
        if self._scanner.place(target.path) in self._opened and isinstance(present, Directory):
            return  # its mode is ours for the moment
        if present != expected:
            raise _Stays("it changed while it was taken back")

    def _take_away(self, target: Target, place: str) -> None:
        self._check(target, target.now)
        with self._writable(place), folder_of(place) as (folder, name):
            try:
                if isinstance(target.now, Directory):
                    os.rmdir(name, dir_fd=folder)
                else:
                    os.unlink(name, dir_fd=folder)
            except OSError as error:
                if error.errno != ENOTEMPTY or not _holds_only_caches(place):
                    raise _Stays("it holds files that are not the agent's") from error
                from shutil import rmtree  # for caches in a folder that goes, and not at each start

                for cache in os.listdir(place):
                    rmtree(os.path.join(place, cache))
                os.rmdir(name, dir_fd=folder)
        self._opened.pop(place, None)

    def _put(self, target: Target, place: str) -> None:
        to = target.to
        replaced = type(target.now) is not type(to)
        expected = ABSENT if replaced else target.now
        match to:
            case Directory(mode):
                if replaced:
                    self._check(target, ABSENT)
                    with self._writable(place), _made_folder_of(place) as (folder, name):
                        os.mkdir(name, mode | stat.S_IRWXU, dir_fd=folder)
            case Link(link):
                if not replaced:
                    self._check(target, target.now)
                with self._writable(place), _made_folder_of(place) as (folder, name):
                    if not replaced:
                        os.unlink(name, dir_fd=folder)
                    os.symlink(link, name, dir_fd=folder)
            case Special("fifo", mode):
                self._check(target, expected)
                if replaced:
                    with self._writable(place), _made_folder_of(place) as (folder, name):
                        os.mkfifo(name, dir_fd=folder)
                _set_mode(place, mode)
            case File():
                self._put_file(target, to, place, expected)
            case Uncovered() | Special():
                raise _Stays("its content was never kept")

    def _put_file(self, target: Target, to: File, place: str, expected: State) -> None:
        present, content = self._scanner.state(target.path)
        if present == to:
            return  # by another of its names
        if present != expected:
            raise _Stays("it changed while it was taken back")
        if isinstance(present, File) and present.id == to.id and target.path in self._parted:
            pass
        elif isinstance(present, File) and present.id == to.id:
            _set_mode(place, to.mode)
            return
        wanted = self._content(to.id)
        with self._writable(place):
            if target.path in self._parted:
                os.unlink(place)
                self._write(place, wanted, to.mode)
            elif isinstance(present, File):
                replace_together([Change(place, wanted, expected=content, mode=to.mode)])
            else:
                self._write(place, wanted, to.mode)
            if target.modified_ns:
                _set_time(place, target.modified_ns)

    def _write(self, place: str, content: bytes, mode: int) -> None:
        fresh = f".codi-{os.getpid()}-{os.urandom(6).hex()}.tmp"
        with _made_folder_of(place) as (folder, name), naming(place):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(fresh, flags, 0o600, dir_fd=folder)
            try:
                with open(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fchmod(descriptor, mode)
                os.link(fresh, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
            finally:
                os.unlink(fresh, dir_fd=folder)
        self._written.append(place)

    def _set_folder_mode(self, target: Target, place: str) -> None:
        assert isinstance(target.to, Directory)
        _set_mode(place, target.to.mode)

    @contextmanager
    def _writable(self, place: str) -> Iterator[None]:
        """The folder of a path can be written to; afterwards it is as it was."""
        folder = os.path.dirname(place)
        with suppress(FileNotFoundError):
            mode = os.stat(folder).st_mode
            if mode & stat.S_IRWXU != stat.S_IRWXU and folder not in self._opened:
                with suppress(PermissionError):
                    _set_mode(folder, mode | stat.S_IRWXU)
                    self._opened[folder] = mode
        yield


class _Stays(Exception):
    """Why a path keeps the state that it has."""


@contextmanager
def _made_folder_of(place: str) -> Iterator[tuple[int, str]]:
    """The opened folder of a path, made where it is missing, and its name there."""
    folder, _, name = place.rpartition("/")
    descriptor = open_folder(folder, made=[])
    try:
        yield descriptor, name
    finally:
        os.close(descriptor)


def _set_mode(place: str, mode: int) -> None:
    """Never through a link."""
    with folder_of(place) as (folder, name), naming(place):
        descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            if not stat.S_ISLNK(os.fstat(descriptor).st_mode):
                os.chmod(f"/proc/self/fd/{descriptor}", stat.S_IMODE(mode))
        finally:
            os.close(descriptor)


def _set_time(place: str, modified_ns: int) -> None:
    with folder_of(place) as (folder, name), naming(place):
        os.utime(name, ns=(time.time_ns(), modified_ns), dir_fd=folder, follow_symlinks=False)


def _holds_only_caches(place: str) -> bool:
    return set(os.listdir(place)) <= CACHES
