"""`write`: a new file, or all of an old one that was read; what was kept outside of the text stays."""

from hashlib import sha256

import pytest
from file_desk import Desk

from codi.protocol.events import FileChange


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("path", "content", "count"),
    [
        ("a.txt", "Hello\nLine 2", 12),
        ("new/deep/a.txt", "x", 1),
        ("empty", "", 0),
        ("u.txt", "日本 🎉", 11),
        ("c", "a\r\n", 3),
    ],
)
def test_a_new_file(desk, path, content, count):
    output = desk.call("write", path=path, content=content)
    assert output.text == f"Successfully wrote {count} bytes to {path}"
    assert output.details is None
    assert output.changes == (FileChange(path, "created", after=digest(content.encode())),)
    assert desk.content(path) == content.encode()


def test_an_old_file_that_was_read(desk):
    place = desk.put("run.sh", "echo old\n", seen=False)
    place.chmod(0o750)
    desk.text("read", path="run.sh")
    output = desk.call("write", path="run.sh", content="echo new\n")
    assert output.text == "Successfully wrote 9 bytes to run.sh"
    assert output.changes == (FileChange("run.sh", "modified", digest(b"echo old\n"), digest(b"echo new\n")),)
    assert place.stat().st_mode & 0o777 == 0o750


def test_writing_counts_as_reading(desk):
    desk.text("write", path="a.txt", content="one")
    assert desk.text("write", path="a.txt", content="two") == "Successfully wrote 3 bytes to a.txt"


def test_a_file_that_was_never_read_is_not_overwritten(desk):
    desk.put("a.txt", "theirs\n", seen=False)
    assert desk.error("write", path="a.txt", content="mine\n") == (
        "a.txt was not read in this session. Read it first; the current text around your edit is:\n    1→theirs"
    )
    assert desk.content("a.txt") == b"theirs\n"


def test_a_file_that_changed_since_is_not_overwritten(desk):
    desk.put("a.txt", "".join(f"line {number}\n" for number in range(1, 31)))
    desk.put("a.txt", "".join(f"line {number}\n" for number in range(1, 31)).replace("line 20", "theirs"), seen=False)
    mine = desk.content("a.txt").decode().replace("theirs", "mine")
    error = desk.error("write", path="a.txt", content=mine)
    first, *lines = error.split("\n")
    assert first.startswith("a.txt changed on disk since it was read (at 20")
    assert first.endswith("). Read it again; the current text around your edit is:")
    assert lines == [f"{number:>5}→{'theirs' if number == 20 else f'line {number}'}" for number in range(15, 26)]


def test_a_file_that_was_deleted_since_is_made_again(desk):
    desk.put("a.txt", "x").unlink()
    assert desk.text("write", path="a.txt", content="y") == "Successfully wrote 1 bytes to a.txt"


@pytest.mark.parametrize(
    ("old", "content", "after"),
    [
        (b"a\r\nb\r\n", "x\ny\n", b"x\r\ny\r\n"),
        (b"a\r\nb\nc\r\n", "a\nb\nC\n", b"a\r\nb\nC\r\n"),
        (b"a\nb\n", "x\r\ny\r\n", b"x\r\ny\r\n"),
        (b"\xef\xbb\xbfa", "b", b"\xef\xbb\xbfb"),
        (b"\xff\xfea\x00", "b", b"\xff\xfeb\x00"),
        (b"gr\xfcn", "bl\u00e4u", b"bl\xe4u"),
        (b"\x00\x01", "text now", b"text now"),
    ],
)
def test_the_form_of_the_old_file_is_kept(desk, old, content, after):
    desk.put("a.txt", old, seen=False)
    desk.text("read", path="a.txt")
    assert desk.text("write", path="a.txt", content=content) == f"Successfully wrote {len(after)} bytes to a.txt"
    assert desk.content("a.txt") == after


def test_a_character_that_the_encoding_does_not_have(desk):
    desk.put("a.txt", b"gr\xfcn")
    error = desk.error("write", path="a.txt", content="→")
    assert error == "a.txt is encoded as cp1252, which has no '→' (U+2192). Use a character that it has."
    assert desk.content("a.txt") == b"gr\xfcn"


TEN = "".join(f"step_{number}()\n" for number in range(10))


@pytest.mark.parametrize(
    "placeholder",
    [
        "... rest unchanged",
        "# ... rest of the file unchanged ...",
        "// ... existing code ...",
        "/* … remaining functions … */",
        "<!-- rest stays the same -->",
        "    # (rest of the code remains the same)",
        "[... the rest unchanged ...]",
    ],
)
def test_an_abridged_file_is_refused(desk, placeholder):
    desk.put("a.py", TEN)
    error = desk.error("write", path="a.py", content=f"step_0()\n{placeholder}\n")
    assert error.startswith(f'a.py was not written: the content holds the placeholder "{placeholder.strip()}"')
    assert "Use edit" in error
    assert desk.content("a.py") == TEN.encode()


@pytest.mark.parametrize(
    "content",
    [
        "step_0()\n# the rest is up to you\n",
        "step_0()\n",
        TEN[: len(TEN) * 6 // 10] + "\n# ... rest unchanged\n",
        "print('...')\ndef other(*args): ...\n",
        "# More on the remaining budget below\nx = 1\n",
    ],
)
def test_a_real_rewrite_is_written(desk, content):
    desk.put("a.py", TEN)
    desk.text("write", path="a.py", content=content)


def test_a_placeholder_that_was_there_before_is_text(desk):
    desk.put("a.md", "one\n... rest unchanged\ntwo\nthree\nfour\n")
    desk.text("write", path="a.md", content="... rest unchanged\n")


def test_what_cannot_be_written(desk):
    (desk.root / "folder").mkdir()
    desk.put("file", "x")
    assert desk.error("write", path="folder", content="x") == "folder is a directory; use list."
    assert desk.error("write", path="file/below", content="x") == "Nothing was written: file: Not a directory."
    assert desk.error("write", path="a\0b", content="x").startswith("Nothing was written: ")
    assert desk.error("write", path="n" * 300, content="x") == f"Cannot reach {'n' * 300}: File name too long"
    assert desk.error("write", content="x").startswith('Validation failed for tool "write":\n - path: required')
    assert desk.names() == ["file"]


def test_a_directory(desk):
    desk.put("file", "x")
    assert desk.text("write", path="new/deep/", content="") == "Successfully made the directory new/deep/"
    assert (desk.root / "new/deep").is_dir()
    assert desk.text("write", path="new/", content="") == "The directory new/ exists already"
    assert (
        desk.error("write", path="new/", content="x")
        == "new/ names a directory. Give the path of a file to write text."
    )
    assert desk.error("write", path="file/x/", content="") == "Cannot make the directory file/x/: Not a directory"


def test_a_breaking_text_is_sent_back_once(desk):
    desk.put("a.py", "x = 1\n")
    error = desk.error("write", path="a.py", content="x = (\n")
    assert error.startswith(
        "Nothing was written: a.py would no longer parse: line 1, column 5: '(' was never closed\n    1→x = ("
    )
    assert desk.content("a.py") == b"x = 1\n"
    assert desk.text("write", path="a.py", content="x = (\n") == (
        "Successfully wrote 6 bytes to a.py\n"
        "Warning: a.py would no longer parse: line 1, column 5: '(' was never closed\n    1→x = ("
    )


def test_the_setting_warn(tmp_path):
    desk = Desk(tmp_path, gate="warn")
    desk.put("a.json", "[]")
    assert "Warning: a.json would no longer parse: line 1" in desk.text("write", path="a.json", content="[")
