"""Who thinks, and what is allowed, from here on."""

from collections.abc import Sequence
from typing import cast, get_args

from codi.commands.command import Desk, Do, Fail, Open, Outcome
from codi.protocol.ops import ChooseModel, ChoosePolicy, Mode


async def model(words: Sequence[str], desk: Desk) -> Outcome:
    if not words:
        return Open("models")
    return Do((ChooseModel(words[0]),)) if len(words) == 1 else Fail("usage: /model [[provider/]id[:thinking]]")


async def mode(words: Sequence[str], desk: Desk) -> Outcome:
    if not words:
        return Open("modes")
    if len(words) > 1 or words[0] not in get_args(Mode):
        return Fail(f"usage: /mode {'|'.join(get_args(Mode))}")
    return Do((ChoosePolicy(cast(Mode, words[0])),))


async def theme(words: Sequence[str], desk: Desk) -> Outcome:
    return Open("theme", words[0]) if words else Open("themes")


async def hotkeys(words: Sequence[str], desk: Desk) -> Outcome:
    return Open("keys")
