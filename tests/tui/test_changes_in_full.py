"""Diffs on the whole window: of a turn, of a session, of the working tree; and the pager that shows them."""

import re
import subprocess

from conftest import call, says

CTRL_D, CTRL_O, ENTER, ESC, TAB, PGUP = "\x04", "\x0f", "\r", "\x1b", "\t", "\x1b[5~"
BEFORE = "class Field:\n    def area(self, a, b):\n        one = 1\n        two = 2\n        three = 3\n        four = 4\n        return a + b\n"


def leave(talk, what="q leave"):
    talk.type("q")
    talk.wait_until_gone(what)


def test_what_became_of_each_file_by_whom_and_its_ids(lab, terminals, folder):
    (folder / "a.py").write_text(BEFORE)
    edit = call("edit", path="a.py", old_text="a + b", new_text="a * b")
    command = call("shell", command="mv old.txt moved.txt; chmod +x run.sh; printf '\\000' > b.bin; rm gone.txt")
    (folder / "old.txt").write_text("the same\n" * 9)
    (folder / "run.sh").write_text("true\n")
    (folder / "gone.txt").write_text("gone\n")
    lab([says("", call("read", path="a.py"), edit), says("One."), says("", command), says("Two.")])
    talk = terminals("-y", rows=60, columns=120)
    talk.type("first" + ENTER)
    talk.wait_for("One.", "1 file changed")
    (folder / "a.py").write_text((folder / "a.py").read_text() + "# mine\n")
    talk.type("second" + ENTER)
    talk.wait_for("Two.", "4 files changed")
    talk.type("/changes" + ENTER)
    talk.wait_for("changes  ", "tab next part")
    ids = [hash_of(text) for text in (BEFORE, BEFORE.replace("a + b", "a * b"))]
    shown = "\n".join(talk.rows)
    assert f"blob {ids[0]} → {ids[1]}" in shown
    assert "by agent turn 1" in shown and "by outside" in shown and "by shell in turn 2" in shown
    for mark in ("b.bin (new, binary)", "gone.txt (deleted)", "renamed from old.txt", "mode 100644 → 100755"):
        assert mark in shown, mark
    assert re.search(r"@@ -4,4 \+4,4 @@ def area\(self, a, b\):", shown)
    leave(talk)
    talk.type("/diff 1" + ENTER)
    talk.wait_for("7 -         return a + b", "7 +         return a * b", "s side by side")
    assert "# mine" not in "\n".join(talk.rows)
    talk.type("s")
    talk.wait_for("return a + b", "│ 7 +         return a * b")
    leave(talk)
    talk.type("/diff 9" + ENTER)
    talk.wait_for("turn 9 changed no file that stands")
    talk.type("/filehistory a.py" + ENTER)
    talk.wait_for("history of a.py", "by outside", "by agent turn 1")
    leave(talk)
    talk.type("/fh other.py" + ENTER)
    talk.wait_for("this session did not change other.py")


def hash_of(text: str) -> str:
    asked = subprocess.run(["git", "hash-object", "--stdin"], input=text, capture_output=True, text=True, check=True)
    return asked.stdout.strip()


def test_the_working_tree_and_commits(lab, terminals, repository):
    folder = repository("calculator")
    server = lab([says("never")], used=True)
    (folder / "new.txt").write_text("quite new\n")
    tracked = next(path for path in sorted(folder.glob("**/*.py")) if ".git" not in path.parts)
    tracked.write_text(tracked.read_text() + "\nLAST = 1\n")
    subprocess.run(["git", "branch", "zebra"], cwd=folder, check=True)
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type("/diff ze")
    for _ in range(100):  # names are learnt beside the conversation
        talk.type("b")
        talk.watch(0.2)
        if "  zebra" in talk.shown:
            break
        talk.type("\x7f")
    talk.wait_for("  zebra")
    talk.type(ESC)
    talk.wait_until_gone("  zebra")
    talk.type("\x15/diff" + ENTER)
    talk.wait_for("+ LAST = 1", "new.txt (new)", "+ quite new")
    leave(talk)
    talk.type(f"/diff HEAD {tracked.relative_to(folder)}" + ENTER)
    talk.wait_for("+ LAST = 1", "s side by side")
    assert "quite new" not in "\n".join(talk.rows)
    leave(talk)
    talk.type("/diff new.txt" + ENTER)
    talk.wait_for("new.txt (new)", "s side by side")
    assert "LAST = 1" not in "\n".join(talk.rows)
    leave(talk)
    talk.type("/diff nowhere" + ENTER)
    talk.wait_for("git knows no nowhere")
    assert not server.requests


