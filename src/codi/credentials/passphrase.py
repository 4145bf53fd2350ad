"""Where the passphrase of `credentials.enc` comes from: the environment, an open descriptor, a key file, or the person."""

import os
from collections.abc import Callable, Mapping

from codi.credentials import private_files
from codi.protocol.errors import ConfigError, CredentialError

Ask = Callable[[str], str]
"""Asks the person for something that is not shown while it is typed."""

_LABEL = "# obfuscated, not protected: whoever can read this file can read credentials.enc\n"


class Passphrase:
    """`ask` is None where nobody can be asked. What was told once is remembered until the program ends."""

    def __init__(self, key_file: str, env: Mapping[str, str], ask: Ask | None = None) -> None:
        self._key_file = key_file
        self._env = env
        self._ask = ask
        self._told = ""

    @property
    def would_ask(self) -> bool:
        return self._ask is not None and not self._given()

    def existing(self) -> str:
        """The one that a person once chose. Raises CredentialError where nobody tells it."""
        if not self._given() and self._ask:
            self._told = self._ask("Passphrase of codi's credentials: ")
        if not self._told:
            raise CredentialError(
                "credentials.enc is locked, and there is no passphrase",
                hint="Set CODI_CREDENTIALS_KEY or CODI_PASSPHRASE_FD, or start codi in a terminal.",
            )
        return self._told

    def chosen(self) -> str:
        """The one for a new file; empty where nobody gives one."""
        if not self._given() and self._ask:
            first = self._ask("Choose a passphrase for codi's credentials (empty: none, and no protection): ")
            if first and self._ask("Once more: ") != first:
                raise CredentialError("the two passphrases differ; nothing was kept", hint="Try again.")
            self._told = first
        return self._told

    def forget(self) -> None:
        """It was wrong."""
        self._told = ""

    def from_key_file(self) -> str:
        """Raises CredentialError where there is none."""
        content = private_files.read(self._key_file)
        lines = [] if content is None else content.decode("ascii", "replace").split("\n")
        key = next((line.strip() for line in lines if line.strip() and not line.startswith("#")), "")
        if not key:
            raise CredentialError(
                f"{self._key_file} is missing, and credentials.enc cannot be opened without it",
                hint="Bring it back, or begin anew: codi auth logout --all",
            )
        return key

    def new_key_file(self) -> str:
        """A random key, kept beside what it opens."""
        key = os.urandom(32).hex()
        private_files.write(self._key_file, f"{_LABEL}{key}\n".encode())
        return key

    def _given(self) -> str:
        if not self._told:
            self._told = self._env.get("CODI_CREDENTIALS_KEY", "") or self._from_descriptor()
        return self._told

    def _from_descriptor(self) -> str:
        number = self._env.get("CODI_PASSPHRASE_FD", "").strip()
        if not number:
            return ""
        try:
            with os.fdopen(int(number), encoding="utf-8", errors="surrogateescape") as file:
                return file.readline().rstrip("\r\n")
        except (ValueError, OSError) as error:
            raise ConfigError(
                f"CODI_PASSPHRASE_FD: {number!r} is no open descriptor", hint="Give the number of one that is open."
            ) from error
