"""Reading, writing, editing, patching and refactoring by a scripted model: exact texts, exact bytes, and nobody's work lost."""

import pytest

from calling import EVERYTHING, results
from conftest import Codi, call, says


def read(path: str, **more):
    return call("read", path=path, **more)


def edit(path: str, old: str, new: str, **more):
    return call("edit", path=path, old_text=old, new_text=new, **more)


def patch(text: str):
    return call("apply_patch", patch=text)


@pytest.fixture
def lasting(codi: Codi) -> Codi:
    """A turn that goes on however many calls fail."""
    codi.set_up("[agent]\nmax_failed_steps = 1000\n")
    return codi


FORMS = {
    "lf": b"one\ntwo\nthree\n",
    "crlf": b"one\r\ntwo\r\n",
    "bom": b"\xef\xbb\xbfone\n",
    "utf16": "one\r\ntwo\r\n".encode("utf-16"),
    "latin": b"caf\xe9\n",
    "binary": b"\0\1" * 100,
    "empty": b"",
    "long": b"x" * 2100 + b"\n",
    "main.py": b"a = 1\n",
}

READ = [
    (read("lf"), "    1→one\n    2→two\n    3→three"),
    (read("lf", offset=2, limit=1), "    2→two\n\n[1 more lines in file. Use offset=3 to continue.]"),
    (read("lf", offset=0, limit=1, line_numbers=False), "one\n\n[2 more lines in file. Use offset=2 to continue.]"),
    (read("lf", offset=9), "ERROR: Offset 9 is beyond end of file (3 lines total)"),
    (read("crlf"), "    1→one\n    2→two"),
    (read("bom", line_numbers=False), "one"),
    (read("utf16"), "    1→one\n    2→two"),
    (read("latin"), "    1→café"),
    (read("binary"), "Binary file binary (application/octet-stream, 200B); not shown."),
    (read("empty"), "[file is empty]"),
    (read("."), "ERROR: . is a directory; use list."),
    (read("mian.py"), "ERROR: File not found: mian.py (No such file or directory)\nDid you mean: main.py?"),
]


def test_every_form_of_a_file_is_read(lasting, lab, folder):
    for name, content in FORMS.items():
        (folder / name).write_bytes(content)
    told = results(lasting, lab, *(each for each, _ in READ), read("utf16", info_only=True), read("long"))
    assert told[: len(READ)] == [text for _, text in READ]
    assert told[-2].endswith("Encoding: utf-16-le with BOM\nLine ending: CRLF")
    assert told[-1] == "    1→" + "x" * 2000 + " [line cut, 2100 chars]"


def test_an_edit_keeps_the_form_of_the_file(lasting, lab, folder):
    odd = b"a\r\nb\nc\rd\x0ce\xe2\x80\xa8f  \nlast"
    for name, content in FORMS.items() | {"odd": odd}.items():
        (folder / name).write_bytes(content)
    told = results(
        lasting,
        lab,
        *map(read, ("crlf", "bom", "utf16", "latin", "odd")),
        edit("crlf", "two", "2\n3"),
        edit("bom", "one", "zwölf"),
        edit("utf16", "two", "zwölf"),
        edit("latin", "caf", "Caf"),
        edit("latin", "Caf", "中"),
        edit("odd", "b\n", "B\nB\n"),
        edit("binary", "x", "y"),
    )
    assert [each.startswith("ERROR") for each in told[5:]] == [False, False, False, False, True, False, True]
    assert told[9] == "ERROR: latin is encoded as cp1252, which has no '中' (U+4E2D). Use a character that it has."
    assert (folder / "crlf").read_bytes() == b"one\r\n2\r\n3\r\n"
    assert (folder / "bom").read_bytes() == "\ufeffzwölf\n".encode()
    assert (folder / "utf16").read_bytes() == "one\r\nzwölf\r\n".encode("utf-16")
    assert (folder / "latin").read_bytes() == b"Caf\xe9\n"
    assert (folder / "odd").read_bytes() == odd.replace(b"b\n", b"B\nB\n")
    assert lasting("undo").status == 0
    assert {name: (folder / name).read_bytes() for name in FORMS} == FORMS and (folder / "odd").read_bytes() == odd