def test_without_colours_signs_tell_the_sides(lab, terminals, folder):
    lab([says("", call("write", path="a.txt", content="one\n")), says("Done.")])
    talk = terminals("-y", NO_COLOR="1")
    talk.type("go" + ENTER)
    talk.wait_for("Done.", "1 file changed")
    talk.type("/changes" + ENTER)
    talk.wait_for("1 + one", "a.txt (new)", "by agent turn 1")
    assert not re.search(rb"\x1b\[[0-9;]*(3[0-8]|9[0-7])[;m]", talk.raw)


def test_a_preview_goes_on_with_y(lab, terminals, folder):
    (folder / "a.txt").write_text("one\n")
    edit = call("edit", path="a.txt", old_text="one", new_text="two")
    lab([says("", call("read", path="a.txt"), edit), says("Done.")])
    talk = terminals("-y")
    talk.type("go" + ENTER)
    talk.wait_for("Done.", "1 file changed")
    talk.type("/undo --dry-run" + ENTER)
    talk.wait_for("would be taken back", "y goes on")
    leave(talk, "y goes on")
    assert (folder / "a.txt").read_text() == "two\n"
    talk.type("/undo --dry-run" + ENTER)
    talk.wait_for("y goes on")
    talk.type("y")
    talk.wait_for("is taken back:")
    assert (folder / "a.txt").read_text() == "one\n"
    talk.type("/compact preview --mechanical --force" + ENTER)
    talk.wait_for("compaction, a preview", "y goes on")


def test_parts_are_walked_expanded_and_copied(lab, terminals, folder):
    (folder / "long.txt").write_text("".join(f"line {number}\n" for number in range(40)))
    lab([says("", call("read", path="long.txt")), says("Read it.")])
    talk = terminals("-y", rows=30)
    talk.type("go" + ENTER)
    talk.wait_for("Read it.", "1 tool call", "more lines, ctrl+o to expand")
    talk.type(PGUP)
    talk.wait_for("tab next part", "enter expands")
    talk.type("g")
    while "line 15" not in "\n".join(talk.rows):
        talk.type(TAB + ENTER)
        talk.watch(0.2)
    talk.type("/line 31" + ENTER)
    talk.wait_for("line 31")
    talk.type("c")
    talk.wait_for("copied ")
    assert b"\x1b]52;c;" in talk.raw
    leave(talk, "copied")
    talk.type(CTRL_D)
    assert talk.end() == 0


def test_ctrl_x_takes_a_turn_back_and_puts_it_back_after_showing_it(lab, terminals, folder):
    (folder / "a.txt").write_text("one\n")
    edit = call("edit", path="a.txt", old_text="one", new_text="two")
    lab([says("", call("read", path="a.txt"), edit), says("Done.")])
    talk = terminals("-y")
    talk.type("go" + ENTER)
    talk.wait_for("Done.", "1 file changed")
    talk.type("\x18u")
    talk.wait_for("would be taken back", "Take this back?")
    talk.type("y")
    talk.wait_for("is taken back:")
    assert (folder / "a.txt").read_text() == "one\n"
    talk.type("\x18r")
    talk.wait_for("would be put back", "Put this back?")
    talk.type("y")
    talk.wait_for("is put back:")
    assert (folder / "a.txt").read_text() == "two\n"
