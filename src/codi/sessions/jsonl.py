"""The truth: one append-only file for each session.

Each entry is one write of one line. The file is never rewritten; what happened to it is mended where it is read. It
comes into being with the first message of the person, so that a session in which nobody spoke leaves nothing behind.
"""

import errno
import os
import stat
import time
from collections.abc import Iterator

from codi.protocol.errors import SessionError
from codi.protocol.events import Entry, MessageAdded
from codi.sessions.locking import Lease, end_lease, lock
from codi.sessions.migration import migrate_file, migrated
from codi.sessions.paths import file_name, make_directory, sync_directory, uuid7
from codi.sessions.reading import Reading, read, told
from codi.sessions.store import Unsaved
from codi.sessions.version3 import VERSION, Header, header_line, header_of, line_of, timestamp_of

_SYNC_EVERY_S = 2.0
_READ_ONLY = ("The session is open for reading only.", "use --fork")
_sync_file = getattr(os, "fdatasync", os.fsync)


class JsonlStore:
    """Made by `new` or `open`."""

    def __init__(self, path: str, header: Header, entries: list[Entry]) -> None:
        self.path: str | None = path
        self._path = path
        self.header = header
        self.session_id = header.id
        self.cwd = header.cwd
        self.warnings: list[str] = []
        self._entries = entries
        self._unwritten: list[bytes] = []
        self._is_begun = True
        """Whether the person has spoken, so that there must be a file."""
        self._fd: int | None = None
        self._lease: Lease | None = None
        self._refusal: tuple[str, str] | None = None
        self._lacks_line_end = False
        self._is_dirty = False
        self._synced_at = time.monotonic()

    @classmethod
    def new(
        cls,
        directory: str,
        cwd: str,
        *,
        at: float,
        session_id: str | None = None,
        parent_session: str | None = None,
    ) -> "JsonlStore":
        """A session in a file of its own in `directory`, begun at `at` (seconds since 1970). Nothing is on disk yet."""
        header = _header(cwd, at, session_id, parent_session)
        store = cls(os.path.join(directory, file_name(at, header.id)), header, [])
        store._begin_with(header)
        return store

    @classmethod
    def open(cls, path: str, *, read_only: bool = False, cwd: str | None = None) -> "JsonlStore":
        """The session in a file. An empty file is a new session in `cwd`. Raises SessionError where the file is missing,
        holds no session, or is written by another process."""
        path = os.path.abspath(path)
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise _not_a_session(path)
            fd, may_write = _open_file(path, read_only=read_only)
        except OSError as error:
            raise SessionError(
                f"{path} cannot be opened: {error.strerror}.", hint="Check the path with `codi sessions list`."
            ) from error
        try:
            store = cls._opened(path, fd, may_write, cwd)
        except SessionError:
            os.close(fd)
            raise
        if not read_only and store._refusal == _READ_ONLY:
            store.warnings.append(f"{path} cannot be written; the session is open for reading only.")
        return store

    @classmethod
    def _opened(cls, path: str, fd: int, may_write: bool, cwd: str | None) -> "JsonlStore":
        lease = lock(fd, path) if may_write else None
        content = _content_of(fd)
        if not content:
            header = _header(cwd or os.getcwd(), time.time(), None, None)
            store = cls(path, header, [])
            store._begin_with(header)
        else:
            header_found = header_of(content.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0])
            if header_found is None:
                if lease:
                    end_lease(path, lease)
                raise _not_a_session(path)
            store = cls(path, header_found, [])
            if header_found.version < VERSION:
                fd, content, may_write = _migrate(path, fd, content, may_write)
            reading = read(content)
            assert reading is not None, "its header was read before"
            store._take(reading)
            may_write = may_write and header_found.version <= VERSION
        store._lease = lease
        if may_write:
            store._fd = fd
        else:
            os.close(fd)
            store._refusal = store._refusal or _READ_ONLY
        return store

    def append(self, entry: Entry) -> None:
        if self._refusal:
            raise SessionError(self._refusal[0], hint=self._refusal[1])
        line = line_of(entry)
        self._entries.append(entry)
        self._unwritten.append(line)
        self._is_begun = self._is_begun or _is_prompt(entry)
        if self._is_begun:
            self._write_out()
            if time.monotonic() - self._synced_at >= _SYNC_EVERY_S:
                self.sync()

    def sync(self) -> None:
        if self._refusal or not self._is_begun:
            return
        self._write_out()
        if self._is_dirty and self._fd is not None:
            try:
                _sync_file(self._fd)
            except OSError as error:
                raise self._unsaved(error) from error
        self._is_dirty = False
        self._synced_at = time.monotonic()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def close(self) -> None:
        """Let others write. Raises Unsaved when the disk still does not take what is in memory; it is then lost."""
        try:
            self.sync()
        finally:
            self._refusal = self._refusal or ("The session is closed.", "Open it again.")
            if self._lease:
                end_lease(self._path, self._lease)
                self._lease = None
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None

    def _begin_with(self, header: Header) -> None:
        self._unwritten.append(header_line(header))
        self._is_begun = False

    def _take(self, reading: Reading) -> None:
        self._entries = reading.entries
        self._lacks_line_end = reading.is_open_ended
        if repaired := told(reading.problems):
            self.warnings.append(repaired)
        if reading.header.version > VERSION:
            newer = f"This session was written by a newer format (version {reading.header.version})."
            self._refusal = (newer, "fork it.")
            self.warnings.append(f"{newer} hint: fork it.")

    def _write_out(self) -> None:
        """Write what is in memory alone: before the file exists all of it at once, afterwards a line at a time."""
        try:
            if self._fd is None:
                self._create()
            if self._unwritten and self._is_header(self._unwritten[0]):
                self._unwritten = [b"".join(self._unwritten)]
            while self._unwritten:
                self._write(self._unwritten[0])
                del self._unwritten[0]
        except OSError as error:
            raise self._unsaved(error) from error

    def _is_header(self, line: bytes) -> bool:
        return line.startswith(b'{"type":"session",')

    def _create(self) -> None:
        make_directory(os.path.dirname(self._path))
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(self._path, flags, 0o600)
        self._lease = lock(self._fd, self._path)
        sync_directory(self._path)

    def _write(self, line: bytes) -> None:
        assert self._fd is not None
        if self._lacks_line_end:
            line = b"\n" + line
        written = 0
        try:
            while written < len(line):
                written += os.write(self._fd, memoryview(line)[written:])
        except OSError:
            if written:
                self._cut_back(self._fd, written)
            raise
        self._lacks_line_end = False
        self._is_dirty = True

    def _cut_back(self, fd: int, written: int) -> None:
        """Take back a part of a line, unless somebody without a lock wrote behind it: then it gets its end."""
        end = os.lseek(fd, 0, os.SEEK_CUR)
        try:
            if os.fstat(fd).st_size == end:
                os.ftruncate(fd, end - written)
                return
        except OSError:
            pass  # the part stays, and is skipped when it is read
        self._lacks_line_end = True

    def _unsaved(self, error: OSError) -> Unsaved:
        return Unsaved(
            f"The session cannot be written to {self._path}: {error.strerror}.",
            hint=f"{_cure(error)}; what is not yet written is kept in memory and tried again.",
        )


