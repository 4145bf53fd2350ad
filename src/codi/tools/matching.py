"""Which lines a pattern matches, in time linear in the text, whatever the pattern.

Python's `re` backtracks, and cannot be stopped: `(a+)+$` on forty characters outlives the person. Here all ways through the
pattern are followed at once; every step that was taken is remembered, so that a text costs one look-up a character.
"""

from typing import Literal

from codi.tools.cases import with_all_cases
from codi.tools.patterns import AnyCase, Assertion, Chars, Choice, Node, Repeat, Sequence, contains, is_word

_MOST_STEPS = 50_000
_RETURN = Chars(((13, 13),))

Kind = Literal["edge", "word", "other"]


class LineMatcher:
    """`matches(line)`, of lines without their LF."""

    def __init__(self, node: Node) -> None:
        self._ways = _Ways()
        self._begin = self._ways.through(node, _Ways.FOUND)
        self._forget()

    def matches(self, line: str) -> bool:
        at = self._first
        for character in line:
            after = at.after.get(character)
            if after is None:
                after = self._step(at, character)
            if after is self._found:
                return True
            at = after
        return self._closure(at, "edge") is None

    def _forget(self) -> None:
        self._steps = 0
        self._known: dict[tuple[frozenset[int], Kind], _Place] = {}
        self._found = _Place(frozenset(), "edge")
        self._first = self._place(frozenset([self._begin]), "edge")

    def _place(self, ways: frozenset[int], before: Kind) -> "_Place":
        place = self._known.get((ways, before))
        if place is None:
            place = self._known[ways, before] = _Place(ways, before)
        return place

    def _step(self, at: "_Place", character: str) -> "_Place":
        code = ord(character)
        kind: Kind = "word" if is_word(code) else "other"
        waiting = self._closure(at, kind)
        if waiting is None:
            after = self._found
        else:
            ways = {self._ways.next[way] for way in waiting if self._ways.takes(way, code)}
            after = self._place(frozenset([*ways, self._begin]), kind)
        # A text may visit ever new places; what was remembered is then dropped and found again as needed. The place at
        # hand stays valid: it is only no longer shared.
        self._steps += 1
        if self._steps > _MOST_STEPS:
            found = self._found
            self._forget()
            self._found = found
        at.after[character] = after
        return after

    def _closure(self, at: "_Place", following: Kind) -> list[int] | None:
        """The ways that wait for a character; None when one of them is at its end."""
        waiting: list[int] = []
        open_ways = list(at.ways)
        seen = set(open_ways)
        while open_ways:
            way = open_ways.pop()
            if way == _Ways.FOUND:
                return None
            if self._ways.chars[way] is not None:
                waiting.append(way)
                continue
            for onward in self._ways.onward(way, at.before, following):
                if onward not in seen:
                    seen.add(onward)
                    open_ways.append(onward)
        return waiting


class _Place:
    """All ways that are open after some text, and what has been found to follow."""

    __slots__ = ("after", "before", "ways")

    def __init__(self, ways: frozenset[int], before: Kind) -> None:
        self.ways = ways
        self.before = before
        self.after: dict[str, _Place] = {}


class _Ways:
    """The pattern as numbered places: each waits for a character, or leads on at once, to several or under a condition."""

    FOUND = 0

    def __init__(self) -> None:
        self.chars: list[Chars | None] = [None]
        self.next: list[int] = [0]
        self._branches: list[tuple[int, ...]] = [()]
        self._conditions: list[str | None] = [None]

    def through(self, node: Node, onward: int) -> int:
        """The place from which the node leads to `onward`."""
        match node:
            case Chars():
                return self._add(chars=node, onward=onward)
            case Assertion("end"):
                # A line may end in CR LF.
                end = self._add(onward=onward, branches=(onward,), condition="end")
                return self._add(branches=(end, self._add(chars=_RETURN, onward=end)))
            case Assertion(kind):
                return self._add(onward=onward, branches=(onward,), condition=kind)
            case Sequence(parts):
                for part in reversed(parts):
                    onward = self.through(part, onward)
                return onward
            case Choice(choices):
                return self._add(branches=tuple(self.through(choice, onward) for choice in choices))
            case AnyCase():
                return self.through(with_all_cases(node), onward)
            case Repeat(body, least, most):
                if most is None:
                    loop = self._add()
                    self._branches[loop] = (self.through(body, loop), onward)
                    onward = loop
                else:
                    end = onward
                    for _ in range(most - least):
                        onward = self._add(branches=(self.through(body, onward), end))
                for _ in range(least):
                    onward = self.through(body, onward)
                return onward

    def takes(self, way: int, code: int) -> bool:
        chars = self.chars[way]
        return chars is not None and contains(chars, code)

    def onward(self, way: int, before: Kind, following: Kind) -> tuple[int, ...]:
        match self._conditions[way]:
            case "start" if before != "edge":
                return ()
            case "end" if following != "edge":
                return ()
            case "word" if (before == "word") == (following == "word"):
                return ()
            case "inside" if (before == "word") != (following == "word"):
                return ()
        return self._branches[way]

    def _add(
        self,
        *,
        chars: Chars | None = None,
        onward: int = 0,
        branches: tuple[int, ...] = (),
        condition: str | None = None,
    ) -> int:
        self.chars.append(chars)
        self.next.append(onward)
        self._branches.append(branches)
        self._conditions.append(condition)
        return len(self.chars) - 1
