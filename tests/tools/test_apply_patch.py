"""`apply_patch`: every line that a patch expects is compared, numbers are hints, and all files change or none."""

import pytest
from file_desk import Desk

from codi.protocol.effects import Reads, Writes
from codi.tools.apply_patch import ApplyPatch

NUMBERS = "".join(f"line {number}\n" for number in range(1, 21))


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def unified(*hunks: str, path: str = "a.txt") -> str:
    return f"--- a/{path}\n+++ b/{path}\n" + "".join(hunks)


TENTH = "@@ -9,3 +9,3 @@\n line 9\n-line 10\n+ten\n line 11\n"


def test_a_hunk_where_it_says(desk):
    desk.put("a.txt", NUMBERS)
    assert desk.text("apply_patch", patch=unified(TENTH)) == "Patched a.txt:\n  hunk 1/1: applied at 9"
    assert desk.content("a.txt").decode() == NUMBERS.replace("line 10", "ten")


def test_wrong_numbers_and_counts_are_put_right(desk):
    desk.put("a.txt", NUMBERS)
    patch = unified(
        "@@ -2,9 +1,7 @@\n line 4\n+four and a half\n line 5\n",
        "@@ -7,3 +9,3 @@ somewhere\n line 9\n-line 10\n+ten\n line 11\n",
        "@@ -300 +300 @@\n-line 20\n+twenty\n",
    )
    assert desk.text("apply_patch", patch=patch) == (
        "Patched a.txt:\n  hunk 1/3: applied at 4 (+2)\n  hunk 2/3: applied at 9 (+2)\n  hunk 3/3: applied at 20 (-280)"
    )
    expected = (
        NUMBERS.replace("line 4\n", "line 4\nfour and a half\n").replace("line 10", "ten").replace("line 20", "twenty")
    )
    assert desk.content("a.txt").decode() == expected


def test_the_nearest_of_several_places_wins(desk):
    desk.put("a.txt", "x\ny\n" * 10)
    assert desk.text("apply_patch", patch=unified("@@ -9,2 +9,2 @@\n x\n-y\n+z\n")).endswith("applied at 9")
    desk.put("a.txt", "x\n" + "-\n" * 4 + "x\n")
    assert desk.text("apply_patch", patch=unified("@@ -4 +4 @@\n-x\n+z\n")).endswith("applied at 6 (+2)")


def test_two_places_equally_near_are_none(desk):
    desk.put("a.txt", "x\n" + "-\n" * 3 + "x\n")
    error = desk.error("apply_patch", patch=unified("@@ -3 +3 @@\n-x\n+z\n"))
    assert error == (
        "The patch does not apply. No file was changed.\na.txt:\n"
        "  hunk 1/1: its lines occur 2 times (lines 1, 5). Add context."
    )


def test_wrong_context_changes_nothing(desk):
    desk.put("a.txt", NUMBERS)
    desk.put("b.txt", "one\ntwo\n")
    patch = unified("@@ -1,2 +1,2 @@\n-one\n+1\n two\n", path="b.txt") + unified(
        "@@ -1 +1 @@\n-line 1\n+first\n", "@@ -9,3 +9,3 @@\n line 9\n-line zehn\n+ten\n line 11\n"
    )
    assert desk.error("apply_patch", patch=patch).startswith(
        "The patch does not apply. No file was changed.\n"
        "b.txt:\n  hunk 1/1: would apply at 1\n"
        "a.txt:\n  hunk 1/2: would apply at 1\n  hunk 2/2: its lines were not found\n"
        'Similar text at lines 9-11 (85% alike): line 10: "line zehn" vs "line 10"\n'
        "    9→line 9\n   10→line 10\n   11→line 11"
    )
    assert desk.content("a.txt").decode() == NUMBERS
    assert desk.content("b.txt") == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("content", "hunk", "after", "ignoring"),
    [
        ("a \nb\n", "@@ -1,2 +1,2 @@\n a\n-b\n+c\n", "a \nc\n", "trailing blanks"),
        (
            "\tif a:\n\t\tb()\n",
            "@@ -1,2 +1,3 @@\n if a:\n \tb()\n+\tc()\n",
            "\tif a:\n\t\tb()\n\t\tc()\n",
            "indentation",
        ),
        ("f(a,  b)\nx\n", "@@ -1,2 +1,2 @@\n f(a, b)\n-x\n+y\n", "f(a,  b)\ny\n", "blanks"),
    ],
)
def test_blanks_are_forgiven_where_there_is_one_place(desk, content, hunk, after, ignoring):
    desk.put("a.txt", content)
    assert desk.text("apply_patch", patch=unified(hunk)).endswith(f"hunk 1/1: applied at 1, ignoring {ignoring}")
    assert desk.content("a.txt").decode() == after
    desk.put("a.txt", content * 2)
    assert "its lines occur 2 times" in desk.error("apply_patch", patch=unified(hunk))


