"""What a model costs is known of that very model, or it is unknown; it is never that of a namesake, and never nothing."""

from functools import partial

import pytest

from conftest import Codi, says


@pytest.mark.parametrize(
    ("model", "input_price"),
    [("gpt-4.1", 2.0), ("gpt-4", 30.0), ("gpt-4.1-2025-04-14", 2.0), ("gpt-4.1x", None), ("gpt-4-foo", None)],
)
def test_a_price_is_never_that_of_a_longer_or_shorter_name(codi: Codi, lab, model: str, input_price: float | None):
    lab([says("Yes.", usage={"input": 8_000, "output": 0, "cache_read": 0})], "openai-chat")
    run = codi.json("hi", "--model", f"openai/{model}")
    cost = run.result["usage"]["cost"]
    assert run.status == 0
    if input_price is None:
        assert cost is None and run.result["stats"]["cost"] is None
    else:
        assert cost["input"] == pytest.approx(input_price * 0.008)


def test_an_unknown_price_is_said_to_be_unknown(lab, terminals):
    lab([says("Yes.")])
    chat = partial(terminals, term="dumb")("hi")
    chat.wait_for("Yes.", "tokens, price unknown]")
