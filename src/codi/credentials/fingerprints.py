"""Telling whether a value is the one of before, without keeping it.

A digest is made under a key that lies in codi's home and nowhere else, so who has a session file alone cannot try values
against it.
"""

import os
from hashlib import blake2b

_KEY_BYTES = 32
_DIGEST_BYTES = 8


class Fingerprints:
    """`path` is where the key lies. It is made when first needed; where that cannot be, values are not told apart beyond this
    process."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._key: bytes | None = None

    def of(self, value: bytes) -> str:
        if self._key is None:
            self._key = self._read() or self._made() or b""
        return blake2b(value, key=self._key, digest_size=_DIGEST_BYTES).hexdigest() if self._key else ""

    def _read(self) -> bytes | None:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        with open(descriptor, "rb") as file:
            key = file.read(_KEY_BYTES + 1)
        return key if len(key) == _KEY_BYTES else None

    def _made(self) -> bytes | None:
        """A new key, put in its place at once; another codi may have been faster, whose key then counts."""
        unfinished = f"{self._path}.{os.urandom(4).hex()}.new"
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
                file.write(os.urandom(_KEY_BYTES))
            try:
                os.link(unfinished, self._path)
            except FileExistsError:
                pass
            finally:
                os.unlink(unfinished)
        except OSError:
            return None
        return self._read()
