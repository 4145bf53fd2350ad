"""What was done in a session, folded from its entries: runs that are evidence, other commands, changes of files."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from codi.protocol.effects import Runs
from codi.protocol.events import CallIntended, Entry, EvidenceGathered, FileChange, FilesChanged, MessageAdded
from codi.workspace.digest import is_by_product

Outcome = Literal["passed", "failed", "unclear"]


class Ran(Struct, frozen=True):
    """A command of a call, and how it ended; `exit_code` is None where a signal or the timeout ended it."""

    command: str
    exit_code: int | None


class Deeds(Struct, frozen=True):
    """`began` is when the session began, in seconds since 1970; `changes` are those of what people work on."""

    began: float
    evidence: tuple[EvidenceGathered, ...]
    commands: tuple[Ran, ...]
    changes: tuple[FileChange, ...]


def deeds(entries: Iterable[Entry]) -> Deeds:
    began, evidence, changes = 0.0, [], []  # type: float, list[EvidenceGathered], list[FileChange]
    intended: dict[str, str] = {}
    commands: list[Ran] = []
    for entry in entries:
        began = began or entry.at
        match entry.fact:
            case EvidenceGathered() as gathered:
                evidence.append(gathered)
            case FilesChanged(_, changed):
                changes += (change for change in changed if not is_by_product(change.path))
            case CallIntended(id, _, _, effects):
                for effect in effects:
                    if isinstance(effect, Runs):
                        intended[id] = effect.line
            case MessageAdded(message):
                for result in message.tool_results:
                    if line := intended.get(result.call_id):
                        code = (result.details or {}).get("exitCode", None if result.is_error else 0)
                        commands.append(Ran(line, code if isinstance(code, int) else None))
    return Deeds(began, tuple(evidence), tuple(commands), tuple(changes))


def outcome_of(evidence: EvidenceGathered) -> Outcome:
    """How a run went."""
    return evidence.outcome or told_by(evidence.exit_code)


def told_by(exit_code: int | None) -> Outcome:
    return "passed" if exit_code == 0 else "failed"
