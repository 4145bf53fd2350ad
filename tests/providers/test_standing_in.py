"""A service that fails is left alone for a while, another model stands in for it, and nobody asks more often than agreed."""

import anyio
import pytest

from codi.protocol.errors import BadRequest, CircuitOpen, CodiError, Refused, ServerFailed
from codi.protocol.events import StatusDelta
from codi.protocol.messages import user
from codi.providers.breaker import Breaker, Broken
from codi.providers.fallback import Fallback
from codi.providers.provider import ModelEntry, Reply, Request
from codi.providers.rate import Bucket, Rated
from codi.providers.resilient import Allowance, Resilient
from codi.providers.script import script_of
from codi.providers.scripted import Scripted

REQUEST = Request(system=(), messages=(user("go"),))
DOWN = {"text": "never", "fault": {"kind": "status", "status": 500, "times": 0}}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def scripted(*steps, name: str = "m") -> Scripted:
    return Scripted(script_of({"loop": True, "steps": list(steps)}), ModelEntry(id=name, service="lab"))


def ask(provider) -> list:
    """What came, the error last where there was one."""
    parts: list = []

    async def hear() -> None:
        try:
            async for part in provider.stream(REQUEST):
                parts.append(part)
        except CodiError as error:
            parts.append(error)

    anyio.run(hear)
    return parts


def test_five_failures_open_the_breaker_and_a_probe_closes_it():
    clock = Clock()
    breaker, down = Breaker(clock), scripted(DOWN)
    for _ in range(5):
        assert isinstance(ask(Broken(down, breaker))[-1], ServerFailed)
    opened = ask(Broken(down, breaker))
    assert isinstance(opened[0], CircuitOpen) and len(down.requests) == 5 and "30 s" in opened[0].hint
    clock.now += 30
    assert isinstance(ask(Broken(down, breaker))[-1], ServerFailed) and len(down.requests) == 6
    clock.now += 59
    assert isinstance(ask(Broken(down, breaker))[0], CircuitOpen), "the time doubles"
    clock.now += 1
    up = scripted({"text": "Up."})
    assert isinstance(ask(Broken(up, breaker))[-1], Reply)
    assert isinstance(ask(Broken(up, breaker))[-1], Reply)


def test_failures_far_apart_and_of_the_request_itself_open_nothing():
    clock = Clock()
    breaker, down = Breaker(clock), scripted(DOWN)
    for _ in range(10):
        ask(Broken(down, breaker))
        clock.now += 20
    assert len(down.requests) == 10
    wrong = scripted({"text": "x", "fault": {"kind": "status", "status": 400, "times": 0}})
    for _ in range(10):
        assert isinstance(ask(Broken(wrong, Breaker(clock)))[-1], BadRequest)


def chain(first: Scripted, second: Scripted, **options) -> Fallback:
    async def make() -> Scripted:
        return second

    return Fallback(first, [make], **options)


def test_the_next_model_answers_until_the_turn_is_over():
    first, second = (
        scripted({**DOWN, "fault": {**DOWN["fault"], "times": 1}}, name="a"),
        scripted({"text": "I do."}, name="b"),
    )
    provider = chain(first, second)
    notice, *_, reply = ask(provider)
    assert isinstance(notice, StatusDelta) and notice.kind == "fallback" and "going on with lab/b" in notice.text
    assert reply.message.text == "I do." and provider.origin.model == provider.model.id == "b"
    ask(provider)
    assert len(first.requests) == 1
    provider.rewind()
    assert ask(provider)[-1].message.text == "never" and len(first.requests) == 2


def test_nobody_stands_in_for_a_request_that_is_at_fault_nor_for_a_refusal():
    second = scripted({"text": "I do."})
    wrong = scripted({"text": "x", "fault": {"kind": "status", "status": 400, "times": 0}})
    assert isinstance(ask(chain(wrong, second))[-1], BadRequest) and not second.requests

    class Refusing(Scripted):
        async def stream(self, request):
            raise Refused("no", hint="Ask otherwise.")
            yield

    refusing = Refusing(script_of([{"text": "x"}]))
    assert isinstance(ask(chain(refusing, second))[-1], Refused)
    assert ask(chain(refusing, second, on_refusal=True))[-1].message.text == "I do."


def test_a_turn_tries_again_only_so_often():
    allowance, down = Allowance(3), scripted(DOWN)
    for _ in range(2):
        assert isinstance(ask(Resilient(down, base_s=0, allowance=allowance))[-1], ServerFailed)
    assert len(down.requests) == 4 + 1
    allowance.renew()
    ask(Resilient(down, base_s=0, allowance=allowance))
    assert len(down.requests) == 5 + 4


@pytest.mark.parametrize("per_minute", [60, 600])
def test_a_bucket_is_never_asked_for_more_than_it_fills(per_minute):
    clock = Clock()
    bucket = Bucket(per_minute, clock=clock)
    began = clock.now
    for _ in range(2 * per_minute):
        clock.now += bucket.take()
    assert clock.now - began == pytest.approx(60, rel=0.02)


def test_who_shares_a_key_waits_when_the_service_asks_one_of_them_to():
    clock = Clock()
    bucket = Bucket(clock=clock, sleep=clock.sleep)
    busy = scripted({"text": "x", "fault": {"kind": "status", "status": 429, "retry_after": 7, "times": 0}})
    ask(Rated(busy, bucket))
    notice, *_ = ask(Rated(scripted({"text": "Yes."}), bucket))
    assert clock.slept == [7.0] and notice.kind == "waiting" and "rate limit" in notice.text
