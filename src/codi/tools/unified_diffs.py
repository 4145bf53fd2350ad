"""Unified diffs: what becomes of files, for people who are asked and for people who ask."""

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from codi.tools.alignment import Run, aligned
from codi.tools.output import size
from codi.tools.text_files import TextFile
from codi.workspace.ledger.changes import Difference

_CONTEXT = 3
_FUNCTION = re.compile(r"[A-Za-z_$]|\s+(?:async def|def|class|fn|func|function|public|private|protected|static)\b")
"""A line that names what the lines below it are part of: as git has it, and methods."""
_FUNCTION_CHARS = 80
_NO_BLOB = "0" * 40
_CUT = "\\ No newline at end of file"


class FileDiff(Struct, frozen=True, kw_only=True):
    """One file of a diff. `lines` begin with the names of both sides, and are empty where no text changed; `added` and `removed`
    are None for what is no text."""

    lines: tuple[str, ...]
    added: int | None = 0
    removed: int | None = 0

    @property
    def counts(self) -> str:
        return "binary" if self.added is None else f"+{self.added} -{self.removed}"


def file_diff(before: str, old: bytes | None, after: str, new: bytes | None) -> FileDiff:
    """From the content `old` of the path `before` to `new` of `after`; None where there is no file."""
    names = ("/dev/null" if old is None else f"a/{before}", "/dev/null" if new is None else f"b/{after}")
    if old == new:
        return FileDiff(lines=())
    texts = [TextFile.of(content or b"") for content in (old, new)]
    one, other = texts
    if not isinstance(one, TextFile) or not isinstance(other, TextFile):
        told = [size(len(content)) for content in (old, new) if content is not None]
        line = f"Binary files {names[0]} and {names[1]} differ ({' -> '.join(told)})"
        return FileDiff(lines=(line,), added=None, removed=None)
    # Line ends that differ are a change of their own; where they are alike, nobody wants to see them.
    seen = [one.text, other.text] if one.text != other.text else [one.raw, other.raw]
    sides = [_lines(text) for text in seen]
    runs = aligned(sides[0], sides[1])
    changed = [run for run in runs if not run.same]
    return FileDiff(
        lines=(f"--- {names[0]}", f"+++ {names[1]}", *_hunks(sides[0], sides[1], runs)) if changed else (),
        added=sum(run.new_to - run.new_from for run in changed),
        removed=sum(run.old_to - run.old_from for run in changed),
    )


def git_diff(change: Difference) -> Iterator[str]:
    """The diff of one file as git writes it, with its lines about names, modes and contents."""
    old, new = change.modes
    yield f"diff --git a/{change.old} b/{change.new}"
    if old is None and new is not None:
        yield f"new file mode {_git_mode(new)}"
    elif new is None and old is not None:
        yield f"deleted file mode {_git_mode(old)}"
    elif old is not None and new is not None and _git_mode(old) != _git_mode(new):
        yield f"old mode {_git_mode(old)}"
        yield f"new mode {_git_mode(new)}"
    if change.old != change.new:
        yield f"rename from {change.old}"
        yield f"rename to {change.new}"
    if change.blobs[0] != change.blobs[1]:
        yield f"index {change.blobs[0] or _NO_BLOB}..{change.blobs[1] or _NO_BLOB}"
    yield from file_diff(change.old, change.before, change.new, change.after).lines


def _git_mode(mode: int) -> str:
    return "100755" if mode & 0o100 else "100644"


def patches(sides: Iterable[tuple[str, bytes | None, bytes | None]]) -> Iterator[str]:
    """The lines of the diffs of several files, each given by its path and what it was and is."""
    for path, old, new in sides:
        yield from file_diff(path, old, path, new).lines


def _lines(text: str) -> list[str]:
    """Without their ends; one that has none says so."""
    if not text:
        return []
    *lines, last = text.split("\n")
    return [*lines, f"{last}\n{_CUT}"] if last else lines


def _hunks(old: Sequence[str], new: Sequence[str], runs: Sequence[Run]) -> Iterator[str]:
    for group in _groups(runs):
        first, last = group[0], group[-1]
        spans = f"@@ -{_span(first.old_from, last.old_to)} +{_span(first.new_from, last.new_to)} @@"
        yield f"{spans} {_function_above(old, first.old_from)}".rstrip()
        for run in group:
            for line in old[run.old_from : run.old_to]:
                yield from f"{' ' if run.same else '-'}{line}".split("\n")
            for line in () if run.same else new[run.new_from : run.new_to]:
                yield from f"+{line}".split("\n")


def _function_above(lines: Sequence[str], begin: int) -> str:
    """The nearest line above that begins a function or the like; "" where there is none."""
    found = next((lines[at] for at in range(begin - 1, -1, -1) if _FUNCTION.match(lines[at])), "")
    return found.strip()[:_FUNCTION_CHARS]


def _groups(runs: Sequence[Run]) -> Iterator[list[Run]]:
    """Runs that belong in one hunk, those that are the same cut to what surrounds a change."""
    group: list[Run] = []
    for place, run in enumerate(runs):
        if not run.same:
            group.append(run)
            continue
        length, is_first, is_last = run.old_to - run.old_from, place == 0, place == len(runs) - 1
        if is_first or is_last or length > 2 * _CONTEXT:
            kept = min(length, _CONTEXT)
            if group:
                group.append(Run(True, run.old_from, run.old_from + kept, run.new_from, run.new_from + kept))
                yield group
                group = []
            if not is_last:
                group = [Run(True, run.old_to - kept, run.old_to, run.new_to - kept, run.new_to)]
        else:
            group.append(run)
    if any(not run.same for run in group):
        yield group


def _span(begin: int, end: int) -> str:
    count = end - begin
    return f"{begin + 1}" if count == 1 else f"{begin + (count > 0)},{count}"
