"""Finding known values in a text, however many there are.

A text is not searched once for each value. It is cut into words of eight bytes, which Python compares with a set at the speed
of C: of every value of fifteen bytes or more one of its first eight words of eight bytes stands where the text is cut,
wherever the value begins. Of one of thirty-one bytes or more it is enough to look at every third word. Only values that share a
word with the text are looked for. For shorter values it is words of four bytes; the shortest are looked for one by one.
"""

import sys
from collections.abc import Iterator
from typing import Literal

from codi.credentials.surroundings import Found


class _Words:
    """Values of at least `least` bytes, by their words of `width` bytes; of a text one word in `stride` is looked at."""

    def __init__(self, width: int, form: Literal["Q", "I"], stride: int = 1) -> None:
        self._width = width
        self._form = form
        self._stride = stride
        self._words: set[int] = set()
        self._values: dict[int, set[bytes]] = {}

    @property
    def least(self) -> int:
        return (self._stride + 1) * self._width - 1

    def add(self, value: bytes) -> None:
        for at in range(self._stride * self._width):
            word = int.from_bytes(value[at : at + self._width], sys.byteorder)
            self._words.add(word)
            self._values.setdefault(word, set()).add(value)

    def perhaps_in(self, data: bytes) -> set[bytes]:
        if not self._words:
            return set()
        words = memoryview(data)[: len(data) // self._width * self._width].cast(self._form)[:: self._stride]
        if self._words.isdisjoint(words):
            return set()
        return set().union(*(self._values[word] for word in self._words.intersection(words)))


class KnownValues:
    """Values, each with the name that it goes by."""

    def __init__(self) -> None:
        self._names: dict[bytes, str] = {}
        self._sizes = (_Words(8, "Q", 3), _Words(8, "Q"), _Words(4, "I"))
        self._shortest: list[bytes] = []
        self._spread: set[bytes] = set()

    def __contains__(self, value: bytes) -> bool:
        return value in self._names

    def add(self, value: bytes, name: str) -> None:
        if not value or value in self._names:
            return
        self._names[value] = name
        if any(byte <= 32 or byte > 126 for byte in value):
            self._spread.add(value)
        for size in self._sizes:
            if len(value) >= size.least:
                size.add(value)
                return
        self._shortest.append(value)

    def spans(self, data: bytes) -> Iterator[Found]:
        """Where they stand, in no order."""
        wanted = set(self._shortest)
        for size in self._sizes:
            wanted |= size.perhaps_in(data)
        for value in wanted:
            at = data.find(value)
            while at >= 0:
                yield at, at + len(value), self._names[value]
                at = data.find(value, at + 1)

    def cut(self, tail: bytes, most: int) -> int:
        """Up to where, and no more than `most`, a text may be looked through of which more is to come: no value with white space
        or other than ASCII in it stands across that place or may have begun before it."""
        least = most
        for value in self._spread:
            at = tail.find(value[:1], max(0, most - len(value) + 1))
            while 0 <= at < least:
                if value.startswith(tail[at : at + len(value)]):
                    least = at
                at = tail.find(value[:1], at + 1)
        return least
