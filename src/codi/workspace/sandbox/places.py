"""Which places a command may write, which of them stay as they are, and what it is not to see."""

import os
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from codi.workspace.paths import inside
from codi.workspace.roots import repository_of

SHARED = ("/tmp", "/var/tmp", "/run", "/dev")
"""Folders that all programs of a machine share; a command gets its own."""

_ACTS_LATER = (".codi", ".vscode", ".envrc")
_START_FILES = (
    ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".profile", ".zshrc", ".zprofile", ".zshenv", ".gitconfig",
)  # fmt: skip
_SECRETS_OF_HOME = (
    ".ssh", ".aws", ".gnupg", ".kube", ".netrc", ".azure", ".git-credentials", ".pypirc", ".docker/config.json", ".config/gcloud",
    ".config/gh", ".config/git/credentials", ".local/share/keyrings", ".password-store",
)  # fmt: skip
_MOST_MODULES = 200


class Git(Struct, frozen=True):
    """Of the repository around a folder. `folders` are what git writes in; `entry` is `.git` beside the files."""

    entry: str
    folders: tuple[str, ...]
    kept: tuple[str, ...]
    """What of it acts later, whether it exists or not."""


def git_around(folder: str) -> Git | None:
    top = repository_of(folder)
    if top is None:
        return None
    entry = os.path.join(top, ".git")
    own = os.path.realpath(entry)
    if os.path.isfile(own):
        own = os.path.realpath(os.path.join(top, _first_line(own).removeprefix("gitdir:").strip()))
    shared = os.path.realpath(os.path.join(own, _first_line(os.path.join(own, "commondir")) or "."))
    kept = [os.path.join(shared, name) for name in ("hooks", "config", "config.worktree", "commondir", "gitdir")]
    if own != shared:
        kept += [os.path.join(own, name) for name in ("config.worktree", "commondir", "gitdir")]
    kept += [os.path.join(module, name) for module in _modules(shared) for name in ("hooks", "config")]
    folders = dict.fromkeys(
        folder for folder in (shared, own) if os.path.isdir(folder)
    )  # `.git` may point at what is gone
    return Git(entry, tuple(folders), tuple(kept))


def _modules(git: str) -> list[str]:
    found: list[str] = []
    waiting = [os.path.join(git, "modules")]
    while waiting and len(found) < _MOST_MODULES:
        try:
            inner = [entry.path for entry in os.scandir(waiting.pop()) if entry.is_dir(follow_symlinks=False)]
        except OSError:
            continue
        for folder in inner:
            if os.path.exists(os.path.join(folder, "HEAD")):
                found.append(folder)
                waiting.append(os.path.join(folder, "modules"))
            else:
                waiting.append(folder)  # a module's name may hold slashes
    return found


def acting_later(roots: Iterable[str], home: str, patterns: Iterable[str]) -> list[str]:
    """What in these folders is obeyed some day without anybody looking, whether it exists or not."""
    found = [os.path.join(root, name) for root in roots for name in _ACTS_LATER]
    found += [os.path.join(home, name) for name in _START_FILES]
    return found + [pattern for pattern in patterns if not set(pattern) & set("*?[")]


def secrets(home: str, codi_home: str) -> list[str]:
    """Where secrets are kept outside of any project."""
    return [codi_home, *(os.path.join(home, name) for name in _SECRETS_OF_HOME)]


def secret_files(folders: Iterable[str], is_secret: Callable[[str], bool]) -> list[str]:
    """Of the work's own folders: what lies there and then, not further below."""
    found = []
    for folder in dict.fromkeys(folders):
        try:
            found += [entry.path for entry in os.scandir(folder) if is_secret(entry.path)]
        except OSError:
            continue
    return found


def sockets() -> list[str]:
    """Where other programs of this machine listen, by a path."""
    try:
        with open("/proc/net/unix", errors="surrogateescape") as file:
            lines = file.read().splitlines()[1:]
    except OSError:
        return []
    paths = {line.split(" /", 1)[1] for line in lines if " /" in line}
    return sorted(os.path.realpath(f"/{path}") for path in paths)


def programs(search_path: str) -> list[str]:
    """Folders of programs that lie where a command has a folder of its own instead, with the libraries beside them."""
    found = []
    for folder in search_path.split(":"):
        place = os.path.realpath(folder) if folder.startswith("/") else ""
        if place and inside(place, SHARED) and os.path.isdir(place):
            above = os.path.dirname(place)
            found.append(above if os.path.basename(place) == "bin" and above not in SHARED else place)
    return found


def around(hidden: str, shown: Sequence[str]) -> list[str]:
    """A hidden folder, less the places in it that are shown."""
    within = [path for path in shown if inside(path, (hidden,))]
    if not within:
        return [hidden]
    if hidden in within:
        return []
    try:
        names = os.listdir(hidden)
    except OSError:
        return []
    return [place for name in names for place in around(os.path.join(hidden, name), within)]


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.readline().strip()
    except OSError:
        return ""
