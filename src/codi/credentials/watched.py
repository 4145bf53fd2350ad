"""A credential whose secret the vault comes to know with its first use."""

from typing import Protocol

from codi.credentials.vault import Vault, is_distinct


class Credential(Protocol):
    source: str

    async def secret(self) -> str | None: ...


class WatchedKey:
    """`name` is what the secret goes by."""

    def __init__(self, credential: Credential, vault: Vault, name: str) -> None:
        self.source = credential.source
        self._credential = credential
        self._vault = vault
        self._name = name

    @property
    def is_login(self) -> bool:
        return bool(getattr(self._credential, "is_login", False))

    async def secret(self) -> str | None:
        secret = await self._credential.secret()
        self.source = self._credential.source  # which of several places it was is known by now
        if secret and is_distinct(secret.encode()):
            self._vault.know(self._name, secret)
        return secret

    def __repr__(self) -> str:
        return f"WatchedKey({self._credential!r})"