def _cure(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR):
        return "Let CODI_HOME or --session-dir name a folder that you may write to, or go with --no-session"
    return "Free some space or mend the disk"


def _header(cwd: str, at: float, session_id: str | None, parent_session: str | None) -> Header:
    return Header(VERSION, session_id or uuid7(at), timestamp_of(at), cwd, parent_session)


def _is_prompt(entry: Entry) -> bool:
    fact = entry.fact
    return isinstance(fact, MessageAdded) and fact.message.role == "user" and not fact.message.tool_results


def _not_a_session(path: str) -> SessionError:
    return SessionError(f"{path} is not a session file.", hint="Give the path of a .jsonl file of a session.")


def _open_file(path: str, *, read_only: bool) -> tuple[int, bool]:
    if not read_only:
        try:
            return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC), True
        except PermissionError:
            pass
        except OSError as error:
            if error.errno != errno.EROFS:
                raise
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC), False


def _content_of(fd: int) -> bytes:
    with os.fdopen(os.dup(fd), "rb") as file:
        return file.read()


def _migrate(path: str, fd: int, content: bytes, may_write: bool) -> tuple[int, bytes, bool]:
    """On disk where that can be, else in memory for reading alone."""
    if may_write:
        try:
            new_fd, content = migrate_file(path, content)
        except OSError:
            pass
        else:
            os.close(fd)
            return new_fd, content, True
    return fd, migrated(content), False
