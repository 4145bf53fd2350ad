"""Another model in the middle of a conversation: what is said stays, all limits are those of the new one."""

from collections.abc import Callable
from functools import partial

import pytest
from test_context import summariser, turns_of

from conftest import Codi, call, says
from eye import Terminal

MODELS = """
[models.wide]
provider = "anthropic"
model = "wide"
window = 100000
price = {input = 10, output = 20}
[models.narrow]
provider = "anthropic"
model = "narrow"
window = 9000
price = {input = 2, output = 4}
"""


@pytest.fixture
def chat(codi: Codi, terminals: Callable[..., Terminal]) -> Callable[..., Terminal]:
    def start(*words: str) -> Terminal:
        codi.set_up(MODELS)
        codi.env["CODI_MODEL"] = "wide"
        opened = partial(terminals, term="dumb")(*words)
        opened.wait_for("\nYou:")
        return opened

    return start


def test_tools_window_and_length_of_results_are_those_of_the_new_model(codi: Codi, lab, chat):
    (codi.cwd / "long.txt").write_text("".join(f"line {at} of a long file\n" for at in range(1900)))
    read = says("", call("read", path="long.txt"))
    steps = [read, says("One."), read, says("Two."), says("Three.")]
    server = lab({"window": 100_000, "steps": steps, "branches": [summariser()]})
    person = chat()
    person.type("first\n")
    person.wait_for("One.", "[2 steps,")
    person.type("/context\n")
    person.wait_for("of 100000 tokens")
    person.type("/model narrow\n")
    person.wait_for("model: anthropic/narrow")
    person.type("/context\n")
    person.wait_for("of 9000 tokens")
    person.type("second\n")
    person.wait_for("Two.")
    person.type("/model wide\n")
    person.wait_for("model: anthropic/wide")
    person.type("third\n")
    person.wait_for("Three.")

    asked = turns_of(server)
    of = {name: [body for body in asked if body["model"] == name] for name in ("wide", "narrow")}
    tools = {name: {tool["name"] for tool in bodies[-1]["tools"]} for name, bodies in of.items()}
    assert tools["narrow"] < tools["wide"]
    assert {tool["name"] for tool in of["wide"][0]["tools"]} == tools["wide"]
    long, short = (str(bodies[1]["messages"][-1]["content"]) for bodies in (of["wide"], of["narrow"]))
    assert len(short) < 9000 < len(long)
    assert all("first" in str(body["messages"][0]) for body in asked)


def test_what_breaks_much_of_the_cache_is_told_with_tokens_and_price(lab, chat):
    usage = {"input": 100, "cache_read": 20_000, "cache_write": 10_000, "output": 5}
    lab({"window": 100_000, "steps": [says("One.", usage=usage), says("Two.")]})
    person = chat()
    person.type("first\n")
    person.wait_for("One.", "[1 step,")
    person.type("/model narrow\n")
    person.wait_for("another model breaks 30000 cached tokens, $0.0600 to read them anew")
