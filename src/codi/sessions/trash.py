"""Sessions that were deleted: kept in the trash for thirty days, or gone at once."""

import os
import shutil
import time
from collections.abc import Iterable

from codi.protocol.errors import SessionError
from codi.sessions.files import SIDECARS
from codi.sessions.locking import end_lease, lock
from codi.sessions.paths import make_directory

KEPT_DAYS = 30
_DAY_S = 86_400


class Trash:
    """`path` is the folder; it is made when it is first needed. What lies in it longer than `days` goes for good when
    something is added."""

    def __init__(self, path: str, *, days: int = KEPT_DAYS) -> None:
        self._path = path
        self._days = days

    def add(self, session: str, *, at: float) -> str:
        """Move a session file, and what lies beside it, here; returns where it is now. Raises SessionError, also while
        another process writes the session."""
        try:
            _check_free(session)
            self._empty(at)
            stamp = time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime(at))
            folder = os.path.join(self._path, f"{stamp}_{os.urandom(3).hex()}")
            make_directory(folder)
            for path in _parts(session):
                shutil.move(path, os.path.join(folder, os.path.basename(path)))
        except OSError as error:
            raise _undeleted(session, error) from error
        return os.path.join(folder, os.path.basename(session))

    def outdated(self, at: float) -> list[str]:
        """What has lain here long enough."""
        try:
            with os.scandir(self._path) as found:
                return [entry.path for entry in found if entry.stat().st_mtime < at - self._days * _DAY_S]
        except FileNotFoundError:
            return []

    def _empty(self, at: float) -> None:
        for path in self.outdated(at):
            shutil.rmtree(path, ignore_errors=True)


def left_behind(folders: Iterable[str]) -> list[str]:
    """What lies in folders of sessions beside a file that is gone: results and images of nobody."""
    found = []
    for folder in folders:
        try:
            names = set(os.listdir(folder))
        except FileNotFoundError:
            continue
        for name in sorted(names):
            stem, ending = os.path.splitext(name)
            if ending in SIDECARS and f"{stem}.jsonl" not in names:
                found.append(os.path.join(folder, name))
    return found


def remove(session: str) -> None:
    """Remove a session file, and what lies beside it, for good. Raises SessionError, also while another process writes it."""
    try:
        _check_free(session)
        for path in _parts(session):
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    except OSError as error:
        raise _undeleted(session, error) from error


def size_of(folder: str) -> int:
    """The bytes of all files below a folder."""
    return sum(os.lstat(os.path.join(place, name)).st_size for place, _, names in os.walk(folder) for name in names)


def _parts(session: str) -> list[str]:
    """The folders beside a session first, its file last: a session is deleted when its file is."""
    stem = os.path.splitext(session)[0]
    return [*(stem + ending for ending in SIDECARS if os.path.isdir(stem + ending)), session]


def _check_free(session: str) -> None:
    fd = os.open(session, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if lease := lock(fd, session):
            end_lease(session, lease)
    finally:
        os.close(fd)


def _undeleted(session: str, error: OSError) -> SessionError:
    return SessionError(f"{session} cannot be deleted: {error.strerror}.", hint="Look at the rights of its folder.")
