"""Finding out which sandbox holds here: by a command that must succeed, and a change that must fail."""

import os
from collections.abc import Callable
from contextlib import suppress

import anyio

from codi.workspace.children import Child
from codi.workspace.sandbox.standing import Standing, cure_for, unsupported

_LIMIT_S = 5.0
_HOLDS = "holds"
_SCRIPT = f'if (: > "$1") 2>/dev/null; then echo "$1 could be written"; else echo {_HOLDS}; fi'

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


async def _tried(orders: bytes, folder: str) -> str | None:
    """Why this does not hold; None if it does."""
    target = os.path.join(folder, f".probe-{os.urandom(6).hex()}")
    words = ("sh", "-c", _SCRIPT, "sh", target)
    said = b""
    try:
        with (
            Child(words, "/", {"PATH": os.defpath}, _LIMIT_S, 0, orders=orders) as child,
            anyio.CancelScope(shield=True),
        ):
            await child.started()
            while chunk := await child.read():
                said += chunk
            await child.ended()
    except OSError as error:
        return str(error)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(target)
    told = said.decode(errors="replace").strip()
    return (
        None
        if told == _HOLDS
        else told.removeprefix("codi: the sandbox could not be set up: ") or "it ended without a word"
    )
