"""One configuration file: found, read, and asked on which line a key stands."""

import os
import re
import stat
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from codi.engine import toml_lines
from codi.protocol.errors import ConfigError

FORMS = ("toml", "yaml", "yml", "json", "jsonc")

Path = tuple[str, ...]

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class BrokenFile(ConfigError):
    """A file that cannot be used at all. `line` is 0 where the trouble has no line."""

    def __init__(self, path: str, text: str, *, line: int = 0, column: int = 0) -> None:
        place = f":{line}" + (f":{column}" if column else "") if line else ""
        super().__init__(f"{shown(path)}{place}: {text}", hint="Correct the file, or move it away: codi config edit.")
        self.path = path
        self.line = line


class ConfigFile:
    """A file that was read. `tree` holds plain data and is never changed."""

    def __init__(self, path: str, text: str, tree: Mapping[str, Any]) -> None:
        self.path = path
        self.text = text
        self.tree = tree

    def line_of(self, key: Path) -> int | None:
        """The line of a key, or of the nearest table around it."""
        return next((line for end in range(len(key), 0, -1) if (line := self._lines.get(key[:end]))), None)

    def where(self, key: Path) -> str:
        line = self.line_of(key)
        return f"{shown(self.path)}:{line}" if line else shown(self.path)

    @cached_property
    def _lines(self) -> dict[Path, int]:
        if self.path.endswith(".toml"):
            return toml_lines.lines_of(self.text)
        from codi.engine import foreign_config  # YAML is a heavy load for the few who write it

        return foreign_config.lines_of(self.text)


def find(folder: str, stem: str = "config") -> str | None:
    """The file of that name in whichever form it is written. Raises BrokenFile where there are two."""
    found = [path for form in FORMS if os.path.lexists(path := os.path.join(folder, f"{stem}.{form}"))]
    if len(found) > 1:
        raise BrokenFile(found[0], f"there is {shown(found[1])} too; only one form may stand in a folder")
    return found[0] if found else None


def read(path: str) -> ConfigFile:
    """Raises BrokenFile with line, column and the line itself."""
    return parsed(path, content_of(path))


def content_of(path: str) -> bytes:
    """Raises BrokenFile."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if stat.S_ISFIFO(os.fstat(file.fileno()).st_mode):
                raise BrokenFile(path, "is no ordinary file")
            return file.read()
    except OSError as error:
        raise BrokenFile(path, f"cannot be read: {error.strerror}") from error


def _without_waiting(path: str, flags: int) -> int:
    """For somebody to write into what is a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)


def parsed(path: str, content: bytes) -> ConfigFile:
    """The file of that content. Raises BrokenFile."""
    text = text_of(path, content)
    if path.endswith(".toml"):
        return ConfigFile(path, text, _toml(path, text))
    from codi.engine import foreign_config  # YAML is a heavy load for the few who write it

    try:
        return ConfigFile(path, text, foreign_config.tree_of(text, is_yaml=path.endswith((".yaml", ".yml"))))
    except foreign_config.Misread as error:
        raise broken(path, text, error.reason, error.line, error.column) from error


def text_of(path: str, content: bytes) -> str:
    """Raises BrokenFile."""
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BrokenFile(path, "is not UTF-8", line=line) from error


def broken(path: str, text: str, reason: str, line: int, column: int) -> BrokenFile:
    lines = text.split("\n")
    said = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    return BrokenFile(path, f"{reason}: {said}" if said else reason, line=line, column=column)


def shown(path: str) -> str:
    """As a person writes it: `~` for their home."""
    home = os.path.expanduser("~")
    return f"~{path[len(home) :]}" if home != "/" and path.startswith(home + "/") else path


def _toml(path: str, text: str) -> dict[str, Any]:
    import tomllib  # not for a start without a file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        told = str(error)
        place = _TOML_PLACE.search(told)
        reason = _TOML_PLACE.sub("", told)
        reason = reason[:1].lower() + reason[1:]
        if place and place[1]:
            line, column = int(place[1]), int(place[2])
        else:
            line = text.rstrip("\n").count("\n") + 1
            column = len(text.rstrip("\n").rpartition("\n")[2]) + 1
        raise broken(path, text, reason, line, column) from error
