"""One service's HTTP: requests go out, answers come in as events, lines or a whole, watched by the clock.

All that can go wrong between here and a model is told as an error of codi's own, so that no adapter and no wrapper needs
to know what carries them: connections of our own, or the large HTTP library where a proxy stands between.
"""

import os
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import Any, Protocol
from urllib.parse import unquote

import anyio

from codi.protocol.errors import (
    CodiError,
    ConfigError,
    CredentialError,
    IdleTimeout,
    MalformedAnswer,
    NetworkError,
    ProviderError,
    StreamCut,
)
from codi.protocol.network import Errand, Hear, nobody
from codi.providers.addresses import is_loopback
from codi.providers.failures import classify, duration_text, in_body, no_answer
from codi.providers.sse import LINE_LIMIT, SseEvent, SseReader, is_whole_object
from codi.providers.tape import Recording, Replay
from codi.providers.timeouts import USUAL, Timeouts
from codi.wire.characters import proper
from codi.wire.direct import Address, Direct, Response
from codi.wire.mishaps import CutOff, Late, NotConnected, NotSent, NotUnpacked, NoUrl, ProxyRefused
from codi.wire.trusting import trusted

_KEEP_ALIVE_S = 240.0
"""How long an unused connection is kept: longer than most tools run, shorter than most routers forget."""

_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy"})
_DRAIN_S = 0.1
_ERROR_BODY_LIMIT = 1024 * 1024
_WHOLE_LIMIT = 64 * 1024 * 1024


