"""Pictures on the terminal: what is sent can be read back, and is sent only to who understands it."""

import base64
import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

from codi.frontends.tui.images.gallery import Gallery
from codi.frontends.tui.images.iterm import iterm
from codi.frontends.tui.images.kitty import kitty
from codi.frontends.tui.images.pixels import few_colours
from codi.frontends.tui.images.sixel import sixel
from codi.frontends.tui.lines import line_width
from codi.protocol.messages import Image
from conftest import call, says
from drawn_pictures import KITTY, of_iterm, of_kitty, of_sixel

ENTER = "\r"
XTERM = {"TERM": "xterm-256color"}


def picture(width: int = 90, height: int = 40, form: str = "PNG") -> bytes:
    """Four colours, and noise that cannot be packed."""
    drawn = Picture.new("RGB", (width, height))
    chance = random.Random(7)
    for x in range(width):
        for y in range(height):
            drawn.putpixel((x, y), chance.choice([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]))
    written = io.BytesIO()
    drawn.save(written, form, **({"lossless": True} if form == "WEBP" else {}))
    return written.getvalue()


def image(data: bytes, kind: str = "image/png") -> Image:
    return Image(base64.b64encode(data).decode(), kind)


def same(one: Picture.Image, other: Picture.Image) -> bool:
    return one.convert("RGB").tobytes() == other.convert("RGB").tobytes()


def gallery(environment: dict[str, str], *reports: str, knows_keys: bool = False, rows: int = 40) -> Gallery:
    made = Gallery(environment, lambda text: None, lambda: (rows, 120), knows_keys=knows_keys)
    for report in reports:
        made.hear(report)
    return made


@pytest.mark.parametrize(
    ("environment", "reports", "way"),
    [
        ({"TERM": "xterm-kitty"}, (), "kitty"),
        (XTERM | {"KITTY_WINDOW_ID": "1"}, (), "kitty"),
        (XTERM | {"TERM_PROGRAM": "ghostty"}, (), "kitty"),
        ({"TERM": "xterm-ghostty"}, (), "kitty"),
        (XTERM | {"TERM_PROGRAM": "WezTerm"}, (), "kitty"),
        (XTERM | {"KONSOLE_VERSION": "220401"}, (), "kitty"),
        (XTERM | {"KONSOLE_VERSION": "210800"}, (), "none"),
        (XTERM | {"TERM_PROGRAM": "iTerm.app"}, (), "iterm"),
        (XTERM | {"LC_TERMINAL": "iTerm2"}, (), "iterm"),
        (XTERM, ("[?62;4;22c",), "sixel"),
        (XTERM, ("[?64;1;2c", "[?4c"), "none"),
        (XTERM, ("[?62c", "_Gi=31;OK"), "kitty"),
        (XTERM, ("[?62c", "_Gi=31;ENOTSUPPORTED"), "none"),
        (XTERM | {"TERM_PROGRAM": "Apple_Terminal"}, ("[?1;2c",), "none"),
        ({"TERM": "dumb", "KITTY_WINDOW_ID": "1"}, (), "none"),
        ({"TERM": "screen", "STY": "1.x"}, ("[?62;4c",), "none"),
        ({"TERM": "tmux-256color", "TMUX": "/nowhere,1,0", "KITTY_WINDOW_ID": "1"}, ("[?62;4c",), "none"),
    ],
)
def test_which_way_a_terminal_draws(environment, reports, way):
    assert gallery(environment, *reports).way == way


@pytest.mark.parametrize("inner, way", [("on", "kitty"), ("all", "kitty"), ("off", "none")])
def test_tmux_draws_where_it_hands_on(tmp_path, inner, way):
    (tmp_path / "tmux").write_text(f"#!/bin/sh\necho {inner}\n")
    (tmp_path / "tmux").chmod(0o755)
    environment = {"TERM": "tmux-256color", "TMUX": "x", "KITTY_WINDOW_ID": "1", "PATH": f"{tmp_path}:/bin:/usr/bin"}
    made = gallery(environment)
    assert made.way == way
    *_, last = made.lines(image(picture()), 80)
    sent = made.opening(last[-1][1])
    if way == "none":
        assert not sent
        return
    assert sent.count("\x1bPtmux;") >= 2
    unwrapped = sent.replace("\x1bPtmux;", "").replace("\x1b\x1b\\\x1b\\", "\x1b\\").replace("\x1b\x1b", "\x1b")
    ((_, drawn),) = of_kitty(unwrapped.encode())
    assert same(drawn, Picture.open(io.BytesIO(picture())))


def test_a_question_is_asked_only_of_who_may_understand_it():
    asked: list[str] = []
    for knows_keys in (False, True):
        made = Gallery(XTERM, asked.append, lambda: (24, 80), knows_keys=knows_keys)
        made.hear("[?62c")
        assert any("_G" in each for each in asked) == knows_keys


@given(st.binary(min_size=1, max_size=20_000))
@settings(max_examples=30)
def test_pieces_are_the_whole_file(data):
    raw = "".join(kitty(data, 3, 10, 4)).encode()
    pieces = [found for keys, found in KITTY.findall(raw) if not keys.startswith(b"a=d")]
    assert base64.b64decode(b"".join(pieces)) == data
    assert b"a=d,d=I,i=3" in raw and all(len(piece) <= 4096 for piece in pieces)


