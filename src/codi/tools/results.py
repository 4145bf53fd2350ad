"""The full texts of results that the model was shown in part, kept beside the session for `recall`.

One directory a session, never shared. A result is two files: `ID.txt` is the text, byte for byte, and `ID.json` says of
which call it is. When the text has to leave, because of its age or for want of room, the other file stays a while and
tells which call to repeat. The id is a digest of call and text, so the same result twice is kept once.
"""

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from codi.tools.output import clean, lines_of
from codi.workspace.leftovers import OwnFolder

QUOTA = 100 * 1024 * 1024
AGE_S = 30 * 24 * 3600
ID = re.compile(r"^[a-z0-9_]{1,48}_[0-9a-f]{12}\Z")
_CHUNK = 1024 * 1024
_BEGUN_CHARACTER = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z")
_CALL_BYTES = 1024  # what the file about a call holds besides its arguments


class Header(Struct, frozen=True, kw_only=True, rename="camel"):
    """Of which call a text is the result. `bytes` and `lines` measure what is kept; `lost_bytes` did not fit the quota."""

    id: str
    tool: str
    arguments: dict[str, Any]
    is_error: bool = False
    at: float
    bytes: int
    lines: int
    tokens: int
    summary: str
    lost_bytes: int = 0


class _File(Struct, frozen=True):
    name: str
    bytes: int
    at: float


def results_directory(session_file: str) -> str:
    """Where the results of the session in this file are kept."""
    return os.path.splitext(session_file)[0] + ".results"


class Results:
    """`directory` None is a session without a file: a private directory of its own, which goes with `close`. `veil` is what
    texts and arguments pass on their way to the disk."""

    def __init__(
        self,
        directory: str | None,
        *,
        clock: Callable[[], float] = time.time,
        quota: int = QUOTA,
        age_s: float = AGE_S,
        veil: Callable[[Any], Any] = lambda told: told,
    ) -> None:
        self._own = OwnFolder(os.environ.get("TMPDIR") or "/tmp")
        self._given = directory
        self._clock = clock
        self._quota = quota
        self._age_s = age_s
        self._veil = veil

    @property
    def _directory(self) -> str:
        return self._given or os.path.join(self._own.path, "results")

    def keep(self, tool: str, arguments: dict[str, Any], text: str, *, is_error: bool = False) -> str:
        """Keep a text and say under which id. OSError when the disk refuses."""
        return self._keep(tool, arguments, [self._veil(text).encode(errors="replace")], is_error)

    def keep_output(self, tool: str, arguments: dict[str, Any], path: str, *, is_error: bool = False) -> str:
        """Keep what a process wrote into a file, cleaned, without ever holding all of it. Blocks: for a thread."""
        with open(path, "rb") as raw:
            return self._keep(
                tool, arguments, (self._veil(clean(chunk)).encode() for chunk in _chunks_of_lines(raw)), is_error
            )

    def header(self, id: str) -> Header | None:
        """Of which call the result is, or was: the text may have left."""
        try:
            with open(self._path(id, "json"), "rb") as file:
                return msgspec.json.decode(file.read(), type=Header)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def path_of(self, id: str) -> str | None:
        """The file that holds the text; None when it left or never was."""
        path = self._path(id, "txt")
        return path if os.path.isfile(path) else None

    def lines(self, id: str) -> Iterator[str]:
        """The lines of a text, one at a time, without their LF. FileNotFoundError when it left."""
        with open(self._path(id, "txt"), "rb") as file:
            for line in file:
                yield line.removesuffix(b"\n").decode(errors="replace")

    def newest(self, count: int) -> list[Header]:
        """What is kept, newest first."""
        found: list[Header] = []
        for file in reversed(self._files()):
            id, ending = os.path.splitext(file.name)
            if ending == ".txt" and (header := self.header(id)) is not None:
                found.append(header)
                if len(found) == count:
                    break
        return found

    def close(self) -> None:
        """A session without a file leaves nothing behind."""
        self._own.close()

    def _keep(self, tool: str, arguments: dict[str, Any], parts: Iterable[bytes], is_error: bool) -> str:
        arguments = self._veil(arguments)
        call = msgspec.json.encode([tool, arguments], order="deterministic")
        digest = hashlib.sha256(call + b"\0")
        measure = _Measure(self._quota - len(call) - _CALL_BYTES, digest)
        unnamed = self._write(f"{os.urandom(8).hex()}.part", measure.through(parts))
        id = f"{re.sub('[^a-z0-9_]', '_', tool.lower())[:48]}_{digest.hexdigest()[:12]}"
        at = self._clock()
        header = Header(
            id=id,
            tool=tool,
            arguments=arguments,
            is_error=is_error,
            at=at,
            bytes=measure.kept,
            lines=measure.lines,
            tokens=(measure.kept + 3) // 4,
            summary=_summary(arguments, measure.lines),
            lost_bytes=measure.seen - measure.kept,
        )
        os.replace(unnamed, self._path(id, "txt"))
        self._write(f"{id}.json", [msgspec.json.encode(header)])
        for ending in ("txt", "json"):
            os.utime(self._path(id, ending), (at, at))
        self._make_room(keeping=id)
        return id

    def _write(self, name: str, parts: Iterable[bytes]) -> str:
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        os.chmod(self._directory, 0o700)
        path = os.path.join(self._directory, name)
        unfinished = f"{path}.{os.urandom(4).hex()}.new"
        try:
            with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
                file.writelines(parts)
            os.replace(unfinished, path)
        except BaseException:
            os.unlink(unfinished)
            raise
        return path

    def _make_room(self, keeping: str) -> None:
        files = self._files()
        total = sum(file.bytes for file in files)
        now = self._clock()
        for file in files:
            if file.name.startswith(keeping):
                continue
            is_text = file.name.endswith(".txt")
            # What a text was outlives it: whoever asks later is told which call to repeat.
            is_old = now - file.at > (self._age_s if is_text else 2 * self._age_s)
            if is_old or (is_text and total > self._quota):
                total -= file.bytes
                with suppress(FileNotFoundError):
                    os.unlink(os.path.join(self._directory, file.name))

    def _files(self) -> list["_File"]:
        """What is in the directory, the oldest first. Other calls may be at work there: what goes meanwhile is left out."""
        try:
            names = os.listdir(self._directory)
        except FileNotFoundError:
            return []
        files = []
        for name in names:
            with suppress(FileNotFoundError):
                facts = os.stat(os.path.join(self._directory, name))
                files.append(_File(name, facts.st_size, facts.st_mtime))
        return sorted(files, key=lambda file: file.at)

    def _path(self, id: str, ending: str) -> str:
        if not ID.match(id):
            raise ValueError(f"{id!r} is no id of a result")
        return os.path.join(self._directory, f"{id}.{ending}")


