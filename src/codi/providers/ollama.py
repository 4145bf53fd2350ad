"""Ollama, by its own format: the one local server that tells what a model can do, and takes a window with each request."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from hashlib import sha256
from time import monotonic
from typing import Literal

import anyio
import msgspec

from codi.protocol.errors import BadRequest, CodiError, MalformedAnswer, NetworkError, NotFound, ServerFailed
from codi.protocol.events import Delta, StatusDelta
from codi.protocol.messages import Level, Message, Origin
from codi.providers.encoded import Encoded
from codi.providers.estimates import estimated_usage
from codi.providers.history import settled
from codi.providers.ollama_format import Answer, body_of, described, encoded, names_of
from codi.providers.provider import Credential, ModelEntry, Reply, Request, Timing
from codi.providers.thinking import clamp_note
from codi.providers.transport import Transport

_AT_ONCE = 4
"""Models that are asked about at the same time."""


class Ollama:
    """`transport` leads to the server, as `addresses.ollama_address` gives it. `model` becomes more exact with the first
    request, where its window was only assumed: the server is asked for it. `handoff` says what becomes of another model's thinking."""

    def __init__(
        self,
        model: ModelEntry,
        credential: Credential,
        transport: Transport,
        *,
        handoff: Literal["text", "drop"] = "text",
    ) -> None:
        self.model = model
        self.origin = Origin("ollama-chat", model.service, model.id)
        self._credential = credential
        self._transport = transport
        self._encoded = Encoded(self._settled, encoded)
        self._handoff = handoff
        self._noted: set[Level] = set()
        self._asked = False

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        begun = monotonic()
        await self.ask()
        if request.thinking not in self._noted and (note := clamp_note(request.thinking, self.model)):
            self._noted.add(request.thinking)
            yield StatusDelta(kind="warning", text=note)
        body = body_of(request, self.model, self._encoded.parts(request.messages))
        growing = Answer(self._transport.service, sha256(body).digest())
        try:
            async with self._transport.post(
                "/api/chat",
                body,
                await self._headers(),
                thinking=True,  # a model that is not in memory is loaded first, which takes as long as thought
                key_source=self._credential.source,
            ) as answer:
                async with aclosing(answer.lines()) as lines:
                    while not growing.done and (line := await anext(lines, None)) is not None:
                        for delta in growing.add(line):
                            yield delta
        except (NetworkError, NotFound) as error:
            raise self._explained(error) from error
        message = Message("assistant", growing.blocks(), self.origin)
        yield Reply(
            message=message,
            stop=growing.stop,
            usage=growing.usage or estimated_usage(len(body), message),
            raw_stop=growing.done_reason,
            model=growing.model,
            timing=Timing(first_byte_ms=answer.first_byte_ms, total_ms=round((monotonic() - begun) * 1000)),
        )

    async def models(self) -> Sequence[ModelEntry]:
        """All models that the server has, with their windows and abilities."""
        try:
            body = await self._transport.get("/api/tags", await self._headers(), key_source=self._credential.source)
        except NetworkError as error:
            raise self._explained(error) from error
        names = names_of(body, self.model.service)
        entries = [msgspec.structs.replace(self._unknown(), id=name, name=name) for name in names]
        limit = anyio.CapacityLimiter(_AT_ONCE)

        async def ask(at: int) -> None:
            async with limit:
                try:
                    entries[at] = await self._shown(entries[at])
                except CodiError:
                    return  # the list is worth having without what is known of this one

        async with anyio.create_task_group() as tasks:
            for at in range(len(entries)):
                tasks.start_soon(ask, at)
        return entries

    async def count(self, request: Request) -> int | None:
        return None

    async def ask(self) -> ModelEntry:
        """The model with its window and abilities, for which the server is asked once, where they are not known."""
        if self.model.assumed and not self._asked:
            self.model = await self._shown(self.model)
            self._asked = True
        return self.model

    async def _shown(self, model: ModelEntry) -> ModelEntry:
        try:
            async with self._transport.post(
                "/api/show", msgspec.json.encode({"model": model.id}), await self._headers()
            ) as answer:
                return described(model, await answer.whole(), self._transport.service)
        except NetworkError as error:
            raise self._explained(error) from error
        except (NotFound, BadRequest, MalformedAnswer, ServerFailed):
            return model  # what is wrong with the model itself, the chat will tell

    async def _headers(self) -> dict[str, str]:
        secret = await self._credential.secret()
        return {} if secret is None else {"authorization": f"Bearer {secret}"}

    def _unknown(self) -> ModelEntry:
        return ModelEntry(id="", service=self.model.service, window=8_192, prices=self.model.prices, assumed=True)

    def _explained(self, error: CodiError) -> CodiError:
        if isinstance(error, NotFound):
            return NotFound(
                f"{self._transport.service} does not have the model {self.model.id}",
                hint=f"ollama pull {self.model.id}",
                status=error.status,
            )
        if "refused" in str(error):
            return NetworkError("Ollama is not running: ollama serve", hint="start it with: ollama serve")
        return error

    def _settled(self, messages: Sequence[Message]) -> list[Message]:
        return settled(messages, origin=self.origin, vision=self.model.abilities.vision, handoff=self._handoff)
