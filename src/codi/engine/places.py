"""Where things lie: codi's home, the project, the working directory."""

import os

from msgspec import Struct

from codi.protocol.errors import UsageError
from codi.workspace.roots import project_root


def codi_home() -> str:
    """`CODI_HOME`, else `~/.codi`."""
    return os.path.abspath(os.path.expanduser(os.environ.get("CODI_HOME") or "~/.codi"))


class Places(Struct, frozen=True):
    """Absolute paths. `cwd` is where the person stands, `root` the project around it, `home` codi's own folder."""

    cwd: str
    root: str
    home: str

    @classmethod
    def at(cls, cwd: str | None = None, home: str | None = None) -> "Places":
        """Raises UsageError when there is no such directory."""
        try:
            here = os.path.realpath(cwd or os.getcwd())
        except FileNotFoundError as gone:
            raise UsageError("the working directory no longer exists", hint="Go to another with cd.") from gone
        if not os.path.isdir(here):
            raise UsageError(f"not a directory: {cwd}", hint="Name an existing directory with --cwd.")
        home = home or codi_home()
        if os.path.exists(home) and not os.path.isdir(home):
            raise UsageError(
                f"codi's home is not a directory: {home}", hint="Set CODI_HOME to a directory, or unset it."
            )
        return cls(here, project_root(here, besides=(home, os.path.expanduser("~/.codi"))), home)
