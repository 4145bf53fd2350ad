"""What is allowed, and the rules that say so: the words of `codi policy`, in a conversation."""

from collections.abc import Sequence

from codi.commands.command import Desk, Fail, Outcome, Show
from codi.protocol.events import PolicyDelta
from codi.protocol.ops import ConsultPolicy


async def policy(words: Sequence[str], desk: Desk) -> Outcome:
    return await _consulted(words, desk)


async def approvals(words: Sequence[str], desk: Desk) -> Outcome:
    return await _consulted(rule_words(words), desk)


async def allow(words: Sequence[str], desk: Desk) -> Outcome:
    return await _consulted(("allow", *words), desk) if words else Fail("usage: /allow RULE")


async def deny(words: Sequence[str], desk: Desk) -> Outcome:
    return await _consulted(("deny", *words), desk) if words else Fail("usage: /deny RULE")


def rule_words(words: Sequence[str]) -> list[str]:
    """What `/approvals` means in the words of `/policy`."""
    match words:
        case ["add" | "remove" as verb, "pattern", *text] if text:
            return [verb, f"run({' '.join(text)})"]
        case ["add" | "remove" as verb, "path", path]:
            return [verb, f"write({path})"]
        case ["add" | "remove" as verb, "category", name]:
            return [verb, f"@{name.removeprefix('@')}"]
    return list(words)


async def _consulted(words: Sequence[str], desk: Desk) -> Outcome:
    told = await desk.answer(ConsultPolicy(tuple(words)))
    if not isinstance(told, PolicyDelta):
        return Fail("the rules gave no answer")
    return Show(told.text, "rules")
