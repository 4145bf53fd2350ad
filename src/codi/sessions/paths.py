"""Where session files lie, and what they are called.

`<home>/sessions/--<cwd>--/<time>_<id>.jsonl`. Two working directories may share a folder, so the header of a file
tells the truth about its `cwd`, never the folder's name.
"""

import os

from codi.sessions.version3 import timestamp_of

_LONGEST = 200
_KEPT = 160


def directory_of(home: str, cwd: str) -> str:
    """The folder for sessions that work in `cwd`, an absolute path."""
    return os.path.join(root_of(home), f"--{encoded_cwd(cwd)}--")


def root_of(home: str) -> str:
    return os.path.join(home, "sessions")


def directories(home: str) -> list[str]:
    """The folders of all working directories that have any."""
    try:
        with os.scandir(root_of(home)) as found:
            return sorted(entry.path for entry in found if entry.is_dir())
    except OSError:
        return []


def encoded_cwd(cwd: str) -> str:
    name = cwd[1:] if cwd[:1] in ("/", "\\") else cwd
    for separator in ("/", "\\", ":"):
        name = name.replace(separator, "-")
    in_bytes = os.fsencode(name)
    if len(in_bytes) <= _LONGEST:
        return name
    from hashlib import sha256  # OpenSSL is a heavy load for the few whose paths are this long

    return f"{in_bytes[:_KEPT].decode(errors='ignore')}-{sha256(in_bytes).hexdigest()[:16]}"


def file_name(at: float, session_id: str) -> str:
    moment = timestamp_of(at).replace(":", "-").replace(".", "-")
    return f"{moment}_{session_id}.jsonl"


def uuid7(at: float) -> str:
    """A UUID of version 7: ids sort by the time (seconds since 1970) at which they were made."""
    random = int.from_bytes(os.urandom(10))
    bits = (round(at * 1000) & (1 << 48) - 1) << 80 | random
    bits = bits & ~(0xF << 76) | 0x7 << 76
    bits = bits & ~(0x3 << 62) | 0x2 << 62
    text = f"{bits:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def make_directory(path: str) -> None:
    """Make a folder and those above it, each for the person alone. Raises OSError."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(os.path.abspath(path))
    if parent != path:
        make_directory(parent)
    try:
        os.mkdir(path, 0o700)
        sync_directory(path)
    except FileExistsError:
        if not os.path.isdir(path):
            raise


def sync_directory(path: str) -> None:
    """Make the name of a new file or folder outlive a crash of the machine. Raises OSError."""
    fd = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
