"""What a person trusts: `trust.json` in codi's home, by the real path of a project and the hash of each item.

The text of an item is kept with it, so that a change can be shown. A file that cannot be believed is set aside, and nothing is trusted.
"""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from codi.credentials import private_files
from codi.engine.config_files import shown
from codi.engine.trust.item import Item
from codi.protocol.errors import CredentialError

NAME = "trust.json"
_MOST_TEXT = 64 * 1024


def is_open_to_all(place: str) -> bool:
    """Whether a folder is nobody's project: a home, the root, and where temporary files lie. Nothing in it is trusted unless it
    is said by name."""
    shared = ("/", "~", "/tmp", "/var/tmp", os.environ.get("TMPDIR") or "/tmp")
    return os.path.realpath(place) in {os.path.realpath(os.path.expanduser(each)) for each in shared}


class Trusted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item as it was when it was accepted; or refused, so that nobody is asked about it again."""

    id: str
    kind: str
    file: str
    sha256: str
    scripts: Mapping[str, str] = {}
    text: str = ""
    accepted: datetime
    refused: bool = False


class _File(Struct, frozen=True):
    version: int = 1
    projects: Mapping[str, Mapping[str, Trusted]] = {}


class TrustStore:
    """`warnings` are what the person should hear once."""

    def __init__(self, home: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = os.path.join(home, NAME)
        self.warnings: list[str] = []
        self._now = now

    def projects(self) -> Mapping[str, Mapping[str, Trusted]]:
        """Of each project its trusted items by their hash."""
        found = self._read().projects if os.path.lexists(self.path) else {}
        return {
            project: {hash: item for hash, item in items.items() if not item.refused}
            for project, items in found.items()
        }

    def refused(self, project: str) -> frozenset[str]:
        """The hashes of what the person was asked about, and does not trust."""
        items = self._read().projects.get(os.path.realpath(project), {})
        return frozenset(hash for hash, item in items.items() if item.refused)

    def of(self, project: str, *, inherit: bool = False) -> Mapping[str, Trusted]:
        """The trusted items of a project by their hash; with `inherit` also those that were accepted in a folder around it."""
        projects, place = self.projects(), os.path.realpath(project)
        found = dict(projects.get(place, {}))
        while inherit and (place := os.path.dirname(above := place)) != above:
            if not is_open_to_all(place):
                found = {**projects.get(place, {}), **found}
        return found

    def accept(self, project: str, items: Iterable[Item], *, refused: Iterable[Item] = ()) -> None:
        """Trust these, in place of what went by their names before, and do not ask about the others again. Raises CredentialError."""
        at = self._now().replace(microsecond=0)
        new = {
            item.hash: Trusted(
                id=item.id,
                kind=item.kind,
                file=item.file,
                sha256=item.sha256,
                scripts=item.scripts,
                text=item.text if len(item.text) <= _MOST_TEXT else "",
                accepted=at,
                refused=is_refused,
            )
            for some, is_refused in ((items, False), (refused, True))
            for item in some
        }
        ids = {(trusted.id, trusted.refused) for trusted in new.values()}

        def accepted(before: Mapping[str, Trusted]) -> dict[str, Trusted]:
            # What is refused now may have been trusted as it was: that is what its change is shown against.
            return {hash: old for hash, old in before.items() if (old.id, old.refused) not in ids} | new

        self._change(project, accepted)

    def revoke(self, project: str, ids: Collection[str] | None = None) -> list[str]:
        """Trust these no more, or nothing of the project. Returns the names of those that were trusted. Raises CredentialError."""
        gone: list[str] = []

        def left(before: Mapping[str, Trusted]) -> dict[str, Trusted]:
            gone[:] = [old.id for old in before.values() if not old.refused and (ids is None or old.id in ids)]
            return {hash: old for hash, old in before.items() if ids is not None and old.id not in ids}

        self._change(project, left)
        return gone

    def _change(self, project: str, change: Callable[[Mapping[str, Trusted]], dict[str, Trusted]]) -> None:
        place = os.path.realpath(project)
        with private_files.turn(f"{self.path}.lock"):
            projects = dict(self._read().projects)
            projects[place] = change(projects.get(place, {}))
            if not projects[place]:
                del projects[place]
            content = msgspec.json.encode(_File(projects=projects), order="sorted")
            private_files.write(self.path, msgspec.json.format(content) + b"\n")

    def _read(self) -> _File:
        try:
            content = private_files.read(self.path)
            if content is None:
                return _File()
            found = msgspec.json.decode(content, type=_File)
            if found.version == 1:
                return found
            trouble = f"it is of version {found.version}"
        except (CredentialError, msgspec.DecodeError, RecursionError) as error:
            trouble = str(error).removeprefix(self.path).lstrip(": ")
        try:
            trouble += f"; it is now {shown(private_files.set_aside(self.path))}"
        except OSError as error:
            trouble += f", and it cannot be moved away: {error.strerror}"
        self.warnings.append(f"{shown(self.path)} cannot be used: {trouble}. No project is trusted.")
        return _File()
