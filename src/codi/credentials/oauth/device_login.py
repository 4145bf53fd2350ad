"""Logging in on another device, with a code that the person types there (RFC 8628)."""

import time
from collections.abc import Awaitable, Callable

import anyio
import msgspec
from msgspec import Struct

from codi.credentials.kept import Kept
from codi.credentials.oauth.exchange import Exchange, Turned
from codi.credentials.oauth.issuers import Issuer
from codi.protocol.errors import CredentialError, NetworkError

_USUAL_INTERVAL_S = 5.0
_SHORTEST_INTERVAL_S = 0.1
_LONGEST_INTERVAL_S = 60.0
_SLOWER_S = 5.0
_LONGEST_S = 1800.0


class DeviceAnswer(Struct, frozen=True):
    """RFC 8628, 3.2; some services write `verification_url`."""

    device_code: str = ""
    user_code: str = ""
    verification_uri: str = ""
    verification_url: str = ""
    verification_uri_complete: str | None = None
    expires_in: float = 900
    interval: float | None = None
    error: str = ""
    error_description: str | None = None

    @property
    def address(self) -> str:
        return self.verification_uri or self.verification_url

    def __repr__(self) -> str:
        return "DeviceAnswer()"


async def log_in(
    issuer: Issuer,
    exchange: Exchange,
    show: Callable[[str, str, str | None], Awaitable[None]],
    *,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Kept:
    """`show` is given the address, the code to type there, and an address that holds it already, if there is one. Raises
    CredentialError where the person refuses or takes too long."""
    form = {"client_id": issuer.client_id}
    if issuer.scopes:
        form["scope"] = " ".join(issuer.scopes)
    try:
        asked = msgspec.json.decode(await exchange.posted(issuer.device_url, form), type=DeviceAnswer, strict=False)
    except (msgspec.DecodeError, RecursionError) as error:
        raise exchange.malformed(str(error)) from error
    if asked.error:
        raise exchange.turned(asked.error, asked.error_description)
    if not (asked.device_code and asked.user_code and asked.address):
        raise exchange.malformed("there is no code to type in it")
    await show(asked.address, asked.user_code, asked.verification_uri_complete)
    end = clock() + min(asked.expires_in, _LONGEST_S)
    interval_s = max(_USUAL_INTERVAL_S if asked.interval is None else asked.interval, _SHORTEST_INTERVAL_S)
    while clock() < end:
        await sleep(interval_s)
        try:
            return await exchange.polled(asked.device_code)
        except Turned as answer:
            if answer.kind == "slow_down":
                interval_s += _SLOWER_S
            elif answer.kind == "expired_token":
                break
            elif answer.kind != "authorization_pending":
                raise
        except NetworkError:
            interval_s = min(interval_s * 2, _LONGEST_INTERVAL_S)
    raise CredentialError("nobody typed the code in time", hint=f"Try again: codi auth login {issuer.name} --device")
