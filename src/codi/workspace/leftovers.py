"""Folders for what is temporary: made, told apart from those whose owner has died, and taken away whatever is in them."""

import fcntl
import os
import re
import shutil
from contextlib import suppress
from functools import cache, cached_property
from threading import Thread

_NAME = re.compile(r"codi-[0-9a-f]{16}")
_OWNER = "owner"
"""A file in the folder that its owner holds locked for as long as it lives."""


class OwnFolder:
    """For this process alone, below `place`; made when it is asked for. Folders of those who were killed go at the first such time."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._owner = -1

    @cached_property
    def path(self) -> str:
        path = os.path.join(self._place, f"codi-{os.urandom(8).hex()}")
        os.mkdir(path, 0o700)
        self._owner = os.open(os.path.join(path, _OWNER), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _sweep_once(self._place)
        return path

    def close(self) -> None:
        if self._owner < 0:
            return
        shutil.rmtree(self.path, onerror=make_removable)
        os.close(self._owner)
        self._owner = -1
        del self.path


@cache
def _sweep_once(place: str) -> None:
    """Beside everything else: nobody waits for it."""
    Thread(target=sweep, args=(place,), name="sweep", daemon=True).start()


def sweep(place: str) -> None:
    """Take away the folders of those who were killed."""
    with suppress(OSError):
        for entry in os.scandir(place):
            if _NAME.fullmatch(entry.name) and entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                _take_away_if_nobodys(entry.path)


def _take_away_if_nobodys(folder: str) -> None:
    try:
        owner = os.open(os.path.join(folder, _OWNER), os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return  # it is being made, or is none of ours
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, onerror=make_removable)
    except OSError:
        return  # its owner lives
    finally:
        os.close(owner)


def make_removable(remove: object, path: str, _: object) -> None:
    """For `shutil.rmtree`: commands, and overlays themselves, leave folders that may not be written in."""
    with suppress(OSError):
        os.chmod(os.path.dirname(path), 0o700)
        if os.path.islink(path) or not os.path.isdir(path):
            os.unlink(path)
        else:
            os.chmod(path, 0o700)
            shutil.rmtree(path, ignore_errors=True)
