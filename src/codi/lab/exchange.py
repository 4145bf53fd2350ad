"""One question and its answer, as the wire formats of the lab see it."""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, Literal, NamedTuple, Protocol

import msgspec
from msgspec import Struct

from codi.providers.player import Played, View

encoded = msgspec.json.Encoder().encode
"""Plain data as compact JSON."""


class Segment(NamedTuple):
    """A piece of a request in the order in which a service reads it: tools, system, messages. After a `breakpoint` the
    prefix is kept in the cache for `ttl_s` seconds."""

    content: bytes
    breakpoint: bool = False
    ttl_s: float = 300.0


class Billed(Struct, frozen=True, kw_only=True):
    """Tokens of one exchange. `input` excludes what was read from the cache or written to it; `written_1h` is a part of
    `written`, `thinking` of `output`."""

    input: int = 0
    read: int = 0
    written: int = 0
    written_1h: int = 0
    output: int = 0
    thinking: int = 0

    @property
    def prompt(self) -> int:
        return self.input + self.read + self.written


class Exchange(Struct, frozen=True, kw_only=True):
    """What is needed to say a step in a wire format. `body` is the request, `billed` is None where the script withholds the usage."""

    played: Played
    model: str
    body: dict[str, Any]
    billed: Billed | None
    created: int = 0
    salt: str = ""

    def id(self, prefix: str, index: int = 0) -> str:
        """An id as the services make them, different for each exchange and index."""
        return prefix + blake2b(f"{self.salt}{self.played.serial}/{index}".encode(), digest_size=12).hexdigest()


CacheKind = Literal["marked", "automatic", "none"]
"""Which prefixes are kept: those that the request marks, all, or none."""


class Format(Protocol):
    """A module of `lab.formats`."""

    NAME: str
    STREAM_TYPE: str
    """The media type of a streamed answer."""
    CACHE: CacheKind
    CACHE_STEP: int
    """What was read from the cache is told as a multiple of so many tokens."""
    TOO_LONG: str
    """What is said of a conversation that is longer than the window."""

    def parse(self, body: dict[str, Any], model: str) -> View:
        """What a script can see of the request."""
        ...

    def thinks(self, exchange: Exchange) -> bool:
        """The thinking of the step is sent: the request asks for it, or the format always does."""
        ...

    def headers(self, exchange: Exchange) -> dict[str, str]:
        """Headers beside those of HTTP itself, names in lower case."""
        ...

    def stream(self, exchange: Exchange) -> Iterator[bytes]:
        """The streamed answer, event by event."""
        ...

    def whole(self, exchange: Exchange) -> bytes:
        """The answer in one piece."""
        ...

    def error(self, status: int, message: str, kind: str = "") -> bytes:
        """The body of a refusal; `kind` is the service's word for it, else the usual one for the status."""
        ...

    def error_event(self, message: str, kind: str = "") -> bytes:
        """An error in the middle of a stream."""
        ...

    def seals(self, exchange: Exchange) -> tuple[str, ...]:
        """The seals that stand on parts of the answer other than its thinking."""
        ...

    def segments(self, body: dict[str, Any]) -> Iterable[Segment]:
        """The request in the order in which the cache sees it."""
        ...


def sse(data: Any) -> bytes:
    """A server-sent event without a name."""
    return b"data: %b\n\n" % encoded(data)
