"""Opening a real path from the root of the file system downwards, without ever following a link.

Between the moment a path was judged and the moment it is opened somebody may put a link in its way. Each folder is
therefore opened relative to the one above it, and whatever is then done is done to the opened folder and not to its name.
All functions take real paths (`paths.real`) and return descriptors that the caller closes.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EINVAL, EISDIR, ENOENT

_FOLDER = os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def folder_of(path: str) -> Iterator[tuple[int, str]]:
    """The opened folder in which a path lies, and its name there."""
    folder, _, name = path.rpartition("/")
    descriptor = open_folder(folder)
    try:
        yield descriptor, name or "."
    finally:
        os.close(descriptor)


def open_folder(path: str, *, made: list[str] | None = None) -> int:
    """A descriptor to work below a folder. With `made`, missing folders are made and their paths added to it."""
    descriptor = os.open("/", _FOLDER)
    reached = ""
    for name in path.split("/"):
        if not name:
            continue
        reached += f"/{name}"
        above = descriptor
        try:
            descriptor = _open_or_make(name, above, reached, made)
        finally:
            os.close(above)
    return descriptor


def _open_or_make(name: str, above: int, path: str, made: list[str] | None) -> int:
    with naming(path):
        try:
            return os.open(name, _FOLDER, dir_fd=above)
        except FileNotFoundError:
            if made is None:
                raise
        try:
            os.mkdir(name, dir_fd=above)
            made.append(path)
        except FileExistsError:
            pass  # somebody else made it at the same moment
        return os.open(name, _FOLDER, dir_fd=above)


def open_listing(path: str) -> int:
    """A descriptor of a folder whose names can be listed."""
    with folder_of(path) as (folder, name), naming(path):
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)


def open_regular(path: str) -> int:
    """A descriptor to read a regular file. A folder, pipe, socket or device raises OSError and is never waited for."""
    with folder_of(path) as (folder, name):
        return open_regular_in(folder, name, path)


def open_regular_in(folder: int, name: str, path: str) -> int:
    """The same for a name in an opened folder; `path` is for the error."""
    with naming(path):
        _check_regular(os.stat(name, dir_fd=folder, follow_symlinks=False), path)  # opening a pipe or tape has effects
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=folder)
    try:
        _check_regular(os.fstat(descriptor), path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def read_all(descriptor: int) -> bytes:
    """What a descriptor has to give up to its end. The descriptor is closed."""
    with open(descriptor, "rb", buffering=0) as file:
        return file.read()


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Errors name the whole path, and a name that no file can have (NUL, half a character) is a missing file."""
    try:
        yield
    except OSError as error:
        error.filename = path
        raise
    except ValueError:
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT), path) from None


def _check_regular(status: os.stat_result, path: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), path)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(EINVAL, "Not a regular file", path)
