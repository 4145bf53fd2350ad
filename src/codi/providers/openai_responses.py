"""OpenAI's Responses API."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from hashlib import sha256
from time import monotonic
from typing import Literal

from codi.protocol.errors import NotFound
from codi.protocol.events import Delta, StatusDelta
from codi.protocol.messages import Message
from codi.providers.encoded import Encoded
from codi.providers.estimates import estimated_usage
from codi.providers.history import settled
from codi.providers.openai_chat_format import countable_size
from codi.providers.openai_endpoint import Endpoint, origin_of
from codi.providers.openai_models import entries_of
from codi.providers.openai_responses_answer import ResponsesAssembly
from codi.providers.openai_responses_format import body_of, encoded, legal_id
from codi.providers.provider import Credential, ModelEntry, Reply, Request, Timing
from codi.providers.thinking import clamp_note
from codi.providers.transport import Transport

RESPONSES = Endpoint(path="/responses")


class OpenAIResponses:
    """`transport` leads to the base URL, under which the endpoint's paths are found."""

    def __init__(
        self,
        model: ModelEntry,
        credential: Credential,
        transport: Transport,
        *,
        endpoint: Endpoint = RESPONSES,
        handoff: Literal["text", "drop"] = "text",
    ) -> None:
        self.model = model
        self.origin = origin_of("openai-responses", model)
        self._credential = credential
        self._transport = transport
        self._endpoint = endpoint
        self._handoff = handoff
        self._noted: set[str] = set()
        self._encoded = Encoded(self._settled, encoded)

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        begun = monotonic()
        note = clamp_note(request.thinking, self.model)
        if note and note not in self._noted:
            self._noted.add(note)
            yield StatusDelta(kind="warning", text=note)
        parts = self._encoded.parts(request.messages)
        body = body_of(request, self.model, parts, served_as=self._endpoint.name_of(self.model))
        headers = await self._endpoint.headers(self._credential)
        source = self._credential.source
        assembly = ResponsesAssembly(self._transport.service, sha256(body).digest(), source)
        thinks = self.model.abilities.thinking
        try:
            async with self._transport.post(
                self._endpoint.path, body, headers, thinking=thinks, key_source=source
            ) as answer:
                if await answer.holds_json():
                    for delta in assembly.whole(await answer.whole()):
                        yield delta
                else:
                    async with aclosing(answer.sse()) as events:
                        async for event in events:
                            for delta in assembly.add(event.data):
                                yield delta
                            if assembly.is_complete:
                                break
                for delta in assembly.end():
                    yield delta
        except NotFound as error:
            raise await self._endpoint.explained(error, self) from error
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

    async def models(self) -> Sequence[ModelEntry]:
        headers = await self._endpoint.headers(self._credential)
        body = await self._transport.get(self._endpoint.models_path, headers, key_source=self._credential.source)
        return entries_of(body, self.model.service)

    async def count(self, request: Request) -> int | None:
        return None

    def _settled(self, messages: Sequence[Message]) -> list[Message]:
        return settled(
            messages,
            origin=self.origin,
            vision=self.model.abilities.vision,
            handoff=self._handoff,
            legal_id=legal_id,
            sealed_only=True,
        )
