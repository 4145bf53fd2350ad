"""Conversations in the terminal interface, one after the other."""

from collections.abc import Sequence

import anyio

from codi.cli.around import surroundings
from codi.cli.names import KnownNames
from codi.cli.stopping import Ended, cancel_when_ended
from codi.engine.beginning import Beginning
from codi.engine.places import Places
from codi.engine.reception import Reception
from codi.frontends.answers import Answering
from codi.frontends.tui.app import App
from codi.frontends.tui.opening import Opening
from codi.protocol.ops import Op, Prompt


async def talk(
    reception: Reception,
    target: str | None,
    prompts: Sequence[Prompt],
    opening: Opening,
    places: Places,
    answering: Answering | None,
    above: Sequence[str] | None = (),
    beginning: Beginning | None = None,
    command: str = "",
) -> int:
    """`above` is what is shown first, besides who answers; None shows neither. `beginning` is what there is of a new conversation.
    `command` is obeyed first."""
    ended = Ended()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cancel_when_ended, ended, tasks.cancel_scope)
        await _conversations(reception, target, prompts, opening, places, answering, above, beginning, command)
        tasks.cancel_scope.cancel()
    return 128 + ended.signal if ended.signal else 0


async def _conversations(
    reception: Reception,
    target: str | None,
    prompts: Sequence[Prompt],
    opening: Opening,
    places: Places,
    answering: Answering | None,
    above: Sequence[str] | None,
    beginning: Beginning | None,
    command: str,
) -> None:
    """One conversation after the other, as the person goes from one to the next."""
    names = KnownNames(reception, places)
    around = surroundings(reception, places, names, answering)
    going: str | None = target or ""
    begin: Sequence[Op] = prompts
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(names.learn)
        while going is not None:
            async with reception.open(going or None, beginning) as conversation:
                greeting = "" if above is None else "\n".join([conversation.greeting, *above])
                app = App(opening, conversation, around, greeting=greeting)
                tasks.start_soon(_hurry_when_drawn, reception, app)
                await app.run(begin, command)
            going, begin, beginning, command = app.next, app.then, None, ""
        tasks.cancel_scope.cancel()


async def _hurry_when_drawn(reception: Reception, app: App) -> None:
    await app.drawn.wait()
    reception.hurry()
