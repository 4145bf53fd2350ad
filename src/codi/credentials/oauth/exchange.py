"""Asking an issuer: codes, device codes and refresh tokens go out, tokens come back."""

import binascii
import time
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any

import httpx2
import msgspec
from msgspec import Struct

from codi.credentials.kept import Kept
from codi.credentials.oauth.issuers import Issuer, is_near
from codi.protocol.errors import CredentialError, MalformedAnswer, NetworkError, ProviderError
from codi.protocol.network import Errand, Hear, nobody
from codi.wire.counted import count

_TIMEOUT_S = 30.0
_LIMIT = 1024 * 1024
_CAUSE_LIMIT = 200


class TokenAnswer(Struct, frozen=True):
    """RFC 6749, 5.1 and 5.2, with what OpenID adds."""

    access_token: str = ""
    token_type: str = ""
    expires_in: float | None = None
    refresh_token: str | None = None
    id_token: str | None = None
    error: str = ""
    error_description: str | None = None
    interval: float | None = None

    def __repr__(self) -> str:
        return f"TokenAnswer(error={self.error!r})"


class Turned(CredentialError):
    """The issuer said no; `kind` is its word for why."""

    def __init__(self, message: str, *, hint: str, kind: str) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


class Exchange:
    """One issuer's endpoints. `env` is where the application's secret is looked for. `offline` refuses all but this machine
    before a name is looked up. `hear` is told of each connection."""

    def __init__(self, issuer: Issuer, env: Mapping[str, str], *, offline: bool = False, hear: Hear = nobody) -> None:
        self._issuer = issuer
        self._errand = Errand("login", issuer.name, hear)
        self._env = env
        self._offline = offline

    async def redeemed(self, code: str, verifier: str, redirect: str, state: str) -> Kept:
        """The tokens for an authorisation code."""
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": redirect}
        if self._issuer.json_body:
            form["state"] = state
        return self._kept(await self.asked(form))

    async def refreshed(self, refresh: str) -> Kept:
        """The tokens for a refresh token, which stays where no new one comes. Raises Turned where it is no longer good."""
        return self._kept(await self.asked({"grant_type": "refresh_token", "refresh_token": refresh}), refresh)

    async def polled(self, device_code: str) -> Kept:
        """The tokens for a device code. Raises Turned as long as the person has not agreed."""
        grant = "urn:ietf:params:oauth:grant-type:device_code"
        return self._kept(await self.asked({"grant_type": grant, "device_code": device_code}))

    async def asked(self, form: dict[str, str]) -> TokenAnswer:
        """One request to the token endpoint. Raises Turned, MalformedAnswer or NetworkError."""
        form = {**form, "client_id": self._issuer.client_id, **self._secret()}
        body = await self.posted(self._issuer.token_url, form)
        try:
            answer = msgspec.json.decode(body, type=TokenAnswer, strict=False)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self.malformed(str(error)) from error
        if answer.error:
            raise self.turned(answer.error, answer.error_description)
        return answer

    async def posted(self, url: str, form: dict[str, str]) -> bytes:
        headers = {"accept": "application/json", "user-agent": "codi"}
        sent = {"json": form} if self._issuer.json_body else {"data": form}
        return await self._sent("POST", url, headers=headers, **sent)

    async def got(self, url: str, headers: Mapping[str, str]) -> bytes:
        return await self._sent("GET", url, headers={"accept": "application/json", "user-agent": "codi", **headers})

    def turned(self, error: str, description: str | None = None) -> Turned:
        said = f"{error}: {description}" if description else error
        return Turned(
            f"{self._issuer.name} refused the login: {_plain(said)}",
            hint=f"Run `codi auth login {self._issuer.name}` again.",
            kind=error,
        )

    def malformed(self, why: str) -> MalformedAnswer:
        return MalformedAnswer(
            f"{self._issuer.name} answered the login with something that is no answer: {why}",
            hint=f"Check the addresses under auth.providers.{self._issuer.name}.",
        )

    def _secret(self) -> dict[str, str]:
        variable = self._issuer.client_secret_env
        if not variable:
            return {}
        if not self._env.get(variable):
            raise CredentialError(
                f"the login to {self._issuer.name} needs {variable}, which is not set", hint=f"Set {variable}."
            )
        return {"client_secret": self._env[variable]}

    def _kept(self, answer: TokenAnswer, refresh: str = "") -> Kept:
        if not answer.access_token:
            raise self.malformed("there is no access token in it")
        if answer.token_type and answer.token_type.lower() != "bearer":
            raise self.malformed(f"the token is of type {_plain(answer.token_type)}")
        expires_at = time.time() + answer.expires_in if answer.expires_in else 0
        return Kept(
            secret=answer.access_token,
            kind="login",
            refresh=answer.refresh_token or refresh,
            expires_at=expires_at,
            **_of_account(answer.id_token),
        )

    async def _sent(self, method: str, url: str, **more: Any) -> bytes:
        """The body of the answer, also of a refusal that explains itself in JSON."""
        name = self._issuer.name
        if self._offline and not is_near(url):
            place = httpx2.URL(url)
            self._errand.refused(place.host, place.port or 443, "offline")
            raise ProviderError("Offline: no network.", hint=f"The login to {name} needs it: go without --offline.")
        try:
            # Nothing is followed: what is sent here is for this address alone.
            made = httpx2.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False, trust_env=not self._offline)
            async with (
                count(made, self._errand) as client,
                client.stream(method, url, **more) as response,
            ):
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _LIMIT:
                        raise self.malformed("it is too long")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise NetworkError(
                f"the login service of {name} cannot be reached: {str(error) or type(error).__name__}",
                hint="Check the network and the proxy, and try again.",
            ) from error
        if 200 <= response.status_code < 300 or _explains_itself(body):
            return body
        if response.status_code in (401, 403):
            raise self.turned(f"status {response.status_code}")
        if response.status_code >= 500:
            raise NetworkError(
                f"the login service of {name} failed (status {response.status_code})", hint="Try again in a moment."
            )
        raise self.malformed(f"status {response.status_code}")


def _explains_itself(body: bytes) -> bool:
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return False
    return isinstance(said, dict) and isinstance(said.get("error"), str)


def _of_account(id_token: str | None) -> dict[str, Any]:
    """What a ChatGPT account wants with each request: its number, which stands in the identity that came with the login
    (over TLS from the issuer itself, so that its signature tells nothing more), and another address than that of keys."""
    claims = _claims(id_token or "").get("https://api.openai.com/auth")
    account = claims.get("chatgpt_account_id") if isinstance(claims, dict) else None
    if not isinstance(account, str) or not account:
        return {}
    return {"base_url": "https://chatgpt.com/backend-api/codex", "headers": {"chatgpt-account-id": account}}


def _claims(token: str) -> dict[str, Any]:
    middle = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        said = msgspec.json.decode(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (msgspec.DecodeError, binascii.Error, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _plain(text: str) -> str:
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line[:_CAUSE_LIMIT]
