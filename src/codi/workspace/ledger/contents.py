"""Contents by their hash: what is stored once stays readable under the SHA-256 of its bytes until nothing needs it.

`objects/aa/<62 hex digits>` holds one content: a byte that tells how, then the bytes, packed by zlib where that makes them
smaller. A content gets its name only when its bytes are on the disk, so whatever has a name is whole; should it be
damaged later, reading says so.
"""

import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from threading import Lock

from codi.workspace.ledger.durability import sync_all

_RAW, _PACKED = b"r", b"z"
_SAMPLE = 64 * 1024
_TEMPORARY = ".tmp"


class Missing(Exception):
    """A content is not in the store any more, or is damaged."""


class Contents:
    """`folder` exists. `elsewhere` gives contents that lie in another store already, such as git's, or None."""

    def __init__(self, folder: str, elsewhere: Callable[[str], bytes | None] = lambda id: None) -> None:
        self.folder = folder
        self._elsewhere = elsewhere
        self._pending: dict[str, str] = {}
        self._known: set[str] = set()
        self._lock = Lock()
        self._used: int | None = None

    def put(self, content: bytes, id: str | None = None) -> str:
        """Store a content and return its id. It is safe from a crash after `sync`."""
        id = id or sha256(content).hexdigest()
        with self._lock:
            if id in self._known or id in self._pending:
                return id
            if os.path.exists(self._path(id)):
                self._known.add(id)
                return id
            form = _form(content)
            self._pending[id] = self._write(form)
            if self._used is not None:
                self._used += sum(map(len, form))
        return id

    def get(self, id: str) -> bytes:
        """The content. Raises Missing."""
        path = self._pending.get(id) or self._path(id)
        try:
            with open(path, "rb") as file:
                form = file.read()
            content = zlib.decompress(form[1:]) if form[:1] == _PACKED else form[1:]
            if sha256(content).hexdigest() == id:
                return content
        except (OSError, zlib.error):
            pass
        found = self._elsewhere(id)
        if found is None or sha256(found).hexdigest() != id:
            raise Missing(id)
        return found

    def has(self, id: str) -> bool:
        """Whether it is stored here (and not only elsewhere)."""
        return id in self._known or id in self._pending or os.path.exists(self._path(id))

    def sync(self) -> None:
        """Bring everything that was put to the disk, and give it its name. Raises OSError where the disk is full."""
        with self._lock:
            pending, self._pending = self._pending, {}
            sync_all(list(pending.values()), self.folder)
            made = set()
            for id, temporary in pending.items():
                path = self._path(id)
                if (folder := path.rpartition("/")[0]) not in made:
                    with suppress(FileExistsError):
                        os.mkdir(folder, 0o700)
                    made.add(folder)
                os.rename(temporary, path)
                self._known.add(id)

    def forget(self) -> None:
        """Another process may have removed contents: look again what there is."""
        with self._lock:
            self._known.clear()
            self._used = None

    def used(self) -> int:
        """Bytes of everything stored."""
        if self._used is None:
            self._used = sum(size for _, size in self._stored())
        return self._used

    def keep_only(self, wanted: set[str]) -> None:
        """Remove all else, and what a crash left half-written."""
        with self._lock:
            for id, _ in list(self._stored()):
                if id not in wanted:
                    with suppress(FileNotFoundError):
                        os.unlink(self._path(id))
            self._known &= wanted
            self._used = None

    def sweep(self) -> None:
        """Remove what processes that are gone left half-written."""
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name.endswith(_TEMPORARY) and not os.path.exists(f"/proc/{entry.name.partition('-')[0]}"):
                    os.unlink(entry.path)

    def _stored(self) -> Iterator[tuple[str, int]]:
        with suppress(FileNotFoundError), os.scandir(self.folder) as folders:
            for folder in folders:
                if len(folder.name) == 2:
                    with os.scandir(folder.path) as entries:
                        for entry in entries:
                            with suppress(FileNotFoundError):
                                yield folder.name + entry.name, entry.stat().st_size

    def _write(self, form: Iterable[bytes]) -> str:
        path = os.path.join(self.folder, f"{os.getpid()}-{os.urandom(6).hex()}{_TEMPORARY}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            for part in form:
                rest = memoryview(part)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
        except OSError:
            os.unlink(path)
            raise
        finally:
            os.close(descriptor)
        return path

    def _path(self, id: str) -> str:
        return f"{self.folder}/{id[:2]}/{id[2:]}"


def _form(content: bytes) -> tuple[bytes, bytes]:
    """How a content is written: packed if that saves something, which its beginning tells."""
    sample = content[:_SAMPLE]
    packed = zlib.compress(sample, 1)
    if len(packed) > len(sample) * 9 // 10:
        return _RAW, content
    return _PACKED, packed if len(content) <= _SAMPLE else zlib.compress(content, 1)
