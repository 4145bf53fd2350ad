"""Brings sessions of other agents in: each becomes a session file, and what was brought in before is not brought in again.

For each source it is kept how it looked. One that looks the same is passed over; of one that grew the new entries are added to
the session that was made of it. The sources are only ever read.
"""

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from glob import escape, glob
from hashlib import sha256
from typing import Literal

from msgspec import DecodeError, Struct, ValidationError
from msgspec.json import Decoder, encode
from msgspec.structs import replace

from codi.protocol.errors import SessionError
from codi.protocol.events import Entry
from codi.sessions.files import put, reading_of
from codi.sessions.imports.found import Connector, FoundSession, Surroundings
from codi.sessions.json_lines import encoded, object_of
from codi.sessions.jsonl import JsonlStore
from codi.sessions.paths import file_name, make_directory
from codi.sessions.reading import read
from codi.sessions.version3 import VERSION, Header, header_line, header_of, line_of, seconds_of, timestamp_of

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PREFIX_BYTES = 4096

State = Literal["new", "grown", "known", "empty", "failed"]


class Brought(Struct, frozen=True, kw_only=True):
    """What became of one session of a source. `added` counts entries, `bad` records that could not be read."""

    agent: str
    source: str
    state: State
    path: str | None = None
    session: str = ""
    title: str = ""
    added: int = 0
    bad: int = 0
    lossy: tuple[str, ...] = ()
    why: str = ""


