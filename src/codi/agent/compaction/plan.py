"""What a compaction would say shorter and what it would keep, and the summary's parts that codi writes itself."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from codi.agent.compaction.cut import Count, Cut, cut_of, is_message
from codi.agent.compaction.digest import digest_of
from codi.agent.compaction.serialising import serialised
from codi.agent.compaction.structure import own_part, said_by_model
from codi.agent.compaction.verbatim import Constraint, constraints_of, said_by_person, user_messages
from codi.agent.named_files import Files
from codi.agent.windows import Tier
from codi.agent.working_set import Pins
from codi.protocol.events import ContextCompacted, Entry, EvidenceGathered, MessageAdded, TodoItem
from codi.protocol.messages import Message, ToolResult
from codi.sessions import folds

HISTORY_SHARE, PREFIX_SHARE = 0.80, 0.50
"""Of the reserve, for the answer of the model that summarises."""

_CHARACTERS = 4


class Plan(Struct, frozen=True):
    """`history` and `prefix` are the entries that are summarised, `kept` what follows them on the path."""

    path: Sequence[Entry]
    cut: Cut
    history: Sequence[Entry]
    prefix: Sequence[Entry]
    kept: Sequence[Entry]
    previous: str

    @property
    def dropped(self) -> list[Entry]:
        return [entry for entry in (*self.history, *self.prefix) if is_message(entry)]

    @property
    def first_kept(self) -> str:
        """Empty where nothing is kept."""
        return self.path[self.cut.first_kept].id if self.kept else ""

    @property
    def earlier(self) -> ContextCompacted | None:
        at = self.cut.previous
        fact = self.path[at].fact if at is not None else None
        return fact if isinstance(fact, ContextCompacted) else None


def plan_of(path: Sequence[Entry], cut: Cut) -> Plan:
    middle = cut.first_kept if cut.turn is None else min(cut.turn, cut.first_kept)
    of_earlier = path[cut.previous].fact if cut.previous is not None else None
    previous = said_by_model(of_earlier.summary) if isinstance(of_earlier, ContextCompacted) else ""
    return Plan(
        path=path,
        cut=cut,
        history=_facts(path[cut.begin : middle]),
        prefix=_facts(path[middle : cut.first_kept]),
        kept=_facts(path[cut.first_kept :]),
        previous=previous,
    )


def fitting_plan(path: Sequence[Entry], count: Count, tier: Tier, room: int) -> Plan | None:
    """The plan that keeps most of what fits into `room` tokens, what is usual for the window first. Where nothing fits, the one
    that keeps least. None where there is nothing to say shorter."""
    best: Plan | None = None
    keep = tier.keep_recent
    for min_recent in (tier.min_recent, 0, 0, 0):
        cut = cut_of(path, count, keep, min_recent=min_recent)
        if cut is not None:
            best = plan_of(path, cut)
            if sum(map(count, best.kept)) <= room:
                return best
        keep = max(keep // 2, 1)
    cut = cut_of(path, count, 1, whole=True)
    return plan_of(path, cut) if cut is not None else best


def own_parts(plan: Plan, pins: Pins, window: int) -> tuple[str, list[Constraint]]:
    """What codi writes below the summary, from the path alone, and the constraints that it quotes."""
    summarised = plan.path[: plan.cut.first_kept]
    said, quoted = user_messages(said_by_person(summarised), window)
    files = files_of(plan)
    todos = folds.todos(plan.path)
    text = "".join(
        (
            own_part("user-messages", said),
            own_part("pinned", _pinned(summarised, pins)),
            own_part("answers", _answers(summarised)),
            own_part("todo", "\n".join(_todo(item) for item in todos)),
            own_part("evidence", _evidence(plan.path)),
            own_part("read-files", "\n".join(files.read)),
            own_part("modified-files", "\n".join(files.changed)),
        )
    )
    return text, quoted


def files_of(plan: Plan) -> Files:
    files = Files()
    if plan.earlier is not None:
        files.take_over(plan.earlier)
    files.take([*plan.history, *plan.prefix])
    return files


def digest(plan: Plan, tier: Tier) -> str:
    return digest_of(
        [*plan.history, *plan.prefix],
        folds.todos(plan.path),
        plan.previous,
        max(int(tier.reserve * HISTORY_SHARE * _CHARACTERS), 800),
    )


def ledger_of(plan: Plan) -> list[dict[str, Any]]:
    """Facts that are kept beside the summary: constraints, what failed, and what is to do."""
    summarised = plan.path[: plan.cut.first_kept]
    rows: list[tuple[str, str, str]] = [
        ("constraint", constraint.text, constraint.entry_id)
        for constraint in constraints_of(said_by_person(summarised))
    ]
    for entry in plan.dropped:
        match entry.fact:
            case MessageAdded(message=Message(blocks=(ToolResult(is_error=True) as result,))):
                rows.append(("failure", (result.text.splitlines() or [""])[0][:200], entry.id))
    rows += [("todo", item.content, plan.path[-1].id) for item in folds.todos(plan.path) if item.status != "completed"]
    return [
        {"id": f"{kind[0]}{number}", "kind": kind, "text": text, "from": entry_id}
        for number, (kind, text, entry_id) in enumerate(rows, 1)
    ]


def _facts(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if not isinstance(entry.fact, ContextCompacted)]


def _pinned(entries: Sequence[Entry], pins: Pins) -> str:
    texts = []
    for entry in entries:
        if entry.id in pins.entries and is_message(entry):
            texts += [f"[{entry.id}] {text}" for text in _whole(entry)]
    return "\n\n".join(texts)


def _whole(entry: Entry) -> list[str]:
    match entry.fact:
        case MessageAdded(message=Message(blocks=(ToolResult() as result,))):
            return [result.text]
    return serialised([entry])


def _answers(entries: Sequence[Entry]) -> str:
    texts = []
    for entry in entries:
        match entry.fact:
            case MessageAdded(message=Message(blocks=(ToolResult(tool="ask_person", is_error=False) as result,))):
                texts.append(f"[{entry.id}] {result.text}")
    return "\n".join(texts)


def _todo(item: TodoItem) -> str:
    mark = {"completed": "x", "in_progress": "-", "pending": " "}[item.status]
    return f"- [{mark}] {item.content}"


def _evidence(path: Sequence[Entry]) -> str:
    newest: dict[str, EvidenceGathered] = {}
    for entry in path:
        if isinstance(entry.fact, EvidenceGathered):
            newest.pop(entry.fact.command, None)
            newest[entry.fact.command] = entry.fact
    return "\n".join(_run(run) for run in list(newest.values())[-20:])


def _run(run: EvidenceGathered) -> str:
    numbers = ", ".join(
        f"{count} {name}"
        for name, count in (("passed", run.passed), ("failed", run.failed), ("skipped", run.skipped))
        if count is not None
    )
    return f"{run.id}: {run.command}: exit code {run.exit_code}{f' ({numbers})' if numbers else ''}"
