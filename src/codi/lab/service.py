"""A scripted model service, without its network: a request comes in, an answer goes out.

It is as strict as the services are, bills as they do, fails as the script says, and remembers what it sent.
"""

import os
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from codi.lab import listing
from codi.lab.answers import Answer, refused, spoken, told
from codi.lab.exchange import Billed, Exchange, Format
from codi.lab.formats import openai_chat
from codi.lab.http1 import HttpRequest, plain_of
from codi.lab.prefix_cache import PrefixCache, tokens_of
from codi.lab.routes import Question, question_of
from codi.lab.sent import Sent
from codi.lab.validators.refusal import Refusal
from codi.providers.player import Played, Player, ScriptUnmet, View
from codi.providers.script import Script, Spent, reads_requests
from codi.providers.scripted import estimate

UNMET = 599
"""The status of a request that the script does not expect."""


class _Peek(Struct):
    # The fields that shape an answer, for a service that does not read the conversation.
    model: str = ""
    stream: bool | None = None
    stream_options: Any = None
    thinking: Any = None
    reasoning: Any = None
    include: Any = None
    generationConfig: Any = None
    think: Any = None


class Service:
    """`strict` validates each request as the services do, and bills by the model of their caches; without it whatever is asked
    is answered at once, for benchmarks. With a `key` every request must carry it. `models` are those that are listed; any is
    served. A model that does not `take_tools` is one to which requests with tools are refused, as no fault of the client."""

    def __init__(
        self,
        script: Script,
        *,
        strict: bool = True,
        key: str | None = None,
        models: Sequence[str] = (),
        takes_tools: bool = True,
    ) -> None:
        self.player = Player(script)
        self.cache = PrefixCache()
        self.violations: list[str] = []
        """What the validators refused, each with its format."""
        self.failures: list[str] = []
        """Where a request was not what the script expects."""
        self._script = script
        self._strict = strict
        self._blind = not strict and not reads_requests(script)
        self._key = key
        self._models = tuple(models) or (script.model,)
        self._takes_tools = takes_tools
        self._sent = Sent()
        self._salt = os.urandom(6).hex()

    def answer(self, request: HttpRequest, *, now: float) -> Answer:
        """`now` is seconds since 1970."""
        question = question_of(request.method, request.path)
        if question is None:
            return self._listed(request)
        try:
            body = question.normal(self._body(request))
            model = question.model or str(body.get("model") or self._script.model)
            self._admit(request)
            if self._strict:
                question.validate(request, body, model, self._sent)
                self._fit(question, body)
        except Refusal as refusal:
            self.violations.append(f"{question.form.NAME}: {refusal}")
            return refused(question.form, refusal.status, str(refusal), refusal.kind)
        if body.get("tools") and not self._takes_tools:
            return refused(question.form, 400, f"{model} does not support tools", "invalid_request_error")
        if question.counted:
            asked = body.get("generateContentRequest", body)
            return told(
                {question.counted: sum(tokens_of(segment.content) for segment in question.form.segments(asked))}
            )
        return self._played(question, body, model, len(request.body), now)

    def _fit(self, question: Question, body: dict[str, Any]) -> None:
        """A conversation must be no longer than the window that the script gives its model."""
        asked = body.get("generateContentRequest", body)
        tokens = sum(tokens_of(segment.content) for segment in question.form.segments(asked))
        if tokens > self._script.window:
            raise Refusal(f"{question.form.TOO_LONG} ({tokens} tokens, {self._script.window} at most)")

    def _played(self, question: Question, body: dict[str, Any], model: str, size: int, now: float) -> Answer:
        form = question.form
        view = View(model=model, message="", plain=lambda: body) if self._blind else form.parse(body, model)
        try:
            played = self.player.next(view)
        except ScriptUnmet as unmet:
            self.failures.append(str(unmet))
            return refused(form, UNMET, str(unmet), "script_unmet")
        exchange = Exchange(
            played=played,
            model=model,
            body=body,
            billed=self._billed(form, played, body, model, size),
            created=int(now),
            salt=self._salt,
        )
        self._sent.remember(played, model, thought=form.thinks(exchange), seals=form.seals(exchange))
        return spoken(form, exchange, streams=question.streams(body), now=now)

    def _body(self, request: HttpRequest) -> dict[str, Any]:
        if self._blind:
            try:
                peek = msgspec.json.decode(request.body, type=_Peek)
            except msgspec.DecodeError:
                return {}
            return {name: value for name, value in msgspec.structs.asdict(peek).items() if value is not None}
        body = plain_of(request.body)
        if not isinstance(body, dict):
            raise Refusal("The body of the request is not a JSON object.")
        return body

    def _admit(self, request: HttpRequest) -> None:
        headers = request.headers
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        keys = (bearer, headers.get("x-api-key"), headers.get("api-key"), headers.get("x-goog-api-key"))
        if self._key is not None and self._key not in (*keys, request.query.get("key")):
            raise Refusal("The API key is not valid.", status=401)

    def _billed(self, form: Format, played: Played, body: dict[str, Any], model: str, size: int) -> Billed | None:
        if played.usage == "none":
            return None
        output, thinking = estimate(played)
        if self._blind:
            billed = Billed(input=size // 4)
        elif form.CACHE == "marked":
            billed = self.cache.marked(model, form.segments(body))
        elif form.CACHE == "automatic":
            billed = self.cache.automatic(model, form.segments(body), step=form.CACHE_STEP)
        else:
            billed = Billed(input=sum(tokens_of(segment.content) for segment in form.segments(body)))
        given = played.usage or Spent()
        return Billed(
            input=billed.input if given.input is None else given.input,
            read=billed.read if given.cache_read is None else given.cache_read,
            written=billed.written if given.cache_write is None else given.cache_write,
            written_1h=billed.written_1h if given.cache_write is None else 0,
            output=output if given.output is None else given.output,
            thinking=thinking if given.thinking is None else given.thinking,
        )

    def _listed(self, request: HttpRequest) -> Answer:
        listed = listing.answer_to(request, self._models, self._script.window, takes_tools=self._takes_tools)
        if listed is not None:
            return told(listed)
        message = f"Unknown request URL: {request.method} {request.path}. Please check the URL for typos."
        return refused(openai_chat, 404, message, "invalid_request_error")
