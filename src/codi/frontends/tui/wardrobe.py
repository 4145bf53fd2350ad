"""Which theme is worn: by name, from a file that may change under way, or the one that fits the terminal."""

import os
from collections.abc import Mapping, Sequence

from codi.frontends.tui.theme import BUILT_IN, Painter, Tokens
from codi.frontends.tui.theme_files import find_theme, fitting, names_in, read_theme

AUTO = "auto"


class Wardrobe:
    """Dresses a painter. `folders` hold theme files; where two have a name in common, the later one's counts."""

    def __init__(self, painter: Painter, folders: Sequence[str], environment: Mapping[str, str]) -> None:
        self._painter = painter
        self._folders = folders
        self._environment = environment
        self._name = ""
        self._background: str | None = None
        self._file = ""
        self._seen: tuple[int, int] | None = None

    @property
    def names(self) -> list[str]:
        return [AUTO, *names_in(self._folders)]

    @property
    def name(self) -> str:
        """What is worn."""
        return self._name or AUTO

    @property
    def is_from_file(self) -> bool:
        return bool(self._file)

    def wear(self, name: str) -> list[str] | None:
        """Change to the theme of this name. What is wrong with it; None where there is none."""
        path = "" if name == AUTO or name in BUILT_IN else find_theme(name, self._folders)
        if path is None:
            return None
        self._name, self._file = name, path
        if not path:
            self._put_on(BUILT_IN[fitting(self._background, self._environment) if name == AUTO else name])
            return []
        return self._read()

    def told(self, report: str) -> bool:
        """The terminal said what its background is. Whether the theme is another now."""
        self._background = report
        return self._name == AUTO and self._put_on(BUILT_IN[fitting(report, self._environment)])

    def changed(self) -> list[str] | None:
        """Read the file again if it is another by now. What is wrong with it; None where it is the same."""
        return self._read() if self._file and _stamp(self._file) != self._seen else None

    def _read(self) -> list[str]:
        self._seen = _stamp(self._file)
        theme = read_theme(self._file)
        self._put_on(theme.tokens)
        return list(theme.complaints)

    def _put_on(self, tokens: Tokens) -> bool:
        if self._painter.tokens == tokens:
            return False
        self._painter.wear(tokens)
        return True


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        told = os.stat(path)
    except OSError:
        return None
    return told.st_mtime_ns, told.st_size
