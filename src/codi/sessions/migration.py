"""Session files of versions 1 and 2 become version 3.

Version 1 was a plain list: its entries are given ids and linked one after the other. Version 2 called one role by
another name. A file that was migrated keeps its old self beside it as `.bak`.
"""

import fcntl
import os
from contextlib import suppress
from typing import Any
from zlib import crc32

from codi.sessions.json_lines import encoded, object_of
from codi.sessions.paths import sync_directory
from codi.sessions.version3 import version_of

_BOM = b"\xef\xbb\xbf"


def migrated(content: bytes) -> bytes:
    """The content of a file of version 1 or 2 as version 3 holds it. What cannot be read stays where it is; what version
    3 would not say otherwise stays byte for byte."""
    lines = content.removeprefix(_BOM).split(b"\n")
    objects = [object_of(line) for line in lines]
    header = objects[0] or {}
    is_list = version_of(header.get("version", 1)) < 2
    if is_list:
        _give_ids([json for json in objects if json is not None], str(header.get("id")))
    out = [encoded(header | {"version": 3})]
    for line, json in zip(lines[1:], objects[1:]):
        out.append(encoded(json) if json is not None and (_renames_role(json) or is_list) else line)
    return b"\n".join(out)


def migrate_file(path: str, content: bytes) -> tuple[int, bytes]:
    """Put the migrated content in place of the file at once, and keep the old file as `.bak`. Gives the new file, open
    and locked for the one writer, and its content. Raises OSError."""
    new = migrated(content)
    beside = f"{path}.{os.getpid()}.new"
    fd = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        with suppress(OSError):  # where there are no locks, the lease of the path holds for the new file too
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        written = 0
        while written < len(new):
            written += os.write(fd, memoryview(new)[written:])
        os.fsync(fd)
        _keep_old(path)
        os.replace(beside, path)
        sync_directory(path)
    except OSError:
        os.close(fd)
        with suppress(FileNotFoundError):
            os.unlink(beside)
        raise
    return fd, new


def _keep_old(path: str) -> None:
    backup = f"{path}.bak"
    with suppress(FileNotFoundError):
        os.unlink(backup)
    try:
        os.link(path, backup)
    except OSError:
        from shutil import copy2  # for a file system without links alone

        copy2(path, backup)


def _give_ids(objects: list[dict[str, Any]], session_id: str) -> None:
    """`objects` begins with the header, because old compactions count their first kept entry from there."""
    ids: set[str] = {json["id"] for json in objects[1:] if isinstance(json.get("id"), str)}
    before: str | None = None
    for place, json in enumerate(objects[1:], 1):
        if not isinstance(json.get("id"), str):
            json["id"] = _new_id(f"{session_id}:{place}", ids)
        json["parentId"] = before
        before = json["id"]
    for json in objects[1:]:
        index = json.get("firstKeptEntryIndex")
        if json.get("type") == "compaction" and isinstance(index, int | float) and not isinstance(index, bool):
            del json["firstKeptEntryIndex"]
            if isinstance(index, int) and 0 < index < len(objects):
                json["firstKeptEntryId"] = objects[index]["id"]


def _new_id(seed: str, taken: set[str]) -> str:
    """The same seed gives the same id, so that a file which cannot be written reads the same each time."""
    number = crc32(seed.encode(errors="replace"))
    while (id := f"{number:08x}") in taken:
        number = (number + 1) & 0xFFFFFFFF
    taken.add(id)
    return id


def _renames_role(json: dict[str, Any]) -> bool:
    message = json.get("message")
    if json.get("type") == "message" and isinstance(message, dict) and message.get("role") == "hookMessage":
        message["role"] = "custom"
        return True
    return False