class _Measure:
    """Counts what passes, and lets no more through than there is room for."""

    def __init__(self, room: int, digest: "hashlib._Hash") -> None:
        self.seen = 0
        self.kept = 0
        self._breaks = 0
        self._last = b""
        self._room = room
        self._digest = digest

    def through(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        for part in parts:
            self._digest.update(part)
            self.seen += len(part)
            fitting = part[: max(0, self._room - self.kept)]
            if fitting:
                self.kept += len(fitting)
                self._breaks += fitting.count(b"\n")
                self._last = fitting[-1:]
                yield fitting

    @property
    def lines(self) -> int:
        return self._breaks + (self._last != b"\n")


def _chunks_of_lines(raw: BinaryIO) -> Iterator[bytes]:
    """Whole lines, many at once; a line beyond all measure comes in pieces of whole characters."""
    rest = b""
    while chunk := raw.read(_CHUNK):
        piece = rest + chunk + raw.readline(_CHUNK)
        rest = b""
        if not piece.endswith(b"\n") and (begun := _BEGUN_CHARACTER.search(piece, max(0, len(piece) - 3))):
            piece, rest = piece[: begun.start()], begun[0]
        yield piece
    yield rest


def _summary(arguments: dict[str, Any], lines: int) -> str:
    """The call in a few words: what was asked for first, and how much came."""
    asked = next((value for value in arguments.values() if isinstance(value, str) and value), "")
    first = lines_of(asked)[0]
    return (
        f"{first[:80]}{'...' if len(asked) > 80 or first != asked else ''} ({lines} line{'s' * (lines != 1)})".lstrip()
    )