GIT = """\
Some words before.
diff --git a/src/a.py b/src/a.py
index 83db48f..bf2a5c1 100644
--- a/src/a.py
+++ b/src/a.py
@@ -1,2 +1,2 @@
-x = 1
+x = 2
 y = 1
diff --git a/new.txt b/new.txt
new file mode 100755
index 0000000..ce01362
--- /dev/null
+++ b/new.txt
@@ -0,0 +1,2 @@
+hello
+world
diff --git a/old.txt b/old.txt
deleted file mode 100644
index ce01362..0000000
--- a/old.txt
+++ /dev/null
@@ -1 +0,0 @@
-bye
diff --git a/from.txt b/to.txt
similarity index 80%
rename from from.txt
rename to to.txt
--- a/from.txt
+++ b/to.txt
@@ -1,2 +1,2 @@
 keep
-change
+changed
diff --git a/plain.txt b/moved/plain.txt
similarity index 100%
rename from plain.txt
rename to moved/plain.txt
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
diff --git a/origin.txt b/copied.txt
similarity index 100%
copy from origin.txt
copy to copied.txt
diff --git "a/gr\\303\\274n.txt" "b/gr\\303\\274n.txt"
--- "a/gr\\303\\274n.txt"
+++ "b/gr\\303\\274n.txt"
@@ -1 +1 @@
-a
+b
"""


def prepare_git(desk: Desk) -> None:
    for path, content in {
        "src/a.py": "x = 1\ny = 1\n",
        "old.txt": "bye\n",
        "from.txt": "keep\nchange\n",
        "plain.txt": "plain\n",
        "run.sh": "run\n",
        "origin.txt": "origin\n",
        "grün.txt": "a\n",
    }.items():
        desk.put(path, content).chmod(0o644)


