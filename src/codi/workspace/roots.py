"""Where a project begins, by looking at the names of folders alone."""

import os
from collections.abc import Sequence


def project_root(cwd: str, besides: Sequence[str] = ()) -> str:
    """The repository's top folder, else the nearest folder with `.codi/`, else `cwd` itself. Folders `besides` the projects'
    own, such as codi's home, make no project of the folder in which they lie."""
    return repository_of(cwd) or _nearest(cwd, ".codi", besides) or cwd


def repository_of(folder: str) -> str | None:
    """The nearest folder upwards that holds `.git`."""
    return _nearest(folder, ".git")


def _nearest(folder: str, name: str, besides: Sequence[str] = ()) -> str | None:
    while True:
        place = os.path.join(folder, name)
        if os.path.lexists(place) and place not in besides:
            return folder
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
