"""What others print while the terminal is ours: libraries, and programs that were started. It is kept apart and told of.

Standard output and standard error become a file without a name; the terminal is written to by a descriptor of its own. A file takes
all that is written to it at once, so nobody ever waits for us to read it, and nobody has to watch it either: whoever is awake looks.
"""

import fcntl
import os
from collections.abc import Callable

from codi.frontends.sanitiser import visible_output
from codi.frontends.tui.terminal import Terminal

_STREAMS = (1, 2)
_MOST_CHARS = 200


class Outside:
    """`log` keeps a text and says where."""

    def __init__(self, terminal: Terminal, log: Callable[[str], str]) -> None:
        self._terminal = terminal
        self._log = log
        self._file: int | None = None
        self._theirs: dict[int, int] = {}

    def catch(self) -> None:
        """From here on what is printed does not reach the terminal. Streams that lead elsewhere stay as they are."""
        if self._file is not None:
            return
        file = _nameless()
        for stream in _STREAMS:
            if os.isatty(stream):
                self._theirs[stream] = os.dup(stream)
                os.dup2(file, stream)
        if 1 in self._theirs:
            self._terminal.out = self._theirs[1]
        self._file = file

    def release(self) -> None:
        """The streams lead where they led before."""
        if self._file is None:
            return
        self._terminal.out = 1
        for stream, theirs in self._theirs.items():
            os.dup2(theirs, stream)
            os.close(theirs)
        self._theirs.clear()
        os.close(self._file)
        self._file = None

    def heard(self) -> tuple[str, str]:
        """What was printed since the last time, in one line, and where it is kept; "" for nothing."""
        size = 0 if self._file is None else os.fstat(self._file).st_size
        if self._file is None or not size:
            return "", ""
        text = visible_output(os.pread(self._file, size, 0).decode(errors="replace"))
        os.ftruncate(self._file, 0)
        lines = [line for line in text.splitlines() if line.strip()]
        if not lines:
            return "", ""
        more = f" and {len(lines) - 1} more line{'' if len(lines) == 2 else 's'}" if len(lines) > 1 else ""
        return f"printed beside codi: {lines[0].strip()[:_MOST_CHARS]}{more}", self._log(f"printed:\n{text}")


def _nameless() -> int:
    """A file that nobody can open, to which everybody appends."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("printed")
    else:
        from tempfile import TemporaryFile  # only where there are no files in memory

        with TemporaryFile() as made:
            file = os.dup(made.fileno())
    fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)
    return file
