"""Which steps are meant: the last ones, those of a turn, those after a step, or all of a session."""

import re
from collections.abc import Sequence

from codi.protocol.errors import UsageError
from codi.workspace.ledger.states import Step


def newest_session(steps: Sequence[Step]) -> str:
    """The session that did the newest of these steps; "" where there are none."""
    return steps[-1].cause.session if steps else ""


def last(steps: Sequence[Step], count: int) -> list[Step]:
    return list(steps[-count:]) if count > 0 else []


def of_last_turn(steps: Sequence[Step]) -> list[Step]:
    """The steps of the newest turn among these. What was done outside of turns stands for itself."""
    if not steps:
        return []
    newest = steps[-1]
    if not newest.cause.turn:
        return [newest]
    return [
        step for step in steps if (step.cause.session, step.cause.turn) == (newest.cause.session, newest.cause.turn)
    ]


def after(steps: Sequence[Step], number: int) -> list[Step]:
    return [step for step in steps if step.n > number]


def between(steps: Sequence[Step], begin: int | None, end: int | None) -> list[Step]:
    """Those after step `begin`, up to step `end`."""
    return [step for step in steps if (begin or 0) < step.n and (end is None or step.n <= end)]


def step_number(text: str) -> int:
    """`12` and `s12` are the same step. Raises UsageError."""
    if not (told := re.fullmatch(r"s?(\d+)", text)):
        raise UsageError(f"{text!r} is no step", hint="`codi changes` names the steps, such as 12.")
    return int(told[1])
