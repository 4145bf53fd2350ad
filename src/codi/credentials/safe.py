"""All that is kept: in the key ring, and where there is none in `credentials.enc`.

Beside them lies a list of what is kept where, without a secret in it, so that codi knows which services can be asked
without opening anything.
"""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import msgspec
from msgspec import structs

from codi.credentials import private_files
from codi.credentials.kept import Kept, Label
from codi.credentials.passphrase import Ask, Passphrase
from codi.protocol.errors import CredentialError


class Safe:
    """`env` may hold the passphrase of the file; `ask` asks the person for it, and is None where there is nobody."""

    def __init__(self, home: str, env: Mapping[str, str], ask: Ask | None = None) -> None:
        self.home = home
        self._list = os.path.join(home, "credentials.json")
        self._lock = os.path.join(home, "credentials.lock")
        self._passphrase = Passphrase(os.path.join(home, "credentials.key"), env, ask)

    def labels(self) -> list[Label]:
        """What is kept, the newest first. Opens no store."""
        return self._listed() or []

    def require_private(self) -> None:
        """Raises CredentialError where others could read or change the encrypted file."""
        private_files.read(os.path.join(self.home, "credentials.enc"))

    def services(self) -> list[str]:
        """Those for which something is kept. Opens no store; what is wrong with the list is told when it is needed."""
        try:
            return [label.provider for label in self.labels()]
        except CredentialError:
            return []

    def must_ask(self, label: Label) -> bool:
        """Whether the person would be asked for a passphrase."""
        return label.where == "file" and label.protected and self._passphrase.would_ask

    def label(self, provider: str) -> Label | None:
        """What counts for a provider: what was kept last."""
        return next((label for label in self.labels() if label.provider == provider), None)

    def named(self, name: str) -> Label | None:
        """The label of one account."""
        return next((label for label in self.labels() if label.name == name), None)

    def get(self, label: Label) -> Kept:
        """Raises CredentialError where the store cannot be opened, or has lost it."""
        kept: Kept | None = self._ring().get(label.name) if label.where == "keyring" else self._file().get(label.name)
        if kept is None:
            raise CredentialError(
                f"{label.place} no longer has what was kept for {label.name}",
                hint=f"Run `codi auth login {label.provider}`.",
            )
        return kept

    def unlisted(self, provider: str) -> Label | None:
        """What a store has for a provider although the list does not say so: it was put there by hand, or the list is lost."""
        ring_module = _ring_module()
        try:
            if kept := ring_module.KeyRing().get(provider):
                return Label(provider=provider, where="keyring", kind=kept.kind)
        except ring_module.NoRing:
            pass
        if self._listed() is None and os.path.lexists(os.path.join(self.home, "credentials.enc")):
            all_kept, protected = self._file().all()
            if kept := all_kept.get(provider):
                return Label(provider=provider, where="file", kind=kept.kind, protected=protected)
        return None

    def keep(self, provider: str, kept: Kept, account: str = "") -> tuple[Label, str]:
        """Keep it in the key ring, else in the file. Returns where it is, and in words why it is not in the key ring."""
        label = Label(provider=provider, account=account, where="keyring", kind=kept.kind, expires_at=kept.expires_at)
        why = ""
        with private_files.turn(self._lock):
            ring_module = _ring_module()
            try:
                ring = ring_module.KeyRing()
                ring.probe()
                ring.put(label.name, kept)
            except ring_module.NoRing as error:
                why = str(error)
                label = structs.replace(label, where="file", protected=self._file().put(label.name, kept))
            before = self.named(label.name)
            self._write([label, *(old for old in self.labels() if old.name != label.name)])
            if before and before.where == "file" and label.where == "keyring":
                self._file().remove(label.name)
        return label, why

    def renew(self, label: Label, kept: Kept) -> None:
        """Put what a service gave in exchange where the old one was."""
        with private_files.turn(self._lock):
            if label.where == "keyring":
                self._ring().put(label.name, kept)
            else:
                self._file().put(label.name, kept)
            renewed = structs.replace(label, expires_at=kept.expires_at)
            self._write([renewed if old.name == label.name else old for old in self.labels()])

    def forget(self, provider: str, account: str | None = None) -> list[str]:
        """Remove what is kept for a provider, or for one account of it, from every store. Returns the places where it was."""
        with private_files.turn(self._lock):
            gone = [label for label in self.labels() if label.provider == provider and account in (None, label.account)]
            places = [label.place for label in gone if self._remove(label)]
            # A ring may have one that nothing lists: from a time before it was locked, or put there by hand.
            unlisted = [label.name for label in gone if label.where == "file"] if gone else [provider]
            places += ["the key ring" for name in unlisted if self._removed_from_ring(name)]
            self._write([label for label in self.labels() if label not in gone])
        return places

    def forget_all(self) -> list[str]:
        """Remove everything from every store."""
        with private_files.turn(self._lock):
            labels = self.labels()
            in_ring = [label for label in labels if label.where == "keyring"]
            file = self._file()
            places = ["credentials.enc"] if file.exists else []
            file.destroy()
            # What a ring does not give up now is still listed afterwards.
            self._write(in_ring)
            places += [label.place for label in in_ring if self._remove(label)]
            unlisted = [label.name for label in labels if label.where == "file"]
            places += ["the key ring" for name in unlisted if self._removed_from_ring(name)]
            private_files.remove(self._list)
        return places

    def _remove(self, label: Label) -> bool:
        removed: bool = (self._ring() if label.where == "keyring" else self._file()).remove(label.name)
        return removed

    def _removed_from_ring(self, name: str) -> bool:
        """Whether it was there; a ring that does not work now is passed over."""
        ring_module = _ring_module()
        try:
            removed: bool = ring_module.KeyRing().remove(name)
        except ring_module.NoRing:
            return False
        return removed

    def _listed(self) -> list[Label] | None:
        content = private_files.read(self._list)
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=list[Label])
        except (msgspec.DecodeError, RecursionError):
            return None  # it only says what the stores know themselves

    def _write(self, labels: list[Label]) -> None:
        private_files.write(self._list, msgspec.json.format(msgspec.json.encode(labels)) + b"\n")

    def _ring(self) -> Any:
        return _ring_module().KeyRing()

    def _file(self) -> Any:
        # Its cipher costs more to load than all that a start with a key in the environment needs.
        return import_module("codi.credentials.sealed_file").SealedFile(self.home, self._passphrase)


def _ring_module() -> Any:
    # Loading it talks to the desktop, and costs more than all else that a start needs.
    return import_module("codi.credentials.ring")
