"""What the conversation itself says of its work."""

from collections.abc import Sequence

from codi.commands.beside import heard
from codi.commands.command import Desk, Fail, Outcome, Show
from codi.protocol.events import ClaimChecked, EvidenceGathered, FilesChanged, TodoWritten, TurnEnded
from codi.protocol.ops import SettleTodo


async def evidence(words: Sequence[str], desk: Desk) -> Outcome:
    """The claims with their marks, then the runs; a run is stale when files were changed since."""
    claims: list[ClaimChecked] = []
    runs: list[EvidenceGathered] = []
    tree: str | None = None
    for entry in desk.entries:
        match entry.fact:
            case ClaimChecked() as claim:
                claims.append(claim)
            case EvidenceGathered() as run:
                runs.append(run)
                tree = run.tree
            case FilesChanged():
                tree = None
            case TurnEnded(tree=str() as digest):
                tree = digest
    lines = []
    for claim in claims:
        lines.append(f"{claim.text} [{claim.state}]{f' by {claim.evidence}' if claim.evidence else ''}")
        lines += [f"  {claim.why}"] if claim.why else []
    for run in runs:
        status = "no exit status" if run.exit_code is None else f"exit status {run.exit_code}"
        stale = "" if run.tree == tree else ", stale: files were changed since"
        lines.append(f"{run.id}: {run.command} ({run.kind}, {status}{stale})")
    return Show("\n".join(lines) or "no claims and no evidence yet", "evidence")


async def todo(words: Sequence[str], desk: Desk) -> Outcome:
    match list(words):
        case ["clear"]:
            return await heard(desk, SettleTodo())
        case ["done", number] if number.isdecimal():
            return await heard(desk, SettleTodo(int(number)))
        case [] | ["list"]:
            return _listed(desk)
    return Fail("usage: /todo [list|clear|done N]")


def _listed(desk: Desk) -> Show:
    lists = [entry.fact.items for entry in desk.entries if isinstance(entry.fact, TodoWritten)]
    marks = {"pending": "☐", "in_progress": "◐", "completed": "☑"}
    items = lists[-1] if lists else ()
    lines = [f"{number}. {marks[item.status]} {item.content}" for number, item in enumerate(items, 1)]
    return Show("\n".join(lines) or "nothing is on the list", "todo")
