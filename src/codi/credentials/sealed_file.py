"""`credentials.enc`: secrets in an encrypted file, for machines without a key ring."""

import os

import msgspec

from codi.credentials import private_files
from codi.credentials.kept import Kept
from codi.credentials.passphrase import Passphrase
from codi.credentials.sealing import Damaged, Opens, head_of, seal, unseal
from codi.protocol.errors import CredentialError


class SealedFile:
    """The caller holds the lock while something is changed. What cannot be opened is never overwritten."""

    def __init__(self, home: str, passphrase: Passphrase) -> None:
        self.path = os.path.join(home, "credentials.enc")
        self._previous = f"{self.path}.previous"
        self._key_file = os.path.join(home, "credentials.key")
        self._passphrase = passphrase

    @property
    def exists(self) -> bool:
        return os.path.lexists(self.path)

    def get(self, name: str) -> Kept | None:
        """Raises CredentialError where the file cannot be opened."""
        return self._opened()[0].get(name)

    def all(self) -> tuple[dict[str, Kept], bool]:
        """Everything in it, and whether a passphrase protects it."""
        kept, opens, _ = self._opened()
        return kept, opens == "passphrase"

    def put(self, name: str, kept: Kept) -> bool:
        """Returns whether it is protected by a passphrase."""
        before, opens, key = self._opened()
        if not key:
            key = self._passphrase.chosen()
            opens = "passphrase" if key else "key file"
            key = key or self._passphrase.new_key_file()
        self._write({**before, name: kept}, opens, key, previous=self._previous)
        return opens == "passphrase"

    def remove(self, name: str) -> bool:
        """Take one out, of the previous file too; False where it is not there."""
        before, opens, key = self._opened()
        if name not in before:
            return False
        left = {other: kept for other, kept in before.items() if other != name}
        if left:
            self._write(left, opens, key, previous="")
            private_files.remove(self._previous)
        else:
            self.destroy()
        return True

    def destroy(self) -> None:
        """Everything goes, also what cannot be opened."""
        for path in (self.path, self._previous, self._key_file):
            private_files.remove(path)

    def _opened(self) -> tuple[dict[str, Kept], Opens, str]:
        """What is in it, and the key that opened it; an empty key where there is no file yet."""
        sealed = private_files.read(self.path)
        if sealed is None:
            return {}, "passphrase", ""
        try:
            opens = head_of(sealed).opens
            key = self._passphrase.existing() if opens == "passphrase" else self._passphrase.from_key_file()
            plain = unseal(sealed, key)
            return msgspec.json.decode(plain, type=dict[str, Kept]), opens, key
        except (Damaged, msgspec.DecodeError) as error:
            self._passphrase.forget()
            raise CredentialError(
                f"{self.path} cannot be opened: {error}",
                hint=f"Check the passphrase. An older state is kept as {self._previous}; `codi auth logout --all` begins anew.",
            ) from error

    def _write(self, kept: dict[str, Kept], opens: Opens, key: str, *, previous: str) -> None:
        private_files.write(self.path, seal(msgspec.json.encode(kept), key, opens), previous=previous)
