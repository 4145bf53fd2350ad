"""The one resolver: what a path typed by a model or a person means on this machine.

Everything that judges or touches a file looks at the real path, so that `..`, a link several folders up, or a new name
below a link can not name one file for the policy and another for the kernel.
"""

import os
import stat
from collections.abc import Iterable

UNICODE_SPACES = dict.fromkeys((0x00A0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")
"""As they are copied from chats and web pages in place of an ordinary space."""

_LONGEST_NAME = 255  # bytes, on every file system in common use
_LONGEST_PATH = 4095  # bytes that Linux takes as one path
_MOST_LINKS = 40  # as many as Linux follows before it says ELOOP


def joined(path: str, root: str) -> str:
    """The absolute path that was typed, its links not yet followed: `@` stripped, `~` expanded, joined to the root.

    Unicode spaces become ordinary ones unless a file of exactly the typed name exists.
    """
    typed = os.path.join(root, os.path.expanduser(path.removeprefix("@")))
    plain = typed.translate(UNICODE_SPACES)
    return plain if plain == typed or not _exists(typed) else typed


def real(path: str) -> str:
    """The absolute path with every link followed as the kernel does: `..` means the parent of where a link led.

    Never raises: what does not exist is taken as it is written. Where links go in circles the path ends in one of
    them, and opening it without following links (as `descent` does) fails.
    """
    waiting = path.split("/")[::-1]
    reached = ""
    followed = 0
    while waiting:
        name = waiting.pop()
        if name in ("", "."):
            continue
        if name == "..":
            reached = reached.rpartition("/")[0]
            continue
        here = f"{reached}/{name}"
        target = _target_of(here)
        if target is None or followed == _MOST_LINKS:
            reached = here
            continue
        followed += 1
        if target.startswith("/"):
            reached = ""
        waiting += target.split("/")[::-1]
    return reached or "/"


def located(path: str) -> str:
    """Like `real`, but a link at the very end stays: the place of the name itself, as deleting it needs."""
    folder, name = os.path.split(path.rstrip("/"))
    if name in ("", ".", ".."):
        return real(path)
    return os.path.join(real(folder), name)


def inside(path: str, roots: Iterable[str]) -> bool:
    """Whether a real path is one of the real roots or lies below one; `src/ab` does not lie below `src/a`."""
    return any(path == root or path.startswith(root if root.endswith("/") else f"{root}/") for root in roots)


def why_impossible(path: str) -> str | None:
    """Why no file can have this absolute path, in the system's words; None if one can. What lies above it and is no folder
    counts too, as long as it is there."""
    if "\0" in path:
        return "a name holds no NUL character"
    try:
        encoded = os.fsencode(path)
    except UnicodeEncodeError:
        return "a name holds half a surrogate pair"
    if len(encoded) > _LONGEST_PATH or any(len(name) > _LONGEST_NAME for name in encoded.split(b"/")):
        return "File name too long"
    above = os.path.dirname(path)
    while not _exists(above):
        above = os.path.dirname(above)
    try:
        is_folder = stat.S_ISDIR(os.stat(above).st_mode)
    except PermissionError:
        return None
    except OSError as error:  # links in a circle, or one that leads nowhere
        return f"{above}: {error.strerror}"
    return None if is_folder else f"{above} is not a folder"


def _target_of(path: str) -> str | None:
    try:
        return os.readlink(path)
    except (OSError, ValueError):  # no link, nothing there, or a name that no file can have
        return None


def _exists(path: str) -> bool:
    try:
        os.lstat(path)
    except (OSError, ValueError):
        return False
    return True
