"""Key rings for tests, through the real `keyring` library: chosen by PYTHON_KEYRING_BACKEND as any other is.

What they keep lies in the file that RING_FILE names, so that several processes share it.
"""

import json
import os

from keyring.backend import KeyringBackend
from keyring.backends import SecretService
from keyring.errors import InitError, KeyringLocked, PasswordDeleteError


class _InFile:
    def _all(self) -> dict[str, str]:
        path = os.environ["RING_FILE"]
        if not os.path.exists(path):
            return {}
        with open(path) as file:
            return json.load(file)

    def _write(self, all: dict[str, str]) -> None:
        with open(os.environ["RING_FILE"] + ".new", "w") as file:
            json.dump(all, file)
        os.replace(os.environ["RING_FILE"] + ".new", os.environ["RING_FILE"])

    def get_password(self, service: str, username: str) -> str | None:
        return self._all().get(f"{service}:{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write(self._all() | {f"{service}:{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        all = self._all()
        if all.pop(f"{service}:{username}", None) is None:
            raise PasswordDeleteError("no such password")
        self._write(all)


class Desktop(_InFile, SecretService.Keyring):
    """Stands for the desktop's own."""

    priority = 9  # type: ignore[assignment]


class Plain(_InFile, KeyringBackend):
    """Writes plain text, as some that can be installed do."""

    priority = 9  # type: ignore[assignment]


class Locked(Desktop):
    """Nobody unlocks it."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("Failed to unlock the collection!")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("Failed to unlock the collection!")


class Gone(Desktop):
    """There is no desktop to talk to."""

    def get_password(self, service: str, username: str) -> str | None:
        raise InitError("Failed to create the collection: no session bus")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise InitError("Failed to create the collection: no session bus")


class Forgetful(Desktop):
    """Takes everything and gives nothing back."""

    def get_password(self, service: str, username: str) -> str | None:
        return None
