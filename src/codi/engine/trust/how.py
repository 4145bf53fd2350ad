"""What of a project is obeyed in one start of codi: known before anything of the project is looked at."""

from typing import Literal, Protocol

from codi.engine.config_files import ConfigFile

How = Literal["pinned", "all", "none"]
"""What was accepted; the project as it is at this start; nothing."""

UNTRUSTED = "the project is not trusted (codi trust, --trust-project)"


class Obeying(Protocol):
    """What the layers ask of `Trust`."""

    how: How

    @property
    def hashes(self) -> frozenset[str]: ...

    def obeyed(self, path: str) -> ConfigFile | None: ...
