"""Folders for what is temporary: made, told apart from those whose owner has died, and taken away whatever is in them."""

import fcntl
import os
import re
import shutil
from contextlib import suppress

_NAME = re.compile(r"codi-[0-9a-f]{16}")
_OWNER = "owner"
"""A file in the folder that its owner holds locked for as long as it lives."""


def made_in(place: str) -> tuple[str, int]:
    """A new folder for this process alone, and the descriptor by which it is its own."""
    path = os.path.join(place, f"codi-{os.urandom(8).hex()}")
    os.mkdir(path, 0o700)
    owner = os.open(os.path.join(path, _OWNER), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return path, owner


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
