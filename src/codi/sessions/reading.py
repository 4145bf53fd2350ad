"""From the bytes of a session file to its entries, whatever happened to the file.

Nothing on disk is repaired. Each time a file is read the same damage is mended in the same way, in memory.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from zlib import crc32

from msgspec import Struct
from msgspec.structs import replace

from codi.protocol.events import Entry
from codi.sessions.json_lines import objects_in
from codi.sessions.version3 import Header, entry_of, header_of

_BOM = b"\xef\xbb\xbf"
_LINES_TOLD = 10


class Problem(Struct, frozen=True):
    """Something that reading had to mend. `line` is counted from 1."""

    line: int
    kind: Literal["skipped", "split", "re-attached", "renamed"]


class Reading(Struct, frozen=True, kw_only=True):
    """A file as it is understood. `lines` are the bytes of each entry, where they were asked for. `is_open_ended` says
    that the last line has no end, so that whoever appends must first give it one."""

    header: Header
    entries: list[Entry]
    problems: list[Problem]
    is_open_ended: bool
    lines: list[bytes]


def read(content: bytes, *, with_lines: bool = False) -> Reading | None:
    """The session in `content`; None where its first line is no header."""
    first, *rest = content.removeprefix(_BOM).split(b"\n")
    header = header_of(first)
    if header is None:
        return None
    entries: list[Entry] = []
    numbers: list[int] = []
    lines: list[bytes] = []
    problems: list[Problem] = []
    with _no_collection():
        for number, line in enumerate(rest, 2):
            entry = entry_of(line) if line else None
            if entry is not None:
                found = [(entry, line)]
            elif not line.strip(b" \t\r"):
                continue
            else:
                found = _glued(line)
                problems.append(Problem(number, "split" if found else "skipped"))
            for entry, own_line in found:
                entries.append(entry)
                numbers.append(number)
                if with_lines:
                    lines.append(own_line.rstrip(b"\r"))
    _link(entries, numbers, problems)
    problems.sort(key=lambda problem: problem.line)
    return Reading(
        header=header,
        entries=entries,
        problems=problems,
        is_open_ended=not content.endswith(b"\n"),
        lines=lines,
    )


def told(problems: list[Problem]) -> str | None:
    """What was mended, in one line for the person; None where nothing was."""
    if not problems:
        return None
    parts = []
    if skipped := [problem.line for problem in problems if problem.kind == "skipped"]:
        parts.append(f"{_count(skipped, 'line')} skipped ({_places(skipped)})")
    if split := [problem.line for problem in problems if problem.kind == "split"]:
        parts.append(f"{_count(split, 'line')} split ({_places(split)})")
    if moved := [problem.line for problem in problems if problem.kind == "re-attached"]:
        parts.append(f"{_count(moved, 'entry', 'entries')} re-attached")
    if renamed := [problem.line for problem in problems if problem.kind == "renamed"]:
        parts.append(f"{_count(renamed, 'id')} renewed")
    return f"Session repaired on reading: {', '.join(parts)}."


@contextmanager
def _no_collection() -> Iterator[None]:
    """All that is read stays, so that the search for garbage among it would find none, at the cost of half the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _glued(line: bytes) -> list[tuple[Entry, bytes]]:
    """The entries of a line in which several stand; none unless all of it can be read."""
    parts = objects_in(line.strip(b" \t\r"))
    if len(parts) < 2:
        return []
    found = [(entry, part) for part in parts if (entry := entry_of(part)) is not None]
    return found if len(found) == len(parts) else []


def _link(entries: list[Entry], numbers: list[int], problems: list[Problem]) -> None:
    """Give each entry an id of its own and a parent that exists."""
    places: dict[str, int] = {}
    doubtful: list[int] = []
    for place, entry in enumerate(entries):
        if entry.parent is not None and entry.parent not in places:
            doubtful.append(place)
        if entry.id in places or not entry.id:
            entry = entries[place] = replace(entry, id=_derived_id(entry.id, places))
            problems.append(Problem(numbers[place], "renamed"))
        places[entry.id] = place
    forward = False
    for place in doubtful:
        parent = entries[place].parent
        if parent in places:
            forward = True
            continue
        before = entries[place - 1].id if place else None
        entries[place] = replace(entries[place], parent=before)
        problems.append(Problem(numbers[place], "re-attached"))
    if forward:
        for place in _cycle_ends(entries, places):
            problems.append(Problem(numbers[place], "re-attached"))


def _derived_id(id: str, taken: dict[str, int]) -> str:
    """An id that depends on nothing but the lines before, so that each reading finds the same."""
    attempt = len(taken)
    while True:
        attempt += 1
        derived = f"{crc32(f'{id}#{attempt}'.encode(errors='replace')):08x}"
        if derived not in taken:
            return derived


def _cycle_ends(entries: list[Entry], places: dict[str, int]) -> list[int]:
    """Cut each cycle at its entry that stands last in the file, and say where that was. The entry is attached to the
    nearest one before it that does not descend from it."""
    cut: list[int] = []
    settled = [False] * len(entries)
    for start in range(len(entries)):
        walk: list[int] = []
        on_walk: set[int] = set()
        place: int | None = start
        while place is not None and not settled[place]:
            if place in on_walk:
                last = max(walk[walk.index(place) :])
                entries[last] = replace(entries[last], parent=_ancestor_for(last, entries, places))
                cut.append(last)
                break
            walk.append(place)
            on_walk.add(place)
            place = _parent_place(entries[place], places)
        for passed in walk:
            settled[passed] = True
    return cut


def _ancestor_for(cut: int, entries: list[Entry], places: dict[str, int]) -> str | None:
    descends = {cut}
    for candidate in range(cut - 1, -1, -1):
        chain: list[int] = []
        place: int | None = candidate
        while place is not None and place not in descends and place not in chain:
            chain.append(place)
            place = _parent_place(entries[place], places)
        if place is None or place in chain:
            return entries[candidate].id
        descends.update(chain)
    return None


def _parent_place(entry: Entry, places: dict[str, int]) -> int | None:
    return None if entry.parent is None else places[entry.parent]


def _count(lines: list[int], one: str, many: str = "") -> str:
    return f"{len(lines)} {one if len(lines) == 1 else many or one + 's'}"


def _places(lines: list[int]) -> str:
    shown = ", ".join(str(line) for line in lines[:_LINES_TOLD])
    more = ", ..." if len(lines) > _LINES_TOLD else ""
    return f"{'line' if len(lines) == 1 else 'lines'} {shown}{more}"
