"""Which results of tools are taken out of the context first, and which never.

Pure: what stands in the conversation goes in, a choice comes out. Keeping the texts for `recall` is somebody else's part.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import Struct

from codi.agent.context import message_of
from codi.agent.named_files import paths_in
from codi.agent.scores import scores
from codi.agent.working_set import SEARCHING, Pins, WorkingSet, paths_of_calls
from codi.protocol.events import Entry, EvidenceGathered, FilesChanged, MessageAdded, Pruned
from codi.protocol.messages import Image, Message, ToolCall, ToolResult

LEAST_TOKENS = 500
LAST_STEPS = 2
IMAGE_STEPS = 5
_STUB_TOKENS = 40

PROTECTED_TOOLS = frozenset({"ask_person", "todo"})


class Candidate(Struct, frozen=True):
    """A result that may be pruned. The lower its `rank`, the sooner."""

    entry: Entry
    result: ToolResult
    call: ToolCall | None
    tokens: int
    rank: int
    images: bool = False

    @property
    def gain(self) -> int:
        return max(self.tokens - _STUB_TOKENS, 0)


def candidates(
    standing: Sequence[Entry],
    count: Callable[[Entry], int],
    pruned: Mapping[str, Pruned],
    pins: Pins,
    working_set: WorkingSet,
) -> list[Candidate]:
    """In the order in which they are to go: what is superseded, then what matters least, which is mostly the oldest, then what
    belongs to files that are worked on, then errors."""
    calls = paths_of_calls(standing)
    begin_of_last = _begin_of_steps(standing, LAST_STEPS)
    begin_of_images = _begin_of_steps(standing, IMAGE_STEPS)
    evidence = _newest_evidence(standing)
    superseded = _superseded(standing, calls)
    recent = working_set.recent()
    found = []
    for at, entry in enumerate(standing[:begin_of_last]):
        result = _result_of(entry)
        if result is None or entry.id in pruned or entry.id in pins.entries or entry.id in evidence:
            continue
        call = calls.get(result.call_id)
        tool = call.name if call else result.tool
        if tool in PROTECTED_TOOLS:
            continue
        tokens = count(entry)
        if any(isinstance(part, Image) for part in result.content):
            if at < begin_of_images:
                found.append(Candidate(entry, result, call, tokens, 0, images=True))
            continue
        if tokens <= LEAST_TOKENS:
            continue
        files = set(paths_in(call.arguments)) if call and call.name not in SEARCHING else set()
        rank = 3 if result.is_error else 0 if result.call_id in superseded else 2 if files & recent else 1
        if files & set(pins.files):
            rank = max(rank, 2)
        found.append(Candidate(entry, result, call, tokens, rank))
    matters = _scores(standing, recent) if found else {}
    return sorted(found, key=lambda each: (each.rank, matters.get(each.entry.id, 0.0)))


def chosen(found: Sequence[Candidate], wanted: int, least: int) -> list[Candidate]:
    """As many as give `wanted` tokens; none where all of them together give less than `least`, for each prune costs the
    service's cache."""
    taken: list[Candidate] = []
    gained = 0
    for each in found:
        if gained >= max(wanted, least):
            break
        taken.append(each)
        gained += each.gain
    return taken if gained >= least else []


def summary_of(candidate: Candidate) -> str:
    """One line about a result."""
    result, call = candidate.result, candidate.call
    name = result.tool or (call.name if call else "tool")
    asked = ""
    if call:
        asked = next((value for value in call.arguments.values() if isinstance(value, str) and value), "")
    first = asked.splitlines()[0] if asked else ""
    shown = f" {first[:80]}{'...' if len(first) > 80 or first != asked else ''}" if first else ""
    lines = result.text.count("\n") + 1
    return f"{name}{shown}{', failed' if result.is_error else ''} ({lines} line{'s' * (lines != 1)})"


def _scores(standing: Sequence[Entry], recent: Collection[str]) -> dict[str, float]:
    said = [(entry.id, message) for entry in standing if (message := message_of(entry))]
    return dict(zip((id for id, _ in said), scores([message for _, message in said], recent), strict=True))


def _result_of(entry: Entry) -> ToolResult | None:
    match entry.fact:
        case MessageAdded(message=Message(blocks=(ToolResult() as result,))):
            return result
    return None


def _begin_of_steps(standing: Sequence[Entry], steps: int) -> int:
    """The place where the last so many steps begin."""
    left = steps
    for at in range(len(standing) - 1, -1, -1):
        match standing[at].fact:
            case MessageAdded(message=Message(role="assistant")):
                left -= 1
                if not left:
                    return at
    return 0


def _newest_evidence(standing: Sequence[Entry]) -> frozenset[str]:
    """The entries of the results that back what a command said last."""
    newest: dict[str, str] = {}
    waiting: list[str] = []
    for entry in standing:
        if isinstance(entry.fact, EvidenceGathered):
            waiting.append(entry.fact.command)
        elif waiting and _result_of(entry) is not None:
            newest.update((command, entry.id) for command in waiting)
            waiting = []
    return frozenset(newest.values())


def _superseded(standing: Sequence[Entry], calls: Mapping[str, ToolCall]) -> frozenset[str]:
    """Calls whose result says nothing any more: the file was read again whole, or is gone."""
    reads: dict[str, list[str]] = {}
    old: set[str] = set()
    for entry in standing:
        match entry.fact:
            case MessageAdded(message=Message(blocks=(ToolResult(call_id=call_id, is_error=False),))):
                call = calls.get(call_id)
                if call is not None and call.name == "read":
                    for path in paths_in(call.arguments):
                        if "offset" not in call.arguments and "limit" not in call.arguments:
                            old.update(reads.get(path, ()))
                            reads[path] = []
                        reads.setdefault(path, []).append(call_id)
            case FilesChanged(changes=changes):
                for change in changes:
                    if change.kind == "deleted":
                        old.update(reads.pop(change.path, ()))
    return frozenset(old)
