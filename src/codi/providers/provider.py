"""A model: a request goes in, deltas and then exactly one reply come out."""

from collections.abc import AsyncIterator, Sequence
from typing import Literal, Protocol

from msgspec import Struct, field

from codi.protocol.events import Delta
from codi.protocol.messages import Level, Message, Origin, Usage
from codi.protocol.tooling import ToolSpec

Stop = Literal["end", "tool_calls", "length", "stop_sequence", "refused", "filtered", "paused", "unknown"]


class Credential(Protocol):
    """Asked for each request, so that a refreshed token takes effect. `source` names where it comes from, never what it is."""

    source: str

    async def secret(self) -> str | None:
        """The key, or None where the service needs none."""
        ...


class NoKey:
    """Stands where a key would, for a service that is not asked."""

    source = "nobody"

    async def secret(self) -> str:
        return "none"


def is_login(credential: Credential) -> bool:
    """Whether it says of itself that it is a token that stands for an account, which some services want to see elsewhere than a
    key."""
    return bool(getattr(credential, "is_login", False))


class Tier(Struct, frozen=True):
    """Prices of a request whose whole prompt, cached or not, is longer than `above` tokens."""

    above: int
    input: float
    output: float
    cache_read: float = 0.0
    cache_write: float = 0.0
    cache_write_1h: float = 0.0


class Prices(Struct, frozen=True):
    """USD per million tokens. Of `tiers` the one with the highest threshold that a prompt passes replaces the rest."""

    input: float
    output: float
    cache_read: float = 0.0
    cache_write: float = 0.0
    cache_write_1h: float = 0.0
    tiers: tuple[Tier, ...] = ()


class Abilities(Struct, frozen=True):
    """What the model can do; what it cannot is never sent."""

    tools: bool = True
    vision: bool = False
    thinking: bool = False
    caching: bool = False
    strict: bool = False
    parallel: bool = True


class ModelEntry(Struct, frozen=True, kw_only=True):
    """What is known of a model. `prices` is None while unknown, which is never 0. `assumed` marks a window that nobody told."""

    id: str
    service: str
    name: str = ""
    window: int = 128_000
    max_output: int = 32_000
    abilities: Abilities = Abilities()
    thinking_levels: tuple[Level, ...] = ()
    adaptive_thinking: bool = False
    prices: Prices | None = None
    assumed: bool = False
    aliases: tuple[str, ...] = ()
    knowledge: str = ""
    """The month up to which the model has read, as the service states it."""
    deprecated: str = ""
    """The day on which the service stops to serve it, or any word where it names none; empty while it is current."""
    tokenizer: str = ""


class Request(Struct, frozen=True, kw_only=True):
    """One question to a model. The same request gives the same bytes, and request N+1 of a conversation is request N and
    what was said since."""

    system: tuple[str, ...]
    messages: Sequence[Message]
    tools: tuple[ToolSpec, ...] = ()
    thinking: Level = "off"
    max_output: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    tool_choice: str = "auto"
    """`auto`, `none`, `required`, or a tool's name."""
    cache: Literal["none", "short", "long"] = "short"
    session_id: str = ""
    purpose: Literal["turn", "title", "summary", "review"] = "turn"


class Timing(Struct, frozen=True):
    first_byte_ms: int = 0
    total_ms: int = 0


class Reply(Struct, frozen=True, kw_only=True):
    """One complete answer: the wire format's own end mark was seen. `raw_stop` is the service's word for `stop`."""

    message: Message
    stop: Stop
    usage: Usage
    raw_stop: str | None = None
    model: str | None = None
    response_id: str | None = None
    timing: Timing = field(default_factory=Timing)
    complaint: str = ""
    """What to tell the model of a reply that was meant to act and cannot be acted upon; empty for every other."""


class Provider(Protocol):
    @property
    def origin(self) -> Origin:
        """Which model answers now, and through which wire format it is spoken to."""
        ...

    @property
    def model(self) -> ModelEntry:
        """What is known of it, which may become more with the first request."""
        ...

    def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        """Yield deltas as they come, then exactly one Reply and nothing after it; raise ProviderError on failure.
        Closing the iterator closes the connection. Deltas concatenate exactly to the blocks of the reply."""
        ...

    async def models(self) -> Sequence[ModelEntry]:
        """What the service serves, as far as it tells."""
        ...

    async def count(self, request: Request) -> int | None:
        """The tokens of a request as the service itself counts them; None where it has no free way to tell."""
        ...


async def complete(provider: Provider, request: Request) -> Reply:
    """The reply alone, for callers that show nothing while it grows."""
    reply: Reply | None = None
    async for part in provider.stream(request):
        if isinstance(part, Reply):
            reply = part
    assert reply is not None, "a provider's stream ends with a reply or an error"
    return reply
