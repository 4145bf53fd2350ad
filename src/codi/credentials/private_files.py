"""Files that are nobody else's: read only where that is so, replaced at once, one writer at a time."""

import fcntl
import os
import shlex
import stat
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count

import anyio

from codi.protocol.errors import CredentialError

_LIMIT = 4 * 1024 * 1024
_LOOK_AGAIN_S = 0.05


def read(path: str) -> bytes | None:
    """The content, None where there is no such file. Raises CredentialError where somebody else owns it or can read it,
    and where it is a link."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refused(path, error.strerror or "cannot be opened") from error
    facts = os.fstat(fd)
    if not stat.S_ISREG(facts.st_mode):
        os.close(fd)
        raise _refused(path, "is no ordinary file")
    with open(fd, "rb") as file:
        if facts.st_uid != os.geteuid():
            shown = shlex.quote(path)
            raise CredentialError(
                f"{path} belongs to another user", hint=f"Run: sudo chown $USER {shown} && chmod 600 {shown}"
            )
        if facts.st_mode & 0o077:
            raise CredentialError(
                f"{path} is open to others (mode {stat.S_IMODE(facts.st_mode):04o})",
                hint=f"Run: chmod 600 {shlex.quote(path)}",
            )
        content = file.read(_LIMIT + 1)
    if len(content) > _LIMIT:
        raise _refused(path, "is too large")
    return content


def write(path: str, content: bytes, *, previous: str = "") -> None:
    """Put the content in place at once, on disk and 0600. What stood there before is kept as `previous`, where that is
    named. Raises CredentialError."""
    beside = f"{path}.{os.getpid()}.new"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):
            os.unlink(beside)
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(fd, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(fd)
            if previous:
                _link(path, previous)
            os.replace(beside, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(beside)
        _settle(os.path.dirname(path))
    except OSError as error:
        raise CredentialError(
            f"{path} cannot be written: {error.strerror}", hint="Check who owns codi's home, and the space on the disk."
        ) from error


def remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def set_aside(path: str) -> str:
    """Rename a file that cannot be believed; the new path. Raises OSError."""
    aside = f"{path}.bad-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    numbered = (aside if number == 1 else f"{aside}-{number}" for number in count(1))
    aside = next(name for name in numbered if not os.path.lexists(name))
    os.rename(path, aside)
    return aside


@contextmanager
def turn(path: str) -> Iterator[None]:
    """Wait until no other process has this lock. A file system without locks lets everybody pass."""
    fd = _opened(path)
    try:
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


@asynccontextmanager
async def awaited_turn(path: str) -> AsyncIterator[None]:
    """The same for what takes its time: others wait without being held up, and may be cancelled meanwhile."""
    fd = _opened(path)
    try:
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await anyio.sleep(_LOOK_AGAIN_S)
            except OSError:
                break
        yield
    finally:
        os.close(fd)


def _opened(path: str) -> int:
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _refused(path, error.strerror or "cannot be opened") from error


def _link(path: str, previous: str) -> None:
    """The old content under another name as well, so that at no moment there is none."""
    beside = f"{previous}.{os.getpid()}.new"
    with suppress(FileNotFoundError):
        os.unlink(beside)
    with suppress(FileNotFoundError):
        os.link(path, beside, follow_symlinks=False)
        os.replace(beside, previous)


def _settle(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _refused(path: str, why: str) -> CredentialError:
    return CredentialError(f"{path}: {why}", hint="Look after it: it should be a file of your own in codi's home.")