def test_an_edit_says_why_it_did_not_fit(lasting, lab, folder):
    (folder / "a").write_text("same\nother(1)\nsame\nprice $1\n")
    told = results(
        lasting,
        lab,
        read("a"),
        edit("a", "same", "x"),
        edit("a", "othr(1)", "x(1)"),
        edit("a", "price $1", r"$& \1 ${0}"),
        edit("a", "other(1)", "other(1)"),
        edit("a", "", "y"),
        call("edit", path="a", edits=[{"old_text": "other", "new_text": "o"}, {"old_text": "nix", "new_text": "y"}]),
        call("edit", path="a", edits=[{"old_text": "(1)\ns", "new_text": ""}, {"old_text": "same\n$", "new_text": ""}]),
        edit("a", "    2→other(1)\n    3→same", "merged"),
        edit("b", "x", "y"),
    )
    assert told[1:] == [
        "ERROR: Found 2 occurrences of the text in a (lines 1, 3). Add context or set replace_all.",
        "ERROR: Could not find the exact text in a.\nSimilar text at line 2 (93% alike): "
        'line 2: "othr(1)" vs "other(1)"\n    2→other(1)',
        "Successfully replaced text in a.",
        "ERROR: No changes made to a.",
        "ERROR: old_text must not be empty in a.",
        "ERROR: Could not find edits[1] in a.",
        "ERROR: edits[0] and edits[1] overlap in a.",
        "Successfully replaced text in a. (matched ignoring line numbers)",
        "ERROR: File not found: b (No such file or directory)",
    ]
    assert (folder / "a").read_text() == "same\nmerged\n" + r"$& \1 ${0}" + "\n"


def test_a_looser_form_elsewhere_casts_no_doubt_on_an_exact_one(lasting, lab, folder):
    before = "if a:\n    go()\nelse:\n        go()   \n\tgo()\n"
    (folder / "a").write_text(before)
    told = results(
        lasting, lab, read("a"), edit("a", "\n    go()\n", "\n    run()\n"), edit("a", "else:\n    go()\n", "x\n")
    )
    assert told[1] == "Successfully replaced text in a."
    assert (folder / "a").read_text() != before and "\tgo()\n" in (folder / "a").read_text()


def _meet(command: str):
    """A call during which a person works: it says that it runs, and waits until they are done."""
    return call("shell", command=f"touch running; while ! test -e {command}; do sleep 0.02; done; rm running {command}")


def test_what_a_person_writes_between_reading_and_editing_is_never_lost(lasting, lab, folder):
    (folder / "a").write_text("".join(f"line {number}\n" for number in range(1, 31)))
    (folder / "b").write_text("one\n")
    lab(
        [
            says("", read("a"), read("b")),
            says("", _meet("ready")),
            says("", edit("a", "line 25\n", "LINE 25\n"), call("write", path="b", content="ours\n")),
            says("", edit("b", "one", "ours"), read("b")),
            says("", edit("b", "theirs", "both")),
            says("Done."),
        ]
    )
    run = lasting.start("go", *EVERYTHING)
    run.wait_for("tool_execution_start", holding="running")
    while not (folder / "running").exists():
        assert run.process.poll() is None
    (folder / "a").write_text((folder / "a").read_text().replace("line 3\n", "line three\n"))
    (folder / "b").write_text("theirs\n")
    (folder / "ready").touch()
    told = [each["result"] for each in run.end().result["toolCalls"]]
    assert told[3] == "Successfully replaced text in a. (rebased on newer text)"
    assert told[4].startswith("b changed on disk since it was read (at 20") and told[4].endswith("    1→theirs")
    assert "Could not find" in told[5] or "changed on disk" in told[5]
    text = (folder / "a").read_text()
    assert "line three\n" in text and "LINE 25\n" in text and (folder / "b").read_text() == "both\n"


