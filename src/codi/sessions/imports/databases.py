"""Databases of other agents, opened so that nothing in them can change."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import apsw

from codi.sessions.imports.found import mapping
from codi.sessions.json_lines import object_of

_FLAGS = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI


@contextmanager
def opened(path: str) -> Iterator[apsw.Connection]:
    """Raises OSError where it is no database that can be read."""
    try:
        database = apsw.Connection(f"file:{quote(path)}?mode=ro", flags=_FLAGS)
        try:
            database.execute("PRAGMA query_only = 1")
            yield database
        finally:
            database.close(True)
    except apsw.Error as error:
        raise OSError(f"{path} cannot be read as a database: {error}") from error


def tables(database: apsw.Connection) -> set[str]:
    return {str(row[0]) for row in database.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}


def rows(database: apsw.Connection, sql: str, *values: Any) -> list[dict[str, Any]]:
    """Each row by the names of its columns."""
    cursor = database.execute(sql, values)
    found: list[dict[str, Any]] = []
    for row in cursor:
        names = [column[0] for column in cursor.get_description()]
        found.append(dict(zip(names, row, strict=True)))
    return found


def json_of(value: Any) -> dict[str, Any]:
    """The object in a column."""
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogatepass")
    return mapping(object_of(value)) if isinstance(value, bytes) else mapping(value)
