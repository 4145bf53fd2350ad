"""A file of JSON lines that only its owner may read, to which several processes append, and which begins anew when it is long."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def appending(path: str) -> Iterator[int]:
    """The file at its end, while no other process writes to it. Raises OSError, also where a link was planted."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with suppress(OSError):  # a file system without locks lets everybody pass
                fcntl.flock(fd, fcntl.LOCK_EX)
            if _is_in_place(fd, path):
                if os.fstat(fd).st_mode & 0o077:
                    os.fchmod(fd, 0o600)
                yield fd
                return
        finally:
            os.close(fd)


def write(fd: int, line: bytes) -> None:
    """The whole line. Raises OSError."""
    left = memoryview(line)
    while left:
        left = left[os.write(fd, left) :]


def _is_in_place(fd: int, path: str) -> bool:
    """Whether nobody has put another file there since it was opened."""
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False
