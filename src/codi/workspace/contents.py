"""Reading many files below one folder, as a search through a whole project does, in few calls to the system for each.

A folder is opened once for the files in it that follow each other, from the root downwards as in `descent`. Links are not
followed: what they lead to is found in its own place, or is not to be read.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from errno import EFBIG

from codi.workspace.descent import open_folder

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def contents_of(folder: str, names: Iterable[str], most_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Each regular file of at most `most_bytes` with its whole content. `folder` is a real path, `names` are relative to it.
    What cannot be read, is no file, or went meanwhile is left out."""
    here: str | None = None
    descriptor: int | None = None
    try:
        for name in names:
            above, _, last = name.rpartition("/")
            if above != here:
                if descriptor is not None:
                    os.close(descriptor)
                descriptor, here = None, above
                descriptor = _folder(folder, above)
            if descriptor is None:
                continue
            try:
                file = os.open(last, _FILE, dir_fd=descriptor)
            except (OSError, ValueError):
                continue
            try:
                facts = os.fstat(file)
                if facts.st_size > most_bytes or not stat.S_ISREG(facts.st_mode):
                    continue
                content = os.read(file, facts.st_size + 1)
                if len(content) != facts.st_size:  # it changed just now, or the system makes it up as it is read
                    content += _rest(file, most_bytes)
            except OSError:
                continue
            finally:
                os.close(file)
            yield name, content
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _folder(folder: str, above: str) -> int | None:
    if ".." in above.split("/"):
        return None
    try:
        return open_folder(f"{folder}/{above}")
    except OSError:
        return None


def _rest(file: int, most_bytes: int) -> bytes:
    rest = b""
    while more := os.read(file, 1 << 16):
        rest += more
        if len(rest) > most_bytes:
            raise OSError(EFBIG, os.strerror(EFBIG))
    return rest
