"""Images: told by their bytes, made small enough, and never shown where nobody can see."""

import base64
import io
import random
import sys

import pytest
from PIL import Image as Picture

import codi.tools
from codi.tools.images import MOST_ENCODED_BYTES, MOST_PIXELS
from codi.tools.kit import built_in
from codi.tools.limiting import Limits
from codi.tools.results import Results
from codi.tools.syntax_gate import SyntaxGate
from codi.tools.toolbox import Toolbox
from codi.workspace.glance import Glance


def picture(form: str, size=(30, 20), mode="RGB", **how) -> bytes:
    written = io.BytesIO()
    Picture.new(mode, size, "red").save(written, form, **how)
    return written.getvalue()


def noise(size, form="PNG") -> bytes:
    written = io.BytesIO()
    Picture.frombytes("RGB", size, random.Random(1).randbytes(size[0] * size[1] * 3)).save(written, form)
    return written.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("tool", ["read", "view_image"])
def test_a_small_image_is_shown_as_it_is_whatever_it_is_called(bench, tool, form):
    content = picture(form)
    bench.write("picture.txt", content)
    output = bench.call(tool, path="picture.txt")
    kind = f"image/{form.lower()}"
    assert output.text == f"Read image file [{kind}]"
    (image,) = output.images
    assert base64.b64decode(image.data) == content and image.media_type == kind


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (picture("PNG", (4000, 3000)), "4000x3000 shown as 2000x1500"),
        (picture("JPEG", (100, 2400)), "100x2400 shown as 83x2000"),
        (picture("GIF", (2500, 50)), "2500x50 shown as 2000x40"),
        (picture("WEBP", (2100, 2100)), "2100x2100 shown as 2000x2000"),
        (picture("WEBP", (2100, 2100), lossless=True), "2100x2100 shown as 2000x2000"),
        (picture("PNG", (2001, 10), "RGBA"), "2001x10 shown as 2000x10"),
        (picture("PNG", (2001, 10), "P"), "2001x10 shown as 2000x10"),
    ],
)
def test_a_large_image_is_made_smaller(bench, content, shown):
    bench.write("large", content)
    output = bench.call("view_image", path="large")
    assert output.text.endswith(f"] {shown}")
    (image,) = output.images
    seen = Picture.open(io.BytesIO(base64.b64decode(image.data)))
    assert max(seen.size) <= MOST_PIXELS and f"image/{seen.format.lower()}" == image.media_type


def test_an_image_of_many_bytes_is_made_smaller(bench):
    content = noise((2600, 2600))
    assert len(content) > 20_000_000
    bench.write("noise.png", content)
    output = bench.call("view_image", path="noise.png")
    (image,) = output.images
    assert len(image.data) < MOST_ENCODED_BYTES and image.media_type == "image/jpeg"
    assert output.text.startswith("Read image file [image/png] 2600x2600 shown as ")


def test_of_an_animation_the_first_picture_is_shown(bench):
    frames = [Picture.new("RGB", (2400, 10), colour) for colour in ("red", "blue")]
    written = io.BytesIO()
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:])
    bench.write("a.gif", written.getvalue())
    output = bench.call("view_image", path="a.gif")
    seen = Picture.open(io.BytesIO(base64.b64decode(output.images[0].data))).convert("RGB")
    assert seen.getpixel((0, 0))[0] > 200 and seen.getpixel((0, 0))[2] < 60


@pytest.mark.parametrize(
    "content",
    [
        picture("PNG")[:40],
        picture("PNG")[:20],
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b"\xff\xd8\xff\xe0" + bytes(9),
        b"GIF89a" + bytes(9),
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        picture("PNG", (3000, 3000))[:200],
        noise((60, 60), "JPEG")[:600],
    ],
)
def test_a_corrupt_image_is_an_error(bench, content):
    bench.write("broken", content)
    output = bench.call("view_image", path="broken")
    assert output.is_error and output.text.startswith("broken is a corrupt image (image/") and not output.images


def test_the_question_goes_with_the_image(bench):
    bench.write("a.png", picture("PNG"))
    assert bench.call("analyze_image", file="a.png", question="What colour?").text.endswith("\nQuestion: What colour?")


def test_what_is_no_image(bench):
    bench.write("a.png", "text")
    assert bench.call("view_image", path="a.png").text == (
        "a.png is no PNG, JPEG, GIF or WebP image but application/octet-stream."
    )
    assert bench.call("view_image", path="none.png").text.startswith("File not found: none.png")
    assert bench.call("view_image", path=".").text == ". is a directory; use list."


def test_without_the_extra_a_large_image_is_an_error_that_names_it(bench, monkeypatch):
    bench.write("small.png", picture("PNG"))
    bench.write("large.png", picture("PNG", (2001, 10)))
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "codi.tools.scaling", raising=False)
    monkeypatch.delattr(codi.tools, "scaling", raising=False)
    assert bench.call("read", path="small.png").images
    output = bench.call("read", path="large.png")
    assert output.is_error and "large.png is an image of 2001x10" in output.text
    assert "pip install 'codi[images]'" in output.text


def test_a_model_that_cannot_see_gets_no_image(bench, tmp_path):
    blind = Toolbox(
        built_in(
            limits=Limits(Results(None)),
            gate=SyntaxGate(),
            ripgrep=None,
            project=Glance(bench.workspace),
            sees=False,
        )
    )
    assert "view_image" not in blind.names
    bench.toolbox = blind
    bench.write("a.png", picture("PNG"))
    output = bench.call("read", path="a.png")
    assert output.is_error and not output.images
    assert output.text == (
        "a.png is an image (image/png), and the present model cannot see. Choose a model that can with the setting "
        "model.default."
    )
