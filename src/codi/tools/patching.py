"""Where the hunks of a patch belong in a text, and what they make of it.

Every line that a hunk expects is compared. Where its number is wrong the whole text is searched; the nearest place wins, and two
places that are equally near are no place. Differences in blanks are forgiven only where there is a single place like that.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from codi.tools.patches import Hunk
from codi.tools.quotes import Indentation, indentation_of
from codi.tools.text_files import Splice


class Placed(Struct, frozen=True):
    """A hunk at its place: `first` counts lines from 0; `shift` adapts the lines that it adds; `only` says that it has no other
    place, however far."""

    hunk: Hunk
    first: int
    offset: int = 0
    ignoring: str = ""
    shift: Indentation | None = None
    only: bool = True

    @property
    def last(self) -> int:
        return self.first + len(self.hunk.old)


class Unplaced(Struct, frozen=True):
    """A hunk that has no place. `places` are lines from 0 that are equally good."""

    hunk: Hunk
    places: tuple[int, ...] = ()
    reason: str = ""


def placed(text: str, hunks: Sequence[Hunk]) -> list[Placed | Unplaced]:
    """Each hunk with its place in the text, in the order of the patch."""
    lines = lines_of(text)
    results: list[Placed | Unplaced] = []
    offset = after = 0
    for hunk in hunks:
        result = _placed(lines, hunk, offset, after)
        if isinstance(result, Placed):
            others = [other for other in results if isinstance(other, Placed)]
            if any(_collide(result, other) for other in others):
                result = Unplaced(hunk, reason="changes the same lines as another hunk")
            else:
                offset, after = result.offset, result.last
        results.append(result)
    return results


def spliced_by(text: str, hunks: Sequence[Placed]) -> list[Splice]:
    """What the hunks change of the text, in order of place."""
    lines = lines_of(text)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    changes: list[tuple[int, int, list[str]]] = []
    for hunk in sorted(hunks, key=lambda hunk: (hunk.first, hunk.last)):
        for begin, end, new in _changes(hunk, lines):
            if changes and changes[-1][1] == begin:
                begin, _, before = changes.pop()
                new = before + new
            changes.append((begin, end, new))
    left = len(lines) + sum(len(new) - (end - begin) for begin, end, new in changes)
    splices = [_splice(starts, len(lines), *change) for change in changes]
    return [*splices, *_ending(text, hunks, left)]


def lines_of(text: str) -> list[str]:
    """The lines of a text; a text without characters has none."""
    return text.removesuffix("\n").split("\n") if text else []


def _placed(lines: list[str], hunk: Hunk, offset: int, after: int) -> Placed | Unplaced:
    old = hunk.old
    if not old:
        return _insertion(lines, hunk, offset)
    expected = None if hunk.at is None else hunk.at - 1 + offset
    begin = _behind_headings(lines, hunk.headings, after)
    exact = _places(lines, hunk, str)
    if exact:
        place = _nearest(exact, expected, begin)
        if place is None:
            return Unplaced(hunk, tuple(exact))
        return Placed(hunk, place, 0 if hunk.at is None else place - (hunk.at - 1), only=len(exact) == 1)
    forms: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("trailing blanks", lambda line: line.rstrip(" \t")),
        ("blanks", lambda line: " ".join(line.split())),
    )
    for ignoring, form in forms:
        found = _places(lines, hunk, form)
        if len(found) > 1:
            return Unplaced(hunk, tuple(found))
        if found:
            shift = indentation_of(old, lines[found[0] : found[0] + len(old)])
            name = "indentation" if ignoring == "blanks" and shift else ignoring
            return Placed(hunk, found[0], 0 if hunk.at is None else found[0] - (hunk.at - 1), name, shift)
    return Unplaced(hunk)


def _insertion(lines: list[str], hunk: Hunk, offset: int) -> Placed | Unplaced:
    """A hunk that expects nothing: its number is the line after which it adds, without one it adds at the end."""
    if hunk.at is None:
        return Placed(hunk, len(lines), only=not lines)
    place = hunk.at + offset
    if not 0 <= place <= len(lines):
        return Unplaced(
            hunk, reason=f"the file has {len(lines)} lines, and the hunk has no context that tells its place"
        )
    return Placed(hunk, place, offset, only=not lines)


def _places(lines: list[str], hunk: Hunk, form: Callable[[str], str]) -> list[int]:
    old = [form(line) for line in hunk.old]
    there = lines if form is str else [form(line) for line in lines]
    last = len(lines) - len(old)
    # The markers say that the hunk ends the file, and where its last line stays, in what.
    first = last if hunk.at_end or hunk.old_cut else 0
    return [at for at in range(max(first, 0), last + 1) if there[at] == old[0] and there[at : at + len(old)] == old]


def _nearest(places: list[int], expected: int | None, begin: int | None) -> int | None:
    if len(places) == 1:
        return places[0]
    if expected is not None:
        ranked = sorted(places, key=lambda place: abs(place - expected))
        return ranked[0] if abs(ranked[0] - expected) < abs(ranked[1] - expected) else None
    if begin is not None:
        return next((place for place in places if place >= begin), None)
    return None


def _behind_headings(lines: list[str], headings: Sequence[str], after: int) -> int | None:
    at: int | None = None
    for heading in headings:
        begin = after if at is None else at
        at = next((to for to in range(begin, len(lines)) if lines[to].strip() == heading.strip()), None)
        if at is None:
            return None
    return at


def _collide(one: Placed, other: Placed) -> bool:
    if one.first == one.last or other.first == other.last:
        return one.first == other.first and one.last == other.last
    return max(one.first, other.first) < min(one.last, other.last)


def _changes(placed: Placed, lines: list[str]) -> Iterator[tuple[int, int, list[str]]]:
    """Runs of removed and added lines: from which line to which, and what comes there."""
    at = begin = placed.first
    new: list[str] = []
    for line in placed.hunk.lines:
        if line.sign == "+":
            new.append(placed.shift(line.text) if placed.shift else line.text)
        elif line.sign == "-":
            at += 1
        else:
            if at > begin or new:
                yield begin, at, new
            at += 1
            begin, new = at, []
    if at > begin or new:
        yield begin, at, new


def _splice(starts: list[int], count: int, begin: int, end: int, new: list[str]) -> Splice:
    """`starts[count]` is where a line after the last one would begin: one character behind a text that ends without a newline."""
    text = "\n".join(new)
    if begin == end:
        if begin < count:
            return Splice(starts[begin], starts[begin], f"{text}\n")
        at = max(starts[count] - 1, 0)
        return Splice(at, at, f"\n{text}" if count else text)
    if new:
        return Splice(starts[begin], starts[end] - 1, text)
    if end < count:
        return Splice(starts[begin], starts[end], "")
    return Splice(max(starts[begin] - 1, 0), starts[end] - 1, "")


def _ending(text: str, hunks: Sequence[Placed], left: int) -> list[Splice]:
    """The final newline: kept as it is unless a marker says otherwise, added to what was empty, gone when nothing is left."""
    has = text.endswith("\n")
    wanted = has
    if not text:
        wanted = not any(placed.hunk.new_cut for placed in hunks)
    for placed in hunks:
        if placed.hunk.old_cut != placed.hunk.new_cut and placed.last == len(lines_of(text)):
            wanted = not placed.hunk.new_cut
    wanted = wanted and left > 0
    if wanted == has:
        return []
    return [Splice(len(text), len(text), "\n")] if wanted else [Splice(len(text) - 1, len(text), "")]
