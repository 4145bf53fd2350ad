"""A session file as a whole: read at once, or put in its place at once."""

import os
from contextlib import suppress

from codi.protocol.errors import SessionError
from codi.sessions.migration import migrated
from codi.sessions.paths import make_directory, sync_directory
from codi.sessions.reading import Reading, read
from codi.sessions.version3 import VERSION

SIDECARS = (".results", ".blobs")
"""Endings of the folders that lie beside a session's file under its name."""


def reading_of(path: str) -> Reading:
    """The session in a file, of whatever version, with the bytes of each line. Raises SessionError."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise SessionError(
            f"{path} cannot be read: {error.strerror}.", hint="Check the path with `codi sessions list`."
        ) from error
    reading = read(content, with_lines=True)
    if reading is not None and reading.header.version < VERSION:
        reading = read(migrated(content), with_lines=True)
    if reading is None:
        raise SessionError(f"{path} is not a session file.", hint="Give the path of a .jsonl file of a session.")
    return reading


def put(path: str, content: bytes) -> None:
    """Write a new file that is either there with all of its content or not at all. Raises OSError."""
    make_directory(os.path.dirname(path))
    beside = f"{path}.new"
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(beside, path)
    except OSError:
        os.unlink(beside)
        raise
    sync_directory(path)


def share_sidecars(source: str, made: str) -> None:
    """Let a fork have what lies beside the session that it comes from, as long as it wants: what the model saw shortened can be read
    in full by both. A folder that cannot be had is left out."""
    for ending in SIDECARS:
        theirs, own = (os.path.splitext(path)[0] + ending for path in (source, made))
        try:
            names = os.listdir(theirs)
            make_directory(own)
        except OSError:
            continue
        for name in names:
            place = os.path.join(theirs, name), os.path.join(own, name)
            try:
                os.link(*place)
            except OSError:
                with suppress(OSError):
                    from shutil import copy2  # with all kinds of archives

                    copy2(*place)
