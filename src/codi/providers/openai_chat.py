"""OpenAI's Chat Completions, and the many servers that speak the same format."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from hashlib import sha256
from time import monotonic
from typing import Any, Literal
from urllib.parse import urlsplit

import anyio
import msgspec

from codi.protocol.errors import BadRequest, IdleTimeout, NotFound, ProviderError, StreamCut
from codi.protocol.events import Delta, StatusDelta
from codi.protocol.messages import Message
from codi.providers.encoded import Encoded
from codi.providers.estimates import estimated_usage
from codi.providers.history import settled
from codi.providers.openai_chat_answer import ChatAssembly
from codi.providers.openai_chat_format import body_of, countable_size, encoded, legal_id, plain_text, replayable
from codi.providers.openai_compat import Compat
from codi.providers.openai_endpoint import Endpoint, origin_of
from codi.providers.openai_models import entries_of, window_in
from codi.providers.provider import Credential, ModelEntry, Reply, Request, Timing
from codi.providers.sse import SseEvent
from codi.providers.thinking import clamp_note
from codi.providers.transport import Answer, Transport

UNKNOWN_SERVER = Compat()
CHAT = Endpoint(path="/chat/completions")

_AFTERMATH_S = 2.0
"""How long usage and `[DONE]` are waited for once the model has finished: they follow at once or never."""


_TOKENIZED_WITHIN_S = 0.2
"""A local server that takes longer is busy, and an estimate will do."""

_WINDOW_WITHIN_S = 2.0

FRAMING = 4
"""Tokens around each message."""


class _Tokenized(msgspec.Struct):
    tokens: list[Any] = []
    count: int = 0


class OpenAIChat:
    """`transport` leads to the base URL, under which the endpoint's paths are found."""

    def __init__(
        self,
        model: ModelEntry,
        credential: Credential,
        transport: Transport,
        *,
        compat: Compat = UNKNOWN_SERVER,
        endpoint: Endpoint = CHAT,
        handoff: Literal["text", "drop"] = "text",
    ) -> None:
        self.model = model
        self.origin = origin_of("openai-completions", model)
        self._credential = credential
        self._transport = transport
        self._compat = compat
        self._endpoint = endpoint
        self._handoff = handoff
        self._noted: set[str] = set()
        self._asked = False
        self._usage_wanted = compat.usage_in_stream
        self._encoded = Encoded(self._settled, lambda message: encoded(message, compat))

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        note = clamp_note(request.thinking, self.model)
        if note and note not in self._noted:
            self._noted.add(note)
            yield StatusDelta(kind="warning", text=note)
        parts = self._encoded.parts(request.messages)
        while True:
            try:
                async with aclosing(self._exchange(request, parts)) as exchange:
                    async for part in exchange:
                        yield part
                return
            except NotFound as error:
                raise await self._endpoint.explained(error, self) from error
            except BadRequest as error:
                if not (self._usage_wanted and _names_stream_options(error)):
                    raise
                self._usage_wanted = False  # this server will not take it the next time either

    async def models(self) -> Sequence[ModelEntry]:
        headers = await self._endpoint.headers(self._credential)
        body = await self._transport.get(self._endpoint.models_path, headers, key_source=self._credential.source)
        return entries_of(body, self.model.service)

    async def ask(self) -> ModelEntry:
        """The model with its window, for which a local server is asked once, where it is only assumed."""
        path = self._compat.tells_window
        if path is not None and self.model.assumed and not self._asked:
            self._asked = True
            headers = await self._endpoint.headers(self._credential)
            for place in dict.fromkeys((self._beside(path) if path else "", self._endpoint.models_path)):
                if place and (window := await self._told_window(place, headers)):
                    most = min(self.model.max_output, window)
                    self.model = msgspec.structs.replace(self.model, window=window, max_output=most, assumed=False)
                    break
        return self.model

    async def _told_window(self, path: str, headers: Mapping[str, str]) -> int | None:
        body = b""
        try:
            with anyio.move_on_after(_WINDOW_WITHIN_S):
                body = await self._transport.get(path, headers, key_source=self._credential.source)
        except ProviderError:
            return None  # what is wrong, the conversation itself will tell
        return window_in(body, self._endpoint.name_of(self.model))

    async def count(self, request: Request) -> int | None:
        """By the server's own tokenizer, if it is quick to answer. Of an image it knows nothing."""
        field, text = self._compat.tokenize, plain_text(request)
        if field is None or text is None:
            return None
        body = msgspec.json.encode({"model": self._endpoint.name_of(self.model), field: text})
        headers = await self._endpoint.headers(self._credential)
        content = b""
        with anyio.move_on_after(_TOKENIZED_WITHIN_S):
            async with self._transport.post(self._beside("/tokenize"), body, headers) as answer:
                content = await answer.whole()
        try:
            told = msgspec.json.decode(content, type=_Tokenized)
        except (msgspec.DecodeError, RecursionError):
            return None
        tokens = told.count or len(told.tokens)
        return tokens + FRAMING * (len(request.messages) + 1) if tokens else None

    async def _exchange(self, request: Request, parts: Sequence[bytes]) -> AsyncGenerator[Delta | Reply, None]:
        begun = monotonic()
        body = body_of(
            request,
            self.model,
            self._compat,
            parts,
            served_as=self._endpoint.name_of(self.model),
            usage_wanted=self._usage_wanted,
        )
        headers = await self._endpoint.headers(self._credential)
        source = self._credential.source
        assembly = ChatAssembly(self._transport.service, sha256(body).digest(), source)
        thinks = self.model.abilities.thinking
        async with self._transport.post(
            self._endpoint.path, body, headers, thinking=thinks, key_source=source
        ) as answer:
            async with aclosing(_chunks(answer, assembly)) as chunks:
                async for data in chunks:
                    for delta in assembly.add(data):
                        yield delta
            for delta in assembly.end():
                yield delta
        message = Message("assistant", assembly.blocks, self.origin)
        yield Reply(
            message=message,
            stop=assembly.stop,
            usage=assembly.usage or estimated_usage(countable_size(body, request), message),
            raw_stop=assembly.stop_text,
            model=assembly.model,
            response_id=assembly.response_id,
            timing=Timing(first_byte_ms=answer.first_byte_ms, total_ms=round((monotonic() - begun) * 1000)),
        )

    def _beside(self, path: str) -> str:
        """A path at the root of a server whose base URL ends with a version."""
        last = urlsplit(self._transport.base_url).path.rstrip("/").rpartition("/")[2]
        return f"/..{path}" if last[:1] == "v" and last[1:].isdigit() else path

    def _settled(self, messages: Sequence[Message]) -> list[Message]:
        compat = self._compat
        return settled(
            replayable(messages, self.origin, compat),
            origin=self.origin,
            vision=self.model.abilities.vision,
            handoff=self._handoff,
            legal_id=lambda neutral: legal_id(neutral, compat),
        )


async def _chunks(answer: Answer, assembly: ChatAssembly) -> AsyncGenerator[bytes, None]:
    """The chunks of a stream, or the one object of a server that does not stream."""
    if await answer.holds_json():
        yield await answer.whole()
        yield b"[DONE]"  # what came whole is complete
        return
    async with aclosing(answer.sse()) as events:
        while not assembly.has_all:
            event = await (_next_at_end(events) if assembly.is_complete else anext(events, None))
            if event is None:
                return
            yield event.data


async def _next_at_end(events: AsyncIterator[SseEvent]) -> SseEvent | None:
    """The next event after the model has finished. What goes wrong now takes nothing from its answer."""
    with anyio.move_on_after(_AFTERMATH_S):
        try:
            return await anext(events, None)
        except (StreamCut, IdleTimeout):
            return None
    return None


def _names_stream_options(error: BadRequest) -> bool:
    return "stream_options" in str(error) or "include_usage" in str(error)
