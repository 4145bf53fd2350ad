"""What is kept of a service: a key, or what a login gave; and what may be told of it to anybody."""

from typing import Literal

from msgspec import Struct

Kind = Literal["key", "login"]
Where = Literal["keyring", "file"]


class Kept(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The secret itself, as a store holds it. `expires_at` is seconds since 1970, 0 where nobody said. `base_url` and
    `headers` are what else the service wants to see of this account."""

    secret: str
    kind: Kind = "key"
    refresh: str = ""
    expires_at: float = 0
    base_url: str = ""
    headers: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Kept({self.kind})"


class Label(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """That something is kept, and where: all that is known without opening a store. `protected` is False where whoever can
    read the file can read the secret."""

    provider: str
    where: Where
    account: str = ""
    kind: Kind = "key"
    expires_at: float = 0
    protected: bool = True

    @property
    def name(self) -> str:
        """What it is called in a store."""
        return f"{self.provider}/{self.account}" if self.account else self.provider

    @property
    def place(self) -> str:
        """The store in words."""
        if self.where == "keyring":
            return "the key ring"
        return "credentials.enc" if self.protected else "credentials.enc (obfuscated, not protected)"
