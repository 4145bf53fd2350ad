"""What this run may still take."""

from collections.abc import Sequence

from codi.commands.command import Desk, Fail, Outcome, Show
from codi.protocol.events import BudgetDelta, StatusDelta
from codi.protocol.ops import ChooseBudget

_USAGE = "usage: /budget [cost usd|turns n|time s|off]"


async def budget(words: Sequence[str], desk: Desk) -> Outcome:
    op = _meant(words)
    if op is None:
        return Fail(_USAGE)
    told = await desk.answer(op)
    if isinstance(told, StatusDelta):
        return Fail(told.text, told.hint or "")
    assert isinstance(told, BudgetDelta)
    cost = "no limit" if told.cost is None else f"${told.cost:.2f}"
    rows = {
        "cost": f"${told.spent:.4f} spent of {cost}" + (f", ${told.reserved:.4f} reserved" if told.reserved else ""),
        "turns": f"at most {told.steps} steps in a turn" if told.steps else "any number of steps",
        "time": f"at most {told.time_s:g} s for a turn",
        "tokens": f"{told.tokens_used} used" + (f" of {told.tokens}" if told.tokens else ""),
    }
    return Show("\n".join(f"{name:<8}{value}" for name, value in rows.items()), "budget")


def _meant(words: Sequence[str]) -> ChooseBudget | None:
    match [word.removeprefix("$") for word in words]:
        case []:
            return ChooseBudget()
        case ["off"]:
            return ChooseBudget(off=True)
        case ["cost", amount] if _number(amount) is not None:
            return ChooseBudget(cost=_number(amount))
        case ["turns", count] if count.isdecimal():
            return ChooseBudget(steps=int(count))
        case ["time", seconds] if _number(seconds):
            return ChooseBudget(time_s=_number(seconds))
    return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
