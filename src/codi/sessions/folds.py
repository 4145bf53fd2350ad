"""The state of a session, each part a pure fold over entries: over a path for what holds at its leaf, over all entries for
what was ever spent."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from codi.protocol.events import (
    ApprovalAsked,
    ApprovalGiven,
    CallIntended,
    Entry,
    Fact,
    MessageAdded,
    ModelChosen,
    ModelDescribed,
    PolicyChosen,
    QuestionAsked,
    QueueKept,
    RequestSent,
    ThinkingChosen,
    TitleGiven,
    TodoItem,
    TodoWritten,
    TurnEnded,
    TurnStarted,
)
from codi.protocol.messages import Cost, Level, Message, ToolCall, Usage


class ModelInForce(Struct, frozen=True):
    provider: str
    model_id: str


def model(path: Sequence[Entry]) -> ModelInForce | None:
    """The model that was chosen, or that answered, last; of one that only stood in for another, the other."""
    newest: ModelInForce | None = None
    for entry in reversed(path):
        match entry.fact:
            case ModelDescribed(why="fallback", came_from=str(first)):
                provider, _, model_id = first.partition("/")
                newest = ModelInForce(provider, model_id)
            case ModelDescribed(why="chosen") if newest:
                break
            case ModelChosen(provider, model_id) if newest is None:
                newest = ModelInForce(provider, model_id)
            case MessageAdded(Message("assistant", origin=origin)) if origin is not None and newest is None:
                newest = ModelInForce(origin.provider, origin.model)
            case TurnStarted() | TurnEnded() if newest:
                break
    return newest


def described(path: Sequence[Entry]) -> ModelDescribed | None:
    """What was told last of the model that answers."""
    return next((entry.fact for entry in reversed(path) if isinstance(entry.fact, ModelDescribed)), None)


def thinking(path: Sequence[Entry]) -> Level | None:
    """The level that was chosen last; None where none ever was, which means off."""
    return next((entry.fact.level for entry in reversed(path) if isinstance(entry.fact, ThinkingChosen)), None)


def name(path: Sequence[Entry]) -> str:
    """The newest name; "" where there is none or it was taken away."""
    return next((entry.fact.name for entry in reversed(path) if isinstance(entry.fact, TitleGiven)), "")


def todos(path: Sequence[Entry]) -> tuple[TodoItem, ...]:
    return next((entry.fact.items for entry in reversed(path) if isinstance(entry.fact, TodoWritten)), ())


def queue(path: Sequence[Entry]) -> QueueKept:
    """What waited when the session was last left."""
    return next((entry.fact for entry in reversed(path) if isinstance(entry.fact, QueueKept)), QueueKept())


def policy_mode(path: Sequence[Entry]) -> str | None:
    """The mode that was chosen last; None where none ever was."""
    return next((entry.fact.mode for entry in reversed(path) if isinstance(entry.fact, PolicyChosen)), None)


def open_approvals(path: Sequence[Entry]) -> list[ApprovalAsked]:
    """What still waits for an answer: neither answered, nor its call answered, nor its turn at an end."""
    waiting: dict[str, ApprovalAsked] = {}
    for entry in path:
        match entry.fact:
            case ApprovalAsked() as asked:
                waiting[asked.tool_call_id] = asked
            case ApprovalGiven() as given:
                waiting.pop(given.tool_call_id, None)
            case MessageAdded(message):
                for result in message.tool_results:
                    waiting.pop(result.call_id, None)
            case TurnEnded():
                waiting.clear()
    return list(waiting.values())


def unfinished_calls(path: Sequence[Entry]) -> list[CallIntended]:
    """Calls with effects that began and have no result: nobody knows how far they came."""
    begun: dict[str, CallIntended] = {}
    for entry in path:
        match entry.fact:
            case CallIntended() as intended:
                begun[intended.tool_call_id] = intended
            case MessageAdded(message):
                for result in message.tool_results:
                    begun.pop(result.call_id, None)
    return list(begun.values())


def calls_cut_off(path: Sequence[Entry]) -> list[CallIntended]:
    """Those of a turn that has no end: codi itself ended within it."""
    begun = next((at for at in reversed(range(len(path))) if isinstance(path[at].fact, TurnStarted | TurnEnded)), None)
    return [] if begun is None or isinstance(path[begun].fact, TurnEnded) else unfinished_calls(path[begun:])


def calls_left_open(path: Sequence[Entry]) -> list[ToolCall]:
    """Calls of the last reply that never began, where the person was still being asked about one of them, or by one."""
    calls: dict[str, ToolCall] = {}
    approvals = {approval.tool_call_id for approval in open_approvals(path)}
    is_questioned = False
    for entry in path:
        match entry.fact:
            case MessageAdded(Message("assistant") as message):
                calls = {call.id: call for call in message.tool_calls}
                is_questioned = False
            case MessageAdded(message):
                for result in message.tool_results:
                    calls.pop(result.call_id, None)
            case CallIntended(tool_call_id=id):
                calls.pop(id, None)
            case QuestionAsked():
                is_questioned = True
            case TurnEnded():
                calls.clear()
    return list(calls.values()) if is_questioned or approvals & calls.keys() else []


def turns(path: Iterable[Entry]) -> int:
    """The number of the newest turn. Other programs do not number turns: there each prompt began one."""
    prompts = newest = 0
    for entry in path:
        match entry.fact:
            case TurnStarted(turn):
                newest = max(newest, turn)
            case MessageAdded(Message("user") as message) if not message.tool_results:
                prompts += 1
    return newest or prompts


def usage(entries: Iterable[Entry]) -> Usage:
    """The tokens of all replies, summaries included, and their cost, which is None as soon as that of one that used tokens is unknown."""
    used = [used for entry in entries if (used := _usage_of(entry.fact)) is not None]
    costs = [part.cost for part in used if part.total]
    known = [cost for cost in costs if cost is not None]
    return Usage(
        input=sum(part.input for part in used),
        output=sum(part.output for part in used),
        cache_read=sum(part.cache_read for part in used),
        cache_write=sum(part.cache_write for part in used),
        cache_write_1h=sum(part.cache_write_1h for part in used),
        thinking=sum(part.thinking for part in used),
        estimated=any(part.estimated for part in used),
        cost=_sum(known) if len(known) == len(costs) else None,
    )


def _usage_of(fact: Fact) -> Usage | None:
    match fact:
        case MessageAdded(reply=reply):
            return reply.usage if reply else None
        case RequestSent(usage=usage):
            return usage
    return None


def _sum(costs: Sequence[Cost]) -> Cost:
    return Cost(
        sum(cost.input for cost in costs),
        sum(cost.output for cost in costs),
        sum(cost.cache_read for cost in costs),
        sum(cost.cache_write for cost in costs),
    )
