"""Pictures that are pasted, dropped and mentioned go along with the prompt; what cannot go leaves the text as it is."""

import base64
import io
import json

import pytest
from PIL import Image

from conftest import says

CTRL_V, ENTER, BACKSPACE = "\x16", "\r", "\x7f"
PASTE, PASTED = "\x1b[200~", "\x1b[201~"


def png(width=80, height=60) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(written, "PNG")
    return written.getvalue()


def sent(request) -> tuple[str, list[bytes]]:
    """The text and the pictures of the newest message on the wire."""
    content = json.loads(request.body)["messages"][-1]["content"]
    texts = [block["text"] for block in content if block["type"] == "text"]
    pictures = [base64.b64decode(block["source"]["data"]) for block in content if block["type"] == "image"]
    return "\n".join(texts), pictures


def clipboard(tmp_path, name: str, content: bytes, *, text: str = "") -> str:
    """A program of that name which gives a picture, or a text; the PATH with it."""
    (tmp_path / "clip.png").write_bytes(content)
    wants_picture = 'case "$*" in *image/png*|-) ' + (f"cat {tmp_path}/clip.png" if content else "exit 1") + ";; "
    (tmp_path / name).write_text(f"#!/bin/sh\n{wants_picture} *) printf %s '{text}';; esac\n")
    (tmp_path / name).chmod(0o755)
    return f"{tmp_path}:/usr/bin:/bin"


@pytest.mark.parametrize("program", ["wl-paste", "xclip", "pngpaste"])
def test_ctrl_v_puts_the_picture_of_the_clipboard_in(lab, terminals, tmp_path, program):
    server = lab([says("Red.")])
    talk = terminals(PATH=clipboard(tmp_path, program, png()))
    talk.wait_for("codi 0")
    talk.type("what is ")
    talk.wait_for("what is")
    talk.type(CTRL_V)
    talk.wait_for("what is [image #1 80x60]")
    talk.type("?" + ENTER)
    talk.wait_for("› what is [image #1 80x60]?", "[image 80x60 png ", "Red.")
    text, pictures = sent(server.requests[-1])
    assert "what is [image #1 80x60]?" in text and pictures == [png()]


def test_a_marker_is_one_character_and_a_deleted_picture_stays_here(lab, terminals, tmp_path):
    server = lab([says("Nothing.")])
    talk = terminals(PATH=clipboard(tmp_path, "xclip", png()))
    talk.wait_for("codi 0")
    talk.type(CTRL_V)
    talk.wait_for("[image #1 80x60]")
    talk.type(CTRL_V)
    talk.wait_for("[image #2 80x60]")
    talk.type(BACKSPACE)
    talk.wait_until_gone("[image #2")
    talk.type(BACKSPACE)
    talk.wait_until_gone("[image #1")
    talk.type("nothing" + ENTER)
    talk.wait_for("Nothing.")
    assert sent(server.requests[-1])[1] == []


def test_without_a_picture_text_is_pasted_and_the_draft_stays(lab, terminals, tmp_path):
    lab([says("never")], used=True)
    talk = terminals(PATH=clipboard(tmp_path, "xclip", b"", text="from the clipboard"))
    talk.wait_for("codi 0")
    talk.type("draft ")
    talk.wait_for("draft")
    talk.type(CTRL_V)
    talk.wait_for("draft from the clipboard")


def test_the_terminal_is_asked_last_and_only_then_believed(lab, terminals):
    lab([says("never")])
    talk = terminals(PATH="/nowhere")
    answer = "\x1b]52;c;" + base64.b64encode(b"from afar").decode() + "\x07"
    talk.wait_for("codi 0")
    talk.type("draft " + answer)
    talk.wait_for("draft")
    talk.type(CTRL_V)
    talk.wait_for("no image")
    assert "from afar" not in talk.shown and b"\x1b]52;c;?" in talk.raw
    talk.type(answer)
    talk.wait_for("draft from afar")


def test_dropped_files_are_pictures_or_mentions(lab, terminals, folder):
    server = lab([says("Seen.")])
    (folder / "my red.png").write_bytes(png())
    (folder / "a.txt").write_text("text of a\n")
    talk = terminals()
    talk.wait_for("codi 0")
    escaped = str(folder / "my red.png").replace(" ", "\\ ")
    talk.type(f"{PASTE}{escaped}{PASTED}")
    talk.wait_for("[image #1 80x60]")
    talk.type(f"{PASTE}file://{folder}/a.txt{PASTED}")
    talk.wait_for("@a.txt")
    talk.type(ENTER)
    talk.wait_for("Seen.")
    text, pictures = sent(server.requests[-1])
    assert "text of a" in text and pictures == [png()]


def test_a_path_that_is_no_file_is_text(lab, terminals):
    server = lab([says("Seen.")])
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type(f"{PASTE}/no/such/file.png is what?{PASTED}")
    talk.wait_for("/no/such/file.png is what?")
    talk.type(ENTER)
    talk.wait_for("Seen.")
    assert "/no/such/file.png is what?" in sent(server.requests[-1])[0]


def test_a_mentioned_picture_goes_along_and_a_false_one_is_refused(lab, terminals, folder):
    server = lab([says("Red.")])
    (folder / "red.png").write_bytes(png())
    (folder / "false.png").write_text("no picture at all")
    talk = terminals()
    talk.type("see @false.png" + ENTER)
    talk.wait_for("false.png is no image, whatever its name says", "see @false.png")
    assert not server.requests
    talk.type("\x15see @red.png" + ENTER)
    talk.wait_for("Red.")
    assert sent(server.requests[-1])[1] == [png()]


def test_a_broken_picture_gives_the_text_back(lab, terminals, folder, tmp_path):
    server = lab([says("never")])
    talk = terminals(PATH=clipboard(tmp_path, "xclip", png()[:40]))
    talk.wait_for("codi 0")
    talk.type("look: ")
    talk.wait_for("look:")
    talk.type(CTRL_V)
    talk.wait_for("look: [image #1 80x60]")
    talk.type(ENTER)
    talk.wait_for("the image is a corrupt image")
    assert any("look: [image #1 80x60]" in row for row in talk.rows)
    assert not server.requests