def test_all_that_git_says(desk):
    prepare_git(desk)
    output = desk.call("apply_patch", patch=GIT)
    assert output.text == (
        "Patched src/a.py:\n  hunk 1/1: applied at 1\n"
        "Created new.txt (2 lines) (mode 755)\n"
        "Deleted old.txt\n"
        "Renamed from.txt to to.txt:\n  hunk 1/1: applied at 1\n"
        "Renamed plain.txt to moved/plain.txt\n"
        "Patched run.sh (mode 755)\n"
        "Copied origin.txt to copied.txt\n"
        "Patched grün.txt:\n  hunk 1/1: applied at 1"
    )
    assert desk.names() == sorted(
        ["src/a.py", "new.txt", "to.txt", "moved/plain.txt", "run.sh", "origin.txt", "copied.txt", "grün.txt"]
    )
    assert desk.content("src/a.py") == b"x = 2\ny = 1\n"
    assert desk.content("new.txt") == b"hello\nworld\n"
    assert desk.content("to.txt") == b"keep\nchanged\n"
    assert desk.content("grün.txt") == b"b\n"
    assert (desk.root / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (desk.root / "new.txt").stat().st_mode & 0o777 == 0o755
    assert [(change.kind, change.path, change.moved_from) for change in output.changes] == [
        ("modified", "src/a.py", None),
        ("created", "new.txt", None),
        ("deleted", "old.txt", None),
        ("moved", "to.txt", "from.txt"),
        ("moved", "moved/plain.txt", "plain.txt"),
        ("mode", "run.sh", None),
        ("created", "copied.txt", None),
        ("modified", "grün.txt", None),
    ]


def test_the_effects_are_told_before(desk):
    assert set(ApplyPatch(GIT).effects()) == {
        Writes("src/a.py"),
        Writes("new.txt", "create"),
        Writes("old.txt", "delete"),
        Writes("from.txt", "move"),
        Writes("to.txt", "move"),
        Writes("plain.txt", "move"),
        Writes("moved/plain.txt", "move"),
        Writes("run.sh"),
        Reads("origin.txt"),
        Writes("copied.txt", "create"),
        Writes("grün.txt"),
    }
    assert list(ApplyPatch("no patch").effects()) == []


def test_when_one_file_cannot_be_written_none_is(desk):
    desk.put("a.txt", NUMBERS)
    desk.put("blocked", "x")
    patch = unified(TENTH) + "--- /dev/null\n+++ b/blocked/new.txt\n@@ -0,0 +1 @@\n+x\n"
    assert desk.error("apply_patch", patch=patch).startswith("Nothing was written: ")
    assert desk.content("a.txt").decode() == NUMBERS
    assert desk.names() == ["a.txt", "blocked"]


@pytest.mark.parametrize(
    ("content", "hunk", "after"),
    [
        ("a\nb", "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n", "a\nc"),
        ("a\nb", "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n", "a\nb\n"),
        ("a\nb\n", "@@ -1,2 +1,2 @@\n a\n-b\n+b\n\\ No newline at end of file\n", "a\nb"),
        ("a\nb", "@@ -1,2 +1,2 @@\n a\n-b\n+c\n", "a\nc"),
        ("a\nb", "@@ -1,2 +1,3 @@\n a\n b\n+c\n", "a\nb\nc"),
        ("a\nb", "@@ -1,2 +1 @@\n a\n-b\n", "a"),
        ("a\nb\n", "@@ -1,2 +1 @@\n a\n-b\n", "a\n"),
        ("a\n", "@@ -1 +0,0 @@\n-a\n", ""),
        ("", "@@ -0,0 +1,2 @@\n+a\n+b\n", "a\nb\n"),
        ("", "@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n", "a"),
        ("b\na\nb", "@@ -1 +1 @@\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n", "b\na\nc"),
        ("a\r\nb\r\n", "@@ -1,2 +1,3 @@\n a\n+x\n b\n", "a\r\nx\r\nb\r\n"),
        ("a\nb\nc\n", "@@ -2,0 +3 @@\n+x\n", "a\nb\nx\nc\n"),
        ("a\n\nb\n", "@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n", "a\n\nc\n"),
        ("a\nb\nc\n", "@@ -1,2 +1,1 @@\n-a\n-b\n@@ -3 +1 @@\n-c\n+d\n", "d\n"),
        ("a\nb\nc\n", "@@ -2 +1,0 @@\n-b\n@@ -3 +1,0 @@\n-c\n", "a\n"),
        ("-- x\n", "@@ -1 +1 @@\n--- x\n+++ y\n", "++ y\n"),
    ],
)
def test_the_end_of_the_file_is_kept_or_changed_as_the_patch_says(desk, content, hunk, after):
    desk.put("a.txt", content)
    desk.text("apply_patch", patch=unified(hunk))
    assert desk.content("a.txt").decode() == after


ENVELOPE = """\
*** Begin Patch
*** Add File: new/b.py
+def b():
+
+    return 2
*** Update File: a.py
*** Move to: moved.py
@@ class A:
     def go(self):
-        return 1
+        return 2
@@ class B:
@@     def stay(self):
-        return 1
+        return 3
*** Update File: c.txt
@@
 last
+after last
*** End of File
*** Delete File: gone.txt
*** End Patch
"""


def test_the_form_with_an_envelope(desk):
    desk.put(
        "a.py",
        "class A:\n    def go(self):\n        return 1\n\nclass B:\n    def go(self):\n        return 1\n    def stay(self):\n        return 1\n",
    )
    desk.put("c.txt", "last\nlast\n")
    desk.put("gone.txt", "x\n")
    assert desk.text("apply_patch", patch=ENVELOPE) == (
        "Created new/b.py (3 lines)\n"
        "Renamed a.py to moved.py:\n  hunk 1/2: applied at 2\n  hunk 2/2: applied at 9\n"
        "Patched c.txt:\n  hunk 1/1: applied at 2\n"
        "Deleted gone.txt"
    )
    assert desk.content("moved.py").decode().count("return 1") == 1
    assert desk.content("moved.py").decode().endswith("    def stay(self):\n        return 3\n")
    assert desk.content("c.txt") == b"last\nlast\nafter last\n"
    assert desk.content("new/b.py") == b"def b():\n\n    return 2\n"
    assert desk.names() == ["c.txt", "moved.py", "new/b.py"]


BLOCKS = """\
Here is the change:

src/a.py
```python
<<<<<<< SEARCH
x = 1
=======
x = 2
y = 2
>>>>>>> REPLACE
```
<<<<<<< SEARCH
z = 1
=======
>>>>>>> REPLACE

`b.txt`
<<<<<<< SEARCH
=======
new
>>>>>>> REPLACE
"""


def test_search_and_replace_blocks(desk):
    desk.put("src/a.py", "x = 1\nz = 1\n")
    assert desk.text("apply_patch", patch=BLOCKS) == (
        "Patched src/a.py:\n  hunk 1/2: applied at 1\n  hunk 2/2: applied at 2\nCreated b.txt (1 line)"
    )
    assert desk.content("src/a.py") == b"x = 2\ny = 2\n"
    assert desk.content("b.txt") == b"new\n"


@pytest.mark.parametrize(
    "patch",
    [
        "<<<<<<< SEARCH\nline 10\n=======\nten\n>>>>>>> REPLACE",
        "@@ -10 +10 @@\n-line 10\n+ten",
        "@@\n-line 10\n+ten\n",
        "```diff\n@@ -9,2 +9,2 @@\n line 9\n-line 10\n+ten\n```",
        "--- a.txt\t2024-01-01 10:00:00\n+++ a.txt\t2024-01-02 10:00:00\n@@ -9,2 +9,2 @@\n line 9\n-line 10\n+ten\n",
        "--- a.txt.orig\n+++ a.txt\n@@ -10 +10 @@\n-line 10\n+ten\n-- \n2.39.0\n\n",
        "--- a/a.txt\r\n+++ b/a.txt\r\n@@ -10 +10 @@\r\n-line 10\r\n+ten\r\n",
        "*** Begin Patch\n*** Update File: a.txt\n-line 10\n+ten\n*** End Patch",
        "*** Begin Patch\n*** Update File: a.txt\n@@ -10,1 +10,1 @@\n-line 10\n+ten\n\n*** End Patch",
    ],
)
def test_the_same_change_in_many_forms(desk, patch):
    desk.put("a.txt", NUMBERS)
    desk.text("apply_patch", patch=patch, path="a.txt")
    assert desk.content("a.txt").decode() == NUMBERS.replace("line 10", "ten")


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ("", "No valid hunk in the patch. No file was changed."),
        ("please change line 3", "No valid hunk in the patch. No file was changed."),
        ("--- a/a.txt\n+++ b/a.txt\n", "No valid hunk in the patch. No file was changed."),
        ("--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n", "No valid hunk in the patch. No file was changed."),
        ("*** Begin Patch\n*** End Patch\n", "No valid hunk in the patch. No file was changed."),
        (
            "@@ -1 +1 @@\n-a\n+b\n",
            "The patch names no file: give `path`, or begin it with --- and +++ lines. No file was changed.",
        ),
        (
            "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE",
            "A SEARCH block names no file: give `path`, or the file's path on the line before the block. No file was changed.",
        ),
        (
            "a.txt\n<<<<<<< SEARCH\na\n=======\nb\n",
            "A SEARCH block lacks its ======= or its >>>>>>> REPLACE. No file was changed.",
        ),
        (
            "diff --git a/x.png b/x.png\nindex 1..2 100644\nGIT binary patch\nliteral 3\n",
            "Binary patches are refused (x.png). No file was changed.",
        ),
        (
            "diff --git a/x.png b/x.png\nBinary files a/x.png and b/x.png differ\n",
            "Binary patches are refused (x.png). No file was changed.",
        ),
        (
            "*** Begin Patch\n*** Add File: a\nno plus\n*** End Patch",
            'Each line of the added file a must begin with "+": "no plus". No file was changed.',
        ),
        (
            "*** Begin Patch\n*** Delete File: a\n*** Add File: a\n+x\n*** End Patch",
            "a occurs twice in the patch. No file was changed.",
        ),
        (
            "*** Begin Patch\nwhat\n*** End Patch",
            'Expected "*** Add File:", "*** Update File:" or "*** Delete File:", not "what". No file was changed.',
        ),
        (
            "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+x\n",
            "Links are not made by patches (l). No file was changed.",
        ),
    ],
)
def test_what_is_no_patch(desk, patch, expected):
    assert desk.error("apply_patch", patch=patch) == expected
    assert desk.names() == []


