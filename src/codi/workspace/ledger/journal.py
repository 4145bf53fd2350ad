"""The journal: what was done in a workspace, one record a line, only ever appended to.

Every line carries the CRC of its text, so a damaged one is noticed and skipped, and the steps around it can still be taken
back. All codi processes of a workspace write to the same journal; a lock makes each append whole, and numbers the steps.
"""

import fcntl
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any
from zlib import crc32

from msgspec import DecodeError, Struct, ValidationError, convert, structs, to_builtins
from msgspec.json import Decoder, Encoder

from codi.workspace.ledger.states import Cause, State, Step


class Begun(Struct, frozen=True, tag="begun", tag_field="record", kw_only=True, omit_defaults=True):
    """A command is about to run, or files are about to be changed: what stands at `before` is in the store. `token` is
    the step's that will follow; `process` and `started` name the one that does it, which may be killed."""

    token: str
    at: float
    process: int
    started: str
    runs: bool
    cause: Cause = Cause()
    before: dict[str, State] = {}


class Restoring(Struct, frozen=True, tag="restoring", tag_field="record", kw_only=True):
    """These paths are about to get these states. Without its step after it, the next start finishes it."""

    token: str
    step: Step
    cleared: tuple[str, ...] = ()


class Pruned(Struct, frozen=True, tag="pruned", tag_field="record"):
    """The steps up to this one were given up for the quota."""

    through: int


class Named(Struct, frozen=True, tag="snapshot", tag_field="record", kw_only=True, omit_defaults=True):
    """The tree after step `step` was given a name. `deleted` takes the name away again."""

    id: str
    name: str
    at: float
    step: int
    tree: str
    deleted: bool = False


class Cleared(Struct, frozen=True, tag="cleared", tag_field="record"):
    """What was begun under this token changed nothing."""

    token: str


Record = Step | Begun | Restoring | Pruned | Named | Cleared

_encoder = Encoder()
_decoder = Decoder(Record)
_CHECK = len(b',"_c":"00000000"}')
_HALF = re.compile("[\udc80-\udcff]")
_ESCAPED = re.compile("\0([0-9a-f]{2})")


