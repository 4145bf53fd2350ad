"""A conversation line by line, where there is no terminal to paint on."""

import sys
from collections.abc import Sequence

import anyio

from codi.cli.stopping import Ended, cancel_when_ended
from codi.engine.engine import Engine
from codi.frontends.answers import Answering
from codi.frontends.chat import chat
from codi.protocol.ops import Prompt


async def talk(engine: Engine, target: str | None, prompts: Sequence[Prompt], answering: Answering | None) -> int:
    ended = Ended()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cancel_when_ended, ended, tasks.cancel_scope)
        async with engine.open(target) as conversation:
            for warning in conversation.warnings:
                print(f"warning: {warning}", file=sys.stderr)
            await chat(conversation, conversation.greeting, prompts, answering)
        tasks.cancel_scope.cancel()
    return 128 + ended.signal if ended.signal else 0
