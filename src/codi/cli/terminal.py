"""Conversations in the terminal interface, one after the other."""

from collections.abc import Sequence
from functools import partial

import anyio
from anyio import to_thread

from codi.cli.around import surroundings
from codi.cli.names import KnownNames
from codi.cli.stopping import Ended, cancel_when_ended
from codi.engine.engine import Engine
from codi.engine.places import Places
from codi.frontends.answers import Answering
from codi.frontends.tui.app import App
from codi.frontends.tui.opening import Opening
from codi.protocol.ops import Prompt
from codi.providers.assembly import load_http


async def talk(
    engine: Engine,
    target: str | None,
    prompts: Sequence[Prompt],
    opening: Opening,
    places: Places,
    answering: Answering | None,
) -> int:
    ended = Ended()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cancel_when_ended, ended, tasks.cancel_scope)
        await _conversations(engine, target, prompts, opening, places, answering)
        tasks.cancel_scope.cancel()
    return 128 + ended.signal if ended.signal else 0


async def _conversations(
    engine: Engine,
    target: str | None,
    prompts: Sequence[Prompt],
    opening: Opening,
    places: Places,
    answering: Answering | None,
) -> None:
    """One conversation after the other, as the person goes from one to the next."""
    names = KnownNames(engine, places)
    around = surroundings(engine, places, names, answering)
    going: str | None = target or ""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(names.learn)
        is_first = True
        while going is not None:
            async with engine.open(going or None) as conversation:
                if is_first:  # it begins when the application first waits, and all is painted
                    tasks.start_soon(partial(to_thread.run_sync, load_http, abandon_on_cancel=True))
                    is_first = False
                app = App(opening, conversation, around, greeting=conversation.greeting)
                await app.run(prompts)
            going, prompts = app.next, ()
        tasks.cancel_scope.cancel()
