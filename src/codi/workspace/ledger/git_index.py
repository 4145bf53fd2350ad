"""What git's index says of the files it tracks, read from the file itself.

Source of the format: gitformat-index(5), versions 2 to 4.
"""

from collections.abc import Iterator

from msgspec import Struct

_HEADER = 12
_FIXED = 40  # ten words of what stat said
_EXTENDED = 0x4000


class Tracked(Struct, frozen=True):
    """One entry: `stage` is 0 but for the sides of a conflict; `flags` are assume-unchanged, skip-worktree and the like."""

    path: str
    id: str
    mode: int
    stage: int
    flags: int


def entries(index: bytes) -> Iterator[Tracked]:
    """The entries of an index; none where it is damaged or of a later version. Ids may be SHA-1 or SHA-256."""
    if index[:4] != b"DIRC" or len(index) < _HEADER:
        return
    version, count = int.from_bytes(index[4:8], "big"), int.from_bytes(index[8:12], "big")
    if version not in (2, 3, 4):
        return
    try:
        yield from list(_entries(index, version, count, 20))
    except (IndexError, ValueError):
        try:
            yield from list(_entries(index, version, count, 32))
        except (IndexError, ValueError):
            return


def _entries(index: bytes, version: int, count: int, hash_bytes: int) -> Iterator[Tracked]:
    at, name = _HEADER, b""
    for _ in range(count):
        begin = at
        mode = int.from_bytes(index[at + 24 : at + 28], "big")
        if mode & 0xFFFF0000 or mode == 0:
            raise ValueError  # hashes of the other length
        at += _FIXED
        id = index[at : at + hash_bytes].hex()
        at += hash_bytes
        flags = int.from_bytes(index[at : at + 2], "big")
        at += 2
        more = 0
        if flags & _EXTENDED and version >= 3:
            more = int.from_bytes(index[at : at + 2], "big")
            at += 2
        if version == 4:
            strip, at = _number(index, at)
            end = index.index(0, at)
            name = name[: len(name) - strip] + index[at:end]
            at = end + 1
        else:
            end = index.index(0, at)
            name = index[at:end]
            at = begin + (end - begin + 8) // 8 * 8
        yield Tracked(name.decode("utf-8", "surrogateescape"), id, mode, flags >> 12 & 3, flags & 0x8000 | more)


def _number(index: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, as git packs offsets."""
    byte = index[at]
    value = byte & 0x7F
    at += 1
    while byte & 0x80:
        byte = index[at]
        value = (value + 1 << 7) | byte & 0x7F
        at += 1
    return value, at


def same_meaning(one: bytes, other: bytes) -> bool:
    """Whether two indexes track the same; git writes an index anew merely because it looked at the files."""
    return one == other or (one[:4] == other[:4] == b"DIRC" and list(entries(one)) == list(entries(other)))
