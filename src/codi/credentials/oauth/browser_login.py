"""Logging in with a browser: authorisation code with PKCE (RFC 6749, 7636, 8252, 9207).

The browser brings the answer to a listener on this machine; where it cannot, because it runs elsewhere, the person pastes
the address at which it ended.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlencode, urlsplit

import anyio
from msgspec import Struct

from codi.credentials.kept import Kept
from codi.credentials.oauth.exchange import Exchange
from codi.credentials.oauth.issuers import Issuer
from codi.credentials.oauth.listener import Listener, values_of
from codi.protocol.errors import CredentialError

PATIENCE_S = 300.0


class Secrets(Struct, frozen=True):
    """What one login is known by: 192 bits of state, and the verifier behind the challenge."""

    state: str
    verifier: str

    @classmethod
    def new(cls) -> "Secrets":
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        """RFC 7636, S256."""
        return urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    def __repr__(self) -> str:
        return "Secrets()"


def authorize_url(issuer: Issuer, of: Secrets, redirect: str) -> str:
    query = {
        **issuer.more,
        "response_type": "code",
        "client_id": issuer.client_id,
        "redirect_uri": redirect,
        "state": of.state,
        "code_challenge": of.challenge,
        "code_challenge_method": "S256",
    }
    if issuer.scopes:
        query["scope"] = " ".join(issuer.scopes)
    sign = "&" if urlsplit(issuer.authorize_url).query else "?"
    return f"{issuer.authorize_url}{sign}{urlencode(query)}"


async def log_in(
    issuer: Issuer,
    exchange: Exchange,
    show: Callable[[str], Awaitable[None]],
    pasted: Callable[[], Awaitable[str | None]],
    *,
    within_s: float = PATIENCE_S,
) -> Kept:
    """`show` is given the address to open; `pasted` waits for what the person pastes, None where nothing will come. Raises
    CredentialError where the answer is not the one that was asked for, or none comes in time."""
    own = Secrets.new()
    async with Listener() as listener:
        redirect = listener.redirect
        values = await _first(show, authorize_url(issuer, own, redirect), listener, pasted, within_s)
    code = code_of(values, own, issuer, exchange)
    return await exchange.redeemed(code, own.verifier, redirect, own.state)


def code_of(values: Mapping[str, str], own: Secrets, issuer: Issuer, exchange: Exchange) -> str:
    """The code that an answer brings. Raises CredentialError unless it is the answer to this login."""
    again = f"Nothing was kept. Run `codi auth login {issuer.name}` again, and use the page that it opens."
    if not hmac.compare_digest(values.get("state", "").encode(), own.state.encode()):
        raise CredentialError("the answer belongs to another login: its state is not the one that was sent", hint=again)
    if "iss" in values and not issuer.is_named(values["iss"]):
        raise CredentialError("the answer is from another issuer than the one that was asked", hint=again)
    if error := values.get("error"):
        raise exchange.turned(error, values.get("error_description"))
    if not values.get("code"):
        raise CredentialError("the answer holds no code", hint=again)
    return values["code"]


def values_in(text: str) -> dict[str, str]:
    """What a person pasted: the whole address, or `CODE#STATE` as some services show it."""
    text = text.strip()
    if "://" in text:
        return values_of(urlsplit(text).query)
    code, _, state = text.partition("#")
    return {"code": code, "state": state}


async def _first(
    show: Callable[[str], Awaitable[None]],
    url: str,
    listener: Listener,
    pasted: Callable[[], Awaitable[str | None]],
    within_s: float,
) -> dict[str, str]:
    """The answer, by whichever way it comes first."""
    found: list[dict[str, str]] = []
    with anyio.move_on_after(within_s):
        async with anyio.create_task_group() as tasks:

            async def listen() -> None:
                found.append(await listener.answer())
                tasks.cancel_scope.cancel()

            async def read() -> None:
                if (text := await pasted()) is not None:
                    found.append(values_in(text))
                    tasks.cancel_scope.cancel()

            tasks.start_soon(listen)
            tasks.start_soon(read)
            await show(url)
    if not found:
        minutes = f"{within_s / 60:g} minutes" if within_s >= 60 else f"{within_s:g} s"
        raise CredentialError(
            f"nobody logged in within {minutes}", hint="Try again; without a browser on this machine: --device."
        )
    return found[0]
