"""`read`: lines with their numbers, what is left out and how to get it, and files that are no text."""

import os
import socket

import pytest
from file_desk import Desk

from codi.tools.output import Cap

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
FIVE = "line1\nline2\nline3\nline4\nline5\n"


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.mark.parametrize(
    ("content", "arguments", "expected"),
    [
        ("a\nb", {}, "    1→a\n    2→b"),
        ("a\nb\n", {}, "    1→a\n    2→b"),
        ("a\n\n\nb\n\n", {}, "    1→a\n    2→\n    3→\n    4→b\n    5→"),
        ("\n", {}, "    1→"),
        ("", {}, "[file is empty]"),
        (b"\xef\xbb\xbf", {}, "[file is empty]"),
        ("a\r\nb\r\n", {}, "    1→a\n    2→b"),
        ("a\x0cb\u2028c\n", {}, "    1→a\x0cb\u2028c"),
        (b"\xff\xfea\x00\n\x00b\x00", {}, "    1→a\n    2→b"),
        (b"gr\xfcn\n", {}, "    1→gr\xfcn"),
        (FIVE, {"line_numbers": False}, "line1\nline2\nline3\nline4\nline5"),
        (FIVE, {"offset": 0, "limit": 1}, "    1→line1\n\n[4 more lines in file. Use offset=2 to continue.]"),
        (
            FIVE,
            {"offset": 3, "limit": 2},
            "    3→line3\n    4→line4\n\n[1 more lines in file. Use offset=5 to continue.]",
        ),
        (FIVE, {"offset": 5}, "    5→line5"),
        (FIVE, {"offset": 4, "limit": 9}, "    4→line4\n    5→line5"),
        (FIVE, {"offset": "2", "limit": "1"}, "    2→line2\n\n[3 more lines in file. Use offset=3 to continue.]"),
        ("a" * 2000, {}, "    1→" + "a" * 2000),
        ("é" * 2001, {}, "    1→" + "é" * 2000 + " [line cut, 2001 chars]"),
        ("x\n" + "a" * 2001, {"line_numbers": False}, "x\n" + "a" * 2000 + " [line cut, 2001 chars]"),
    ],
)
def test_the_text(desk, content, arguments, expected):
    desk.put("a.txt", content, seen=False)
    output = desk.call("read", path="a.txt", **arguments)
    assert (output.text, output.details, output.is_error) == (expected, None, False)


def test_numbers_grow_beyond_five_columns(desk):
    desk.put("a.txt", "x\n" * 100_001, seen=False)
    assert desk.text("read", path="a.txt", offset=99_999) == " 99999→x\n100000→x\n100001→x".replace(" 99999", "99999")


def test_more_lines_than_one_result_holds(desk):
    desk.put("a.txt", "".join(f"{number}\n" for number in range(1, 3001)), seen=False)
    output = desk.call("read", path="a.txt")
    lines = output.text.split("\n")
    assert lines[1999:] == [" 2000→2000", "", "[Showing lines 1-2000 of 3000. Use offset=2001 to continue.]"]
    assert output.details == {
        "truncation": {
            "truncated": True,
            "truncatedBy": "lines",
            "totalLines": 3000,
            "totalBytes": len("\n".join(map(str, range(1, 3001)))),
            "outputLines": 2000,
            "outputBytes": len("\n".join(lines[:2000]).encode()),
            "lastLinePartial": False,
            "firstLineExceedsLimit": False,
            "maxLines": 2000,
            "maxBytes": 51200,
        }
    }
    rest = desk.text("read", path="a.txt", offset=2001)
    assert rest.startswith(" 2001→2001\n") and rest.endswith("\n 3000→3000")
    assert desk.text("read", path="a.txt", limit=5000).endswith(
        "[Showing lines 1-2000 of 3000. Use offset=2001 to continue.]"
    )


def test_more_bytes_than_one_result_holds(desk):
    desk.put("a.txt", f"{'x' * 99}\n" * 1000, seen=False)
    output = desk.call("read", path="a.txt", offset=101)
    body, _, notice = output.text.rpartition("\n\n")
    assert notice == "[Showing lines 101-574 of 1000 (50.0KB limit). Use offset=575 to continue.]"
    assert len(body.splitlines()) == 474
    assert len(body.encode()) <= 51200
    truncation = output.details["truncation"]
    assert (truncation["truncatedBy"], truncation["totalLines"], truncation["outputLines"]) == ("bytes", 900, 474)


def test_a_line_longer_than_the_model_can_take(tmp_path):
    desk = Desk(tmp_path, cap=Cap(bytes=2000))
    desk.put("my file.txt", "short\n" + "é" * 1500 + "\n", seen=False)
    output = desk.call("read", path="my file.txt", offset=2)
    assert output.text == "[Line 2 is 2.9KB, exceeds 2.0KB limit. Use shell: sed -n '2p' 'my file.txt' | head -c 2000]"
    assert output.details["truncation"]["firstLineExceedsLimit"] is True