def test_files_that_are_not_as_the_patch_expects(desk):
    desk.put("a.txt", "a\nb\n")
    desk.put("a.bin", b"a\x00b")
    add = "--- /dev/null\n+++ b/a.txt\n@@ -0,0 +1 @@\n+x\n"
    assert desk.error("apply_patch", patch=add) == (
        "a.txt exists already. No file was changed. Update it, or delete it first."
    )
    assert desk.error("apply_patch", patch=unified("@@ -1 +1 @@\n-a\n+b\n", path="b.txt")).startswith(
        "File not found: b.txt"
    )
    assert "is a binary file" in desk.error("apply_patch", patch=unified("@@ -1 +1 @@\n-a\n+b\n", path="a.bin"))
    assert desk.error("apply_patch", patch="--- a/a.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n").endswith(
        "a.txt: the patch deletes the file, yet does not remove all of its lines"
    )
    assert desk.error("apply_patch", patch=unified("@@ -1 +1 @@\n-a\n+a\n")) == (
        "No changes made by the patch.\nPatched a.txt:\n  hunk 1/1: applied at 1"
    )
    overlapping = unified("@@ -1,2 +1,2 @@\n-a\n+x\n b\n", "@@ -1 +1 @@\n-a\n+y\n")
    assert "hunk 2/2: changes the same lines as another hunk" in desk.error("apply_patch", patch=overlapping)
    nowhere = unified("@@ -9,0 +9 @@\n+x\n")
    assert "the file has 2 lines, and the hunk has no context" in desk.error("apply_patch", patch=nowhere)
    assert desk.content("a.txt") == b"a\nb\n"