class _Response(Protocol):
    """What answers: a connection of our own, a library, or a tape."""

    status_code: int

    @property
    def headers(self) -> Mapping[str, str]: ...

    def aiter_bytes(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class _Client(Protocol):
    async def send(
        self, method: str, address: Address, headers: Mapping[str, str], body: bytes | None
    ) -> _Response: ...

    async def aclose(self) -> None: ...


class Answer:
    """An answer of status 200, whose body is read once: by `sse`, by `lines` or as a `whole`. `headers` have lower-case names,
    `first_byte_ms` is known when the first piece of the body has come."""

    def __init__(
        self,
        response: "_Response",
        service: str,
        key_source: str,
        timeouts: Timeouts,
        begun: float,
        first_byte_s: float,
    ) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self.content_type = self.headers.get("content-type", "").lower()
        self.first_byte_ms = 0
        self._service = service
        self._key_source = key_source
        self._timeouts = timeouts
        self._begun = begun
        self._first_byte_s = first_byte_s
        self._chunks = response.aiter_bytes()
        self._own = response if isinstance(response, Response) else None
        self._ahead: bytes | None = None

    async def holds_json(self) -> bool:
        """Whether the body is one JSON value where a stream was asked for; waits for the first piece of the body."""
        if "json" in self.content_type and "ndjson" not in self.content_type and "jsonl" not in self.content_type:
            return True
        return (await self._first()).lstrip()[:1] in (b"{", b"[")

    async def sse(self) -> AsyncGenerator[SseEvent, None]:
        """The events of the stream. A page is MalformedAnswer, an error in JSON is raised as what it says."""
        await self._refuse_pages()
        if await self.holds_json():
            raise no_answer(self.content_type, await self.whole(), self._service)
        reader = SseReader()
        while chunk := await self._next():
            for event in reader.feed(chunk):
                data = proper(event.data)
                yield event if data is event.data else SseEvent(event.event, data)
        for event in reader.close():
            yield SseEvent(event.event, proper(event.data))

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """The lines of the body that are not empty. A last line without its end is StreamCut, unless it is a whole object."""
        await self._refuse_pages()
        pieces: list[bytes] = []
        size = 0
        while chunk := await self._next():
            head, newline, rest = chunk.partition(b"\n")
            pieces.append(head)
            size += len(head)
            if newline:
                complete = [b"".join(pieces), *rest.split(b"\n")]
                pieces = [complete.pop()]
                size = len(pieces[0])
                for line in complete:
                    if line := line.strip():
                        yield proper(line)
            if size > LINE_LIMIT:
                raise MalformedAnswer(
                    f"{self._service} sent a line of more than {LINE_LIMIT // 1024 // 1024} MB",
                    hint="Check that the base URL is that of a model service.",
                )
        if last := b"".join(pieces).strip():
            if not is_whole_object(last):
                raise self._cut("the last line is not complete")
            yield proper(last)

    async def whole(self, limit: int = _WHOLE_LIMIT) -> bytes:
        """The body at once. An error in JSON is raised as what it says; a body over `limit` bytes is MalformedAnswer."""
        body = proper(await self._read(limit + 1))
        if len(body) > limit:
            raise MalformedAnswer(
                f"{self._service} sent more than {limit} bytes",
                hint="Check that the base URL is that of a model service.",
            )
        if failure := in_body(body, self._service, self._key_source):
            raise failure
        return body

    async def drain(self) -> None:
        """Read the little that may follow the end of an answer, so that its connection can serve the next request. The
        answer is whole already, so a cut after its end mark costs the connection and nothing else."""
        with anyio.move_on_after(_DRAIN_S), suppress(StreamCut, IdleTimeout, MalformedAnswer):
            while await self._next():
                pass

    async def error_body(self) -> bytes:
        """As much of the body as there is, for the explanation of an error that is known already."""
        try:
            return proper(await self._read(_ERROR_BODY_LIMIT))
        except (StreamCut, IdleTimeout, MalformedAnswer):
            return b""

    async def _refuse_pages(self) -> None:
        start = (await self._first()).lstrip()[:15].lower()
        if "html" in self.content_type or start.startswith((b"<!doctype html", b"<html")):
            raise no_answer(self.content_type or "text/html", await self.error_body(), self._service)

    async def _read(self, enough: int) -> bytes:
        pieces = []
        size = 0
        while chunk := await self._next():
            pieces.append(chunk)
            size += len(chunk)
            if size >= enough:
                break
        return b"".join(pieces)

    async def _first(self) -> bytes:
        if self._ahead is None:
            self._ahead = await self._next()
        return self._ahead

    async def _next(self) -> bytes:
        """The next piece of the body, empty at its end."""
        if self._ahead:
            chunk, self._ahead = self._ahead, None
            return chunk
        now = time.monotonic()
        if self.first_byte_ms:
            limit_s, kind = self._timeouts.idle_s, "idle"
        else:
            limit_s, kind = self._first_byte_s - (now - self._begun), "first"
        left_s = self._timeouts.total_s - (now - self._begun)
        if left_s < limit_s:
            limit_s, kind = left_s, "total"
        try:
            if self._own:
                self._own.give_up_after(limit_s)
                chunk = await anext(self._chunks, b"")
            else:
                with anyio.fail_after(max(limit_s, 0)):
                    chunk = await anext(self._chunks, b"")
        except (TimeoutError, Late):
            raise self._late(kind) from None
        except NotUnpacked as error:
            raise MalformedAnswer(
                f"{self._service} sent a compressed answer that does not unpack",
                hint="Try again; if it stays so, look at the proxy in between.",
            ) from error
        except (CutOff, OSError) as error:
            raise self._cut(str(error) or type(error).__name__) from error
        if chunk and not self.first_byte_ms:
            self.first_byte_ms = max(round((time.monotonic() - self._begun) * 1000), 1)
        return chunk

    def _late(self, kind: str) -> IdleTimeout:
        return _late(self._service, kind, self._timeouts, self._first_byte_s)

    def _cut(self, cause: str) -> StreamCut:
        return StreamCut(
            f"the answer of {self._service} was cut off: {cause}",
            hint="Try again; if it stays so, check the network and the proxy.",
        )


class Transport:
    """Requests to one base URL. Connections are kept and used again; proxies and certificates come from the usual
    environment variables (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE ...). `headers` go with every request. `offline` refuses every
    host but this machine, before its name is looked up, and asks no proxy. A `tape` takes down what is said, or says it again; `hear` is told of each
    connection."""

    def __init__(
        self,
        base_url: str,
        *,
        service: str,
        timeouts: Timeouts = USUAL,
        headers: Mapping[str, str] = {},
        offline: bool = False,
        tape: Recording | Replay | None = None,
        hear: Hear = nobody,
        purpose: str = "model",
    ) -> None:
        self._offline = offline
        self._tape = tape
        self._errand = Errand(purpose, service, hear)
        self.base_url = base_url
        self.service = service
        self._timeouts = timeouts
        self._headers = {"user-agent": "codi", **{name.lower(): value for name, value in headers.items()}}
        self._client: _Client | None = None

    @asynccontextmanager
    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str], *, thinking: bool = False, key_source: str = ""
    ) -> AsyncIterator[Answer]:
        """Send a JSON body. An answer of status >= 300 is raised as what it means, `key_source` naming the key for a
        refusal. Leaving the block by an exception, also that of a closed generator, closes the connection at once."""
        first_byte_s = self._timeouts.until_first_byte(thinking=thinking)
        # Compression would hold back what a model says until a block of it is full.
        sent = {"content-type": "application/json", "accept-encoding": "identity", **headers}
        async with self._answer("POST", path, body, sent, first_byte_s, key_source) as answer:
            yield answer

    async def get(self, path: str, headers: Mapping[str, str], *, key_source: str = "") -> bytes:
        """The body of a GET, with the same errors as `post`."""
        async with self._answer("GET", path, None, headers, self._timeouts.first_byte_s, key_source) as answer:
            return await answer.whole()

    async def aclose(self) -> None:
        """Close all connections."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        first_byte_s: float,
        key_source: str,
    ) -> AsyncIterator[Answer]:
        begun = time.monotonic()
        address = self._address(path)
        sent = self._sent(method, address, body, headers, key_source)
        if isinstance(self._tape, Replay):
            answer = Answer(
                self._tape.answer(method, address.url, sent, body),
                self.service,
                key_source,
                self._timeouts,
                begun,
                first_byte_s,
            )
            if answer.status >= 300:
                cause = await answer.error_body()
                raise classify(answer.status, answer.headers, cause, self.service, key_source)
            yield answer
            return
        if self._offline and not is_loopback(address.url):
            self._errand.refused(address.host, address.port, "offline")
            hint = f"{self.service} is at {address.host}: go without --offline, or choose a model on this machine."
            raise ProviderError("Offline: no network.", hint=hint)
        response: _Response
        try:
            with anyio.fail_after(min(first_byte_s, self._timeouts.total_s)):
                response = await self._opened().send(method, address, sent, body)
        except TimeoutError:
            raise _late(self.service, "first", self._timeouts, first_byte_s) from None
        except NotSent as error:
            raise self._unreachable(error, address) from error
        if self._tape:
            response = self._tape.answer(response, method, address.url, sent, body)
        try:
            answer = Answer(response, self.service, key_source, self._timeouts, begun, first_byte_s)
            if answer.status >= 300:
                cause = await answer.error_body()
                raise classify(answer.status, answer.headers, cause, self.service, key_source)
            yield answer
            await answer.drain()
        finally:
            await response.aclose()

    def _opened(self) -> "_Client":
        if self._client is None:
            if self._offline or not _is_led_by_proxies():
                kind: Any = Direct
            else:
                kind = import_module("codi.wire.proxied").Proxied
            try:
                self._client = kind(
                    self._certificates(), self._errand, connect_s=self._timeouts.connect_s, keep_s=_KEEP_ALIVE_S
                )
            except (ImportError, ValueError) as error:
                raise ConfigError(
                    f"the proxy of the environment cannot be used: {error}",
                    hint="Correct HTTPS_PROXY, HTTP_PROXY or ALL_PROXY: http:// and https:// proxies are spoken to.",
                ) from error
        client: _Client = self._client
        return client

    def _certificates(self) -> ssl.SSLContext:
        # Reading the certificates of the system takes some 20 ms, for which a plain connection has no use.
        if self.base_url.startswith("http://"):
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            return trusted()
        except OSError as error:
            raise ConfigError(
                f"the certificates cannot be read: {error}",
                hint="Correct SSL_CERT_FILE or SSL_CERT_DIR, or unset them to use those of the system.",
            ) from error

    def _address(self, path: str) -> Address:
        try:
            return Address.of(self.base_url.rstrip("/") + path if path else self.base_url)
        except NoUrl as error:
            raise self._no_url(str(error)) from error

    def _sent(
        self, method: str, address: Address, body: bytes | None, headers: Mapping[str, str], key_source: str
    ) -> dict[str, str]:
        """All headers of a request, by their names in small letters."""
        for name, value in headers.items():
            if not (value.isascii() and value.isprintable()):
                text = f"the key in {key_source}" if key_source else f"the header {name}"
                kind = CredentialError if key_source else ConfigError
                raise kind(
                    f"{text} holds characters that no HTTP header may hold",
                    hint="Set it again, without line ends and without characters beyond ASCII.",
                )
        login = (
            {"authorization": f"Basic {b64encode(unquote(address.login).encode()).decode()}"} if address.login else {}
        )
        length = {} if body is None else {"content-length": str(len(body))}
        usual = {"host": address.authority, "accept": "*/*", "accept-encoding": "identity", "connection": "keep-alive"}
        own = {name.lower(): value for name, value in headers.items()}
        return {**usual, **length, **login, **self._headers, **own}

    def _no_url(self, cause: str) -> ConfigError:
        return ConfigError(
            f"the base URL of {self.service} is no URL: {self.base_url!r} ({cause})",
            hint="Give one such as https://host/path or http://127.0.0.1:8080/v1.",
        )

    def _unreachable(self, error: NotSent, address: Address) -> CodiError:
        host, port = address.host, address.port
        local = host == "localhost" or host == "::1" or host.startswith("127.")
        causes = list(_causes(error))
        if isinstance(error, ProxyRefused):
            return NetworkError(
                f"the proxy did not lead to {self.service}: {error}",
                hint="Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.",
            )
        if any(isinstance(cause, ssl.SSLError) for cause in causes):
            return NetworkError(
                f"no secure connection to {self.service} at {host}:{port}: {_named(causes, ssl.SSLError)}",
                hint="Check the base URL, the clock and the certificates (SSL_CERT_FILE names those of a company's proxy).",
            )
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return NetworkError(
                f"the host {host} of {self.service} is not known",
                hint="Check the network and the base URL.",
            )
        refused = any(isinstance(cause, ConnectionRefusedError) for cause in causes)
        if refused and local and port == 11434:
            return NetworkError("Ollama is not running: ollama serve", hint="start it with: ollama serve")
        if local and isinstance(error, NotConnected):
            return NetworkError(
                f"{self.service} is not reached at {host}:{port}: " + ("connection refused" if refused else str(error)),
                hint=f"Start the server that listens on {host}:{port}, or correct the base URL.",
            )
        if isinstance(error, NotConnected) and error.was_late:
            cause_text = f"no connection within {duration_text(self._timeouts.connect_s)}"
        elif refused:
            cause_text = "connection refused"
        else:
            cause_text = str(error) or "the connection was closed before an answer came"
        return NetworkError(
            f"{self.service} is not reached at {host}:{port}: {cause_text}",
            hint="Check the network, the base URL and the proxy settings (HTTPS_PROXY), then try again.",
        )


def _is_led_by_proxies() -> bool:
    """Whether the environment names one, as the usual programs understand it."""
    return any(value and name.lower() in _PROXIES for name, value in os.environ.items())


def _late(service: str, kind: str, timeouts: Timeouts, first_byte_s: float) -> IdleTimeout:
    text = {
        "first": f"{service} did not begin to answer within {duration_text(first_byte_s)}",
        "idle": f"{service} fell silent for {duration_text(timeouts.idle_s)} in the middle of its answer",
        "total": f"{service} did not end its answer within {duration_text(timeouts.total_s)}",
    }[kind]
    return IdleTimeout(
        text, hint="Try again, choose another model with /model, or raise the limit in the configuration."
    )


def _causes(error: BaseException) -> list[BaseException]:
    """The error and all that stands behind it."""
    found: list[BaseException] = []
    ahead: list[BaseException | None] = [error]
    while ahead:
        at = ahead.pop()
        if at is None or at in found:
            continue
        found.append(at)
        ahead += [at.__cause__, at.__context__]
        if isinstance(at, BaseExceptionGroup):
            ahead += at.exceptions
    return found


def _named(causes: list[BaseException], kind: type[OSError]) -> str:
    error = next(cause for cause in causes if isinstance(cause, kind))
    return getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error)
