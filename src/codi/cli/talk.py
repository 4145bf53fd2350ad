"""Conversations line by line, one after the other: where there is no terminal to paint on, or a person wants lines."""

import sys
from collections.abc import Sequence

import anyio

from codi.cli.around import surroundings
from codi.cli.names import KnownNames
from codi.cli.stopping import Ended, cancel_when_ended
from codi.engine.places import Places
from codi.engine.reception import Reception
from codi.frontends.answers import Answering
from codi.frontends.chat import chat
from codi.frontends.typed_lines import TypedLines
from codi.protocol.ops import Op, Prompt


async def talk(
    reception: Reception,
    target: str | None,
    prompts: Sequence[Prompt],
    places: Places,
    answering: Answering | None,
    command: str = "",
) -> int:
    """`command` is obeyed first."""
    begin: Sequence[Op] = prompts
    ended = Ended()
    names = KnownNames(reception, places)
    around = surroundings(reception, places, names, answering)
    typed = TypedLines()
    going: str | None = target or ""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cancel_when_ended, ended, tasks.cancel_scope)
        tasks.start_soon(names.learn)
        while going is not None:
            async with reception.engine.open(going or None) as conversation:
                for warning in conversation.warnings:
                    print(f"warning: {warning}", file=sys.stderr)
                going, begin = await chat(conversation, around, conversation.greeting, begin, typed, command)
            command = ""
        tasks.cancel_scope.cancel()
    return 128 + ended.signal if ended.signal else 0
