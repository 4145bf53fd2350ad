"""A picture in sixels: six rows of pixels at a time, each colour on its own pass (DEC STD 070, VT330/VT340 graphics programming)."""

from collections.abc import Sequence
from itertools import groupby

Colour = tuple[int, int, int]
_FIRST = 63
_BAND = 6
_SHORTEST_RUN = 4


def sixel(colours: Sequence[Colour], pixels: bytes, width: int, height: int) -> str:
    """The sequence that draws pixels, row by row the numbers of colours (0 to 255 each of red, green and blue)."""
    out = [f'\x1bP0;1;0q"1;1;{width};{height}']
    for number, colour in enumerate(colours):
        red, green, blue = (round(part * 100 / 255) for part in colour)
        out.append(f"#{number};2;{red};{green};{blue}")
    for top in range(0, height, _BAND):
        rows = [pixels[at * width : (at + 1) * width] for at in range(top, min(top + _BAND, height))]
        passes = [f"#{number}{_pass(rows, number)}" for number in sorted(set(b"".join(rows)))]
        out.append("$".join(passes) + "-")
    return "".join([*out, "\x1b\\"])


def _pass(rows: Sequence[bytes], number: int) -> str:
    """Where one colour stands within six rows."""
    masks = bytearray(len(rows[0]))
    for bit, row in enumerate(rows):
        at = row.find(number)
        while at >= 0:
            masks[at] |= 1 << bit
            at = row.find(number, at + 1)
    signs = (f"!{count}{chr(_FIRST + mask)}" if count >= _SHORTEST_RUN else chr(_FIRST + mask) * count
             for mask, count in ((mask, sum(1 for _ in run)) for mask, run in groupby(masks.rstrip(b"\0"))))  # fmt: skip
    return "".join(signs)
