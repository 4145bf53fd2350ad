"""One writer for each session file.

The lock is held by the open file itself and ends with its process, whatever kills it. Where a file system knows no
locks, a lease file beside the session names the writer, and is void when that process is gone.
"""

import errno
import fcntl
import os
from contextlib import suppress

from msgspec import DecodeError, Struct
from msgspec.json import decode, encode

from codi.protocol.errors import SessionError

_UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


class Lease(Struct, frozen=True, rename="camel"):
    """Who writes. The boot and the start time tell a process from a later one that was given the same number."""

    pid: int
    boot_id: str
    start_time: str
    host: str


def lock(fd: int, path: str) -> Lease | None:
    """Become the one writer of the session file `path`, open as `fd`; closing it lets go. Raises SessionError while
    another writes. The lease, if one was needed, is to be given to `end_lease`."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise _refusal(str(_holder(fd) or "")) from error
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        return take_lease(path)
    return None


def take_lease(path: str) -> Lease:
    """Write the lease file of a session, in place of one that is void. Raises SessionError while another's holds."""
    lease = own_lease()
    for _ in range(2):
        try:
            fd = os.open(_lease_path(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            other = _lease_at(path)
            if other is not None and _holds(other):
                place = "" if other.host == lease.host else f" on {other.host}"
                raise _refusal(f"{other.pid}{place}") from None
            with suppress(FileNotFoundError):
                os.unlink(_lease_path(path))
        else:
            with open(fd, "wb") as file:
                file.write(encode(lease))
            return lease
    raise _refusal("")


def end_lease(path: str, lease: Lease) -> None:
    """Let go of a session file, if its lease is still ours."""
    if _lease_at(path) == lease:
        with suppress(FileNotFoundError):
            os.unlink(_lease_path(path))


def own_lease() -> Lease:
    return Lease(os.getpid(), _boot_id(), _start_time(os.getpid()), os.uname().nodename)


def _refusal(process: str) -> SessionError:
    named = f"process {process}" if process else "another process"
    return SessionError(f"Session is open in {named}.", hint="use --fork")


def _holder(fd: int) -> int | None:
    """The process that holds the lock of an open file, where the system tells."""
    file = os.fstat(fd)
    place_of_file = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    near: int | None = None
    try:
        with open("/proc/locks", encoding="ascii", errors="replace") as locks:
            for line in locks:
                # 1: FLOCK  ADVISORY  WRITE 4711 08:01:131090 0 EOF; one that waits has an arrow before FLOCK.
                match line.split():
                    case [_, "FLOCK", _, _, pid, place, *_] if pid.isdecimal():
                        if place == place_of_file:
                            return int(pid)
                        # Layered file systems show another device than the one that holds the lock.
                        if place.endswith(f":{file.st_ino}"):
                            near = int(pid)
    except OSError:
        pass
    return near or None


def _lease_path(path: str) -> str:
    return f"{path.removesuffix('.jsonl')}.lock"


def _lease_at(path: str) -> Lease | None:
    try:
        with open(_lease_path(path), "rb") as file:
            return decode(file.read(), type=Lease)
    except (OSError, DecodeError):
        return None


def _holds(lease: Lease) -> bool:
    if lease.host != os.uname().nodename:
        return True  # nobody here can tell whether a process of another host lives
    return lease.boot_id == _boot_id() and _lives(lease.pid) and lease.start_time == _start_time(lease.pid)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def _start_time(pid: int) -> str:
    """Clock ticks after boot at which the process began; "" where the system does not tell."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
