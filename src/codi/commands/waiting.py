"""What was said and waits, and asking the last prompt again."""

from collections.abc import Sequence

from codi.commands.command import Desk, Do, Fail, Open, Outcome, Show
from codi.protocol.ops import Retry, Revise, Withdraw

_USAGE = "usage: /queue [list|drop n|edit n [text]|clear]"


async def queue(words: Sequence[str], desk: Desk) -> Outcome:
    first, *rest = words or ["list"]
    items = desk.waiting
    if first == "list" and not rest:
        rows = [
            f"{number}. {'steer' if item.line == 'steering' else 'next '} {item.what.text}"
            for number, item in enumerate(items, 1)
        ]
        return Show("\n".join(rows) or "nothing waits", "queue", view="queue" if items else None)
    if first == "clear" and not rest:
        if not items:
            return Show("nothing waits")
        return Do((Withdraw("steering"), Withdraw("follow_up")), f"dropped {len(items)}")
    if first not in ("drop", "edit") or not rest or not rest[0].isdecimal() or (first == "drop" and rest[1:]):
        return Fail(_USAGE)
    number = int(rest[0])
    if not 1 <= number <= len(items):
        return Fail(f"nothing waits at {number}", "/queue lists what waits.")
    item = items[number - 1]
    if first == "drop":
        return Do((Withdraw(item.line, item.at),), f"dropped: {item.what.text}")
    if rest[1:]:
        return Do((Revise(item.line, item.at, " ".join(rest[1:])),))
    return Open("queued", str(number))


async def retry(words: Sequence[str], desk: Desk) -> Outcome:
    return Fail("usage: /retry") if words else Do((Retry(),))
