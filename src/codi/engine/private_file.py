"""One of codi's own files that only its owner may read or write: taken as a whole, replaced as a whole, one writer at a time."""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_MOST_BYTES = 16 * 1024 * 1024


class NotPrivate(Exception):
    """Why what a file says cannot be believed."""


def read_private(path: str) -> bytes | None:
    """The content; None where there is no file. Raises NotPrivate where somebody else could have written it, OSError."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        if os.path.islink(path):
            raise NotPrivate("it is a link") from error
        raise
    with open(fd, "rb") as file:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            raise NotPrivate("it is no file")
        if facts.st_uid != os.geteuid():
            raise NotPrivate(f"it belongs to user {facts.st_uid}")
        if facts.st_mode & 0o077:
            raise NotPrivate(f"others may use it (mode {stat.S_IMODE(facts.st_mode):04o})")
        if facts.st_size > _MOST_BYTES:
            raise NotPrivate("it is too large")
        return file.read(_MOST_BYTES)


def replace_private(path: str, content: bytes) -> None:
    """The old content or the new, whatever happens meanwhile. Raises OSError."""
    beside = f"{path}.{os.getpid()}.new"
    with suppress(FileNotFoundError):
        os.unlink(beside)
    try:
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            os.fchmod(fd, 0o600)
            file.write(content)
            file.flush()
            os.fsync(fd)
        os.replace(beside, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(beside)
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def set_aside(path: str) -> str:
    """Rename a file that cannot be believed; the new path. Raises OSError."""
    aside = f"{path}.bad-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    number = 1
    while os.path.lexists(aside if number == 1 else f"{aside}-{number}"):
        number += 1
    aside = aside if number == 1 else f"{aside}-{number}"
    os.rename(path, aside)
    return aside


@contextmanager
def turn(path: str) -> Iterator[None]:
    """Wait until no other codi writes this file. Where the file system knows no locks nobody waits. Raises OSError."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    fd = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
