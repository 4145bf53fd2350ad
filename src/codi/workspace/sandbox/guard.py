"""What must not change while a command runs, and is put back if it did.

For places that nothing can be laid over: those that do not exist yet, links, and everything where there are no mounts.
"""

import os
import shutil
from collections.abc import Iterable

_MOST_FILES = 400
_MOST_BYTES = 1 << 20

_Content = bytes | str | None
"""Of a file, where a link leads, or nothing for a folder."""


class Guard:
    """Looks when it is made. `folders` are to stay where they are, whatever becomes of what is in them. Of `places` files of more than
    a megabyte are not looked after."""

    def __init__(self, places: Iterable[str], folders: Iterable[str] = ()) -> None:
        self._folders = {folder: _identity(folder) for folder in folders}
        self._before = {place: _taken(place) for place in places}

    def put_back(self) -> list[str]:
        """What was changed, made or taken away meanwhile; it is now as it was."""
        moved = [
            folder
            for folder, before in self._folders.items()
            if _identity(folder) != before and _bring_back(folder, before)
        ]
        return moved + [
            place for place, before in self._before.items() if _taken(place) != before and _restore(place, before)
        ]


_Identity = tuple[int, int] | None


def _identity(path: str) -> _Identity:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _bring_back(folder: str, before: _Identity) -> bool:
    """From another name beside it; whatever stands in its place is not what was there."""
    for entry in os.scandir(os.path.dirname(folder)):
        if _identity(entry.path) == before:
            _remove(folder)
            os.rename(entry.path, folder)
            return True
    return False


_Taken = dict[str, tuple[int, _Content]]


def _taken(place: str) -> _Taken:
    """Everything at and below a place by its path: mode and content. Empty where there is nothing."""
    found: _Taken = {}
    waiting = [place]
    while waiting and len(found) < _MOST_FILES:
        path = waiting.pop()
        try:
            status = os.lstat(path)
            if os.path.islink(path):
                found[path] = (0, os.readlink(path))
            elif os.path.isdir(path):
                found[path] = (status.st_mode, None)
                waiting += sorted(entry.path for entry in os.scandir(path))
            elif os.path.isfile(path) and status.st_size <= _MOST_BYTES:
                with open(path, "rb") as file:
                    found[path] = (status.st_mode, file.read())
        except OSError:
            continue
    return found


def _restore(place: str, before: _Taken) -> bool:
    now = _taken(place)
    for path in sorted(now, reverse=True):  # what is in a folder before the folder
        if path not in before or (now[path] != before[path] and _kind(now[path]) != _kind(before[path])):
            _remove(path)
    for path in sorted(before):
        if before[path] != now.get(path):
            _put(path, *before[path])
    return True


def _kind(taken: tuple[int, _Content]) -> type:
    return type(taken[1])


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.lexists(path):
        os.unlink(path)


def _put(path: str, mode: int, content: _Content) -> None:
    if content is None:
        os.makedirs(path, exist_ok=True)
    elif isinstance(content, str):
        _remove(path)
        os.symlink(content, path)
        return
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _remove(path)  # never through a link that was put in its place
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(content)
    os.chmod(path, mode & 0o7777)
