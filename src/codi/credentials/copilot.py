"""GitHub Copilot: a login to GitHub is exchanged for a token of some minutes, and the answer says where to go with it."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from codi.credentials.login import MARGIN_S, Connect
from codi.credentials.oauth.issuers import leads_safely
from codi.protocol.errors import CredentialError


class GitHubToken(Protocol):
    source: str

    async def secret(self) -> str | None: ...


class _Endpoints(Struct, frozen=True):
    api: str = ""


class _Answer(Struct, frozen=True):
    token: str
    expires_at: float = 0
    endpoints: _Endpoints = _Endpoints()

    def __repr__(self) -> str:
        return "_Answer()"


class CopilotToken:
    """Exchanged again 60 s before it ends, and after a refusal."""

    is_login = True

    def __init__(
        self, github: GitHubToken, exchange_url: str, connect: Connect, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.source = github.source
        self.base_url = ""
        self.headers: Mapping[str, str] = {}
        self._github = github
        self._url = exchange_url
        self._connect = connect
        self._clock = clock
        self._answer: _Answer | None = None

    async def secret(self) -> str | None:
        answer = self._answer
        if answer is None or (answer.expires_at and answer.expires_at - self._clock() <= MARGIN_S):
            answer = await self._exchanged()
        return answer.token

    async def renew(self) -> bool:
        before = self._answer.token if self._answer else ""
        return (await self._exchanged()).token != before

    def __repr__(self) -> str:
        return f"CopilotToken({self.source})"

    async def _exchanged(self) -> _Answer:
        exchange: Any = self._connect()
        token = await self._github.secret()
        if not token:
            raise CredentialError("there is no login to GitHub", hint="Run `codi auth login github-copilot`.")
        body = await exchange.got(self._url, {"authorization": f"token {token}"})
        try:
            answer = msgspec.json.decode(body, type=_Answer, strict=False)
        except (msgspec.DecodeError, RecursionError) as error:
            raise exchange.malformed(str(error)) from error
        address = answer.endpoints.api
        if address and not leads_safely(address):
            raise exchange.malformed("the address in it is no https:// address")
        self._answer, self.base_url = answer, address
        return answer
