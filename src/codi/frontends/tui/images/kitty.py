"""A picture by kitty's graphics protocol: a PNG in pieces, under a number by which it can be deleted again."""

from base64 import b64encode
from collections.abc import Iterator

_PIECE = 4096


def kitty(png: bytes, number: int, columns: int, rows: int) -> Iterator[str]:
    """The sequences that draw a PNG over so many cells. The cursor stays where it is, the terminal answers nothing, and what was
    drawn under this number before goes away."""
    yield f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\"
    data = b64encode(png).decode()
    pieces = [data[at : at + _PIECE] for at in range(0, len(data), _PIECE)] or [""]
    last = len(pieces) - 1
    for at, piece in enumerate(pieces):
        more = f"m={0 if at == last else 1}"
        what = f"a=T,f=100,q=2,i={number},p=1,c={columns},r={rows},C=1,{more}" if at == 0 else f"q=2,{more}"
        yield f"\x1b_G{what};{piece}\x1b\\"
