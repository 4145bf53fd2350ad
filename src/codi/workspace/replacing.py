"""Putting new content in place of a file so that at any moment, a crash included, there is the old file or the new.

The content is written to a file without a name in the same folder (with a name where the file system knows no other
way), brought to the disk, and only then given the name. A file with several hard links, or in a folder that may not be
written, has to be overwritten where it is; what it held is put back when that fails.
"""

import os
import resource
import stat
from collections.abc import Sequence
from contextlib import suppress
from errno import EBUSY, EINVAL, EISDIR, ENOTSUP, EOPNOTSUPP, EXDEV
from functools import lru_cache

from codi.workspace.descent import naming, open_folder, open_regular_in, read_all
from codi.workspace.workspace import ChangedMeanwhile

_DESCRIPTORS = 2  # that one change holds: its folder and the new file
_USUAL_DESCRIPTORS = 256


def replace_together(changes: Sequence["Change"]) -> None:
    """Make all changes or none. Raises what the failed one raised, after the others were taken back."""
    swapped: list[Change] = []
    _make_room(_DESCRIPTORS * len(changes))
    try:
        for change in changes:
            change.stage()
        for change in _each_file_once(changes):
            change.swap()
            swapped.append(change)
        for change in {change.folder: change for change in changes}.values():
            change.sync_folder()
    except BaseException as error:
        stuck = [change.path for change in reversed(swapped) if not change.take_back()]
        if stuck:
            raise OSError(f"{error}; and these could not be put back: {', '.join(stuck)}") from error
        raise
    finally:
        for change in reversed(changes):
            change.close()


def _each_file_once(changes: Sequence["Change"]) -> list["Change"]:
    """Of several names of one file that are to hold the same, the first: the others are written with it."""
    return list({(change.file or change.path, change.content): change for change in reversed(changes)}.values())[::-1]


