"""Any history becomes one that a strict service accepts, and nothing is encoded twice."""

from collections.abc import Sequence
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from codi.protocol.messages import Image, Message, Origin, Text, Thinking, ToolCall, ToolResult, user
from codi.providers.encoded import Encoded, join_body, join_list
from codi.providers.history import BEGUN_BEFORE, GO_ON, NO_IMAGE, NO_RESULT, id_form, settled
from conftest import SOAK

HERE = Origin("anthropic-messages", "anthropic", "claude-x")
THERE = Origin("openai-chat", "openai", "gpt-x")

short_texts = some.sampled_from(["", " ", "a", "Continue.", "words"])
call_ids = some.sampled_from(["", "c1", "c2", "c3", "call|9.x", "2_c1", "x" * 80, "é"])
results = some.builds(
    ToolResult,
    call_ids,
    some.lists(
        some.one_of(some.builds(Text, short_texts), some.just(Image("iVBORw0KGgo=", "image/png"))), max_size=2
    ).map(tuple),
    some.booleans(),
)
blocks_of_user = some.lists(
    some.one_of(results, some.builds(Text, short_texts), some.just(Image("iVBORw0KGgo=", "image/png"))), max_size=4
)
blocks_of_model = some.lists(
    some.one_of(
        some.builds(Text, short_texts, some.sampled_from([None, "seal"])),
        some.builds(Thinking, short_texts, some.sampled_from([None, "seal"]), some.booleans()),
        some.builds(
            ToolCall,
            call_ids,
            some.just("read"),
            some.dictionaries(some.just("p"), some.sampled_from([1, True, 1.0])),
            some.sampled_from([None, "seal"]),
        ),
    ),
    max_size=4,
)
messages = some.one_of(
    some.builds(Message, some.just("user"), blocks_of_user.map(tuple)),
    some.builds(Message, some.just("assistant"), blocks_of_model.map(tuple), some.sampled_from([HERE, THERE, None])),
)

histories = some.lists(messages, max_size=12)
legal = id_form(64)
settle = partial(settled, origin=HERE, vision=False, legal_id=legal)


def refusal(history: Sequence[Message]) -> str:
    """Why a strict service would not take it; empty if it would."""
    given_ids: set[str] = set()
    waiting: list[str] = []
    for at, message in enumerate(history):
        if message.role != ("user", "assistant")[at % 2]:
            return f"role {message.role} at {at}"
        if not message.blocks:
            return f"message {at} is empty"
        answered = [block.call_id for block in message.tool_results]
        if answered != waiting:
            return f"message {at} answers {answered}, {waiting} waited"
        if any(isinstance(block, ToolResult) for block in message.blocks[len(answered) :]):
            return f"message {at} has results behind words"
        waiting = [call.id for call in message.tool_calls]
        for call_id in waiting:
            if call_id in given_ids or legal(call_id) != call_id:
                return f"id {call_id!r} is repeated or illegal"
            given_ids.add(call_id)
        for block in message.blocks:
            parts = block.content if isinstance(block, ToolResult) else (block,)
            if any(isinstance(part, Text) and not part.text.strip() and not part.signature for part in parts):
                return f"message {at} holds an empty text"
            if any(isinstance(part, Image) for part in parts):
                return f"message {at} holds an image"
    return "it ends with the assistant" if len(history) % 2 == 0 and history else ""


@given(histories)
@settings(max_examples=10_000 if SOAK else 400, deadline=None)
def test_every_history_becomes_acceptable(history):
    made = settle(history)

    assert refusal(made) == ""
    assert bool(made) == bool(history)


@given(histories)
@settings(max_examples=150, deadline=None)
def test_what_is_settled_stays_as_it_is(history):
    once = settle(history)

    assert settle(once) == [
        message if message.role == "user" or message.origin == HERE else plain
        for message, plain in zip(once, settle(once))
    ]
    assert refusal(settle(once)) == ""


@given(histories)
@settings(max_examples=150, deadline=None)
def test_no_seal_reaches_another_model(history):
    foreign = [Message(message.role, message.blocks, message.origin and THERE) for message in history]

    for message in settle(foreign):
        for block in message.blocks:
            assert not isinstance(block, Thinking)
            assert getattr(block, "signature", None) is None


def test_missing_results_are_told_and_stray_ones_dropped():
    first, second = ToolCall("a", "read", {}), ToolCall("b", "shell", {})
    history = [
        user("go"),
        Message("assistant", (first, second), HERE),
        Message(
            "user",
            (
                Text("and?"),
                ToolResult("b", (Text("B"),)),
                ToolResult("z", (Text("Z"),)),
                ToolResult("b", (Text("again"),)),
            ),
        ),
    ]

    *_, answers = settle(history)

    assert answers.blocks == (
        ToolResult("a", (Text(NO_RESULT),), True, "read"),
        ToolResult("b", (Text("B"),), False, "shell"),
        Text("and?"),
    )


def test_a_call_at_the_end_is_answered():
    *_, last = settle([user("go"), Message("assistant", (ToolCall("a", "read", {}),), HERE)])

    assert last.blocks == (ToolResult("a", (Text(NO_RESULT),), True, "read"),)


