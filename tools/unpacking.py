"""Unpacking `codi.pyz`: whole or not at all, by one process at a time, and for the person alone."""

import compileall
import fcntl
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable


def unpack(archive: str, folder: str, tag: str, is_whole: Callable[[str], bool]) -> None:
    """Put what is in the archive for the Python of that tag into the folder, unless another process just did. A folder that
    is there already is damaged, and is replaced. Raises OSError."""
    parent = os.path.dirname(folder)
    _make_directory(parent)
    with open(os.open(os.path.join(parent, "lock"), os.O_RDWR | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_whole(folder):
            return
        for name in os.listdir(parent):
            if name.startswith("."):  # left by a process that was ended; no other unpacks while the lock is held
                shutil.rmtree(os.path.join(parent, name), ignore_errors=True)
        beside = tempfile.mkdtemp(prefix=".new-", dir=parent)
        _extract(archive, beside, ("all/", tag + "/"))
        # All at once, for what the interpreter would add later could be damaged without anybody noticing.
        compileall.compile_dir(beside, quiet=2, stripdir=beside, prependdir=folder)
        _list(beside)
        if os.path.lexists(folder):
            os.rename(folder, tempfile.mkdtemp(prefix=".old-", dir=parent) + "/damaged")
        os.rename(beside, folder)
        for name in os.listdir(parent):
            if name.startswith("."):
                shutil.rmtree(os.path.join(parent, name), ignore_errors=True)


def _extract(archive: str, beside: str, parts: "tuple[str, ...]") -> None:
    with zipfile.ZipFile(archive) as packed:  # each file is checked against its checksum
        for name in packed.namelist():
            part = next((part for part in parts if name.startswith(part)), None)
            if part is None:
                continue
            path = os.path.join(beside, name[len(part) :])
            _make_directory(os.path.dirname(path))
            with packed.open(name) as source, open(path, "wb") as target:
                shutil.copyfileobj(source, target)


def _make_directory(path: str) -> None:
    """With those above it, each for the person alone."""
    if not os.path.isdir(path):
        _make_directory(os.path.dirname(path))
        os.mkdir(path, 0o700)


def _list(folder: str) -> None:
    lines = []
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            found = os.stat(path)
            lines.append(f"{found.st_size} {found.st_mtime_ns} {os.path.relpath(path, folder)}")
    with open(os.path.join(folder, "MANIFEST"), "w") as file:
        file.write("\n".join([*lines, "end"]))
        file.flush()
        os.fsync(file.fileno())
