"""Stand-ins for long values: what was encoded is decoded to the very same, and calls get what was meant."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from codi.agent.entities import CLOSE, OPEN, Entities, compressed, decoded, worth_it
from codi.protocol.messages import Message, Text, ToolCall, user

LONG = "src/deep/folder/of/the/project/module.py"
texts = st.text(alphabet=f"ab{OPEN}{CLOSE}E012 /") | st.text()


@given(st.lists(texts.filter(lambda text: len(text) > 2 and OPEN not in text), max_size=5, unique=True), texts)
@settings(max_examples=300, deadline=None)
def test_what_was_encoded_is_decoded_to_the_same(values: list[str], text: str):
    entities = Entities(values)
    assert entities.decode(entities.encode(text)) == text


def test_only_what_recurs_and_is_long_gets_one():
    entities = worth_it(
        [f"{LONG} short {LONG}", f"{LONG} Src/Deep/folder/of/the/project/module.py once/only/a/path.py"]
    )
    assert entities.values == (LONG,)
    assert len(worth_it(f"a/very/long/path/number_{number}.py " * 4 for number in range(80)).values) == 50


def test_arguments_are_decoded_and_unknown_stand_ins_are_not_run():
    entities = Entities([LONG])
    reply = Message(
        "assistant",
        (
            Text(f"I look at {OPEN}E1{CLOSE}."),
            ToolCall("a", "read", {"path": f"{OPEN}E1{CLOSE}", "more": [f"x{OPEN}0{CLOSE}"]}),
            ToolCall("b", "read", {"path": f"{OPEN}E7{CLOSE}"}),
        ),
    )
    said, good, bad = decoded(reply, entities).blocks
    assert said == Text(f"I look at {LONG}.")
    assert isinstance(good, ToolCall) and good.arguments == {"path": LONG, "more": [f"x{OPEN}"]}
    assert isinstance(bad, ToolCall) and bad.defect


def test_the_legend_is_at_the_end_of_the_newest_message(tmp_path: Path):
    messages = [user(f"{LONG} {LONG}"), Message("assistant", (Text(f"{LONG} {LONG}"),)), user("a"), user("b")]
    told = compressed(messages, worth_it([LONG] * 4))
    assert LONG not in told[0].text and f"{OPEN}E1{CLOSE} = {LONG}" in told[-1].text and told[-1].text.startswith("b")
    assert sum(len(message.text) for message in told) < 400
