"""Pages of documentation, kept for a day: agents read the same ones again and again, and they seldom change.

One file a page in a folder of codi's home that nobody else may read. What an address might give away, such as a key in its
query, is not kept.
"""

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from urllib.parse import urlsplit

from msgspec import DecodeError, Struct, ValidationError, msgpack

from codi.protocol.errors import WorkspaceError
from codi.workspace.ledger.folders import make_private
from codi.workspace.workspace import Fetched

KEPT_S = 24 * 3600.0
MOST_PAGES = 1000
MOST_BYTES = 100 * 1024 * 1024

_HOST = re.compile(
    r"(docs?|developers?|devdocs|manual|man)\..+|.+\.(readthedocs\.(io|org)|rtfd\.io|gitbook\.io)"
    r"|docs\.rs|pkg\.go\.dev|doc\.rust-lang\.org|learn\.microsoft\.com|(www\.)?man7\.org|cppreference\.com|.+\.cppreference\.com"
)
_FOLDERS = frozenset({"doc", "docs", "documentation", "manual", "man", "reference", "refman", "javadoc", "apidocs"})


def is_documentation(url: str) -> bool:
    """Whether a page says of itself, by its address, that it documents something."""
    split = urlsplit(url)
    folders = split.path.lower().split("/")
    return bool(_HOST.fullmatch((split.hostname or "").lower())) or not _FOLDERS.isdisjoint(folders)


class _Kept(Struct, frozen=True):
    asked: str
    at: float
    page: Fetched


class PageCache:
    """`home` is codi's home. A disk that refuses costs the saving, not the page."""

    def __init__(
        self,
        home: str,
        *,
        clock: Callable[[], float] = time.time,
        most_pages: int = MOST_PAGES,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._home = home
        self._folder = os.path.join(home, "cache", "pages")
        self._clock = clock
        self._most_pages = most_pages
        self._most_bytes = most_bytes

    def kept(self, url: str) -> tuple[Fetched, float] | None:
        """The page and how many seconds ago it was fetched."""
        try:
            with open(os.open(self._file(url), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
                kept = msgpack.decode(file.read(), type=_Kept)
        except (OSError, DecodeError, ValidationError):
            return None
        age = self._clock() - kept.at
        return (kept.page, age) if kept.asked == url and 0 <= age < KEPT_S else None

    def keep(self, url: str, page: Fetched) -> None:
        split = urlsplit(url)
        if page.status != 200 or page.is_cut or split.query or "@" in split.netloc or not is_documentation(url):
            return
        fresh = f"{self._file(url)}.{os.urandom(4).hex()}.tmp"
        with suppress(OSError, WorkspaceError):
            make_private(self._home, self._folder)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(fresh, flags, 0o600), "wb") as file:
                file.write(msgpack.encode(_Kept(url, self._clock(), page)))
            os.rename(fresh, self._file(url))
            self._make_room()

    def _file(self, url: str) -> str:
        return os.path.join(self._folder, sha256(url.encode()).hexdigest())

    def _make_room(self) -> None:
        with os.scandir(self._folder) as found:
            files = sorted(((file.stat(), file.path) for file in found), key=lambda file: -file[0].st_mtime_ns)
        left = self._most_bytes
        for place, (status, path) in enumerate(files):
            left -= status.st_size
            if place >= self._most_pages or left < 0 or self._clock() - status.st_mtime >= KEPT_S:
                with suppress(FileNotFoundError):
                    os.unlink(path)
