"""Who listens to a conversation can neither stop it nor slow it down, and loses deltas at most."""

import anyio
import pytest

from codi.engine.engine import Engine
from codi.protocol.events import Entry, Event, MessageAdded, TextDelta, TurnEnded
from codi.protocol.ops import Prompt
from conftest import Codi, call, says

STEPS = 40


async def heard(codi: Codi, *, beside: str = "") -> tuple[list[str], float]:
    """What a listener hears of a turn while another one beside it sleeps or fails, and how long the turn took."""
    kinds: list[str] = []
    took = 0.0

    async def listen(events) -> None:
        nonlocal took
        began = anyio.current_time()
        async for event in events:
            kinds.append(kind_of(event))
            if kinds[-1] == "TurnEnded":
                took = anyio.current_time() - began
                return

    async def fail(events) -> None:
        with pytest.raises(ValueError, match="mine"):
            async for _ in events:
                raise ValueError("mine")

    async with Engine.at(str(codi.cwd), model="anthropic/x").open() as conversation, anyio.create_task_group() as tasks:
        other = conversation.events() if beside else None
        tasks.start_soon(listen, conversation.events())
        if beside == "raises":
            tasks.start_soon(fail, other)
        await conversation.send(Prompt("go"))
        while not took:
            await anyio.sleep(0.005)
        if beside == "sleeps":
            late: list[Event] = []
            async for event in other:
                late.append(event)
                if kind_of(event) == "TurnEnded":
                    break
            entries = [kind_of(event) for event in late if isinstance(event, Entry)]
            assert (
                entries == [kind for kind in kinds if kind[0] not in "dr"][-len(entries) :] and "TurnEnded" in entries
            )
    return kinds, took


def kind_of(event: Event) -> str:
    if isinstance(event, Entry):
        return type(event.fact).__name__
    return "delta" if isinstance(event, TextDelta) else "rest"


@pytest.mark.parametrize("beside", ["sleeps", "raises"])
def test_a_slow_or_failing_listener_changes_nothing(codi: Codi, lab, monkeypatch, beside):
    lab({"loop": True, "steps": [{"repeat": STEPS, **says("word", call("list", limit="{{n}}"))}, says("Done.")]})
    codi.set_up("[agent]\nmax_steps = 0\n")
    for name in ("CODI_HOME", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, codi.env[name])
    alone, first = anyio.run(heard, codi)
    together, second = anyio.run(lambda: heard(codi, beside=beside))
    assert alone == together and alone.count(MessageAdded.__name__) == 2 + 2 * STEPS
    assert alone[-1] == TurnEnded.__name__
    assert second < first * 2 + 0.5, "what one listener does cost another one time"
