"""Google's Gemini, by the Gemini API or by Vertex AI."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from hashlib import sha256
from time import monotonic
from typing import Literal
from urllib.parse import quote, urlsplit

import anyio
import msgspec

from codi.protocol.errors import IdleTimeout, MalformedAnswer, NotFound, StreamCut
from codi.protocol.events import Delta, StatusDelta
from codi.protocol.messages import Level, Message, Origin, Usage
from codi.providers.encoded import Encoded
from codi.providers.estimates import estimated_usage
from codi.providers.google_format import MALFORMED, Answer, body_of, chunks_of, encoded, entries_of
from codi.providers.history import id_form, settled
from codi.providers.nearest import with_nearest
from codi.providers.provider import Credential, ModelEntry, Reply, Request, Timing, is_login
from codi.providers.sse import SseEvent
from codi.providers.thinking import clamp_note
from codi.providers.transport import Answer as HttpAnswer
from codi.providers.transport import Transport

_AFTERMATH_S = 2.0
"""How long usage is waited for once the model has finished: it comes at once or never."""

_legal_id = id_form(64)


class _Counted(msgspec.Struct):
    totalTokens: int


class Google:
    """`transport` leads to `https://generativelanguage.googleapis.com` or an address like it, or for Vertex AI to
    `https://LOCATION-aiplatform.googleapis.com/v1/projects/PROJECT/locations/LOCATION`. `handoff` says what becomes of another
    model's thinking."""

    def __init__(
        self,
        model: ModelEntry,
        credential: Credential,
        transport: Transport,
        *,
        handoff: Literal["text", "drop"] = "text",
    ) -> None:
        self.model = model
        self.origin = Origin("google-generative-ai", model.service, model.id)
        self._credential = credential
        self._transport = transport
        self._handoff = handoff
        self._noted: set[Level] = set()
        self._vertex = _is_vertex(transport.base_url)
        # Vertex refuses the ids of calls; the order of the results says which is which.
        self._encoded = Encoded(self._settled, lambda message: encoded(message, with_ids=not self._vertex))

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        if request.thinking not in self._noted and (note := clamp_note(request.thinking, self.model)):
            self._noted.add(request.thinking)
            yield StatusDelta(kind="warning", text=note)
        parts = self._encoded.parts(request.messages)
        wasted: Reply | None = None
        async with aclosing(self._exchange(request, parts)) as exchange:
            async for part in exchange:
                if isinstance(part, Reply) and part.raw_stop in MALFORMED:
                    wasted = part
                else:
                    yield part
        if wasted is None:
            return
        text = f"{self.model.id} made a call in a wrong form; asking again"
        yield StatusDelta(kind="retry", text=text, attempt=1, tries=2)
        async with aclosing(self._exchange(request, parts)) as exchange:
            async for part in exchange:
                if not isinstance(part, Reply):
                    yield part
                elif part.raw_stop in MALFORMED:
                    text = f"{self.model.id} made a call in a wrong form, twice ({part.raw_stop})"
                    yield StatusDelta(kind="retry_end", text=text, attempt=1, tries=2, ok=False)
                    raise MalformedAnswer(text, hint="Say it differently, or choose another model with /model.")
                else:
                    yield StatusDelta(kind="retry_end", text=f"{self.model.id} answered", attempt=1, tries=2)
                    yield msgspec.structs.replace(part, usage=_together(wasted.usage, part.usage))

    async def models(self) -> Sequence[ModelEntry]:
        if self._vertex:
            return [self.model]  # Vertex has no list of what a project may ask
        headers = await self._headers()
        body = await self._transport.get("/v1beta/models?pageSize=1000", headers, key_source=self._credential.source)
        return entries_of(body, self.model.service)

    async def count(self, request: Request) -> int | None:
        """By the method that counts, which costs nothing."""
        body = body_of(request, self.model, self._encoded.parts(request.messages))
        if not self._vertex:
            name = msgspec.json.encode(f"models/{self.model.id.removeprefix('models/')}")
            body = b'{"generateContentRequest":{"model":%s,%s}' % (name, body[1:])
        headers, source = await self._headers(), self._credential.source
        async with self._transport.post(self._path("countTokens"), body, headers, key_source=source) as answer:
            content = await answer.whole()
        try:
            return msgspec.json.decode(content, type=_Counted).totalTokens
        except (msgspec.DecodeError, RecursionError):
            return None

    async def _exchange(self, request: Request, parts: Sequence[bytes]) -> AsyncGenerator[Delta | Reply, None]:
        begun = monotonic()
        body = body_of(request, self.model, parts)
        source = self._credential.source
        growing = Answer(self._transport.service, sha256(body).digest(), source)
        headers = await self._headers()
        try:
            async with self._transport.post(
                self._path("streamGenerateContent?alt=sse"),
                body,
                headers,
                thinking=self.model.abilities.thinking,
                key_source=source,
            ) as answer:
                async with aclosing(_chunks(answer, growing)) as chunks:
                    async for data in chunks:
                        for delta in growing.add(data):
                            yield delta
        except NotFound as error:
            raise await with_nearest(error, self) from error
        message = Message("assistant", growing.blocks(), self.origin)
        yield Reply(
            message=message,
            stop=growing.stop,
            usage=growing.usage or estimated_usage(len(body), message),
            raw_stop=growing.finish,
            model=growing.model,
            response_id=growing.response_id,
            timing=Timing(first_byte_ms=answer.first_byte_ms, total_ms=round((monotonic() - begun) * 1000)),
        )

    async def _headers(self) -> dict[str, str]:
        secret = await self._credential.secret()
        if secret is None:
            return {}
        if is_login(self._credential) or secret.startswith("ya29.") or (self._vertex and not secret.startswith("AIza")):
            return {"authorization": f"Bearer {secret}"}
        return {"x-goog-api-key": secret}

    def _path(self, method: str) -> str:
        model = quote(self.model.id.removeprefix("models/"), safe="/-._~@")
        base = urlsplit(self._transport.base_url).path.rstrip("/")
        if not self._vertex:
            before = "/v1beta/models/"
        elif base.endswith("/models"):
            before = "/"
        elif "/publishers/" in base:
            before = "/models/"
        else:
            before = "/publishers/google/models/" if base else "/v1/publishers/google/models/"
        return f"{before}{model}:{method}"

    def _settled(self, messages: Sequence[Message]) -> list[Message]:
        return settled(
            messages,
            origin=self.origin,
            vision=self.model.abilities.vision,
            handoff=self._handoff,
            legal_id=_legal_id,
        )


