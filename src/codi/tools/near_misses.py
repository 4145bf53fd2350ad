"""What a quote that occurs nowhere was probably meant to be: the most similar lines, and in what they differ.

A model that sees the text as it is mends its edit in one try, where one that hears only "not found" reads the file again.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from msgspec import Struct

from codi.tools.alignment import aligned

SIMILAR = 0.6
MOST_REGIONS = 3
MOST_LINES = 20
_CANDIDATES = 12
_SHOWN = 60  # characters of a line in which a difference is named
_COMPARED = 300  # characters of a line that are compared

_WORD = re.compile(r"\w+")


class Region(Struct, frozen=True):
    """Lines of the text from number `first` on. `similarity` is 0 to 1, and so is `same`, the share of lines that differ at most
    in indentation."""

    first: int
    lines: tuple[str, ...]
    similarity: float
    same: float
    difference: str


def near_misses(text: str, quote: str) -> list[Region]:
    """The regions that are most like the quote, best first; none is less similar than `SIMILAR`."""
    lines = text.removesuffix("\n").split("\n")
    quoted = quote.strip("\n").split("\n")
    regions = sorted(
        (_region(lines, quoted, start) for start in _candidates(lines, quoted)),
        # Lines that are really the same tell more of the place than lines that merely look alike.
        key=lambda region: (-region.similarity - region.same, region.first),
    )
    best: list[Region] = []
    for region in regions:
        apart = all(abs(region.first - other.first) >= len(quoted) for other in best)
        if region.similarity >= SIMILAR and apart and len(best) < MOST_REGIONS:
            best.append(region)
    return best


def numbered(lines: Sequence[str], first: int) -> str:
    """Lines as `read` shows them."""
    return "\n".join(f"{first + at:>5}→{line}" for at, line in enumerate(lines))


def told(regions: Sequence[Region]) -> str:
    """The regions in words and lines, for a model."""
    return "\n".join(part for region in regions for part in _told(region))


def _told(region: Region) -> Iterator[str]:
    last = region.first + len(region.lines) - 1
    where = f"lines {region.first}-{last}" if last > region.first else f"line {region.first}"
    yield f"Similar text at {where} ({region.similarity:.0%} alike): {region.difference}"
    yield numbered(region.lines[:MOST_LINES], region.first)
    if len(region.lines) > MOST_LINES:
        yield f"      ({len(region.lines) - MOST_LINES} more lines)"


def _candidates(lines: list[str], quoted: list[str]) -> list[int]:
    """Where in `lines` the quote might begin: where most of its lines stand, else where the words of its fullest lines do."""
    places: dict[str, list[int]] = {}
    for at, line in enumerate(quoted):
        if line.strip():
            places.setdefault(line.strip(), []).append(at)
    votes: Counter[int] = Counter()
    for number, line in enumerate(lines):
        for at in places.get(line.strip(), ()):
            votes[number - at] += 1 + len(line)
    for at in sorted(range(len(quoted)), key=lambda at: -len(quoted[at].strip()))[:3]:
        votes.update({number - at: weight for number, weight in _worded_alike(lines, quoted[at])})
    last = len(lines) - 1
    return list(dict.fromkeys(min(max(start, 0), last) for start, _ in votes.most_common(_CANDIDATES)))


def _worded_alike(lines: list[str], quoted: str) -> Iterator[tuple[int, int]]:
    wanted = quoted.strip()[:_COMPARED]
    words = set(_WORD.findall(wanted))
    for number, line in enumerate(lines):
        there = line.strip()[:_COMPARED]
        if not there or not wanted or not 0.4 < len(there) / len(wanted) < 2.5:
            continue
        found = set(_WORD.findall(there))
        shared = len(words & found) / max(len(words | found), 1)
        if shared >= 0.3 or (len(words) <= 2 and _alike(wanted, there) >= SIMILAR):
            yield number, int(len(wanted) * max(shared, 0.3))


def _region(lines: list[str], quoted: list[str], start: int) -> Region:
    there = lines[start : start + len(quoted)]
    similar = same = total = 0.0
    for said, found in _pairs(quoted, there):
        weight = max(len(said or ""), len(found or "")) + 1
        total += weight
        if said is not None and found is not None:
            alike = said.strip() == found.strip()
            similar += weight * (1.0 if alike else _alike(said, found))
            same += weight * alike
    difference = _difference(quoted, there, start + 1)
    return Region(start + 1, tuple(there), similar / total, same / total, difference)


def _pairs(quoted: list[str], there: list[str]) -> Iterator[tuple[str | None, str | None]]:
    """Lines that stand for each other, and None where one side has no such line."""
    for run in aligned([line.strip() for line in quoted], [line.strip() for line in there]):
        said, found = quoted[run.old_from : run.old_to], there[run.new_from : run.new_to]
        for at in range(max(len(said), len(found))):
            yield said[at] if at < len(said) else None, found[at] if at < len(found) else None


def _alike(said: str, found: str) -> float:
    matcher = SequenceMatcher(None, said[:_COMPARED], found[:_COMPARED], autojunk=False)
    return 0.0 if matcher.real_quick_ratio() < SIMILAR / 2 else matcher.ratio()


def _difference(quoted: list[str], there: list[str], first: int) -> str:
    number = first
    for said, found in _pairs(quoted, there):
        if said is None or found is None:
            return f"line {number}: {_quoted(said)} vs {_quoted(found)}"
        if said.strip() != found.strip():
            return f"line {number}: " + " vs ".join(_around_difference(said.strip(), found.strip()))
        number += 1
    indented = any(
        said.strip() and said[: -len(said.lstrip())] != found[: -len(found.lstrip())]
        for said, found in zip(quoted, there)
    )
    return "differs in indentation" if indented else "differs in blanks"


def _around_difference(said: str, found: str) -> tuple[str, str]:
    alike = next((at for at, pair in enumerate(zip(said, found)) if pair[0] != pair[1]), min(len(said), len(found)))
    start = 0 if max(len(said), len(found)) <= _SHOWN else max(alike - _SHOWN // 3, 0)
    return _quoted(said[start : start + _SHOWN]), _quoted(found[start : start + _SHOWN])


def _quoted(line: str | None) -> str:
    return "nothing" if line is None else f'"{line.strip()[:_SHOWN]}"'
