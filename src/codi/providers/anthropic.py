"""Anthropic's Messages API."""

import time
from collections.abc import AsyncIterator, Sequence
from typing import Literal
from urllib.parse import quote

import msgspec
from msgspec import Struct, field

from codi.protocol.errors import MalformedAnswer, NotFound, StreamCut
from codi.protocol.events import Delta, StatusDelta
from codi.protocol.messages import Level, Origin
from codi.providers.anthropic_format import Format, headers
from codi.providers.anthropic_reply import Assembly
from codi.providers.nearest import with_nearest
from codi.providers.provider import Abilities, Credential, ModelEntry, Reply, Request, Timing, is_login
from codi.providers.thinking import clamp_note
from codi.providers.transport import Transport

API = "anthropic-messages"

_PAGES = 20


class _Ability(Struct):
    supported: bool = False


class _Capabilities(Struct):
    image_input: _Ability | None = None
    thinking: _Ability | None = None


class _Listed(Struct):
    id: str
    display_name: str | None = None
    max_input_tokens: int | None = None
    max_tokens: int | None = None
    capabilities: _Capabilities | None = None


class _Page(Struct):
    data: list[_Listed] = field(default_factory=list)
    has_more: bool = False
    last_id: str | None = None


class _Counted(Struct):
    input_tokens: int


class Anthropic:
    """A model behind the Messages API. `handoff` says what becomes of another model's thinking."""

    def __init__(
        self,
        model: ModelEntry,
        credential: Credential,
        transport: Transport,
        *,
        handoff: Literal["text", "drop"] = "text",
    ) -> None:
        self.model = model
        self.origin = Origin(API, model.service, model.id)
        self._credential = credential
        self._transport = transport
        self._format = Format(model, self.origin, handoff)
        self._noted: set[Level] = set()

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        if request.thinking not in self._noted and (note := clamp_note(request.thinking, self.model)):
            self._noted.add(request.thinking)
            yield StatusDelta(kind="warning", text=note)
        body = self._format.body(request)
        source = self._credential.source
        signed = headers(await self._credential.secret(), source, body.betas, is_login=is_login(self._credential))
        begun = time.monotonic()
        assembly = Assembly(self.origin, sent=len(body.data), key_source=source)
        try:
            async with self._transport.post(
                self._path("messages"), body.data, signed, thinking=body.thinking, key_source=source
            ) as answer:
                if await answer.holds_json():
                    for delta in assembly.add_whole(await answer.whole()):
                        yield delta
                else:
                    async for event in answer.sse():
                        for delta in assembly.add(event.data):
                            yield delta
                        if assembly.done:
                            break
        except NotFound as error:
            raise await with_nearest(error, self) from error
        if not assembly.done:
            raise StreamCut(
                f"the answer of {self.model.service} ended before its end mark",
                hint="Try again; if it stays so, check the network and the proxy.",
            )
        yield assembly.reply(Timing(answer.first_byte_ms, round((time.monotonic() - begun) * 1000)))

    async def models(self) -> Sequence[ModelEntry]:
        source = self._credential.source
        secret = await self._credential.secret()
        signed = headers(secret, source, (), is_login=is_login(self._credential)) | {"accept": "application/json"}
        entries: list[ModelEntry] = []
        after = ""
        for _ in range(_PAGES):
            path = self._path("models") + "?limit=1000" + (f"&after_id={quote(after, safe='')}" if after else "")
            try:
                page = msgspec.json.decode(await self._transport.get(path, signed, key_source=source), type=_Page)
            except (msgspec.DecodeError, RecursionError) as error:
                raise MalformedAnswer(
                    f"{self.model.service} sent no list of models: {error}",
                    hint="Check that the base URL belongs to a service that speaks the Messages API.",
                ) from error
            entries += [self._entry(listed) for listed in page.data]
            after = page.last_id or "" if page.data and page.has_more else ""
            if not after:
                break
        return entries

    async def count(self, request: Request) -> int | None:
        """By the endpoint that counts, which costs nothing."""
        body = self._format.counted(request)
        source = self._credential.source
        signed = headers(await self._credential.secret(), source, body.betas, is_login=is_login(self._credential)) | {
            "accept": "application/json"
        }
        path = self._path("messages/count_tokens")
        async with self._transport.post(path, body.data, signed, key_source=source) as answer:
            content = await answer.whole()
        try:
            return msgspec.json.decode(content, type=_Counted).input_tokens
        except (msgspec.DecodeError, RecursionError):
            return None

    def _entry(self, listed: _Listed) -> ModelEntry:
        can = listed.capabilities or _Capabilities()
        return ModelEntry(
            id=listed.id,
            service=self.model.service,
            name=listed.display_name or "",
            window=listed.max_input_tokens or 200_000,
            max_output=listed.max_tokens or 32_000,
            abilities=Abilities(
                vision=can.image_input is None or can.image_input.supported,
                thinking=can.thinking is not None and can.thinking.supported,
                caching=True,
            ),
            assumed=listed.max_input_tokens is None,
        )

    def _path(self, name: str) -> str:
        """Base URLs are written with and without the version, and sometimes down to the last word."""
        base = self._transport.base_url.rstrip("/")
        if base.endswith("/messages"):
            return name.removeprefix("messages") if name.startswith("messages") else f"/../{name}"
        return f"/{name}" if base.endswith("/v1") else f"/v1/{name}"
