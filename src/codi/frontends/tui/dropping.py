"""Files that are dropped on the window: the terminal pastes their paths, quoted or escaped as it likes."""

import os
import shlex
from urllib.parse import unquote, urlsplit

_MOST_BYTES = 20_000_000
_LONGEST = 10_000


def dropped(text: str) -> list[str]:
    """The files whose paths a pasted text is, whole and alone; none where it is anything else."""
    text = text.strip()
    if not text.startswith(("/", "~/", "file://", "'/", '"/')) or len(text) > _LONGEST:
        return []
    whole = _path(text)
    if os.path.exists(whole):
        return [whole]
    try:
        paths = [_path(word) for word in shlex.split(text)]
    except ValueError:
        return []
    return paths if all(os.path.isabs(path) and os.path.exists(path) for path in paths) else []


def mention(path: str, cwd: str) -> str:
    """How a file is mentioned in a prompt."""
    inside = os.path.relpath(path, cwd)
    name = path if inside.startswith("..") else inside
    return f'@"{name}"' if " " in name else f"@{name}"


def content_of(path: str) -> bytes:
    """b"" for what is no file that can be read, or too large for a picture."""
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > _MOST_BYTES:
            return b""
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _path(word: str) -> str:
    if word.startswith("file://"):
        return unquote(urlsplit(word).path)
    return os.path.expanduser(word)