def _is_vertex(base_url: str) -> bool:
    parts = urlsplit(base_url)
    return "aiplatform" in (parts.hostname or "") or "/projects/" in parts.path or "/publishers/" in parts.path


def _together(one: Usage, other: Usage) -> Usage:
    """Both were paid for."""
    return Usage(
        input=one.input + other.input,
        output=one.output + other.output,
        cache_read=one.cache_read + other.cache_read,
        thinking=one.thinking + other.thinking,
        estimated=one.estimated or other.estimated,
    )


async def _chunks(answer: HttpAnswer, growing: Answer) -> AsyncGenerator[bytes, None]:
    """The chunks of a stream, or of an answer that came whole."""
    if await answer.holds_json():
        body = await answer.whole()
        try:
            for chunk in chunks_of(body):
                yield chunk
        except (msgspec.DecodeError, RecursionError) as error:
            raise StreamCut("the answer is not complete", hint="Try again.") from error
        return
    async with aclosing(answer.sse()) as events:
        while not growing.has_all:
            event = await (anext(events, None) if growing.finish is None else _next_at_end(events))
            if event is None:
                return
            if event.data != b"[DONE]":  # which some proxies add
                yield event.data


async def _next_at_end(events: AsyncIterator[SseEvent]) -> SseEvent | None:
    """The next event after the model has finished. What goes wrong now takes nothing from its answer."""
    with anyio.move_on_after(_AFTERMATH_S):
        try:
            return await anext(events, None)
        except (StreamCut, IdleTimeout):
            return None
    return None