def test_results_of_several_messages_are_gathered_in_call_order():
    calls = ToolCall("a", "read", {}), ToolCall("b", "read", {})
    history = [
        user("go"),
        Message("assistant", calls, HERE),
        user("steer"),
        Message("user", (ToolResult("b", (Text("B"),)),)),
        Message("user", (ToolResult("a", (Text("A"),)),)),
    ]

    *_, last = settle(history)

    assert [getattr(block, "call_id", "words") for block in last.blocks] == ["a", "b", "words"]


def test_foreign_thinking_is_handed_over_as_text_or_not_at_all():
    thought = Message("assistant", (Thinking("hm", "seal"), Thinking("", "x", True), Text("so", "seal")), THERE)

    told = settle([user("q"), thought, user("r")])[1]
    dropped = settle([user("q"), thought, user("r")], handoff="drop")[1]

    assert told.blocks == (Text("<thinking>hm</thinking>"), Text("so"))
    assert dropped.blocks == (Text("so"),)


def test_own_thinking_goes_back_unchanged_and_in_place():
    blocks = (Thinking("hm", "seal"), Thinking("", "data", True), Text("so"), Thinking("then", "seal2"))

    assert settle([user("q"), Message("assistant", blocks, HERE), user("r")])[1].blocks == blocks


def test_own_thinking_without_a_seal_counts_as_foreign_where_seals_are_wanted():
    broken = [user("q"), Message("assistant", (Thinking("hm"), Text("so")), HERE), user("r")]

    assert settle(broken)[1].blocks[0] == Thinking("hm")
    assert settle(broken, sealed_only=True)[1].blocks[0] == Text("<thinking>hm</thinking>")


def test_images_become_a_note_for_a_blind_model():
    picture = Image("iVBORw0KGgo=", "image/png")
    history = [user("see", picture), Message("assistant", (ToolCall("a", "view_image", {}),), HERE)]
    history.append(Message("user", (ToolResult("a", (picture,)),)))

    blind, seeing = settle(history), settle(history, vision=True)

    assert blind[0].blocks[1] == Text(NO_IMAGE) and blind[2].tool_results[0].content == (Text(NO_IMAGE),)
    assert seeing[0].blocks[1] == picture and seeing[2].tool_results[0].content == (picture,)


def test_edges_of_a_history():
    assert settle([]) == []
    assert settle([user(" ")]) == [GO_ON]
    assert settle([Message("assistant", (Text("hi"),), HERE)])[0] == BEGUN_BEFORE
    assert settle([user("a"), Message("assistant", (Text("hi"),), HERE)])[-1] == GO_ON


@pytest.mark.parametrize("longest, shortest", [(64, 1), (40, 1), (9, 9)])
@given(some.text(max_size=70))
@settings(max_examples=100, deadline=None)
def test_ids_take_the_legal_form_and_keep_it(longest, shortest, call_id):
    form = id_form(longest, shortest=shortest)

    made = form(call_id)

    assert shortest <= len(made) <= longest and made.isascii()
    assert form(made) == made


def test_a_repeated_id_is_told_apart_on_call_and_result():
    turn = [Message("assistant", (ToolCall("c", "read", {}),), HERE), Message("user", (ToolResult("c", (Text("r"),)),))]

    made = settle([user("q"), *turn, *turn])

    assert made[1].tool_calls[0].id == made[2].tool_results[0].call_id == "c"
    assert made[3].tool_calls[0].id == made[4].tool_results[0].call_id != "c"


def wire(message: Message) -> list[bytes]:
    return [repr((at, message.role, block)).encode() for at, block in enumerate(message.blocks)]


def from_scratch(history: Sequence[Message]) -> list[bytes]:
    return [part for message in settle(history) for part in wire(message)]


@given(histories, some.lists(some.lists(messages, max_size=3), max_size=3), some.integers(0, 12))
@settings(max_examples=200, deadline=None)
def test_remembered_parts_equal_those_from_scratch(history, growth, cut):
    encoded = Encoded(settle, wire)
    assert encoded.parts(history) == from_scratch(history)
    for more in growth:
        history = [*history, *more]
        assert encoded.parts(history) == from_scratch(history)
    changed = [*history[:cut], user("other"), *history[cut + 1 :]]
    assert encoded.parts(changed) == from_scratch(changed)
    assert encoded.parts(history[:cut]) == from_scratch(history[:cut])
    assert encoded.parts(history) == from_scratch(history)


def test_each_message_is_encoded_once():
    counted: list[Message] = []

    def count(message: Message) -> list[bytes]:
        counted.append(message)
        return wire(message)

    encoded = Encoded(settle, count)
    history = [user("go")]
    title = [user("name this")]
    for step in range(50):
        encoded.parts(history)
        encoded.parts(title)
        history += [
            Message("assistant", (ToolCall(f"c{step}", "read", {}),), HERE),
            Message("user", (ToolResult(f"c{step}", (Text("r"),)),)),
        ]

    assert len(counted) == 2 + 2 * 49


def test_bodies_are_joined_in_the_order_of_names():
    assert join_body({"b": join_list([b"1", b"2"]), "a": b'"x"'}) == b'{"a":"x","b":[1,2]}'
