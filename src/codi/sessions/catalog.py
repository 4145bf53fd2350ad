"""The list of sessions, kept in SQLite so that it is there at once.

Everything in it comes from the session files and may be deleted at any time. It is brought up to date whenever it is
asked, by the size and time of each file, reading no more than what was appended since.
"""

import fcntl
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from copy import copy
from typing import TypeVar
from zlib import crc32

import apsw

from codi.protocol.conversation import SessionSummary
from codi.sessions.paths import make_directory
from codi.sessions.summaries import Tally

_SCHEMA = (2,)
_BUSY_MS = 5000
_FIELDS = Tally.__struct_fields__
_CREATE = f"CREATE TABLE IF NOT EXISTS session ({', '.join(_FIELDS)}, checksum, PRIMARY KEY (path)) WITHOUT ROWID"
_SEARCHED = """
    CREATE TABLE source (id INTEGER PRIMARY KEY, path TEXT UNIQUE, session, cwd, inode, size, mtime_ns, offset);
    CREATE TABLE passage (id INTEGER PRIMARY KEY, source, entry, at, role, tool, model, files, text);
    CREATE INDEX passage_source ON passage (source);
    CREATE VIRTUAL TABLE words USING fts5(text, content='passage', content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='2 3 4');
    CREATE TRIGGER passage_came AFTER INSERT ON passage BEGIN
        INSERT INTO words (rowid, text) VALUES (new.id, new.text);
    END;
    CREATE TRIGGER passage_went AFTER DELETE ON passage BEGIN
        INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, old.text);
    END;
"""
_DROP = "".join(f"DROP TABLE IF EXISTS {name};" for name in ("session", "words", "passage", "source"))
_INSERT = f"INSERT OR REPLACE INTO session VALUES ({', '.join('?' * (len(_FIELDS) + 1))})"
_SELECT = f"SELECT {', '.join(_FIELDS)}, checksum FROM session"


_Made = TypeVar("_Made")


class Database:
    """What is derived from session files, at `path`. Where it is broken it is made anew, and where it cannot be used everything
    is read anew, and nobody notices but the clock."""

    def __init__(self, path: str) -> None:
        self._path = path

    def use(self, work: Callable[[apsw.Connection], _Made]) -> _Made:
        """Have some work done on it, which may be done twice."""
        for _ in range(2):
            inode = _inode(self._path)
            try:
                return _done(_opened(self._path), work)
            except apsw.BusyError:
                break
            except (apsw.Error, OSError):
                self._delete(inode)
        return _done(_opened(":memory:"), work)

    def _delete(self, inode: int) -> None:
        """Remove a database that is broken, unless another process has already put a new one in its place."""
        with suppress(OSError):
            folder = os.open(os.path.dirname(self._path) or ".", os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX)
                if _inode(self._path) == inode:
                    for ending in ("-wal", "-shm", ""):
                        with suppress(FileNotFoundError):
                            os.unlink(self._path + ending)
            finally:
                os.close(folder)


def _done(database: apsw.Connection, work: Callable[[apsw.Connection], _Made]) -> _Made:
    try:
        return work(database)
    finally:
        database.close(True)


class Catalog:
    """`path` is the database."""

    def __init__(self, path: str) -> None:
        self._database = Database(path)

    def sessions(self, directories: str | Iterable[str], cwd: str | None = None) -> list[SessionSummary]:
        """The sessions in these folders, newest first; with `cwd`, those that work there. A file that cannot be read is
        listed as unreadable."""
        folders = [directories] if isinstance(directories, str) else list(directories)
        tallies = self._database.use(lambda database: _update(database, folders))
        summaries = [tally.summary() for tally in tallies if cwd is None or tally.cwd == cwd or not tally.is_readable]
        return sorted(summaries, key=lambda summary: (-summary.modified, summary.path))


def _opened(path: str) -> apsw.Connection:
    if path != ":memory:":
        make_directory(os.path.dirname(os.path.abspath(path)))
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    database = apsw.Connection(path)
    try:
        database.set_busy_timeout(_BUSY_MS)
        database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL")
        if _schema(database) != _SCHEMA:
            database.execute("BEGIN IMMEDIATE")
            if _schema(database) != _SCHEMA:
                database.execute(f"{_DROP} {_CREATE}; {_SEARCHED} PRAGMA user_version={_SCHEMA[0]}")
            database.execute("COMMIT")
    except apsw.Error:
        database.close(True)
        raise
    return database


def _schema(database: apsw.Connection) -> object:
    return database.execute("PRAGMA user_version").fetchone()


def _update(database: apsw.Connection, folders: Sequence[str]) -> list[Tally]:
    known = _known(database)
    tallies: list[Tally] = []
    changed: list[Tally] = []
    for folder in folders:
        for file in known_files(folder):
            tally = known.get(file.path)
            fresh = _counted(file, tally)
            if fresh is not None:
                tallies.append(fresh)
                if fresh is not tally:
                    changed.append(fresh)
    present = {tally.path for tally in tallies}
    gone = [path for path in known if path not in present and os.path.dirname(path) in folders]
    if changed or gone:
        _keep(database, changed, gone)
    return tallies


def _known(database: apsw.Connection) -> dict[str, Tally]:
    known: dict[str, Tally] = {}
    for *values, checksum in database.execute(_SELECT):
        # A page that went bad may still look like a table.
        if checksum == _checksum(values):
            tally = Tally(*values)
            known[tally.path] = tally
    return known


def _keep(database: apsw.Connection, changed: Iterable[Tally], gone: Iterable[str]) -> None:
    # A table with pages missing looks like one with rows missing, and would take new ones.
    if database.execute("PRAGMA quick_check(session)").fetchone() != ("ok",):
        raise apsw.CorruptError("the catalog is damaged")
    rows = [values for tally in changed if _can_be_kept(values := [getattr(tally, name) for name in _FIELDS])]
    database.execute("BEGIN IMMEDIATE")
    database.executemany(_INSERT, ([*values, _checksum(values)] for values in rows))
    database.executemany("DELETE FROM session WHERE path = ?", ((path,) for path in gone))
    database.execute("COMMIT")


def _checksum(values: Sequence[object]) -> int:
    return crc32(repr(values).encode(errors="surrogatepass"))


def _can_be_kept(values: Iterable[object]) -> bool:
    """SQLite takes no number beyond 64 bits and no text that is not Unicode, such as a path may be."""
    for value in values:
        if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
            return False
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                return False
    return True


def known_files(folder: str) -> list[os.DirEntry[str]]:
    """The session files in a folder."""
    try:
        with os.scandir(folder) as found:
            return [file for file in found if file.name.endswith(".jsonl") and file.is_file()]
    except OSError:
        return []


def _counted(file: os.DirEntry[str], tally: Tally | None) -> Tally | None:
    """The tally of a file as it is now: the one given, if that still holds. None for a file that is gone or empty."""
    try:
        now = file.stat()
        if tally and (tally.inode, tally.size, tally.mtime_ns) == (now.st_ino, now.st_size, now.st_mtime_ns):
            return tally
        if now.st_size == 0:
            return None
        has_grown = tally is not None and tally.inode == now.st_ino and tally.size < now.st_size
        fresh = copy(tally) if tally and tally.is_readable and has_grown else Tally(file.path)
        with open(file.path, "rb") as content:
            content.seek(fresh.offset)
            fresh.take(content.read())
    except FileNotFoundError:
        return None
    except OSError:
        return Tally(file.path)  # of no inode, so that the next time looks again
    fresh.inode, fresh.size, fresh.mtime_ns = now.st_ino, now.st_size, now.st_mtime_ns
    return fresh


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0