def test_what_was_never_read_is_not_overwritten(lasting, lab, folder):
    (folder / "a").write_text("one\n")
    (folder / "b").write_text("".join(f"{number}\n" for number in range(40)))
    told = results(
        lasting,
        lab,
        call("write", path="a", content="two\n"),
        edit("a", "one", "two"),
        call("shell", command="cat a"),
        call("write", path="a", content="two\n"),
        call("write", path="x/y/z.txt", content="ä\n"),
        read("b"),
        call("write", path="b", content="0\n# ... rest unchanged\n"),
    )
    assert [each.startswith("ERROR: a was not read in this session. Read it first;") for each in told[:2]] == [
        True,
        True,
    ]
    assert told[4] == "Successfully wrote 3 bytes to x/y/z.txt"
    assert told[6].startswith("ERROR") and "edit" in told[6] and (folder / "b").read_text().count("\n") == 40


A = "".join(f"a{number}\n" for number in range(1, 8))


def test_patches_find_their_place_or_change_nothing(lasting, lab, folder):
    for name in "ab":
        (folder / name).write_text(A)
    (folder / "c").write_bytes(b"x\ny")
    first = "--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n-a1\n+A1\n a2\n"
    told = results(
        lasting,
        lab,
        *map(read, "abc"),
        patch("--- a/a\n+++ b/a\n@@ -70,3 +70,3 @@\n a3\n-a4\n+A4\n a5\n"),
        patch(first + "--- a/b\n+++ b/b\n@@ -1 +1 @@\n-nope\n+B\n"),
        patch(first + "--- a/b\n+++ /dev/null\n@@ -1,7 +0,0 @@\n" + "".join(f"-a{number}\n" for number in range(1, 8))
              + "--- /dev/null\n+++ b/sub/new\n@@ -0,0 +1 @@\n+new\n\\ No newline at end of file\n"),
        patch("--- a/c\n+++ b/c\n@@ -1,2 +1,2 @@\n x\n-y\n\\ No newline at end of file\n+z\n"),
        patch("diff --git a/c b/d\nold mode 100644\nnew mode 100755\nrename from c\nrename to d\n"),
        patch("hello"),
        patch("--- a/a\n+++ b/a\n"),
        patch("diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n"),
        patch("*** Begin Patch\n*** Update File: a\n@@\n-A1\n+a1\n*** Add File: e\n+e\n*** End Patch"),
    )  # fmt: skip
    assert told[3:] == [
        "Patched a:\n  hunk 1/1: applied at 3 (-67)",
        "ERROR: The patch does not apply. No file was changed.\n"
        "a:\n  hunk 1/1: would apply at 1\nb:\n  hunk 1/1: its lines were not found",
        "Patched a:\n  hunk 1/1: applied at 1\nDeleted b\nCreated sub/new (1 line)",
        "Patched c:\n  hunk 1/1: applied at 1",
        "Renamed c to d (mode 755)",
        "ERROR: No valid hunk in the patch. No file was changed.",
        "ERROR: No valid hunk in the patch. No file was changed.",
        "ERROR: Binary patches are refused (x). No file was changed.",
        "Patched a:\n  hunk 1/1: applied at 1\nCreated e (1 line)",
    ]
    assert (folder / "a").read_text() == A.replace("a4", "A4") and not (folder / "b").exists()
    assert ((folder / "d").read_bytes(), (folder / "sub/new").read_bytes()) == (b"x\nz\n", b"new")
    assert (folder / "d").stat().st_mode & 0o777 == 0o755
    assert lasting("undo").status == 0
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "c"]
    assert (folder / "a").read_text() == (folder / "b").read_text() == A and (folder / "c").read_bytes() == b"x\ny"


