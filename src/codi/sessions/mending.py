"""A clean copy of a session file that was damaged. The damaged file stays as it is."""

import os

from codi.protocol.errors import SessionError
from codi.protocol.events import Entry
from codi.sessions.files import put, reading_of
from codi.sessions.json_lines import encoded, object_of
from codi.sessions.paths import file_name, uuid7
from codi.sessions.version3 import VERSION, Header, header_line, timestamp_of


def mended_copy(path: str, *, at: float) -> str:
    """Write what can be understood of the session file `path` into a new one beside it, and say where. The copy is a session
    of its own, with the damaged one as its parent. Lines that were whole are the same byte for byte. Raises SessionError."""
    path = os.path.abspath(path)
    reading = reading_of(path)
    if reading.header.version > VERSION:
        raise SessionError(
            f"{path} was written by a newer format (version {reading.header.version}).",
            hint="Repair it with the newer codi.",
        )
    session_id = uuid7(at)
    header = Header(VERSION, session_id, timestamp_of(at), reading.header.cwd, path)
    lines = (whole(entry, line) for entry, line in zip(reading.entries, reading.lines, strict=True))
    copy = os.path.join(os.path.dirname(path), file_name(at, session_id))
    try:
        put(copy, header_line(header) + b"".join(line + b"\n" for line in lines))
    except OSError as error:
        raise SessionError(
            f"The copy cannot be written to {copy}: {error.strerror}.", hint="Free some space or mend the disk."
        ) from error
    return copy


def whole(entry: Entry, line: bytes) -> bytes:
    """The line as it would be, had its place in the tree always been the one that reading gave it."""
    json = object_of(line) or {}
    if (json.get("id"), json.get("parentId")) == (entry.id, entry.parent):
        return line
    json.pop("_c", None)
    return encoded(json | {"id": entry.id, "parentId": entry.parent})
