"""How often a person allowed the same in a project, and what rules they did not want: `exec-offers.json` in codi's home.

From this it is known when a rule may be offered. What is written here allows nothing, and tells nothing: a rule stands in
it as its digest.
"""

import os
from hashlib import sha256

import msgspec
from msgspec import Struct, field

from codi.credentials import private_files
from codi.protocol.errors import CodiError

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
        return self._here(self._file()).approved.get(_digest(rule), 0)

    def is_refused(self, rule: str) -> bool:
        return _digest(rule) in self._here(self._file()).refused

    def approve(self, rule: str) -> None:
        """Count what was allowed once. Raises CodiError."""
        self._change(_digest(rule), refused=False)

    def refuse(self, rule: str) -> None:
        """Never offer this rule again. Raises CodiError."""
        self._change(_digest(rule), refused=True)

    def _change(self, rule: str, *, refused: bool) -> None:
        with private_files.turn(f"{self._path}.lock"):
            file = self._file()
            here = self._here(file)
            if refused:
                here.refused = [*(each for each in here.refused if each != rule), rule][-_MOST_KEPT:]
            else:
                counts = {key: count for key, count in here.approved.items() if key != rule}
                counts[rule] = here.approved.get(rule, 0) + 1
                here.approved = dict(list(counts.items())[-_MOST_KEPT:])
            private_files.write(self._path, msgspec.json.encode(file))

    def _file(self) -> _File:
        try:
            content = private_files.read(self._path)
            file = msgspec.json.decode(content, type=_File) if content else _File()
        except (CodiError, msgspec.DecodeError, UnicodeError, RecursionError):
            return _File()
        return file if file.version == 1 else _File()

    def _here(self, file: _File) -> _Project:
        return file.projects.setdefault(self._project, _Project())


def _digest(rule: str) -> str:
    return sha256(rule.encode(errors="surrogatepass")).hexdigest()[:32]