class Look(Struct, frozen=True, rename="camel"):
    """How a source looked when it was read last."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    prefix: str
    sessions: dict[str, str] = {}
    """The files that were made of it, by the keys of its sessions."""


_decoder = Decoder(dict[str, Look])


class Bringing:
    """`ledger` is the file in which it is kept what was brought in; `folder_for` says where sessions of a directory lie."""

    def __init__(self, ledger: str, folder_for: Callable[[str], str], around: Surroundings, *, now: float) -> None:
        self._ledger = ledger
        self._folder_for = folder_for
        self._around = around
        self._now = now
        self._looks: dict[str, Look] = {}

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """One process at a time. What was brought in is remembered at the end, also of one that is cut short."""
        make_directory(os.path.dirname(self._ledger))
        lock = os.open(f"{self._ledger}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._looks = self._known()
            before = dict(self._looks)
            try:
                yield
            finally:
                if self._looks != before:
                    self._remember()
        finally:
            os.close(lock)

    def is_new(self, source: str) -> bool:
        """Whether a source looks otherwise than when it was read last."""
        try:
            known, now = self._looks.get(source) or self._known().get(source), _look(source)
        except OSError:
            return False
        return known is None or replace(known, sessions={}) != now

    def bring(self, connector: Connector, source: str, *, since: float = 0.0, write: bool = True) -> list[Brought]:
        """The sessions in a source; of those spoken in before `since` nothing is taken."""
        source = os.path.abspath(source)
        try:
            look = _look(source)
            known = self._looks.get(source)
            if known is not None and replace(known, sessions={}) == look:
                return [
                    Brought(agent=connector.agent, source=source, state="known", path=path, session=key)
                    for key, path in known.sessions.items()
                ]
            made = dict(known.sessions) if known else {}
            if connector.agent == "pi":
                with open(source, "rb") as file:
                    brought = [self.copy(file.read(), source, write=write)]
                made |= {each.session: each.path for each in brought if each.path}
                is_whole = True
            else:
                digest = _digest(source)
                found = list(connector.read(source, self._around))
                wanted = [session for session in found if session.modified >= since]
                is_whole = len(wanted) == len(found)
                brought = [self._brought(session, source, digest, made, write=write) for session in wanted]
                brought = [each for each in brought if each.state != "empty" or len(brought) == 1]
        except OSError as error:
            return [Brought(agent=connector.agent, source=source, state="failed", why=error.strerror or str(error))]
        if write and is_whole and not any(each.state == "failed" for each in brought):
            self._looks[source] = replace(look, sessions=made)
        return brought

    def _brought(
        self, session: FoundSession, source: str, digest: str, made: dict[str, str], *, write: bool
    ) -> Brought:
        told = Brought(
            agent=session.agent,
            source=source,
            state="empty",
            session=_id_of(session),
            title=session.title,
            bad=session.bad,
            lossy=tuple(sorted(session.lossy)),
        )
        if not session.is_worth_keeping:
            return told
        path = made.get(session.key)
        if path is None:
            path = self._path_for(session.cwd, session.created, told.session)
            path = self._existing(path, told.session) or path
        if os.path.exists(path):
            return self._grown(told, session, path, write=write)
        if session.key in made:
            return replace(told, state="known")  # it was deleted here, and stays so
        entries = self._rooted(session, source, digest)
        if write:
            parent = self._path_of_key(session.parent, made) if session.parent else None
            header = Header(VERSION, told.session, timestamp_of(session.created), session.cwd, parent)
            self._put(path, header_line(header) + b"".join(map(line_of, entries)))
        made[session.key] = path
        return replace(told, state="new", path=path, added=len(session.entries))

    def _grown(self, told: Brought, session: FoundSession, path: str, *, write: bool) -> Brought:
        try:
            known = {entry.id for entry in reading_of(path).entries}
            new = [entry for entry in session.entries if entry.id not in known]
            if new and write:
                store = JsonlStore.open(path)
                try:
                    for entry in new:
                        store.append(entry)
                    store.sync()
                finally:
                    store.close()
        except SessionError as error:
            return replace(told, state="failed", path=path, why=str(error))
        return replace(told, state="grown" if new else "known", path=path, added=len(new))

    def _rooted(self, session: FoundSession, source: str, digest: str) -> list[Entry]:
        """The entries behind what is told of the import."""
        first: list[Entry] = []
        for number, fact in enumerate(session.facts_of_import(source, digest)):
            drawn = sha256(f"{session.agent}\n{session.key}\nimport {number}".encode("utf-8", "replace")).hexdigest()[
                :8
            ]
            first.append(Entry(drawn, first[-1].id if first else None, round(session.created, 3), fact))
        rest = [
            replace(entry, at=session.entry_time(entry), parent=entry.parent or first[-1].id)
            for entry in session.entries
        ]
        return [*first, *rest]

    def copy(self, content: bytes, source: str, *, cwd: str = "", write: bool = True) -> Brought:
        """A session file as it is, under its own id. With `cwd` it works there. One that is here already gets what is new in it; one
        that went another way than that which is here becomes a session of its own."""
        header = header_of(content.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0])
        told = Brought(agent="pi", source=source, state="failed", why="it is no session file")
        if header is None:
            return told
        told = replace(told, session=header.id, why="")
        created = max(0.0, self._now if not header.timestamp else seconds_of(header.timestamp) or 0.0)
        path = self._path_for(cwd or header.cwd, created, header.id)
        content = _with_cwd(content, cwd) if cwd and cwd != header.cwd else content
        reading = read(content)
        count = len(reading.entries) if reading else 0
        existing = self._existing(path, header.id)
        if existing is None:
            if write:
                self._put(path, content)
            return replace(told, state="new", path=path, added=count)
        with open(existing, "rb") as file:
            here = file.read()
        if content.startswith(here) and here.endswith(b"\n"):
            more = content[len(here) :]
            if more and write:
                fd = os.open(existing, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
                try:
                    os.write(fd, more)
                finally:
                    os.close(fd)
            return replace(told, state="grown" if more else "known", path=existing, added=more.count(b"\n"))
        ids = {entry.id for entry in reading_of(existing).entries}
        if reading is None or all(entry.id in ids for entry in reading.entries):
            return replace(told, state="known", path=existing)
        drawn = _uuid_of(f"{header.id}\n{sha256(content).hexdigest()}")
        path = self._path_for(cwd or header.cwd, created, drawn)
        if os.path.exists(path):
            return replace(told, state="known", path=path, session=drawn)
        if write:
            self._put(path, _with_id(content, drawn, existing))
        return replace(told, state="new", path=path, session=drawn, added=count)

    def _path_for(self, cwd: str, created: float, session_id: str) -> str:
        return os.path.join(self._folder_for(cwd), file_name(created, session_id))

    def _existing(self, path: str, session_id: str) -> str | None:
        """The file of a session with this id in the folder of a path."""
        found = glob(os.path.join(escape(os.path.dirname(path)), f"*_{escape(session_id)}.jsonl"))
        return found[0] if found else None

    def _path_of_key(self, key: str, made: dict[str, str]) -> str | None:
        if key in made:
            return made[key]
        return next((look.sessions[key] for look in self._looks.values() if key in look.sessions), None)

    def _put(self, path: str, content: bytes) -> None:
        try:
            put(path, content)
        except OSError as error:
            raise SessionError(
                f"{path} cannot be written: {error.strerror}.", hint="Free some space or mend the disk."
            ) from error

    def _known(self) -> dict[str, Look]:
        try:
            with open(self._ledger, "rb") as file:
                return _decoder.decode(file.read())
        except (OSError, DecodeError, ValidationError, UnicodeDecodeError):
            return {}  # then the sessions themselves say what is here

    def _remember(self) -> None:
        beside = f"{self._ledger}.new"
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(encode(self._looks))
        os.replace(beside, self._ledger)


def _look(source: str) -> Look:
    with open(source, "rb") as file:
        now = os.fstat(file.fileno())
        prefix = sha256(file.read(_PREFIX_BYTES)).hexdigest()
    wal = os.stat(f"{source}-wal") if os.path.exists(f"{source}-wal") else None
    size, mtime = now.st_size + (wal.st_size if wal else 0), max(now.st_mtime_ns, wal.st_mtime_ns if wal else 0)
    return Look(now.st_dev, now.st_ino, size, mtime, prefix)


def _digest(source: str) -> str:
    digest = sha256()
    with open(source, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _id_of(session: FoundSession) -> str:
    key = session.key.lower()
    return key if _UUID.fullmatch(key) else _uuid_of(f"{session.agent}\n{session.key}")


def _uuid_of(text: str) -> str:
    """A UUID that the same text always gets (version 8)."""
    drawn = sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"{drawn[:8]}-{drawn[8:12]}-8{drawn[13:16]}-a{drawn[17:20]}-{drawn[20:32]}"


def _with_cwd(content: bytes, cwd: str) -> bytes:
    first, end, rest = content.partition(b"\n")
    return encoded((object_of(first) or {}) | {"cwd": cwd}) + end + rest


def _with_id(content: bytes, session_id: str, parent: str) -> bytes:
    first, end, rest = content.partition(b"\n")
    return encoded((object_of(first) or {}) | {"id": session_id, "parentSession": parent}) + end + rest
