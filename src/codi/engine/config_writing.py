"""Changing one key of a configuration file, and nothing else of it.

Comments, order and line ends stay. Writers wait for one another; a file that was changed by somebody else meanwhile is
read again, so that nothing is lost.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from codi.engine.config_files import BrokenFile, find, read, shown
from codi.engine.config_files import Path as Key
from codi.protocol.errors import ConfigError

_TRIES = 5
_BOM = b"\xef\xbb\xbf"


def put(folder: str, stem: str, key: Key, value: Any) -> str:
    """Set a key; the file is made where there is none. Returns its path. Raises ConfigError."""

    def change(document: tomlkit.TOMLDocument) -> bool:
        table: Any = document
        for part in key[:-1]:
            inner = table.get(part)
            if not isinstance(inner, dict):
                table[part] = tomlkit.table(is_super_table=part != key[-2])
            table = table[part]
        table[key[-1]] = value
        return True

    return _changed(folder, stem, change)


def remove(folder: str, stem: str, key: Key) -> bool:
    """Take a key away; False where it is not set there. Raises ConfigError."""
    was_there = False

    def change(document: tomlkit.TOMLDocument) -> bool:
        nonlocal was_there
        table: Any = document
        for part in key[:-1]:
            table = table.get(part) if isinstance(table, dict) else None
        was_there = isinstance(table, dict) and key[-1] in table
        if was_there:
            del table[key[-1]]
        return was_there

    if find(folder, stem) is not None:
        _changed(folder, stem, change)
    return was_there


def create(path: str, text: str) -> None:
    """Write a new file. Raises FileExistsError."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _changed(folder: str, stem: str, change: Callable[[tomlkit.TOMLDocument], bool]) -> str:
    path = find(folder, stem) or os.path.join(folder, f"{stem}.toml")
    if not path.endswith(".toml"):
        raise ConfigError(
            f"{shown(path)} is not TOML, and codi writes nothing else",
            hint="Change it by hand, or turn it into config.toml.",
        )
    target = os.path.realpath(path)
    try:
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        with _turn(os.path.dirname(target)):
            for _ in range(_TRIES):
                before = _content(target)
                after = _rewritten(path, before, change)
                if after == before or _swapped(target, before, after or b""):
                    return path
    except OSError as error:
        raise ConfigError(f"{shown(path)} cannot be written: {error.strerror}", hint="Check who owns it.") from error
    raise ConfigError(f"{shown(path)} is changed by others all the time", hint="Try again.")


def _rewritten(path: str, before: bytes | None, change: Callable[[tomlkit.TOMLDocument], bool]) -> bytes | None:
    if before is not None:
        read(path)  # says what is wrong with a broken file, and where
    content = before or b""
    mark = _BOM if content.startswith(_BOM) else b""
    text = content.removeprefix(_BOM).decode("utf-8")
    windows = "\r\n" in text
    try:
        document = tomlkit.parse(text.replace("\r\n", "\n"))
        if not change(document):
            return before
        after = tomlkit.dumps(document)
    except TOMLKitError as error:
        raise BrokenFile(path, f"this cannot be changed: {error}") from error
    return mark + (after.replace("\n", "\r\n") if windows else after).encode()


def _swapped(path: str, before: bytes | None, after: bytes) -> bool:
    """Put the new content in place at once; False if the file is no longer what it was."""
    beside = f"{path}.{os.getpid()}.new"
    with suppress(FileNotFoundError):
        os.unlink(beside)  # of another time, or planted
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        if _content(path) != before:
            return False
        os.replace(beside, path)
        return True
    finally:
        with suppress(FileNotFoundError):
            os.unlink(beside)


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


@contextmanager
def _turn(folder: str) -> Iterator[None]:
    """Wait until no other codi writes in this folder. A file system without locks leaves it to the look before the swap."""
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