class Journal:
    """`records` are all that could be read, `damaged` the numbers of the lines that could not; `generation` counts how often the
    journal was begun anew."""

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, "journal.jsonl")
        self.records: list[Record] = []
        self.damaged: list[int] = []
        self.generation = 0
        self._folder = folder
        self._lines = 0
        self._inode = 0
        self._offset = 0
        self._locks = 0
        self._lock = RLock()
        self._descriptor = -1

    def steps(self) -> list[Step]:
        return [record for record in self.records if isinstance(record, Step)]

    def steps_after(self, number: int) -> list[Step]:
        found = []
        for record in reversed(self.records):
            if isinstance(record, Step):
                if record.n <= number:
                    break
                found.append(record)
        return found[::-1]

    def read(self) -> list[Record]:
        """Read what was written since; returns the new records. A journal that was made shorter is read anew."""
        with self._lock:
            try:
                descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            except FileNotFoundError:
                return []
            try:
                status = os.fstat(descriptor)
                if status.st_ino != self._inode:
                    self.records, self.damaged = [], []
                    self.generation += 1
                    self._inode, self._offset, self._lines = status.st_ino, 0, 0
                os.lseek(descriptor, self._offset, os.SEEK_SET)
                with open(descriptor, "rb", closefd=False) as file:
                    text = file.read()
            finally:
                os.close(descriptor)
            whole = text[: text.rfind(b"\n") + 1]
            self._offset += len(whole)
            return self._take(whole)

    def _take(self, text: bytes) -> list[Record]:
        new = []
        for line in text.split(b"\n")[:-1]:
            self._lines += 1
            if not line:
                continue
            record = record_of(line)
            if record is None:
                self.damaged.append(self._lines)
            else:
                new.append(record)
        self.records += new
        return new

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes meanwhile, and all that was written before is read."""
        with self._lock:
            if self._locks == 0:
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
                self._descriptor = os.open(os.path.join(self._folder, "lock"), flags, 0o600)
                try:
                    fcntl.flock(self._descriptor, fcntl.LOCK_EX)
                except OSError:
                    os.close(self._descriptor)
                    raise
            self._locks += 1
            try:
                self.read()
                yield
            finally:
                self._locks -= 1
                if self._locks == 0:
                    os.close(self._descriptor)

    def append(self, *records: Record) -> None:
        """Write records, and bring them to the disk. A step with the number 0 gets the next one. Raises OSError."""
        with self.locked():
            following = self.newest() + 1
            lines = b""
            for record in records:
                if isinstance(record, Step) and record.n == 0:
                    record = structs.replace(record, n=following)
                    following += 1
                lines += line_of(record)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self.path, flags, 0o600)
            try:
                size = os.fstat(descriptor).st_size
                if size > self._offset and size:
                    lines = b"\n" + lines  # somebody was killed in the middle of a line
                self._write(descriptor, lines, size)
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
            self.read()

    def _write(self, descriptor: int, lines: bytes, size: int) -> None:
        rest = memoryview(lines)
        try:
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except OSError:
            os.ftruncate(descriptor, size)
            raise

    def newest(self) -> int:
        """The number of the newest step that there ever was."""
        for record in reversed(self.records):
            match record:
                case Step(n=n) | Pruned(n):
                    return n
        return 0

    def shorten(self, keep: Callable[[Record], bool], *first: Record) -> None:
        """Write the journal anew without what is not to be kept."""
        with self.locked():
            kept = [*first, *(record for record in self.records if keep(record))]
            fresh = f"{self.path}.{os.getpid()}.tmp"
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                self._write(descriptor, b"".join(line_of(record) for record in kept), 0)
                os.fsync(descriptor)
            except OSError:
                os.unlink(fresh)
                raise
            finally:
                os.close(descriptor)
            os.rename(fresh, self.path)
            self.read()


def line_of(record: Record) -> bytes:
    try:
        text = _encoder.encode(record)
    except UnicodeEncodeError:
        import json  # for names that are no text alone

        text = json.dumps(_each_text(to_builtins(record), _escaped), separators=(",", ":")).encode()
    return b'%s,"_c":"%08x"}\n' % (text[:-1], crc32(text))


def record_of(line: bytes) -> Record | None:
    """The record in a line; None for a damaged one, or one of a later version."""
    text = line[:-_CHECK] + b"}"
    if line[-_CHECK:] != b',"_c":"%08x"}' % crc32(text):
        return None
    try:
        if rb"\u0000" not in text:
            record: Record = _decoder.decode(text)
            return record
        import json  # for names that are no text alone

        return _converted(_each_text(json.loads(text), _unescaped))
    except (DecodeError, ValidationError, ValueError):
        return None


def _converted(value: Any) -> Record:
    record: Record = convert(value, Record)
    return record


def _escaped(text: str) -> str:
    """Bytes that are no UTF-8 as NUL and two digits: the one character that no name holds."""
    return _HALF.sub(lambda half: f"\0{ord(half[0]) - 0xDC00:02x}", text)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda escaped: chr(0xDC00 + int(escaped[1], 16)), text)


def _each_text(value: Any, told: Callable[[str], str]) -> Any:
    match value:
        case str():
            return told(value)
        case dict():
            return {told(name): _each_text(inner, told) for name, inner in value.items()}
        case list() | tuple():
            return [_each_text(inner, told) for inner in value]
    return value


def open_begins(records: Sequence[Record]) -> list[Begun]:
    """What was begun and has not ended."""
    ended = {record.began for record in records if isinstance(record, Step)}
    ended |= {record.token for record in records if isinstance(record, Cleared)}
    return [record for record in records if isinstance(record, Begun) and record.token not in ended]


def undone(records: Sequence[Record]) -> set[int]:
    """The numbers of the steps that are taken back at present."""
    numbers: set[int] = set()
    for record in records:
        if isinstance(record, Step) and record.owner == "undo":
            numbers |= set(record.undoes)
        elif isinstance(record, Step) and record.owner == "redo":
            numbers -= set(record.undoes)
    return numbers
