"""Folders that are codi's alone: nobody else may look into them, and no link that somebody planted leads out of them."""

import os
import stat

from codi.protocol.errors import WorkspaceError


def make_private(home: str, path: str) -> None:
    """Make a folder below codi's home, for us alone. Raises WorkspaceError where something else is in its place, and
    OSError."""
    os.makedirs(os.path.dirname(home), exist_ok=True)
    here = home
    for name in ("", *os.path.relpath(path, home).split("/")):
        here = os.path.join(here, name) if name else here
        try:
            os.mkdir(here, 0o700)
        except FileExistsError:
            status = os.stat(here) if here == home else os.lstat(here)
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                raise WorkspaceError(
                    f"{here} is no folder of yours", hint="Look at what it is, and move it away."
                ) from None
