"""Pictures read back from what was sent to a terminal: the other end of kitty's, iTerm2's and sixel's sequences."""

import base64
import io
import re

from PIL import Image

KITTY = re.compile(rb"\x1b_G([^;\x1b]*)(?:;([^\x1b]*))?\x1b\\")
ITERM = re.compile(rb"\x1b\]1337;File=([^:]*):([A-Za-z0-9+/=]*)\x07")
SIXEL = re.compile(rb'\x1bP0;1;0q"1;1;(\d+);(\d+)([^\x1b]*)\x1b\\')


def of_kitty(raw: bytes) -> list[tuple[dict[str, str], Image.Image]]:
    """The pictures that were transmitted, with the keys of their first piece. No piece is longer than it may be."""
    found, begun = [], None
    for keys, data in KITTY.findall(raw):
        told = dict(pair.split("=", 1) for pair in keys.decode().split(","))
        assert len(data) <= 4096 and told.get("q") == "2"
        if told.get("a") == "T":
            begun = (told, [data])
        elif "a" not in told and begun:
            begun[1].append(data)
        if begun and told.get("m") == "0":
            found.append((begun[0], Image.open(io.BytesIO(base64.b64decode(b"".join(begun[1]), validate=True)))))
            begun = None
    assert begun is None
    return found


def of_iterm(raw: bytes) -> list[tuple[dict[str, str], Image.Image]]:
    found = []
    for keys, data in ITERM.findall(raw):
        told = dict(pair.split("=", 1) for pair in keys.decode().split(";"))
        content = base64.b64decode(data, validate=True)
        assert len(content) == int(told["size"])
        found.append((told, Image.open(io.BytesIO(content))))
    return found


def of_sixel(raw: bytes) -> list[Image.Image]:
    return [_painted(int(width), int(height), body.decode()) for width, height, body in SIXEL.findall(raw)]


def _painted(width: int, height: int, body: str) -> Image.Image:
    picture = Image.new("RGB", (width, height), (1, 2, 3))
    colours: dict[int, tuple[int, ...]] = {}
    x = top = colour = 0
    for defined, number, run, count, sign, move in re.findall(
        r"(#\d+;2;\d+;\d+;\d+)|#(\d+)|(!(\d+)([?-~]))|([?-~$-])", body.replace("\n", "")
    ):
        if defined:
            at, _, *parts = (int(part) for part in defined[1:].split(";"))
            colours[at] = tuple(round(part * 255 / 100) for part in parts)
        elif number:
            colour = int(number)
        elif move == "$":
            x = 0
        elif move == "-":
            x, top = 0, top + 6
        else:
            wide, mask = int(count) if run else 1, ord(sign or move) - 63
            for at in range(x, x + wide):
                for bit in range(6):
                    if mask >> bit & 1:
                        picture.putpixel((at, top + bit), colours[colour])
            x += wide
    return picture
