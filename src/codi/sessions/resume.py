"""Which session is meant, and a session that begins as a copy of another."""

import os
from collections.abc import Sequence

from msgspec import Struct

from codi.protocol.conversation import SessionSummary
from codi.protocol.errors import SessionError, UsageError
from codi.protocol.events import Unknown
from codi.sessions.files import put, reading_of, share_sidecars
from codi.sessions.json_lines import encoded, object_of
from codi.sessions.paths import file_name, uuid7
from codi.sessions.reading import Reading
from codi.sessions.version3 import VERSION, Header, header_line, timestamp_of

_SHORTEST_PREFIX = 4
_NEAR = 3


class SeveralMatch(UsageError):
    """A person may choose among them."""


def newest(summaries: Sequence[SessionSummary], cwd: str) -> SessionSummary | None:
    """The session of this working directory in which was last spoken."""
    here = [summary for summary in summaries if summary.readable and summary.cwd == cwd]
    return max(here, key=lambda summary: summary.modified, default=None)


def is_path(text: str) -> bool:
    """Whether the text names a file rather than a session."""
    return os.sep in text or text.endswith(".jsonl")


def path_of(text: str, summaries: Sequence[SessionSummary], cwd: str) -> str:
    """The file of the session that the text means: a path, or what `find` takes. Raises SessionError where there is no
    such file, so that none is ever begun at a path that was mistyped."""
    if not is_path(text):
        return find(text, summaries, cwd).path
    path = os.path.join(cwd, os.path.expanduser(text))
    if not os.path.exists(path):
        raise _none_matches(text, summaries)
    return path


def find(text: str, summaries: Sequence[SessionSummary], cwd: str) -> SessionSummary:
    """The session whose id begins with the text (4 characters or more), or whose name it is: in this project first, then
    everywhere. Where none has that name, the one whose name begins so. Raises UsageError where several are meant, and SessionError
    where none is."""
    readable = [summary for summary in summaries if summary.readable]
    here = [summary for summary in readable if summary.cwd == cwd]
    for ways in ((_by_id, _by_name), (_by_beginning,)):
        for meant in (way(text, scope) for scope in (here, readable) for way in ways):
            if len(meant) == 1:
                return meant[0]
            if meant:
                raise SeveralMatch(
                    f"Several sessions match '{text}': {', '.join(_shown(summary) for summary in meant)}",
                    hint="Give more of the id.",
                )
    raise _none_matches(text, summaries)


class Fork(Struct, frozen=True):
    """`left_out` counts the entries of a newer format that could not be understood."""

    path: str
    left_out: int

    @property
    def warning(self) -> str | None:
        if not self.left_out:
            return None
        entries = "1 entry was" if self.left_out == 1 else f"{self.left_out} entries were"
        return f"{entries} not understood and left out of the fork."


def fork(source: str, directory: str, cwd: str, *, at: float, session_id: str | None = None) -> Fork:
    """A new session file in `directory` with all entries of the session file `source`, byte for byte, to go on in `cwd`.
    Raises SessionError."""
    source = os.path.abspath(source)
    reading = reading_of(source)
    lines, left_out = _understood(reading) if reading.header.version > VERSION else (reading.lines, 0)
    session_id = session_id or uuid7(at)
    header = Header(VERSION, session_id, timestamp_of(at), cwd, source)
    path = os.path.join(directory, file_name(at, session_id))
    content = header_line(header) + b"".join(line + b"\n" for line in lines)
    try:
        put(path, content)
    except OSError as error:
        raise SessionError(
            f"The fork cannot be written to {path}: {error.strerror}.", hint="Free some space or mend the disk."
        ) from error
    share_sidecars(source, path)
    return Fork(path, left_out)


def _understood(reading: Reading) -> tuple[list[bytes], int]:
    """The lines of a newer format that mean something in ours. Where a parent is left out, its own parent stands in."""
    stands_in: dict[str, str | None] = {}
    lines: list[bytes] = []
    for entry, line in zip(reading.entries, reading.lines):
        parent = entry.parent
        while parent in stands_in:
            parent = stands_in[parent]
        if isinstance(entry.fact, Unknown) and not _is_custom(line):
            stands_in[entry.id] = parent
        elif parent == entry.parent:
            lines.append(line)
        else:
            lines.append(_with_parent(line, parent))
    return lines, len(stands_in)


def _is_custom(line: bytes) -> bool:
    """Data of a plugin or of another program: nobody else need understand it."""
    json = object_of(line)
    return json is not None and json.get("type") == "custom"


def _with_parent(line: bytes, parent: str | None) -> bytes:
    json = object_of(line) or {}
    json.pop("_c", None)
    return encoded(json | {"parentId": parent})


def _by_id(text: str, summaries: Sequence[SessionSummary]) -> list[SessionSummary]:
    wanted = text.lower()
    found = [summary for summary in summaries if summary.id.lower().startswith(wanted)]
    whole = [summary for summary in found if summary.id.lower() == wanted]
    return whole or (found if len(text) >= _SHORTEST_PREFIX else [])


def _by_name(text: str, summaries: Sequence[SessionSummary]) -> list[SessionSummary]:
    wanted = text.casefold()
    return [summary for summary in summaries if summary.name and summary.name.casefold() == wanted]


def _by_beginning(text: str, summaries: Sequence[SessionSummary]) -> list[SessionSummary]:
    wanted = text.casefold()
    if len(wanted) < _SHORTEST_PREFIX:
        return []
    return [summary for summary in summaries if summary.name and summary.name.casefold().startswith(wanted)]


def _none_matches(text: str, summaries: Sequence[SessionSummary]) -> SessionError:
    near = [_shown(summary) for summary in _near(text, [summary for summary in summaries if summary.readable])]
    hint = f"Near ones: {', '.join(near)}." if near else "There are no sessions yet; begin one with `codi`."
    return SessionError(f"No session found matching '{text}'", hint=hint)


def _near(text: str, summaries: Sequence[SessionSummary]) -> list[SessionSummary]:
    from difflib import SequenceMatcher  # loads regular expressions, for an error alone

    def likeness(summary: SessionSummary) -> float:
        wanted = text.casefold()
        names = (summary.id[: max(len(wanted), _SHORTEST_PREFIX)], summary.name.casefold())
        return max(SequenceMatcher(None, wanted, name).ratio() for name in names)

    return sorted(summaries, key=lambda summary: (-likeness(summary), -summary.modified))[:_NEAR]


def _shown(summary: SessionSummary) -> str:
    return f"{summary.id} ({summary.name or summary.first_message[:40]})"