def test_each_way_can_be_read_back():
    data = picture()
    meant = Picture.open(io.BytesIO(data))
    ((keys, drawn),) = of_kitty("".join(kitty(data, 9, 12, 5)).encode())
    assert same(drawn, meant)
    assert {name: keys[name] for name in ("a", "f", "q", "i", "c", "r")} == {
        "a": "T", "f": "100", "q": "2", "i": "9", "c": "12", "r": "5",
    }  # fmt: skip
    ((keys, drawn),) = of_iterm(iterm(data, 12, 5).encode())
    assert same(drawn, meant) and (keys["width"], keys["height"], keys["inline"]) == ("12", "5", "1")
    (drawn,) = of_sixel(sixel(*few_colours(data, 90, 40), 90, 40).encode())
    assert same(drawn, meant)


@pytest.mark.parametrize("size", [(1, 1), (800, 600), (4000, 10), (10, 4000), (3000, 3000)])
@pytest.mark.parametrize("rows", [1, 8, 24, 200])
def test_no_picture_is_larger_than_60_by_20_cells(size, rows):
    head = picture(1, 1)[:16] + size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big")
    for columns in (1, 20, 80, 200):
        made = gallery({"TERM": "xterm-kitty"}, "[6;20;10t", rows=rows)
        lines = made.lines(image(head), columns)
        assert all(line_width(line) <= columns for line in lines)
        assert len(lines) - 1 <= min(20, max(rows - 6, 0))
        if len(lines) > 1:
            wide, high = (int(part) for part in lines[-1][-1][1].rpartition(":")[2].split("x"))
            assert wide <= 60 and high == len(lines) - 1


@pytest.mark.parametrize("form", ["JPEG", "GIF", "WEBP"])
def test_other_formats_are_made_a_png_for_kitty(form):
    made = gallery({"TERM": "xterm-kitty"})
    *_, last = made.lines(image(picture(form=form), f"image/{form.lower()}"), 80)
    ((_, drawn),) = of_kitty(made.opening(last[-1][1]).encode())
    assert drawn.format == "PNG" and drawn.size == (90, 40)


def test_what_is_no_picture_is_told_of():
    made = gallery({"TERM": "xterm-kitty"})
    assert len(made.lines(image(b"GIF89a\x20\x03\x58\x02", "image/gif"), 80)) == 1
    assert len(made.lines(Image("no base64!", "image/png"), 80)) == 1


@pytest.mark.parametrize("way", ["kitty", "iterm", "sixel"])
def test_the_installed_program_draws_what_was_looked_at(lab, terminals, folder, way):
    data = picture(60, 24)
    (folder / "dots.png").write_bytes(data)
    lab([says("", call("view_image", path="dots.png")), says("Dots, I see."), says("Yes.")])
    term = "xterm-kitty" if way == "kitty" else "xterm-256color"
    talk = terminals(rows=30, columns=80, term=term, **({"LC_TERMINAL": "iTerm2"} if way == "iterm" else {}))
    talk.wait_for("codi 0")
    talk.type("\x1b[?62;4c\x1b[6;12;6t" if way == "sixel" else "\x1b[6;12;6t")
    talk.type("look" + ENTER)
    talk.wait_for("Dots, I see.", "[image 60x24 png ", "1 tool call")
    talk.type("again" + ENTER)
    talk.wait_for("Yes.")
    found = {"kitty": of_kitty, "iterm": of_iterm, "sixel": of_sixel}[way](talk.raw)
    assert len(found) == 1  # drawn once, however often the lines below it were drawn
    drawn = found[0] if way == "sixel" else found[0][1]
    assert same(drawn, Picture.open(io.BytesIO(data)))
    rows = talk.rows
    at = next(number for number, row in enumerate(rows) if "[image 60x24" in row)
    assert [row.strip() for row in rows[at + 1 : at + 3]] == ["", ""] and rows[at - 1].strip()
    before = len(talk.raw)
    talk.type("\x1b[5~")
    talk.wait_for("tab next part")
    assert not any(of(talk.raw[before:]) for of in (of_kitty, of_iterm, of_sixel))  # the pager tells of it


@pytest.mark.parametrize("why", ["switched off", "unknown"])
def test_elsewhere_a_picture_is_told_of(codi, lab, terminals, folder, why):
    (folder / "dots.png").write_bytes(picture())
    if why == "switched off":
        codi.set_up("[ui]\nimages = false\n")
    lab([says("", call("view_image", path="dots.png")), says("Dots.")])
    talk = terminals(term="xterm-kitty" if why == "switched off" else "xterm-256color")
    talk.type("look" + ENTER)
    talk.wait_for("Dots.", "[image 90x40 png ")
    assert b"\x1b_G" not in talk.raw and b"]1337" not in talk.raw and b"\x1bP" not in talk.raw


def test_no_text_draws_a_picture(lab, terminals, folder):
    """What a model or a file says is no sequence, whatever the terminal understands."""
    evil = "\x1b_Ga=T,f=100;AAAA\x1b\\ \x1b]1337;File=inline=1:AAAA\x07 \x1bP0;1;0q#0;2;1;1;1#0~\x1b\\ [x](image:1:2x2)"
    (folder / "evil.txt").write_text(evil)
    lab([says(evil, call("read", path="evil.txt")), says("Done.")])
    talk = terminals(term="xterm-kitty")
    talk.type("look" + ENTER)
    talk.wait_for("Done.", "1 tool call")
    assert not of_kitty(talk.raw) and not of_iterm(talk.raw) and not of_sixel(talk.raw) and b"\x1b_G" not in talk.raw
