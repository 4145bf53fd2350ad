"""What can be seen of a project at a glance, before anybody is asked: small files inside the workspace, and the names git knows.

A tool that has to say which command it will run looks here first. Nothing is run but git's plumbing, which neither hooks nor
filters of a repository have a part in.
"""

import os
import stat
from typing import Protocol

from codi.workspace.descent import open_regular, read_all
from codi.workspace.git import NEUTRAL
from codi.workspace.processes import environment_for
from codi.workspace.roots import repository_of

_MOST_BYTES = 1 << 20
_MOST_TIME_S = 5.0


class Ground(Protocol):
    """What a glance needs of a workspace."""

    root: str

    def resolve(self, path: str) -> str:
        """Absolute and real."""
        ...

    def contains(self, path: str) -> bool:
        """Whether a path lies in the workspace."""
        ...


class Glance:
    def __init__(self, workspace: Ground) -> None:
        self._workspace = workspace

    def text(self, path: str) -> str | None:
        """Of a small file; None where there is none to be seen."""
        if not self._workspace.contains(path):
            return None
        try:
            descriptor = open_regular(self._workspace.resolve(path))
        except OSError:
            return None
        if os.fstat(descriptor).st_size > _MOST_BYTES:
            os.close(descriptor)
            return None
        return read_all(descriptor).decode(errors="replace")

    def names(self, path: str) -> list[str]:
        """In a folder, sorted; none where it cannot be seen."""
        if not self._workspace.contains(path):
            return []
        try:
            return sorted(os.listdir(self._workspace.resolve(path)))
        except (OSError, ValueError):  # ValueError: a NUL, which no name can have
            return []

    def is_program(self, path: str) -> bool:
        """Whether a file of the workspace can be run."""
        place = os.path.join(self._workspace.root, path)
        try:
            status = os.stat(place)
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and os.access(place, os.X_OK)

    def changed(self, cwd: str) -> list[str]:
        """Files below `cwd`, relative to it, that differ from the last commit or are new. None known outside of git."""
        place = self._workspace.resolve(cwd)
        if not self._workspace.contains(cwd) or repository_of(place) is None:
            return []
        unstaged = _git(place, "diff-files", "--relative", "--name-only", "-z", "--diff-filter=d")
        staged = _git(place, "diff-index", "--cached", "--relative", "--name-only", "-z", "--diff-filter=d", "HEAD")
        new = _git(place, "ls-files", "--others", "--exclude-standard", "-z")
        return sorted({*unstaged, *staged, *new})

    def known(self, cwd: str) -> list[str]:
        """All files below `cwd` that git does not ignore, relative to it."""
        place = self._workspace.resolve(cwd)
        if not self._workspace.contains(cwd) or repository_of(place) is None:
            return []
        return _git(place, "ls-files", "--cached", "--others", "--exclude-standard", "-z")


def _git(place: str, *words: str) -> list[str]:
    import subprocess  # 3 ms, for those who test what changed

    environment = environment_for(os.environ, NEUTRAL)
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_MOST_TIME_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
