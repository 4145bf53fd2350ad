"""Files that are mentioned with `@` in what a person types: found when it is sent, and put before the text.

What is no file of the project stays text, as it does in an e-mail or a decorator; the model may read what lies elsewhere, and
asks for it there.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from codi.cli.attachments import IMAGES, AttachmentError, image_in
from codi.frontends.tui.surroundings import Mentioned

_MENTION = re.compile(r'(?:(?<=\s)|^)@(?:"(?P<quoted>[^"\n]+)"|(?P<bare>[^\s"]+))(?P<range>:\d+(?:-\d+)?)?')
_RANGE = re.compile(r"^(?P<path>.+):(?P<first>\d+)(?:-(?P<last>\d+))?$")
_WHOLE_LINES, _PREVIEW_LINES, _ENTRIES = 250, 40, 200
_ALIKE = 0.7


class _Wrong(Exception):
    """A mention that cannot be meant so; the text is for the person."""


class Mentions:
    """Looks below `root`, for paths as seen from `cwd`. `files` are the names to choose from where one is missing."""

    def __init__(self, cwd: str, root: str, files: Callable[[], Sequence[str]]) -> None:
        self._cwd = cwd
        self._root = os.path.realpath(root)
        self._files = files

    def found_in(self, text: str) -> Mentioned:
        """What is mentioned, in order and once. Reads files, and takes up to seconds where they are images."""
        texts, images = [], []
        try:
            names = list(dict.fromkeys(_names(text)))
        except _Wrong as wrong:
            return Mentioned(complaint=str(wrong))
        for name, lines in names:
            try:
                path = self._path_of(name)
                if path is None:
                    continue
                if os.path.isdir(path):
                    texts.append(_listing(path))
                    continue
                with open(path, "rb") as file:
                    content = file.read()
                image = image_in(content, name)
            except (_Wrong, AttachmentError) as wrong:
                return Mentioned(complaint=str(wrong))
            except OSError as error:
                return Mentioned(complaint=f"{name}: {error.strerror}")
            if not image and path.lower().endswith(IMAGES):
                return Mentioned(complaint=f"{name} is no image, whatever its name says")
            if image:
                images.append(image)
                texts.append(f'<file name="{path}"></file>\n')
            else:
                texts.append(_told(path, content, lines))
        return Mentioned("".join(texts), tuple(images))

    def _path_of(self, name: str) -> str | None:
        """None for what stays text."""
        path = os.path.abspath(os.path.join(self._cwd, os.path.expanduser(name)))
        real = os.path.realpath(path)
        if real != self._root and not real.startswith(self._root.rstrip("/") + "/"):
            return None
        if os.path.exists(path):
            return path
        from difflib import get_close_matches  # only for who mistyped

        if near := get_close_matches(name, self._files(), 3, _ALIKE):
            raise _Wrong(f"@{name} is not there. Did you mean {', '.join(f'@{other}' for other in near)}?")
        return None


def _names(text: str) -> Iterable[tuple[str, tuple[int, int] | None]]:
    """The paths, and which of their lines are meant."""
    for match in _MENTION.finditer(text):
        said = (match["quoted"] or match["bare"].rstrip(".,;:!?)")) + (match["range"] or "")
        ranged = _RANGE.match(said)
        if not ranged:
            yield said, None
            continue
        first = int(ranged["first"])
        last = int(ranged["last"] or first)
        if last < first or first < 1:
            raise _Wrong(
                f"@{said}: the lines go from {first} to {last}; the first line is 1, and comes before the last"
            )
        yield ranged["path"], (first, last)


def _told(path: str, content: bytes, lines: tuple[int, int] | None) -> str:
    if b"\x00" in content[:8192]:
        return f'<file name="{path}">neither text nor an image, {len(content)} bytes</file>\n'
    rows = content.decode("utf-8-sig", errors="replace").splitlines(keepends=True)
    if lines:
        first, last = lines[0], min(lines[1], len(rows))
        note = f"[the file has {len(rows)} lines]\n" if lines[1] > len(rows) else ""
        return f'<file name="{path}" lines="{first}-{last}">\n{_closed(rows[first - 1 : last])}{note}</file>\n'
    if len(rows) <= _WHOLE_LINES:
        return f'<file name="{path}">\n{_closed(rows)}</file>\n'
    note = f"[{len(rows)} lines, {len(content)} bytes: read it with offset={_PREVIEW_LINES + 1} to see more]"
    return f'<file name="{path}" lines="1-{_PREVIEW_LINES}">\n{_closed(rows[:_PREVIEW_LINES])}{note}\n</file>\n'


def _closed(rows: Sequence[str]) -> str:
    text = "".join(rows)
    return text if not text or text.endswith("\n") else f"{text}\n"


def _listing(path: str) -> str:
    with os.scandir(path) as entries:
        names = sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries)
    shown = "".join(f"{name}\n" for name in islice(names, _ENTRIES))
    more = f"[{len(names) - _ENTRIES} more entries]\n" if len(names) > _ENTRIES else ""
    return f'<directory name="{path}">\n{shown}{more}</directory>\n'
