"""What is tried again, after what wait, and what is not."""

from collections.abc import AsyncIterator, Sequence

import anyio
import pytest

from codi.protocol.errors import (
    BadRequest,
    CodiError,
    ContextOverflow,
    CredentialError,
    IdleTimeout,
    MalformedAnswer,
    NetworkError,
    NotFound,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    Refused,
    ServerFailed,
    StreamCut,
)
from codi.protocol.events import Delta, TextDelta
from codi.protocol.messages import Message, Origin, Text, Usage, user
from codi.providers.provider import ModelEntry, Reply, Request
from codi.providers.resilient import Resilient

HERE = Origin("a", "svc", "m")
ASK = Request(system=(), messages=(user("hi"),))
REPLY = Reply(message=Message("assistant", (Text("x"),), HERE), stop="end", usage=Usage(input=1, output=1))


class Told:
    """A model that yields and raises what a test tells it, one list for each request."""

    origin = HERE
    model = ModelEntry(id="m", service="svc")

    def __init__(self, *takes: Sequence[Delta | Reply | CodiError]) -> None:
        self.takes = list(takes)
        self.asked = 0
        self.closed = 0

    async def stream(self, request: Request) -> AsyncIterator[Delta | Reply]:
        take = self.takes[min(self.asked, len(self.takes) - 1)]
        self.asked += 1
        try:
            for part in take:
                if isinstance(part, CodiError):
                    raise part
                yield part
        finally:
            self.closed += 1

    async def models(self) -> Sequence[ModelEntry]:
        return [self.model]


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def run(told: Told, clock: Clock, parts: list, **options) -> None:
    async def main() -> None:
        provider = Resilient(told, clock=clock, sleep=clock.sleep, jitter=lambda: 1.0, **options)
        async for part in provider.stream(ASK):
            parts.append(part)

    anyio.run(main)


def failed(kind: type, **options) -> CodiError:
    return kind("it failed", hint="do something about it", **options)


RETRIED = [RateLimited, Overloaded, ServerFailed, NetworkError, StreamCut, IdleTimeout]
NOT_RETRIED = [BadRequest, NotFound, Refused, ContextOverflow, QuotaExhausted, MalformedAnswer, CredentialError]


@pytest.mark.parametrize("kind", RETRIED)
def test_what_may_pass_is_tried_again(kind):
    told, clock, parts = Told([TextDelta("half"), failed(kind)], [TextDelta("x"), REPLY]), Clock(), []
    run(told, clock, parts)

    assert told.asked == told.closed == 2 and clock.slept == [1.0]
    half, retry, whole, ended, reply = parts
    assert half == TextDelta("half") and whole == TextDelta("x") and reply is REPLY
    assert (retry.kind, retry.attempt, retry.tries, retry.wait_s) == ("retry", 1, 5, 1.0)
    assert "it failed" in retry.text and retry.hint
    assert (ended.kind, ended.ok, ended.attempt) == ("retry_end", True, 1)


@pytest.mark.parametrize("kind", NOT_RETRIED)
def test_what_is_refused_for_good_is_one_request(kind):
    told, clock, parts = Told([failed(kind)]), Clock(), []
    with pytest.raises(kind):
        run(told, clock, parts)

    assert told.asked == 1 and parts == [] and clock.slept == []


def test_waits_double_up_to_a_cap_and_five_tries_are_all():
    told, clock, parts = Told([failed(Overloaded)]), Clock(), []
    with pytest.raises(Overloaded, match="it failed"):
        run(told, clock, parts)

    assert told.asked == 5 and clock.slept == [1, 2, 4, 8]
    assert [part.kind for part in parts] == ["retry"] * 4 + ["retry_end"] and not parts[-1].ok
    told, clock = Told([failed(Overloaded)]), Clock()
    with pytest.raises(Overloaded):
        run(told, clock, [], tries=8)
    assert clock.slept == [1, 2, 4, 8, 16, 30, 30]


def test_the_wait_is_a_random_part():
    told, clock = Told([failed(Overloaded)], [REPLY]), Clock()

    async def main() -> None:
        provider = Resilient(told, clock=clock, sleep=clock.sleep, jitter=lambda: 0.25)
        assert [part async for part in provider.stream(ASK)][-1] is REPLY

    anyio.run(main)
    assert clock.slept == [0.25]


def test_what_the_service_asks_for_wins():
    told, clock = Told([failed(RateLimited, retry_after_s=42.0)], [REPLY]), Clock()
    run(told, clock, [])

    assert clock.slept == [42.0]


def test_a_wait_of_more_than_five_minutes_is_no_pause():
    told, clock = Told([failed(RateLimited, retry_after_s=301.0, status=429)]), Clock()
    with pytest.raises(QuotaExhausted, match="5 min") as caught:
        run(told, clock, [])

    assert told.asked == 1 and caught.value.retry_after_s == 301.0 and caught.value.status == 429
    assert isinstance(caught.value.__cause__, RateLimited)


def test_all_waits_together_are_bounded():
    told, clock = Told([failed(RateLimited, retry_after_s=140.0)]), Clock()
    with pytest.raises(RateLimited):
        run(told, clock, [])

    assert clock.slept == [140.0, 140.0]


def test_a_refusal_after_a_retry_ends_it():
    told, clock, parts = Told([failed(Overloaded)], [failed(CredentialError)]), Clock(), []
    with pytest.raises(CredentialError):
        run(told, clock, parts)

    assert [part.kind for part in parts] == ["retry", "retry_end"] and not parts[-1].ok


def test_nothing_is_tried_again_after_the_reply():
    told, clock, parts = Told([REPLY, failed(StreamCut)]), Clock(), []
    run(told, clock, parts)

    assert told.asked == told.closed == 1 and parts == [REPLY]


def test_a_wait_ends_with_its_task():
    async def main() -> None:
        told = Told([failed(RateLimited, retry_after_s=100.0)])
        parts = Resilient(told).stream(ASK)
        assert (await anext(parts)).kind == "retry"
        with anyio.move_on_after(0.02) as scope:
            await anext(parts)
        assert scope.cancelled_caught and told.asked == 1

    anyio.run(main)


def test_closing_closes_what_lies_beneath():
    async def main() -> None:
        told = Told([TextDelta("a"), TextDelta("b"), REPLY])
        parts = Resilient(told).stream(ASK)
        assert await anext(parts) == TextDelta("a")
        await parts.aclose()
        assert told.closed == 1

    anyio.run(main)


def test_it_looks_like_the_provider_within():
    provider = Resilient(Told([REPLY]))

    assert (provider.origin, provider.model) == (HERE, Told.model)
    assert anyio.run(provider.models) == [Told.model]
