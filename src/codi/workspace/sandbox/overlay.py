"""What a command did on an overlay of its folders: told before it becomes true, then made true or thrown away.

The kernel keeps what a command changes in a folder beside, the *upper* one, in the format of overlayfs (Documentation/filesystems/
overlayfs.rst): what was deleted is a character device 0:0 of that name, and a folder that stands in place of another is marked.
"""

import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from codi.workspace.descent import folder_of
from codi.workspace.leftovers import make_removable
from codi.workspace.paths import inside
from codi.workspace.trial import Change, Conflict, Kind, State

_OPAQUE = "user.overlay.opaque"
_OF_OVERLAYS = "user.overlay."


class Overlay:
    """An `Overlaid` over these `folders`, below `place`, which is made. Of `barred` paths and what lies below them nothing ever becomes true."""

    def __init__(self, folders: Iterable[str], place: str, barred: Sequence[str]) -> None:
        mounts: dict[str, str] = {}
        self.mounts: Mapping[str, str] = mounts
        self._place = place
        self._barred = tuple(barred)
        os.mkdir(place, 0o700)
        for folder in sorted(set(folders)):
            if not inside(folder, mounts):
                mounts[folder] = os.path.join(place, str(len(mounts)))
                _make_layers(folder, mounts[folder])
        self._began_ns = time.time_ns()

    def changes(self) -> tuple[list[Change], list[str]]:
        found: list[Change] = []
        barred: dict[str, None] = {}
        for folder, layers in self.mounts.items():
            for change in _changes_of(os.path.join(layers, "upper"), folder):
                over = next((path for path in self._barred if inside(change.path, (path,))), None)
                if over is None:
                    found.append(change)
                else:
                    barred[over] = None
        return found, [*barred]

    def commit(self, changes: Sequence[Change]) -> None:
        meanwhile = [change.path for change in changes if self._is_stale(change)]
        if meanwhile:
            raise Conflict(", ".join(meanwhile[:5]))
        folders: list[Change] = []
        for change in changes:
            if change.kind == "deleted":
                _remove(change.path)
        for change in changes:
            if change.new is None:
                continue
            _put(change.path, change.new)
            if change.is_folder:
                folders.append(change)
        for change in reversed(folders):  # now nothing more is made in them
            assert change.new is not None
            _make_alike(change.path, change.new)

    def drop(self) -> None:
        shutil.rmtree(self._place, onerror=make_removable)

    def _is_stale(self, change: Change) -> bool:
        now = state_of(change.path)
        if now != change.before:
            return True
        if now is None or (change.is_folder and change.kind != "deleted"):
            return False
        # A file that was changed while the command ran may have been taken over before or after that.
        below = (os.path.join(at, name) for at, _, names in os.walk(change.path) for name in names)
        return any(
            os.lstat(path).st_ctime_ns >= self._began_ns for path in (below if change.is_folder else [change.path])
        )


def state_of(path: str) -> State:
    """Kind, size, inode and times of what is there; of a folder without what lies in it, which has states of its own."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if stat.S_ISDIR(status.st_mode):
        return (status.st_mode, status.st_ino)
    return (status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _make_layers(folder: str, layers: str) -> None:
    upper = os.path.join(layers, "upper")
    os.mkdir(layers, 0o700)
    os.mkdir(os.path.join(layers, "work"), 0o700)
    os.mkdir(upper)
    _make_alike(upper, folder)  # what is seen of the folder itself is that of the upper one


def _changes_of(upper: str, lower: str, *, is_new: bool = False) -> Iterator[Change]:
    """With `is_new` nothing of the lower folder is there any more, or it never was a folder."""
    names = _names(upper)
    if not is_new and _is_opaque(upper):
        for name in sorted(set(_names(lower)) - set(names)):
            yield _deleted(os.path.join(lower, name))
    for name in sorted(names):
        new, old = os.path.join(upper, name), os.path.join(lower, name)
        status, before = os.lstat(new), None if is_new else state_of(old)
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
            if before is not None:
                yield _deleted(old)
        elif stat.S_ISDIR(status.st_mode):
            was_folder = before is not None and stat.S_ISDIR(before[0])
            if not was_folder and before is not None:
                yield _deleted(old)
            if not was_folder or (before and before[0] != status.st_mode):
                kind: Kind = "changed" if was_folder else "created"
                yield Change(old, kind, new, True, before if was_folder else None)
            yield from _changes_of(new, old, is_new=not was_folder)
        elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode) or stat.S_ISFIFO(status.st_mode):
            if before is not None and stat.S_ISDIR(before[0]):
                yield _deleted(old)
                before = None
            if before is None:
                yield Change(old, "created", new, False, None)
            elif not _are_alike(new, old):
                yield Change(old, "changed", new, False, before)


def _deleted(path: str) -> Change:
    return Change(path, "deleted", None, os.path.isdir(path) and not os.path.islink(path), state_of(path))


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except PermissionError:
        os.chmod(folder, os.lstat(folder).st_mode | 0o500)  # it is ours: the command closed it
        return os.listdir(folder)


def _is_opaque(folder: str) -> bool:
    try:
        return os.getxattr(folder, _OPAQUE, follow_symlinks=False) == b"y"
    except OSError:
        return False


def _are_alike(one: str, other: str) -> bool:
    ours, theirs = os.lstat(one), os.lstat(other)
    if (ours.st_mode, ours.st_size) != (theirs.st_mode, theirs.st_size):
        return False
    if stat.S_ISLNK(ours.st_mode):
        return os.readlink(one) == os.readlink(other)
    if not stat.S_ISREG(ours.st_mode):
        return True
    with open(one, "rb") as ours_opened, open(other, "rb") as theirs_opened:
        while chunk := ours_opened.read(1 << 20):
            if chunk != theirs_opened.read(1 << 20):
                return False
    return True


def _remove(path: str) -> None:
    with folder_of(path) as (folder, name):
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return
        if stat.S_ISDIR(status.st_mode):
            shutil.rmtree(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)


def _put(path: str, new: str) -> None:
    """What lies at `new`, at this path."""
    status = os.lstat(new)
    with folder_of(path) as (folder, name):
        if stat.S_ISDIR(status.st_mode):
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=folder)
            return
        beside = f".{name[:80]}.{os.urandom(4).hex()}"
        try:
            if stat.S_ISLNK(status.st_mode):
                os.symlink(os.readlink(new), beside, dir_fd=folder)
            elif stat.S_ISFIFO(status.st_mode):
                os.mkfifo(beside, 0o600, dir_fd=folder)
            else:
                _copy(new, beside, folder)
            os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside, dir_fd=folder)
            raise


def _copy(source: str, name: str, folder: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(source, "rb") as reading, open(os.open(name, flags, 0o600, dir_fd=folder), "wb") as writing:
        shutil.copyfileobj(reading, writing, 1 << 20)
        writing.flush()
        _make_alike(writing.fileno(), source)


def _make_alike(place: str | int, model: str) -> None:
    """Owner, attributes, mode and time as those of the model."""
    status = os.lstat(model)
    with suppress(PermissionError):
        os.chown(place, status.st_uid, status.st_gid)
    for attribute, value in _attributes(model).items():
        with suppress(OSError):
            os.setxattr(place, attribute, value)
    os.chmod(place, stat.S_IMODE(status.st_mode))
    os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))


def _attributes(path: str) -> Mapping[str, bytes]:
    try:
        names = [name for name in os.listxattr(path) if not name.startswith(_OF_OVERLAYS)]
        return {name: os.getxattr(path, name) for name in names}
    except OSError:
        return {}