def test_all_the_tools_for_files_together_make_one_golden_file(lasting, lab, folder):
    (folder / "a").write_bytes(b"one\r\ntwo\r\nthree")
    told = results(
        lasting,
        lab,
        read("a"),
        call("insert_lines", path="a", line=0, content="x"),
        call("insert_lines", path="a", line=5, content="x"),
        call("insert_lines", path="a", line=4, content="four\n"),
        call("replace_lines", path="a", line=2, end_line=1, content="x"),
        call("replace_lines", path="a", line=2, end_line=9, content="x"),
        call("replace_lines", path="a", line=1, content="ONE\nAND A HALF"),
        call("delete_lines", path="a", line=9),
        call("delete_lines", path="a", line=4),
        edit("a", "two", "TWO"),
        call("write", path="b", content="TWO\n"),
        call("refactor", search="T(WO)", replace=r"$1\1", regex=True, glob="*", dry_run=True),
        call("refactor", search="T(WO)", replace=r"$1\1", regex=True, glob="*"),
        call("refactor", search="(W", replace="x", regex=True),
        call("refactor", search="nowhere", replace="x"),
    )
    assert told[1:3] == [
        "ERROR: Invalid line: 0. Must be a positive integer.",
        "ERROR: Line 5 is out of range (file has 3 lines)",
    ]
    assert told[3].startswith("Inserted 1 line at line 4 of a (now 4 lines).\n    1→one\n")
    assert told[4:6] == [
        "ERROR: end_line (1) cannot be less than line (2).",
        "ERROR: End line 9 is out of range (file has 4 lines)",
    ]
    assert told[7] == "ERROR: Line 9 is out of range (file has 5 lines)"
    assert told[8].startswith("Deleted line 4 of a (1 line, now 4 lines).\n    1→ONE\n")
    assert told[11].startswith("Would replace 2 occurrences in 2 files; nothing was written.\n")
    assert told[12].startswith("Replaced 2 occurrences in 2 files.\na: 1\n  -3 TWO\n  +3 WOWO\nb: 1\n")
    assert told[13].startswith("ERROR: Invalid regular expression at position 0: missing )")
    assert told[14] == "No matches found"
    assert (folder / "a").read_bytes() == b"ONE\r\nAND A HALF\r\nWOWO\r\nfour"
    assert (folder / "b").read_text() == "WOWO\n"


def test_a_pattern_that_never_ends_is_stopped_and_nothing_is_written(lasting, lab, folder):
    (folder / "a.txt").write_text("b\n")
    (folder / "b.txt").write_text("a" * 40 + "!\n")
    lab([says("", call("refactor", search="(a+)+$|b", replace="x", regex=True, glob="*")), says("Done.")])
    (made,) = lasting.json("go", *EVERYTHING).result["toolCalls"]
    assert made["result"].startswith("The search took more than 2 s in b.txt. Nothing was written.")
    assert made["durationMs"] < 4000 and (folder / "a.txt").read_text() == "b\n"


def test_what_breaks_a_file_is_sent_back_once(lasting, lab, folder):
    (folder / "a.py").write_text("a = 1\n")
    (folder / "b.json").write_text("{}\n")
    broken = edit("a.py", "a = 1", "a = (1")
    told = results(
        lasting,
        lab,
        *map(read, ("a.py", "b.json")),
        broken,
        edit("b.json", "{}", '{"a": }'),
        broken,
        edit("a.py", "(1", "((1"),
        call("write", path="new.py", content="def f(:\n"),
    )
    assert told[2].startswith("ERROR: ") and "line 1" in told[2] and "a = (1" in told[2]
    assert told[3].startswith("ERROR: ") and "line 1" in told[3] and (folder / "b.json").read_text() == "{}\n"
    assert told[4].startswith("Successfully replaced text in a.py.\n") and "line 1" in told[4]
    assert told[5] == "Successfully replaced text in a.py.", "a file that was broken may be edited"
    assert (folder / "a.py").read_text() == "a = ((1\n"
