"""A login that stays good: its token is renewed before it ends, and once more when a service refuses it."""

import os
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from anyio import to_thread
from msgspec import structs

from codi.credentials import private_files
from codi.credentials.kept import Kept, Label
from codi.credentials.safe import Safe
from codi.protocol.errors import CredentialError, NetworkError

MARGIN_S = 60.0

Connect = Callable[[], Any]
"""Makes the `Exchange` with the issuer. By a function, since the HTTP library behind it is heavy and rarely wanted here."""


class Login:
    """Of all processes that share codi's home one renews a token, and the others take what it got. A new token is kept
    before it is used, since the old one may be void from then on."""

    is_login = True

    def __init__(
        self,
        safe: Safe,
        label: Label,
        connect: Connect,
        kept: Kept | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.source = f"the login to {label.provider}"
        self._safe = safe
        self._label = label
        self._connect = connect
        self._clock = clock
        self._kept = kept

    @property
    def base_url(self) -> str:
        """Where the service is for this account; empty where it is as for all. Known once the secret was asked for."""
        return self._kept.base_url if self._kept else ""

    @property
    def headers(self) -> Mapping[str, str]:
        return self._kept.headers if self._kept else {}

    async def secret(self) -> str | None:
        if self._kept is None:
            self._kept = await to_thread.run_sync(self._safe.get, self._label)
        if self._ends_within(self._kept, MARGIN_S):
            try:
                self._kept = await self._renewed(self._kept)
            except NetworkError:
                if self._ends_within(self._kept, 0):
                    raise
        return self._kept.secret

    async def renew(self) -> bool:
        """After a refusal: get another token. False where there is none to be had."""
        if self._kept is None:
            return False
        before = self._kept.secret
        self._kept = await self._renewed(self._kept)
        return self._kept.secret != before

    def __repr__(self) -> str:
        return f"Login({self._label.name})"

    def _ends_within(self, kept: Kept, seconds: float) -> bool:
        return bool(kept.expires_at) and kept.expires_at - self._clock() <= seconds

    async def _renewed(self, stale: Kept) -> Kept:
        lock = os.path.join(self._safe.home, f"credentials.{self._label.provider.replace('/', '_')}.lock")
        async with private_files.awaited_turn(lock):
            self._label = self._safe.named(self._label.name) or self._label  # a new login may lie in another store
            kept = await to_thread.run_sync(self._safe.get, self._label)
            if kept.secret != stale.secret and not self._ends_within(kept, MARGIN_S):
                return kept  # another process was faster
            if not kept.refresh:
                if self._ends_within(kept, 0):
                    raise self._over()
                return kept
            turned = import_module("codi.credentials.oauth.exchange").Turned
            try:
                new: Kept = await self._connect().refreshed(kept.refresh)
            except turned as error:
                raise self._over() from error
            new = structs.replace(new, base_url=new.base_url or kept.base_url, headers=new.headers or kept.headers)
            await to_thread.run_sync(self._safe.renew, self._label, new)
            return new

    def _over(self) -> CredentialError:
        provider = self._label.provider
        return CredentialError(f"the login to {provider} has ended", hint=f"Run `codi auth login {provider}`.")