def test_a_file_that_was_never_read(desk):
    desk.put("a.txt", NUMBERS, seen=False)
    error = desk.error("apply_patch", patch=unified(TENTH))
    assert error.startswith(
        "a.txt was not read in this session. Read it first; the current text around your edit is:\n"
    )
    assert "    9→line 9" in error
    assert "was not read" in desk.error("apply_patch", patch="*** Begin Patch\n*** Delete File: a.txt\n*** End Patch")
    assert desk.content("a.txt").decode() == NUMBERS


def test_both_changes_survive_or_the_conflict_is_named(desk):
    desk.put("a.txt", NUMBERS)
    desk.put("a.txt", NUMBERS.replace("line 2\n", "theirs\nline 2\n"), seen=False)
    assert desk.text("apply_patch", patch=unified(TENTH)) == (
        "Patched a.txt (rebased on newer text):\n  hunk 1/1: applied at 10 (+1)"
    )
    desk.put("a.txt", NUMBERS.replace("line 11", "theirs"), seen=False)
    assert desk.error("apply_patch", patch=unified(TENTH)).startswith("a.txt changed on disk since it was read (at ")
    desk.put("a.txt", NUMBERS * 2, seen=False)
    assert desk.error("apply_patch", patch=unified(TENTH)).startswith("a.txt changed on disk since it was read (at ")


def test_a_breaking_patch_is_sent_back_once(desk):
    desk.put("a.py", "x = 1\n")
    desk.put("b.txt", "b\n")
    patch = unified("@@ -1 +1 @@\n-x = 1\n+x = (\n", path="a.py") + unified("@@ -1 +1 @@\n-b\n+c\n", path="b.txt")
    assert desk.error("apply_patch", patch=patch).startswith("Nothing was written: a.py would no longer parse: line 1")
    assert desk.content("b.txt") == b"b\n"
    assert "Warning: a.py would no longer parse" in desk.text("apply_patch", patch=patch)
    assert desk.content("b.txt") == b"c\n"
