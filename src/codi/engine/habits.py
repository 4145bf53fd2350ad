"""How often a person allowed the same in a project, and what rules they did not want: `exec-offers.json` in codi's home.

From this it is known when a rule may be offered. What is written here allows nothing.
"""

import os

import msgspec
from msgspec import Struct, field

from codi.engine.config_files import shown
from codi.engine.private_file import NotPrivate, read_private, replace_private, turn
from codi.protocol.errors import ConfigError

_MOST_KEPT = 500


class _Project(Struct):
    approved: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


class _File(Struct):
    version: int = 1
    projects: dict[str, _Project] = field(default_factory=dict)


class Habits:
    """`project` is its real path. A file that cannot be read is as good as none: whatever it said is asked again."""

    def __init__(self, home: str, project: str) -> None:
        self._path = os.path.join(home, "exec-offers.json")
        self._project = project

    def approvals_of(self, rule: str) -> int:
        return self._here(self._file()).approved.get(rule, 0)

    def is_refused(self, rule: str) -> bool:
        return rule in self._here(self._file()).refused

    def approve(self, rule: str) -> None:
        """Count what was allowed once. Raises ConfigError."""
        self._change(rule, refused=False)

    def refuse(self, rule: str) -> None:
        """Never offer this rule again. Raises ConfigError."""
        self._change(rule, refused=True)

    def _change(self, rule: str, *, refused: bool) -> None:
        try:
            with turn(self._path):
                file = self._file()
                here = self._here(file)
                if refused:
                    here.refused = [*(each for each in here.refused if each != rule), rule][-_MOST_KEPT:]
                else:
                    counts = {key: count for key, count in here.approved.items() if key != rule}
                    counts[rule] = here.approved.get(rule, 0) + 1
                    here.approved = dict(list(counts.items())[-_MOST_KEPT:])
                replace_private(self._path, msgspec.json.encode(file))
        except OSError as error:
            raise ConfigError(
                f"{shown(self._path)} cannot be written: {error.strerror}", hint="Check who owns it."
            ) from error

    def _file(self) -> _File:
        try:
            content = read_private(self._path)
            file = msgspec.json.decode(content, type=_File) if content else _File()
        except (NotPrivate, OSError, msgspec.DecodeError, UnicodeError, RecursionError):
            return _File()
        return file if file.version == 1 else _File()

    def _here(self, file: _File) -> _Project:
        return file.projects.setdefault(self._project, _Project())
