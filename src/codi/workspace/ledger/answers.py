"""What a person asks of the ledger, answered in the words of the protocol."""

import os

from codi.protocol.errors import UsageError, WorkspaceError
from codi.protocol.events import BlamedLine, SnapshotRow, ToldStep
from codi.workspace.ledger.blame import Line, blame
from codi.workspace.ledger.ledger import Ledger
from codi.workspace.ledger.snapshots import Snapshot
from codi.workspace.ledger.states import Step
from codi.workspace.ledger.undoing import is_of_git


def shown(path: str) -> str:
    """A path of the ledger as text that can be printed."""
    return os.fsencode(path).decode("utf-8", "replace")


def blamed(ledger: Ledger, path: str, first: int | None, last: int | None, typed: str) -> tuple[BlamedLine, ...]:
    """Who wrote the lines of a file, which a person called `typed`. Raises UsageError and WorkspaceError."""
    if ledger.journal.records:
        ledger.look()  # what a person changed since the last step is theirs
    _, content = ledger.scanner.state(path)
    if content is None:
        raise WorkspaceError(f"{typed} cannot be read as a file", hint="Name a file that is there.")
    lines = blame(path, content, ledger.journal.steps(), ledger.contents)
    begin = first or 1
    end = last or first or len(lines)
    if first is not None and not 1 <= first <= end <= len(lines):
        raise UsageError(f"{typed} has {len(lines)} lines", hint="Lines are counted from 1, the smaller first.")
    return tuple(_blamed(number, lines[number - 1]) for number in range(begin, end + 1))


def _blamed(number: int, line: Line) -> BlamedLine:
    step, text = line.step, line.text.decode("utf-8", "replace").rstrip("\r\n")
    if step is None:
        return BlamedLine(line=number, text=text, owner="person" if line.is_new else None)
    if step.owner != "agent":
        return BlamedLine(line=number, text=text, owner=step.owner, step=step.n, at=step.at)
    cause = step.cause
    return BlamedLine(
        line=number,
        text=text,
        owner=step.owner,
        step=step.n,
        at=step.at,
        session=cause.session,
        turn=cause.turn,
        prompt=cause.title,
        call=cause.call_id,
        tool=cause.tool,
        what=cause.what,
    )


def told_step(step: Step) -> ToldStep:
    cause = step.cause
    return ToldStep(
        step=step.n,
        session=cause.session,
        turn=cause.turn,
        prompt=cause.title,
        call=cause.call_id,
        tool=cause.tool,
        what=cause.what,
        at=step.at,
        files=tuple(shown(change.path) for change in step.changes if not is_of_git(change.path)),
    )


def snapshot_row(snapshot: Snapshot) -> SnapshotRow:
    return SnapshotRow(
        id=snapshot.id,
        step=snapshot.step,
        at=snapshot.at,
        name=shown(snapshot.name),
        named=snapshot.is_named,
        session=snapshot.session or None,
        turn=snapshot.turn or None,
    )
