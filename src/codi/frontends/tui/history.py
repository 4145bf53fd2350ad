"""What was typed before, in this project first: gone through by arrows, searched by ctrl+r.

A file of lines, each a JSON object of a text and the directory in which it was typed. Every program appends to it alone; when it
has grown too long one of them cuts it, holding a lock. Nothing that holds a secret comes into it.
"""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress

from msgspec import DecodeError, Struct, json

KEPT = 10_000
_SLACK = 2_000


class _Typed(Struct, omit_defaults=True):
    text: str
    cwd: str = ""


class History:
    """`file` is None for one that is not kept. `is_secret` says which texts must not be."""

    def __init__(self, file: str | None, cwd: str, is_secret: Callable[[str], bool] = lambda text: False) -> None:
        self._file = file
        self._cwd = cwd
        self._is_secret = is_secret
        self._texts = self._read() if file else []
        self._at = len(self._texts)
        self._draft = ""

    def add(self, text: str) -> None:
        """Remember a text; one that is there already moves to the newest."""
        self._texts = [*(known for known in self._texts if known != text), text] if text.strip() else self._texts
        self._at = len(self._texts)
        if self._file and text.strip() and not self._is_secret(text):
            with suppress(OSError):
                self._append(text)

    def back(self, text: str) -> str | None:
        """The text before the one that is shown; what stands in the editor now comes back at the end."""
        if self._at == 0:
            return None
        if self._at == len(self._texts):
            self._draft = text
        self._at -= 1
        return self._texts[self._at]

    def forward(self) -> str | None:
        if self._at >= len(self._texts):
            return None
        self._at += 1
        return self._draft if self._at == len(self._texts) else self._texts[self._at]

    def search(self, query: str, *, older_than: int | None = None) -> tuple[int, str] | None:
        """The newest text that holds `query`, and its place; with `older_than` one before that place."""
        for at in range(len(self._texts) - 1 if older_than is None else older_than - 1, -1, -1):
            if query.lower() in self._texts[at].lower():
                return at, self._texts[at]
        return None

    def _read(self) -> list[str]:
        """Those of other projects first, so that the newest of this one are reached first. Lines that cannot be read are left."""
        assert self._file is not None
        try:
            with open(self._file, "rb") as file:
                lines = file.read().split(b"\n")
        except OSError:
            return []
        typed: list[_Typed] = []
        for line in lines:
            with suppress(DecodeError, UnicodeDecodeError):
                typed.append(json.decode(line, type=_Typed))
        if len(typed) > KEPT + _SLACK:
            with suppress(OSError):
                self._cut()
        ordered = [one.text for one in typed if one.cwd != self._cwd] + [
            one.text for one in typed if one.cwd == self._cwd
        ]
        return list(dict.fromkeys(reversed(ordered)))[:KEPT][::-1]

    def _append(self, text: str) -> None:
        assert self._file is not None
        os.makedirs(os.path.dirname(self._file), mode=0o700, exist_ok=True)
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            os.write(descriptor, json.encode(_Typed(text, self._cwd)) + b"\n")
        finally:
            os.close(descriptor)

    def _cut(self) -> None:
        """Keep the newest lines. In place, for others have the file open."""
        assert self._file is not None
        descriptor = os.open(self._file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            kept = file.read().splitlines(keepends=True)[-KEPT:]
            file.seek(0)
            file.writelines(kept)
            file.truncate()
