"""Who wrote each line of a file: which step, and so which prompt, turn and call."""

from collections.abc import Sequence

from msgspec import Struct

from codi.workspace.ledger.contents import Contents, Missing
from codi.workspace.ledger.merging import hunks, lines_of
from codi.workspace.ledger.states import Absent, Change, File, State, Step


class Line(Struct, frozen=True):
    """A line with its end. `step` is None for what was there before codi first saw the file, and for what was changed since
    the last step, which `is_new` tells apart."""

    text: bytes
    step: Step | None
    is_new: bool = False


def blame(path: str, present: bytes, steps: Sequence[Step], contents: Contents) -> list[Line]:
    """The lines of a file as it is now. `steps` are all there are, oldest first; moves are followed."""
    lines: list[Line] = []
    versions: dict[str, list[Line]] = {}
    for step, change in _history(path, steps):
        before = _text(change.before, contents)
        if before is not None and [line.text for line in lines] != before:
            lines = _changed(lines, before, Line(b"", None))
        lines = _changed(lines, _text(change.after, contents) or [], Line(b"", step))
        if isinstance(change.after, File):
            # What an undo brings back is whose it was.
            lines = versions.setdefault(change.after.id, lines) if step.owner in ("undo", "redo") else lines
            versions[change.after.id] = lines
        if isinstance(change.before, File):
            versions.setdefault(change.before.id, [Line(text, None) for text in before or []])
    return _changed(lines, lines_of(present), Line(b"", None, is_new=True))


def _history(path: str, steps: Sequence[Step]) -> list[tuple[Step, Change]]:
    """What happened to a path, and before it to the path from which it was moved; oldest first."""
    found = []
    for step in reversed(steps):
        change = next((change for change in step.changes if change.path == path), None)
        if change is None:
            continue
        if change.moved_from and isinstance(change.before, Absent):
            source = next((each for each in step.changes if each.path == change.moved_from), None)
            if source is not None:
                change = Change(path, source.before, change.after)
                path = source.path
        found.append((step, change))
    return found[::-1]


def _text(state: State, contents: Contents) -> list[bytes] | None:
    if not isinstance(state, File):
        return None
    try:
        return lines_of(contents.get(state.id))
    except Missing:
        return None


def _changed(lines: list[Line], texts: list[bytes], whose: Line) -> list[Line]:
    """The lines with these texts: kept where they were the same, else of `whose` hand."""
    result: list[Line] = []
    at = 0
    for begin, end, first, last in hunks([line.text for line in lines], texts):
        result += lines[at:begin]
        result += [Line(text, whose.step, whose.is_new) for text in texts[first:last]]
        at = end
    return result + lines[at:]
