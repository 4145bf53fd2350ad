"""Full-text search through the sessions: an index beside their list, in the same database, and as derived as that.

It is brought up to date when somebody searches, reading no more of each file than what was appended since.
"""

import os
from collections.abc import Sequence

import apsw
from msgspec import Struct

from codi.protocol.errors import UsageError
from codi.protocol.events import Entry
from codi.sessions.catalog import Database, known_files
from codi.sessions.json_lines import objects_in
from codi.sessions.passages import passages_of
from codi.sessions.search_query import Query
from codi.sessions.version3 import entry_of, header_of

_BOM = b"\xef\xbb\xbf"
_CANDIDATES = 2000
"""Of more matches than these the newest are ranked: who searches for a word that is everywhere wants what is new."""
_SNIPPET_WORDS = 16
_OPEN, _CLOSE = "\x02", "\x03"


class Hit(Struct, frozen=True):
    """A passage that was found. In `snippet` what matched stands between the characters 2 and 3."""

    path: str
    session: str
    cwd: str
    entry: str
    at: float
    role: str
    tool: str
    model: str
    snippet: str
    score: float


class Search:
    """`path` is the database of the catalog."""

    def __init__(self, path: str) -> None:
        self._database = Database(path)

    def find(self, query: Query, folders: Sequence[str], *, cwd: str | None = None, limit: int = 20) -> list[Hit]:
        """The best matches first. With `cwd`, of sessions that work there. Raises UsageError."""
        return self._database.use(lambda database: _found(_updated(database, folders), query, cwd, limit))

    def update(self, folders: Sequence[str]) -> None:
        self._database.use(lambda database: _updated(database, folders))


def _updated(database: apsw.Connection, folders: Sequence[str]) -> apsw.Connection:
    known = {
        str(row[1]): (int(row[0]), *map(int, row[2:]))
        for row in database.execute("SELECT id, path, inode, size, mtime_ns, offset FROM source")
    }
    present: set[str] = set()
    changed: list[tuple[os.DirEntry[str], os.stat_result]] = []
    for folder in folders:
        for file in known_files(folder):
            try:
                now = file.stat()
            except OSError:
                continue
            present.add(file.path)
            if known.get(file.path, (0, 0, 0, 0))[1:4] != (now.st_ino, now.st_size, now.st_mtime_ns):
                changed.append((file, now))
    gone = [path for path in known if path not in present and os.path.dirname(path) in folders]
    if changed or gone:
        database.execute("BEGIN IMMEDIATE")
        try:
            for path in gone:
                _forget(database, known[path][0])
            for file, now in changed:
                _read(database, file.path, now)
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")
    return database


def _forget(database: apsw.Connection, source: int) -> None:
    database.execute("DELETE FROM passage WHERE source = ?", (source,))
    database.execute("DELETE FROM source WHERE id = ?", (source,))


def _read(database: apsw.Connection, path: str, now: os.stat_result) -> None:
    """Take in what a file has more than before; all of it, where it is another."""
    # Another process may have been here between the look and the lock.
    row = database.execute("SELECT id, inode, size, offset FROM source WHERE path = ?", (path,)).fetchone()
    source, offset = None, 0
    if row is not None:
        source, inode, size, offset = (int(value) for value in row)
        if inode != now.st_ino or now.st_size < size:
            _forget(database, source)
            source, offset = None, 0
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            content = file.read()
    except OSError:
        return
    if source is None:
        first, found, rest = content.removeprefix(_BOM).partition(b"\n")
        header = header_of(first)
        if header is None or not found or not _is_text(path, header.id, header.cwd):
            return
        offset, content = len(content) - len(rest), rest
        database.execute(
            "INSERT INTO source (path, session, cwd, inode, size, mtime_ns, offset) VALUES (?, ?, ?, 0, 0, 0, 0)",
            (path, header.id, header.cwd),
        )
        source = database.last_insert_rowid()
    whole, end, _ = content.rpartition(b"\n")
    rows = [
        (source, passage.entry, passage.at, passage.role, passage.tool, passage.model, passage.files, passage.text)
        for line in whole.split(b"\n")
        if line
        for entry in _entries(line)
        for passage in passages_of(entry)
        if _is_text(passage.entry, passage.role, passage.tool, passage.model, passage.files, passage.text)
    ]
    database.executemany(
        "INSERT INTO passage (source, entry, at, role, tool, model, files, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows
    )
    database.execute(
        "UPDATE source SET inode = ?, size = ?, mtime_ns = ?, offset = ? WHERE id = ?",
        (now.st_ino, now.st_size, now.st_mtime_ns, offset + len(whole) + len(end), source),
    )


def _entries(line: bytes) -> list[Entry]:
    entry = entry_of(line)
    if entry is not None:
        return [entry]
    return [found for part in objects_in(line.strip(b" \t\r")) if (found := entry_of(part)) is not None]


def _is_text(*values: str) -> bool:
    """SQLite takes no half of a surrogate pair."""
    try:
        "".join(values).encode()
    except UnicodeEncodeError:
        return False
    return True


def _found(database: apsw.Connection, query: Query, cwd: str | None, limit: int) -> list[Hit]:
    where, values = _narrowed(query, cwd)
    if query.match:
        sql = f"""
            WITH newest AS (
                SELECT words.rowid AS id, rank AS score FROM words
                JOIN passage ON passage.id = words.rowid JOIN source ON source.id = passage.source
                WHERE words MATCH ? {where} ORDER BY words.rowid DESC LIMIT {_CANDIDATES}
            ),
            best AS (SELECT id, score FROM newest ORDER BY score, id DESC LIMIT ?)
            SELECT source.path, source.session, source.cwd, passage.entry, passage.at, passage.role, passage.tool,
                   passage.model, snippet(words, 0, ?, ?, '...', {_SNIPPET_WORDS}), -best.score
            FROM best JOIN words ON words.rowid = best.id JOIN passage ON passage.id = best.id
            JOIN source ON source.id = passage.source
            WHERE words MATCH ? ORDER BY best.score, best.id DESC"""
        bound = (query.match, *values, limit, _OPEN, _CLOSE, query.match)
    else:
        sql = f"""
            SELECT source.path, source.session, source.cwd, passage.entry, passage.at, passage.role, passage.tool,
                   passage.model, substr(passage.text, 1, 200), 0.0
            FROM passage JOIN source ON source.id = passage.source
            WHERE 1 {where} ORDER BY passage.id DESC LIMIT ?"""
        bound = (*values, limit)
    try:
        return [Hit(*row) for row in database.execute(sql, bound)]
    except apsw.SQLError as error:
        if "fts5" not in str(error):
            raise
        raise UsageError(f"the query cannot be read: {error}", hint="Put the words in quotes.") from error


def _narrowed(query: Query, cwd: str | None) -> tuple[str, list[object]]:
    where: list[str] = []
    values: list[object] = []
    for name, said in query.filters:
        match name:
            case "role":
                where.append("passage.role = ?")
                values.append({"toolResult": "tool", "toolresult": "tool", "result": "tool"}.get(said, said.lower()))
            case "tool":
                where.append("passage.tool = ?")
                values.append(said)
            case "file":
                where.append("instr(passage.files, ?) > 0")
                values.append(said)
            case _:
                where.append("instr(lower(passage.model), lower(?)) > 0")
                values.append(said)
    for sign, at in ((">=", query.after), ("<", query.before)):
        if at is not None:
            where.append(f"passage.at {sign} ?")
            values.append(at)
    if cwd is not None:
        where.append("source.cwd = ?")
        values.append(cwd)
    return "".join(f" AND {each}" for each in where), values
