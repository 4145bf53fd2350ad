"""A session that begins as a part of another: up to an entry, with the labels that stand on what was taken."""

import os
from collections.abc import Sequence

from msgspec import Struct

from codi.protocol.errors import SessionError
from codi.protocol.events import Entry, Fact
from codi.sessions.files import put, reading_of, share_sidecars
from codi.sessions.mending import whole
from codi.sessions.paths import file_name, uuid7
from codi.sessions.reading import Reading
from codi.sessions.tree import labelled, labels, path_to
from codi.sessions.version3 import VERSION, Header, header_line, line_of, timestamp_of


class Forked(Struct, frozen=True):
    path: str
    session: str


def fork_at(
    source: str,
    directory: str,
    leaf: str | None,
    *,
    at: float,
    cwd: str = "",
    session_id: str | None = None,
    then: Sequence[Fact] = (),
) -> Forked:
    """A new session file in `directory` with the path of the session file `source` as far as the entry `leaf`, byte for byte, and
    with the facts `then` behind it. It works where the source does, unless a `cwd` is given. Raises SessionError."""
    source = os.path.abspath(source)
    reading = reading_of(source)
    if reading.header.version > VERSION:
        raise SessionError(
            f"{source} was written by a newer format (version {reading.header.version}).",
            hint="Fork all of it: codi --fork.",
        )
    session_id = session_id or uuid7(at)
    header = Header(VERSION, session_id, timestamp_of(at), cwd or reading.header.cwd, source)
    path = os.path.join(directory, file_name(at, session_id))
    try:
        put(path, header_line(header) + path_lines(reading, leaf, at=at, then=then))
    except OSError as error:
        raise SessionError(
            f"The fork cannot be written to {path}: {error.strerror}.", hint="Free some space or mend the disk."
        ) from error
    share_sidecars(source, path)
    return Forked(path, session_id)


def path_lines(reading: Reading, leaf: str | None, *, at: float, then: Sequence[Fact] = ()) -> bytes:
    """The lines from the root to an entry, byte for byte. Labels on them that stand elsewhere in the tree are
    given anew, with their times."""
    taken = path_to(leaf, reading.entries)
    ids = {entry.id for entry in taken}
    lines = [
        whole(entry, line) + b"\n"
        for entry, line in zip(reading.entries, reading.lines, strict=True)
        if entry.id in ids
    ]
    standing = labels(taken)
    again = [
        (fact, given)
        for target, (fact, given) in labelled(reading.entries).items()
        if target in ids and standing.get(target) != fact.label
    ]
    parent = leaf if taken else None
    for fact, when in (*again, *((fact, at) for fact in then)):
        entry = Entry(_unused(ids), parent, round(when, 3), fact)
        lines.append(line_of(entry))
        parent = entry.id
        ids.add(entry.id)
    return b"".join(lines)


def _unused(ids: set[str]) -> str:
    while (drawn := os.urandom(4).hex()) in ids:
        pass
    return drawn
