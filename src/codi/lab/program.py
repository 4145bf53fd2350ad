"""This very codi as a process of its own, speaking with a server of the lab and with nobody else."""

import os
import sys
import tempfile
import zipfile
from pathlib import Path

from codi.engine.places import codi_home
from codi.providers.presets import presets
from codi.sessions.paths import directory_of

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def command() -> list[str]:
    """The words that start this program again, whatever directory it is started in."""
    own = sys.argv[0]
    if os.path.isfile(own) and zipfile.is_zipfile(own):
        return [sys.executable, os.path.abspath(own)]
    return [sys.executable, "-P", "-m", "codi"]


def environment(home: str, url: str) -> dict[str, str]:
    """The environment in which codi finds `home` for its own folder and nobody but the server at `url` to talk to: keys,
    addresses and settings of the person are left out."""
    services = presets().values()
    private = {name for service in services for name in (*service.keys, *service.url_variables)}
    kept = {name: value for name, value in os.environ.items() if name not in private and not _is_private(name)}
    path = os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)))
    return {**kept, "PATH": path, "CODI_HOME": home, "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "scripted"}


def _is_private(name: str) -> bool:
    return (
        name.startswith(("CODI_", "GIT_"))
        or name.endswith(("_API_KEY", "_BASE_URL", "_TOKEN"))
        or name.lower() in _PROXIES
    )


class ScratchHome:
    """A home without settings for the time of a `with`, whose sessions are kept among the person's own. `sessions` is their
    folder, for work in the directory `cwd`."""

    def __init__(self, cwd: str) -> None:
        self.sessions = directory_of(codi_home(), cwd)
        self._folder = tempfile.TemporaryDirectory(prefix="codi-home-")

    def __enter__(self) -> "ScratchHome":
        self.path = self._folder.name
        # What a one-file codi unpacked for itself serves this home as well.
        cache = Path(codi_home(), "cache")
        if cache.is_dir():
            Path(self.path, "cache").symlink_to(cache)
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()
