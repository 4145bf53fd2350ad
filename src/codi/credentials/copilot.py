"""GitHub Copilot: a login to GitHub is exchanged for a token of some minutes, and the answer says where to go with it."""

import time
from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Protocol

import anyio
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
        self._good_until = 0.0
        self._turn = anyio.Lock()

    async def secret(self) -> str | None:
        answer = self._answer
        if answer is None or self._clock() >= self._good_until:
            answer = await self._exchanged(answer)
        return answer.token

    async def renew(self) -> bool:
        before = self._answer
        return (await self._exchanged(before)).token != (before.token if before else "")

    def __repr__(self) -> str:
        return f"CopilotToken({self.source})"

    async def _exchanged(self, stale: _Answer | None) -> _Answer:
        """Another answer than this one: of requests side by side one exchanges for all."""
        async with self._turn:
            if self._answer is not stale and self._answer is not None:
                return self._answer
            answer = await self._asked_for()
            now = self._clock()
            # One that is given for less than two minutes is at least used for half of them.
            end = answer.expires_at
            self._good_until = max(end - MARGIN_S, now + (end - now) / 2) if end else inf
            self._answer, self.base_url = answer, answer.endpoints.api
            return answer

    async def _asked_for(self) -> _Answer:
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
        return answer
