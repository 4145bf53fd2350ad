"""What a change of files would look like: for the person who is asked before it is made.

Every file has a line with what becomes of it and how many lines come and go; below it stands the whole diff.
"""

from collections.abc import Iterable, Iterator, Sequence

from codi.tools.output import size
from codi.tools.unified_diffs import file_diff
from codi.workspace.rehearsal import Rehearsed
from codi.workspace.workspace import Replacement, Workspace

_MOST_BYTES = 2 * 1024 * 1024
"""Of the files whose diffs are shown in one preview; of the others only the sizes are told."""


def preview_of(workspace: Workspace, rehearsed: Rehearsed) -> str:
    if rehearsed.folder is not None:
        return f"{workspace.shown(rehearsed.folder)}/: new folder"
    left = _MOST_BYTES
    lines: list[str] = []
    for source, change in _pairs(rehearsed.changes):
        old = source.expected if source else change.expected
        length = len(old or b"") + len(change.content or b"")
        left -= length
        lines += _told(workspace, source, change) if left >= 0 else [_in_short(workspace, change, old)]
    return "\n".join(lines)


def _pairs(changes: Sequence[Replacement]) -> Iterator[tuple[Replacement | None, Replacement]]:
    """Each change; one that puts elsewhere what another takes away comes with that one."""
    gone = {change.expected: change for change in changes if change.content is None and change.expected is not None}
    moved: set[str] = set()
    pairs: list[tuple[Replacement | None, Replacement]] = []
    for change in changes:
        source = gone.get(change.content) if change.content is not None and change.expected is None else None
        if source and source.path not in moved:
            moved.add(source.path)
            pairs.append((source, change))
        else:
            pairs.append((None, change))
    return (pair for pair in pairs if pair[0] or pair[1].path not in moved)


def _told(workspace: Workspace, source: Replacement | None, change: Replacement) -> Iterable[str]:
    shown = workspace.shown(change.path)
    mode = "" if change.mode is None else f", mode {change.mode & 0o7777:o}"
    if source:
        return [f"{workspace.shown(source.path)} -> {shown}: moved"]
    diff = file_diff(shown, change.expected, shown, change.content)
    if change.content is None:
        what = f"deleted, {diff.counts}" if change.expected is not None else "deleted"
    elif change.expected is None:
        what = f"new file{mode}, {diff.counts}"
    else:
        what = f"{diff.counts}{mode}"
    return [f"{shown}: {what}", *diff.lines]


def _in_short(workspace: Workspace, change: Replacement, old: bytes | None) -> str:
    sizes = " -> ".join(size(len(each)) for each in (old, change.content) if each is not None)
    what = "deleted, " if change.content is None else "new file, " if change.expected is None else ""
    return f"{workspace.shown(change.path)}: {what}{sizes}; too much to show"
