"""One purse for all who spend of it: whatever happens side by side, the limit holds."""

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codi.protocol.errors import LimitReached, ServerFailed
from codi.protocol.messages import Usage, user
from codi.providers.budget import Budget, Budgeted, tokens_of
from codi.providers.provider import ModelEntry, Prices, Request, complete
from codi.providers.script import script_of
from codi.providers.scripted import Scripted

PRICED = ModelEntry(id="m", service="lab", max_output=4000, prices=Prices(2.0, 10.0, 0.2, 2.5, 4.0))


def request(text: str = "go on " * 50) -> Request:
    return Request(system=("Be brief.",), messages=(user(text),), max_output=2000)


def model(delay_ms: int = 1, **step) -> Scripted:
    said = {"text": "Well.", "delay_ms": delay_ms, "usage": {"input": 90, "output": 2000}, **step}
    return Scripted(script_of({"loop": True, "steps": [said]}), PRICED)


def test_sixty_four_that_call_one_another_never_spend_more_than_there_is():
    budget, paid, refused, models = Budget(max_cost=1.0), [], [], []

    async def converse(depth: int) -> None:
        models.append(model())
        provider = Budgeted(models[-1], budget)
        while True:
            try:
                reply = await complete(provider, request())
            except LimitReached as limit:
                refused.append(str(limit))
                return
            paid.append(reply.usage.input * 2 / 1e6 + reply.usage.output * 10 / 1e6)
            assert budget.spent + budget.reserved.cost <= 1.0 + 1e-9
            if depth < 2:
                await converse(depth + 1)

    async def all_of_them() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(64):
                tasks.start_soon(converse, 0)

    anyio.run(all_of_them)
    assert 0.9 < sum(paid) <= 1.0 and budget.spent == pytest.approx(sum(paid))
    assert budget.reserved.cost == pytest.approx(0) and budget.reserved.tokens == 0
    assert sum(len(one.requests) for one in models) == len(paid), "asked beyond the limit"
    assert len(refused) >= 64 and all(text.startswith("Budget reached: $") for text in refused)


def test_most_of_it_is_told_once():
    budget = Budget(max_cost=0.1)
    told = []
    for _ in range(4):
        aside = budget.reserve(PRICED, Usage(input=100, output=2000), 2100)
        budget.settle(aside, PRICED, Usage(input=0, output=2100))
        told.append(budget.warning())
    assert told == [None, None, None, "$0.0840 of $0.10 spent"] and budget.warning() is None


def test_an_unknown_price_is_refused_unless_it_is_allowed():
    unknown = ModelEntry(id="m", service="lab")
    with pytest.raises(LimitReached, match="price of this model is unknown"):
        Budget(max_cost=1.0).reserve(unknown, Usage(input=1), 1)
    Budget(max_cost=1.0, unknown=True).reserve(unknown, Usage(input=1), 1)


def test_what_broke_off_is_settled_by_what_was_heard_of_it():
    budget = Budget(max_cost=1.0)
    broken = model(text="word " * 100, fault={"kind": "cut", "at": 300, "times": 0})

    async def ask() -> None:
        with pytest.raises(Exception, match="mid-answer"):
            await complete(Budgeted(broken, budget), request())

    anyio.run(ask)
    assert budget.reserved.cost == pytest.approx(0) and 0.0001 < budget.spent < 0.02

    async def ask_the_dead() -> None:
        with pytest.raises(ServerFailed):
            await complete(Budgeted(model(fault={"kind": "status", "status": 500, "times": 0}), budget), request())

    spent = budget.spent
    anyio.run(ask_the_dead)
    assert budget.spent == spent


@given(st.lists(st.text(max_size=400), min_size=1, max_size=6))
def test_more_said_is_never_fewer_tokens(texts):
    counts = [tokens_of(Request(system=(), messages=tuple(map(user, texts[:end])))) for end in range(len(texts) + 1)]
    assert counts == sorted(counts) and counts[-1] * 3 >= sum(map(len, texts))
