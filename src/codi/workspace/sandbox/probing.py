"""Finding out which sandbox holds here: by a command that must succeed, and a change that must fail."""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice

import anyio

from codi.workspace.children import Child
from codi.workspace.paths import inside
from codi.workspace.sandbox.standing import Standing, cure_for, unsupported

_LIMIT_S = 5.0
_MOST_ENTRIES = 1000
_HOLDS = "holds"
_SCRIPT = f'if (: > "$1") 2>/dev/null; then echo "$1 could be written"; else echo {_HOLDS}; fi'
_WRITING = f': > "$1" && echo {_HOLDS}'

ROUTES = {"own launcher": 3, "bubblewrap": 3, "Landlock and seccomp": 2}
"""From the best to the worst, and the level of each."""


async def standing(orders_for: Callable[[str], bytes | None], folder: str) -> Standing:
    """The best route that holds. `orders_for` says how to try one, or nothing where it is not installed; `folder` is one that
    a command sees and must not write in, and codi may."""
    if nowhere := unsupported():
        return nowhere
    why_not = ""
    for route, level in ROUTES.items():
        orders = orders_for(route)
        if orders is None:
            continue
        failure = await _tried(orders, folder)
        if failure is None:
            return Standing(level, route, why_not, cure_for(why_not) if why_not else "")
        why_not = why_not or failure
    return Standing(1, "unconfined", why_not, cure_for(why_not))


async def overlay_failure(orders: bytes, folder: str) -> str | None:
    """Why changes in this folder are not kept apart by these orders; None if they are."""
    target = os.path.join(folder, f".probe-{os.urandom(6).hex()}")
    try:
        told = await _said(("sh", "-c", _WRITING, "sh", target), orders)
        return f"{target} was written" if os.path.lexists(target) else _failure(told)
    except OSError as error:
        return str(error)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(target)


def foreign_files(folders: Iterable[str]) -> list[str]:
    """Of these folders and what lies in them at once: what is not this user's and group's. An overlay cannot copy it."""
    found = []
    for folder in folders:
        with suppress(OSError):
            for path in (folder, *(entry.path for entry in islice(os.scandir(folder), _MOST_ENTRIES))):
                status = os.lstat(path)
                if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                    found.append(path)
    return found


def submounts(folders: Iterable[str]) -> list[str]:
    """What is mounted below these folders: an overlay does not show it."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        places = [line.split(" ")[4].encode().decode("unicode_escape") for line in file]
    folders = tuple(folders)
    return [place for place in places if place not in folders and inside(place, folders)]


async def _tried(orders: bytes, folder: str) -> str | None:
    """Why this does not hold; None if it does."""
    target = os.path.join(folder, f".probe-{os.urandom(6).hex()}")
    try:
        return _failure(await _said(("sh", "-c", _SCRIPT, "sh", target), orders))
    except OSError as error:
        return str(error)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(target)


async def _said(words: tuple[str, ...], orders: bytes) -> str:
    said = b""
    with Child(words, "/", {"PATH": os.defpath}, _LIMIT_S, 0, orders=orders) as child, anyio.CancelScope(shield=True):
        await child.started()
        while chunk := await child.read():
            said += chunk
        await child.ended()
    return said.decode(errors="replace").strip()


def _failure(told: str) -> str | None:
    if told == _HOLDS:
        return None
    return told.removeprefix("codi: the sandbox could not be set up: ") or "it ended without a word"
