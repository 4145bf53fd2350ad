"""Where a path lies: in the workspace, outside, in a place that is protected, or where secrets are kept.

Paths are absolute and real by the time they come here, and are compared component by component:
`src/a` never covers `src/ab`.
"""

import os
from collections.abc import Callable
from fnmatch import fnmatchcase

from msgspec import Struct

_PROTECTED_NAMES = {".git", ".codi", ".vscode", ".envrc"}
_START_FILES = {".bashrc", ".bash_profile", ".profile", ".zshrc", ".zprofile", ".zshenv", ".bash_login", ".bash_logout"}
_SECRET_NAMES = (
    ".env",
    ".env.*",
    "*.pem",
    "id_rsa*",
    "id_ed25519*",
    "id_ecdsa*",
    "id_dsa*",
    ".netrc",
    "credentials.enc*",
    "credentials.key",
)
_SECRET_FOLDERS = {".ssh", ".aws", ".gnupg", "keyrings", ".kube"}
_SECRETS = (".env", ".env.local", ".env.production", "key.pem", "id_rsa", "id_ed25519", ".netrc", "credentials.key")
_ORDINARY = ("a.py", "README", "index.html")
_PUBLIC = (".env.example", ".env.sample", ".env.template", "*.pub")


def _obeys_nobody(folder: str) -> bool:
    return False


class Territory(Struct, frozen=True):
    """`root` and `extra_dirs` are real paths; `home` is the person's home folder, `codi_home` codi's own. `confined` says
    whether commands run in a sandbox that holds. `real` follows the links in a path that stands in a command; `git_obeys` says
    whether git would run, in a folder, programs which the configuration of its repository names."""

    root: str
    home: str
    codi_home: str
    extra_dirs: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    confined: bool = False
    real: Callable[[str], str] = os.path.normpath
    git_obeys: Callable[[str], bool] = _obeys_nobody

    def holds(self, path: str) -> bool:
        return any(_below(path, place) for place in (self.root, *self.extra_dirs))

    def is_own(self, path: str) -> bool:
        """Codi's own folder: its settings, rules and records."""
        return _below(path, self.codi_home)

    def is_protected(self, path: str) -> bool:
        """Where a change would act later, without anybody looking: hooks, configuration, start files, codi's own."""
        if self.is_own(path):
            return True
        names = path.split("/")
        inner = path[len(self.root) :].split("/") if _below(path, self.root) else names
        if _PROTECTED_NAMES.intersection(inner) or (names[-1] in _START_FILES):
            return True
        return any(fnmatchcase(path, self.placed(pattern)) for pattern in self.protected)

    def is_secret(self, path: str) -> bool:
        names = path.split("/")
        if _SECRET_FOLDERS.intersection(names) or (names[1:2] == ["proc"] and names[-1] == "environ"):
            return True
        if any(fnmatchcase(names[-1], pattern) for pattern in _PUBLIC):
            return False
        return any(fnmatchcase(names[-1], pattern) for pattern in _SECRET_NAMES)

    def seeks_secrets(self, pattern: str) -> bool:
        """Whether a pattern of file names is after secrets: it fits some of theirs, and few others."""
        if self.is_secret(pattern):
            return True
        name = pattern.lstrip("!").split("/")[-1]
        fits_others = all(fnmatchcase(other, name) for other in _ORDINARY)
        return not fits_others and not pattern.startswith("!") and any(fnmatchcase(secret, name) for secret in _SECRETS)

    def placed(self, pattern: str) -> str:
        """A pattern made absolute: `~` is the person's home, a relative one begins at the root."""
        if pattern.startswith("~/"):
            return self.home + pattern[1:]
        return pattern if pattern.startswith("/") else f"{self.root}/{pattern.removeprefix('./')}"


def _below(path: str, place: str) -> bool:
    return path == place or path.startswith(place.rstrip("/") + "/")