def _make_room(descriptors: int) -> None:
    """Let codi itself have so many more files open than is usual, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = descriptors + _USUAL_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )


class Change:
    """One file to be replaced, made or (`content` None) deleted, in steps: stage, swap, perhaps take back, close.

    `path` is real, apart from a link at its end that is to be deleted. `expected` is what the file must hold (None: there
    must be none). `mode` None keeps the mode that was there.
    """

    def __init__(self, path: str, content: bytes | None, *, expected: bytes | None, mode: int | None = None) -> None:
        self.path = path
        self.content = content
        self._expected = expected
        self._mode = mode
        self._name = path.rpartition("/")[2]
        self._folder = -1
        self._fresh = -1
        self._fresh_name: str | None = None
        self._made: list[str] = []
        self._before: os.stat_result | None = None
        self._link: str | None = None
        self._swapped = False

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def file(self) -> tuple[int, int] | None:
        """Which file is overwritten under this name, once staged; None where the name gets a file of its own or goes."""
        if self._before is None or self.content is None or self._before.st_nlink == 1:
            return None
        return self._before.st_dev, self._before.st_ino

    def stage(self) -> None:
        """Check the file against what is expected and write the new content beside it."""
        self._folder = open_folder(self.folder, made=None if self.content is None else self._made)
        self._check()
        if self.content is None:
            return
        if self._before and (self._before.st_nlink > 1 or not self._folder_is_writable()):
            return  # overwritten in place
        remove_abandoned(self.folder)
        self._write_fresh(self.content)

    def swap(self) -> None:
        """Let the new content take the name."""
        self._check()
        with naming(self.path):
            if self.content is None:
                self._delete()
            elif self._fresh < 0:
                self._overwrite(self.content)
            elif self._before is None:
                self._appear()
            else:
                self._take_over(self.content)
        self._swapped = True

    def take_back(self) -> bool:
        """Undo a swap. Whether what was there is there again."""
        try:
            self._put_back(self._before)
        except OSError:
            return False
        self._swapped = False
        return True

    def _put_back(self, before: os.stat_result | None) -> None:
        if before is None:
            os.unlink(self._name, dir_fd=self._folder)
        elif self.content is not None:
            assert self._expected is not None
            replace_together([Change(self.path, self._expected, expected=self.content, mode=before.st_mode)])
        elif stat.S_ISDIR(before.st_mode):
            os.mkdir(self._name, stat.S_IMODE(before.st_mode), dir_fd=self._folder)
        elif self._link is not None:
            os.symlink(self._link, self._name, dir_fd=self._folder)
        elif self._expected is not None:
            replace_together([Change(self.path, self._expected, expected=None, mode=before.st_mode)])

    def close(self) -> None:
        """Leave nothing behind but the result."""
        if self._fresh_name is not None:
            with suppress(FileNotFoundError):
                os.unlink(self._fresh_name, dir_fd=self._folder)
        for descriptor in (self._fresh, self._folder):
            if descriptor >= 0:
                os.close(descriptor)
        self._fresh = self._folder = -1
        if not self._swapped:
            for folder in reversed(self._made):
                with suppress(OSError):
                    os.rmdir(folder)

    def _check(self) -> None:
        """Raise ChangedMeanwhile unless the file is what is expected."""
        with naming(self.path):
            try:
                self._before = os.stat(self._name, dir_fd=self._folder, follow_symlinks=False)
            except FileNotFoundError:
                self._before = None
        if self._before is None:
            if self._expected is not None or self.content is None:
                raise ChangedMeanwhile(f"{self.path} does not exist any more")
            return
        kind = stat.S_IFMT(self._before.st_mode)
        if self.content is None and kind == stat.S_IFLNK:
            self._link = os.readlink(self._name, dir_fd=self._folder)
        elif self.content is None and kind != stat.S_IFREG:
            return
        elif kind == stat.S_IFDIR:
            raise IsADirectoryError(EISDIR, os.strerror(EISDIR), self.path)
        elif kind != stat.S_IFREG:
            raise OSError(EINVAL, "Not a regular file", self.path)
        elif self._expected is None:
            raise ChangedMeanwhile(f"{self.path} exists meanwhile")
        elif self._before.st_size != len(self._expected) or self._present() != self._expected:
            raise ChangedMeanwhile(f"{self.path} changed meanwhile")

    def _present(self) -> bytes:
        return read_all(open_regular_in(self._folder, self._name, self.path))

    def _folder_is_writable(self) -> bool:
        return os.access(".", os.W_OK | os.X_OK, dir_fd=self._folder, effective_ids=True)

    def _write_fresh(self, content: bytes) -> None:
        flags = os.O_WRONLY | os.O_CLOEXEC
        with naming(self.path):
            try:
                self._fresh = os.open(".", flags | os.O_TMPFILE, 0o600, dir_fd=self._folder)
            except OSError as error:
                if error.errno not in (EOPNOTSUPP, ENOTSUP, EISDIR, EINVAL):
                    raise
                self._fresh_name = _fresh_name()
                flags |= os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
                self._fresh = os.open(self._fresh_name, flags, 0o600, dir_fd=self._folder)
            _write(self._fresh, content)
            self._dress()
            os.fsync(self._fresh)

    def _dress(self) -> None:
        """Give the new file the owner, attributes and mode that it should have."""
        before = self._before
        if before is None:
            os.fchmod(self._fresh, 0o666 & ~_umask() if self._mode is None else stat.S_IMODE(self._mode))
            return
        mode = stat.S_IMODE(before.st_mode if self._mode is None else self._mode)
        try:
            os.fchown(self._fresh, before.st_uid, before.st_gid)
        except PermissionError:
            with suppress(PermissionError):
                os.fchown(self._fresh, -1, before.st_gid)
            mode &= ~(stat.S_ISUID | stat.S_ISGID)  # they would lend the rights of another owner
        old = open_regular_in(self._folder, self._name, self.path)
        try:
            for attribute in os.listxattr(old):
                with suppress(OSError):
                    os.setxattr(self._fresh, attribute, os.getxattr(old, attribute))
        except OSError as error:
            if error.errno not in (EOPNOTSUPP, ENOTSUP):
                raise
        finally:
            os.close(old)
        os.fchmod(self._fresh, mode)

    def _delete(self) -> None:
        assert self._before is not None
        if stat.S_ISDIR(self._before.st_mode):
            os.rmdir(self._name, dir_fd=self._folder)
        else:
            os.unlink(self._name, dir_fd=self._folder)

    def _appear(self) -> None:
        """Give a new file its name, unless somebody else took it first."""
        try:
            self._link_fresh(self._name)
        except FileExistsError:
            raise ChangedMeanwhile(f"{self.path} exists meanwhile") from None

    def _take_over(self, content: bytes) -> None:
        if self._fresh_name is None:
            name = _fresh_name()
            self._link_fresh(name)
            self._fresh_name = name
        try:
            os.rename(self._fresh_name, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except OSError as error:
            # The name is a mount point, or belongs to another in a sticky folder: only its content can be changed.
            if error.errno not in (EBUSY, EXDEV) and not isinstance(error, PermissionError):
                raise
            self._overwrite(content)
        else:
            self._fresh_name = None

    def _link_fresh(self, name: str) -> None:
        if self._fresh_name is not None:
            os.link(self._fresh_name, name, src_dir_fd=self._folder, dst_dir_fd=self._folder, follow_symlinks=False)
        else:
            os.link(f"/proc/self/fd/{self._fresh}", name, dst_dir_fd=self._folder)

    def _overwrite(self, content: bytes) -> None:
        assert self._expected is not None
        descriptor = os.open(self._name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder)
        try:
            try:
                if len(content) > len(self._expected):
                    os.posix_fallocate(descriptor, 0, len(content))  # a full disk is noticed before anything is lost
                _write(descriptor, content)
            except OSError:
                os.lseek(descriptor, 0, os.SEEK_SET)
                _write(descriptor, self._expected)
                os.ftruncate(descriptor, len(self._expected))
                raise
            os.ftruncate(descriptor, len(content))
            if self._mode is not None:
                os.fchmod(descriptor, stat.S_IMODE(self._mode))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def sync_folder(self) -> None:
        """Bring the names of the folder to the disk."""
        descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._folder)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@lru_cache(maxsize=1024)
def remove_abandoned(folder: str) -> None:
    """Remove what a codi that was killed in the middle of a swap left in a folder; looks only once into each."""
    with suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            parts = entry.name.split("-")
            if len(parts) != 3 or parts[0] != ".codi" or not parts[1].isdigit() or not parts[2].endswith(".tmp"):
                continue
            if not _lives(int(parts[1])):
                os.unlink(entry.path)


def _fresh_name() -> str:
    return f".codi-{os.getpid()}-{os.urandom(6).hex()}.tmp"


def _lives(process: int) -> bool:
    return os.path.exists(f"/proc/{process}")


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _umask() -> int:
    """Read, since asking the system call for it means changing it for every thread."""
    with open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(b"Umask:"):
                return int(line.split()[1], 8)
    return 0o022
