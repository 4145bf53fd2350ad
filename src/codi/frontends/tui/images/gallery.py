"""The pictures of a conversation, drawn among its lines: each takes as many cells as it needs, and nothing moves but itself.

A picture is drawn when the last of its lines is printed: then all of its lines are there, wherever the window has scrolled, and the
cursor goes up to the first one and comes back.
"""

import binascii
import os
from collections.abc import Callable, Mapping
from math import ceil

from codi.frontends.tui.images.detection import (
    ASK_CELL,
    ASK_KITTY,
    Way,
    cell_of,
    is_multiplexed,
    passed_on,
    passes_through,
    way_by_environment,
    way_by_report,
)
from codi.frontends.tui.images.iterm import iterm
from codi.frontends.tui.images.kitty import kitty
from codi.frontends.tui.images.sixel import sixel
from codi.frontends.tui.lines import Line, clipped
from codi.frontends.tui.placeholders import placeholder, size_of
from codi.protocol.messages import Image

MOST_COLUMNS, MOST_ROWS = 60, 20
_INDENT = 2
_KEPT = 20
"""So many pictures are kept as they are drawn; one that is needed again is made again."""
_OTHER_ROWS = 6
"""So many rows of the window are left to what is not the picture."""
_SMALL_CELL = 6, 12
"""Taken where a terminal does not tell: a picture that is drawn too small keeps within its lines."""


class Gallery:
    """`ask` sends a question to the terminal, whose answers `hear` is told. `window` gives its rows and columns. Who `knows_keys` of
    kitty's may know its pictures, and can be asked; others might print the question."""

    def __init__(
        self,
        environment: Mapping[str, str],
        ask: Callable[[str], object],
        window: Callable[[], tuple[int, int]],
        *,
        knows_keys: bool = False,
    ) -> None:
        self.way: Way = way_by_environment(environment)
        self._is_wrapped = is_multiplexed(environment)
        if self._is_wrapped and (self.way == "none" or not passes_through(environment)):
            self.way = "none"
        self._ask = ask
        self._window = window
        self._knows_keys = knows_keys
        # Numbers are the terminal's, where other programs have their own, and this one had some when it ran before.
        self._first = int.from_bytes(os.urandom(3), "big") << 7
        self._cell: tuple[int, int] | None = None
        self._numbers: dict[str, int] = {}
        self._drawn: dict[str, str] = {}
        self._laid: dict[tuple[object, ...], list[Line]] = {}
        if self.way != "none":
            ask(ASK_CELL)

    def hear(self, report: str) -> None:
        """An answer of the terminal. What stands in its environment goes before what it says."""
        self._cell = cell_of(report) or self._cell
        found = way_by_report(report)
        if self.way != "none" or self._is_wrapped or found is None:
            return
        self.way = found
        if found != "none":
            self._ask(ASK_CELL)
        elif self._knows_keys:
            self._knows_keys = False
            self._ask(ASK_KITTY)

    def lines(self, image: Image, columns: int) -> list[Line]:
        """The picture in words, and below it the lines over which it is drawn, where that can be."""
        place = image.data, columns, self._window()[0], self.way, self._cell
        if place not in self._laid:
            if len(self._laid) >= _KEPT:
                self._laid.clear()
                self._drawn.clear()
            self._laid[place] = self._lay(image, columns)
        return self._laid[place]

    def _lay(self, image: Image, columns: int) -> list[Line]:
        said: Line = clipped(((f"  {placeholder(image)}", "dim"),), columns)
        try:
            data = binascii.a2b_base64(image.data)
        except binascii.Error:
            return [said]
        size = size_of(data)
        cells = self._cells(size, columns) if size and self.way != "none" else None
        if not cells:
            return [said]
        wide, high = cells
        key = f"image:{self._number(image)}:{wide}x{high}"
        if key not in self._drawn:
            sequence = self._sequence(data, image, wide, high)
            if not sequence:
                return [said]
            self._drawn[key] = sequence
        return [said, *[()] * (high - 1), ((" " * (_INDENT + wide), ""), (" ", key))]

    def opening(self, key: str) -> str:
        """The sequence of a style that `lines` gave."""
        return self._drawn.get(key, "")

    def _number(self, image: Image) -> int:
        return self._numbers.setdefault(image.data, self._first + len(self._numbers))

    def _cells(self, size: tuple[int, int], columns: int) -> tuple[int, int] | None:
        rows, _ = self._window()
        most = min(MOST_COLUMNS, columns - _INDENT - 2), min(MOST_ROWS, rows - _OTHER_ROWS)
        if min(most) < 1 or min(size) < 1:
            return None
        cell = self._cell or _SMALL_CELL
        scale = min(1.0, most[0] * cell[0] / size[0], most[1] * cell[1] / size[1])
        wide, high = (ceil(side * scale / each - 1e-9) for side, each in zip(size, cell, strict=True))
        return max(min(wide, most[0]), 1), max(min(high, most[1]), 1)

    def _sequence(self, data: bytes, image: Image, wide: int, high: int) -> str:
        """ "" for a picture that cannot be drawn this way."""
        drawing = self._drawing(data, image, wide, high)
        if not drawing:
            return ""
        up = f"\x1b[{high - 1}A" if high > 1 else ""
        return f"\x1b7{up}\x1b[{_INDENT + 1}G{drawing}\x1b8"

    def _drawing(self, data: bytes, image: Image, wide: int, high: int) -> str:
        if self.way == "iterm":
            return self._wrapped(iterm(data, wide, high))
        if self.way == "kitty" and image.media_type == "image/png":
            return "".join(map(self._wrapped, kitty(data, self._number(image), wide, high)))
        try:
            from codi.frontends.tui.images import pixels  # Pillow is an extra
        except ImportError:
            return ""
        try:
            if self.way == "kitty":
                return "".join(map(self._wrapped, kitty(pixels.as_png(data), self._number(image), wide, high)))
            cell = self._cell or _SMALL_CELL
            size = wide * cell[0], high * cell[1]
            colours, dots = pixels.few_colours(data, *size)
            return self._wrapped(sixel(colours, dots, *size))
        except pixels.Unreadable:
            return ""

    def _wrapped(self, sequence: str) -> str:
        return passed_on(sequence) if self._is_wrapped else sequence
