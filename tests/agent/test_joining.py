"""Pieces of an answer that come together are told together, in order and whole."""

import anyio
from anyio.lowlevel import checkpoint

from codi.agent.joining import JoinedDeltas
from codi.protocol.events import Delta, StatusDelta, TextDelta, ThinkingDelta

DELTAS: list[Delta] = [
    ThinkingDelta("so ", 0),
    ThinkingDelta("it is", 0),
    TextDelta("one ", 1),
    TextDelta("two ", 1),
    StatusDelta(kind="warning", text="beside"),
    TextDelta("three", 1),
    TextDelta("other", 2),
]


def test_what_goes_on_in_one_place_is_told_once() -> None:
    told: list[Delta] = []

    async def tell() -> None:
        joined = JoinedDeltas(told.append)
        for delta in DELTAS:
            joined.tell(delta)
        await checkpoint()

    anyio.run(tell)
    assert told == [
        ThinkingDelta("so it is", 0),
        TextDelta("one two ", 1),
        StatusDelta(kind="warning", text="beside"),
        TextDelta("three", 1),
        TextDelta("other", 2),
    ]


def test_who_waits_between_two_pieces_lets_the_first_be_told() -> None:
    told: list[Delta] = []

    async def tell() -> None:
        joined = JoinedDeltas(told.append)
        joined.tell(TextDelta("one ", 0))
        await checkpoint()
        assert told == [TextDelta("one ", 0)]
        joined.tell(TextDelta("two", 0))
        joined.flush()

    anyio.run(tell)
    assert told == [TextDelta("one ", 0), TextDelta("two", 0)]
