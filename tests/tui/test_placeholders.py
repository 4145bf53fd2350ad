"""Pictures in words."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codi.frontends.tui.placeholders import placeholder, size_of
from codi.protocol.messages import Image
from conftest import call, says

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
LARGE = PNG[:16] + (800).to_bytes(4, "big") + (600).to_bytes(4, "big")


@pytest.mark.parametrize(
    "data, size",
    (
        (PNG, (1, 1)),
        (LARGE, (800, 600)),
        (b"GIF89a\x20\x03\x58\x02", (800, 600)),
        (b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\x02\x58\x03\x20", (800, 600)),
        (b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x1f\x03\0\x57\x02\0", (800, 600)),
        (b"text", None),
    ),
)
def test_sizes_are_read_of_the_bytes(data, size):
    assert size_of(data) == size


def test_a_placeholder_tells_size_kind_and_bytes():
    data = base64.b64encode(LARGE + b"\0" * (120 * 1024 - len(LARGE))).decode()
    assert placeholder(Image(data, "image/png")) == "[image 800x600 png 120KB]"
    assert placeholder(Image("no base64", "image/webp")).startswith("[image webp ")


@given(st.sampled_from((b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8", b"RIFFxxxxWEBPVP8X", b"")), st.binary())
def test_no_picture_is_too_broken(begin, rest):
    size = size_of(begin + rest)
    assert size is None or len(size) == 2


def test_a_picture_that_was_read_is_told(lab, terminals, folder):
    (folder / "dot.png").write_bytes(PNG)
    lab([says("", call("view_image", path="dot.png")), says("A dot.")])
    talk = terminals()
    talk.type("look" + "\r")
    talk.wait_for("A dot.", "[image 1x1 png ")