@pytest.mark.parametrize(("content", "offset", "total"), [(FIVE, 6, 5), (FIVE, 999, 5), ("", 2, 0), ("a", 2, 1)])
def test_an_offset_beyond_the_end(desk, content, offset, total):
    desk.put("a.txt", content, seen=False)
    message = f"Offset {offset} is beyond end of file ({total} lines total)"
    assert desk.error("read", path="a.txt", offset=offset) == message


@pytest.mark.parametrize(
    "arguments", [{"offset": -1}, {"limit": 0}, {"limit": 10_001}, {"limit": "many"}, {"lines": 3}]
)
def test_arguments_outside_of_the_schema(desk, arguments):
    desk.put("a.txt", FIVE, seen=False)
    assert desk.error("read", path="a.txt", **arguments).startswith('Validation failed for tool "read":\n - ')


def test_a_missing_file_with_near_names(desk):
    for name in ("readme.md", "src/settings.py", "src/strings.py", "docs/config.toml"):
        desk.put(name, seen=False)
    missing = "File not found: {} (No such file or directory)"
    assert desk.error("read", path="README.md") == missing.format("README.md") + "\nDid you mean: readme.md?"
    assert desk.error("read", path="src/setings.py").endswith("\nDid you mean: src/settings.py, src/strings.py?")
    assert desk.error("read", path="config.toml").endswith("\nDid you mean: docs/config.toml?")
    assert desk.error("read", path="zebra") == missing.format("zebra")
    assert desk.error("read", path="readme.md/x") == missing.format("readme.md/x")
    assert desk.error("read", path="a\0b").startswith("File not found: a")


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("caf\u00e9.txt", "cafe\u0301.txt"),
        ("cafe\u0301.txt", "caf\u00e9.txt"),
        ("at 10.00.00\u202fAM.txt", "at 10.00.00 AM.txt"),
        ("it\u2019s.txt", "it's.txt"),
        ("l\u2019e\u0301te\u0301.txt", "l'\u00e9t\u00e9.txt"),
    ],
)
def test_names_that_look_the_same(desk, name, asked):
    desk.put(name, "found", seen=False)
    assert desk.text("read", path=asked) == "    1→found"


def test_what_is_no_regular_file(desk):
    (desk.root / "folder").mkdir()
    os.mkfifo(desk.root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fsencode(desk.root / "s"))
    assert desk.error("read", path="folder") == "folder is a directory; use list."
    assert desk.error("read", path="pipe") == "pipe is not a regular file."
    assert desk.error("read", path="s") == "s is not a regular file."
    assert desk.error("read", path="/dev/null") == "/dev/null is not a regular file."


def test_links_are_followed(desk):
    desk.put("there/a.txt", "found", seen=False)
    (desk.root / "link.txt").symlink_to("there/a.txt")
    (desk.root / "broken.txt").symlink_to("nowhere")
    assert desk.text("read", path="link.txt") == "    1→found"
    assert desk.error("read", path="broken.txt").startswith("File not found: broken.txt (No such file or directory)")


def test_a_binary_file_is_named_and_not_shown(desk):
    desk.put("a.bin", b"\x00" * 1536, seen=False)
    desk.put("a.pdf", b"%PDF-1.7 ...", seen=False)
    assert desk.text("read", path="a.bin") == "Binary file a.bin (application/octet-stream, 1.5KB); not shown."
    assert desk.text("read", path="a.pdf") == "Binary file a.pdf (application/pdf, 12B); not shown."


def test_facts_about_a_file(desk):
    place = desk.put("a.txt", b"\xef\xbb\xbfgr\xc3\xbcn\r\nblau\r\n", seen=False)
    os.utime(place, (1_700_000_000, 1_700_000_000))
    lines = desk.text("read", path="a.txt", info_only=True).split("\n")
    assert lines[:3] == ["a.txt", "Type: text", "Size: 16B"]
    assert lines[3].startswith("Modified: 2023-11-1")
    assert lines[4:] == ["Lines: 2", "Tokens: about 3", "Encoding: utf-8 with BOM", "Line ending: CRLF"]
    desk.put("a.png", PNG, seen=False)
    assert desk.text("read", path="a.png", info_only=True).split("\n")[1:3] == ["Type: image/png", "Size: 28B"]


def test_a_file_that_was_read_in_part_may_be_changed(desk):
    desk.put("a.txt", FIVE, seen=False)
    desk.text("read", path="a.txt", info_only=True)
    assert desk.workspace.stamp("a.txt") is None
    desk.text("read", path="a.txt", limit=1)
    assert desk.text("edit", path="a.txt", old_text="line4", new_text="four") == "Successfully replaced text in a.txt."
