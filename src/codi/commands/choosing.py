"""Who thinks, and what is allowed, from here on."""

import json
from collections.abc import Sequence
from typing import Any, cast, get_args

from codi.commands.command import Desk, Do, Fail, Open, Outcome, Show
from codi.protocol.events import ModelChosen, SandboxDelta
from codi.protocol.messages import Level
from codi.protocol.ops import ChooseModel, ChoosePolicy, ChooseSandbox, ChooseThinking, Mode


async def model(words: Sequence[str], desk: Desk) -> Outcome:
    if not words:
        return Open("models")
    return Do((ChooseModel(words[0]),)) if len(words) == 1 else Fail("usage: /model [[provider/]id[:thinking]]")


async def thinking(words: Sequence[str], desk: Desk) -> Outcome:
    if not words:
        return Open("thinking")
    if len(words) > 1 or words[0] not in get_args(Level):
        return Fail(f"usage: /thinking [{'|'.join(get_args(Level))}]")
    return Do((ChooseThinking(cast(Level, words[0])),))


async def scoped_models(words: Sequence[str], desk: Desk) -> Outcome:
    """Those that the settings favour; cycling goes from one to the next."""
    if len(words) > 1 or (words and words[0] not in ("next", "back")):
        return Fail("usage: /scoped-models [next|back]")
    answered = await desk.subcommand("models", "--favourites", "--json")
    names = [json.loads(line)["model"] for line in answered.text.splitlines()]
    if not names:
        return Fail("there are no models to cycle through", "Name some: codi config set model.favourites '[\"...\"]'.")
    if not words:
        return Show("\n".join(names), "models to cycle through")
    chosen = [entry.fact for entry in desk.entries if isinstance(entry.fact, ModelChosen)]
    now = f"{chosen[-1].provider}/{chosen[-1].model_id}" if chosen else ""
    step = 1 if words[0] == "next" else -1
    at = names.index(now) + step if now in names else (0 if step > 0 else -1)
    return Do((ChooseModel(names[at % len(names)]),))


async def mode(words: Sequence[str], desk: Desk) -> Outcome:
    if not words:
        return Open("modes")
    if len(words) > 1 or words[0] not in get_args(Mode):
        return Fail(f"usage: /mode {'|'.join(get_args(Mode))}")
    return Do((ChoosePolicy(cast(Mode, words[0])),))


async def sandbox(words: Sequence[str], desk: Desk) -> Outcome:
    modes = [word for word in words if word != "status"]
    if len(words) > 1 or (modes and modes[0] not in ("off", "auto", "require")):
        return Fail("usage: /sandbox off|auto|require|status")
    told = await desk.answer(ChooseSandbox(cast(Any, modes[0]) if modes else None))
    assert isinstance(told, SandboxDelta)
    return Show("\n".join(line for line in (told.text, told.hint) if line), "sandbox")


async def theme(words: Sequence[str], desk: Desk) -> Outcome:
    return Open("theme", words[0]) if words else Open("themes")


async def hotkeys(words: Sequence[str], desk: Desk) -> Outcome:
    return Open("keys")
