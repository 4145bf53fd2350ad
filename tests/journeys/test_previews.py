"""Who is asked reads what the call would do, in full, before anything is done."""

import json
import os
import subprocess

import pytest
from test_chat import terminal  # noqa: F401

from conftest import call, says

LONG = "".join(f"line {number}\n" for number in range(1, 101))


def asked(codi, lab, *calls, turns=()):
    """The previews of some calls that nobody allows, and the folder, which stays as it was."""
    lab([*turns, says("", *calls), says("Then not.")])
    run = codi.stream("go")
    assert run.status == 3, run
    return [line.get("preview", "") for line in run.of_type("approval_asked")]


def test_a_change_is_shown_as_a_unified_diff_with_its_counts(codi, lab, folder):
    (folder / "a.py").write_text("def a():\n    return 1\n\n\nprint(a())")
    turns = [says("", call("read", path="a.py"))]
    edit = call("edit", path="a.py", old_text="return 1", new_text="return 2")
    write = call("write", path="new/b.py", content="x = 1\ny = 2\n")
    replace = call("replace_lines", path="a.py", line=5, content="print(a() + 1)")
    insert = call("insert_lines", path="a.py", line=1, content="import os\n")
    delete_line = call("delete_lines", path="a.py", line=3)
    previews = asked(codi, lab, edit, write, replace, insert, delete_line, turns=turns)

    assert previews[0] == (
        "a.py: +1 -1\n--- a/a.py\n+++ b/a.py\n@@ -1,5 +1,5 @@\n def a():\n-    return 1\n+    return 2\n \n \n print(a())\n"
        "\\ No newline at end of file"
    )
    assert previews[1] == ("new/b.py: new file, +2 -0\n--- /dev/null\n+++ b/new/b.py\n@@ -0,0 +1,2 @@\n+x = 1\n+y = 2")
    assert previews[2].startswith("a.py: +1 -1\n") and "+print(a() + 1)\n\\ No newline at end of file" in previews[2]
    assert previews[3].startswith("a.py: +1 -0\n") and "\n+import os\n" in previews[3]
    assert previews[4].startswith("a.py: +0 -1\n")
    assert sorted(os.listdir(folder)) == ["a.py"] and not (folder / "new").exists()


def test_several_files_are_shown_together(codi, lab, folder):
    (folder / "a.py").write_text("one = 1\n")
    (folder / "b.py").write_text("print(one)\n")
    (folder / "data.bin").write_bytes(b"\0\1")
    patch = "*** Begin Patch\n*** Update File: a.py\n@@\n-one = 1\n+one = 11\n*** Add File: c.py\n+new\n*** End Patch\n"
    previews = asked(
        codi,
        lab,
        call("apply_patch", patch=patch),
        call("refactor", search="one", replace="two"),
        call("move", source="a.py", target="z/a.py"),
        call("delete", path="b.py"),
        call("delete", path="data.bin"),
        call("edit", path="a.py", old_text="not there", new_text="x"),
        turns=[says("", call("read", path="a.py"))],
    )
    assert [line for line in previews[0].split("\n") if ": " in line] == ["a.py: +1 -1", "c.py: new file, +1 -0"]
    assert [line for line in previews[1].split("\n") if ": " in line] == ["a.py: +1 -1", "b.py: +1 -1"]
    assert previews[2] == "a.py -> z/a.py: moved"
    assert previews[3] == "b.py: deleted, +0 -1\n--- a/b.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-print(one)"
    assert previews[4] == "data.bin: deleted, binary\nBinary files a/data.bin and /dev/null differ (2B)"
    assert previews[5] == ""  # the call would fail, and says so itself
    assert sorted(os.listdir(folder)) == ["a.py", "b.py", "data.bin"]


def test_a_preview_is_a_patch_that_does_what_the_call_does(codi, lab, folder, tmp_path):
    text = LONG.replace("line 50\n", "line fifty\nand more\n").replace("line 2\n", "")
    (folder / "a.txt").write_text(LONG)
    (preview,) = asked(
        codi, lab, call("write", path="a.txt", content=text), turns=[says("", call("read", path="a.txt"))]
    )
    done = subprocess.run(["git", "apply", "--unsafe-paths", "-p1"], input=preview + "\n", cwd=folder, text=True)
    assert done.returncode == 0
    assert (folder / "a.txt").read_text() == text


@pytest.mark.parametrize(
    ("command", "preview"),
    [
        ("npm test", "npm test"),
        (
            "npm test && curl x | sh; npm test",
            "npm test && curl x | sh; npm test\n  npm test\n  curl x\n  sh\n  npm test",
        ),
        ("sudo rm a; echo $X > b", "sudo rm a; echo $X > b\n  sudo rm a\n  echo '…' > b"),
    ],
)
def test_a_command_is_shown_one_simple_command_a_line(codi, lab, command, preview):
    assert asked(codi, lab, call("shell", command=command)) == [preview]


def test_a_request_is_shown_with_method_and_size(codi, lab):
    assert asked(codi, lab, call("web_fetch", url="https://example.org/a?b=c")) == [
        "GET https://example.org/a?b=c\nbody: 0 bytes"
    ]


def test_it_is_kept_and_the_gate_does_not_count_it(codi, lab, folder):
    """The change that breaks the syntax is sent back at the call, though its preview was computed before."""
    (folder / "a.py").write_text("x = 1\n")
    broken = call("edit", path="a.py", old_text="x = 1", new_text="x = (")
    lab([says("", call("read", path="a.py")), says("", broken), says("I see.")])
    run = codi.json("go", "-y")

    (kept,) = [line["data"] for line in codi.session() if line.get("customType") == "codi/approval_asked"]
    assert "+x = (" in kept["preview"]
    assert run.result["toolCalls"][1]["result"].startswith("Nothing was written: a.py would no longer parse")


def test_without_a_person_it_is_told_on_standard_error(codi, lab, folder):
    lab([says("", call("write", path="a.txt", content="hello\n")), says("Then not.")])
    run = codi("-p", "go")
    assert run.status == 3
    assert "write wants to:" in run.err and "a.txt: new file, +1 -0" in run.err and "+hello" in run.err


def test_a_long_one_is_read_to_its_end_before_it_is_answered(codi, lab, folder, terminal):  # noqa: F811
    lab([says("", call("write", path="a.txt", content=LONG)), says("Done."), says("", call("write", path="b.txt", content=LONG)), says("No.")])  # fmt: skip
    session = terminal()
    session.wait_for("names the model")
    session.type("write it\n")
    session.wait_for("a.txt: new file, +100 -0", "more lines: Enter shows them")
    assert "+line 99" not in session.shown
    session.type("\n")
    session.wait_for("+line 60")
    session.type("\n")
    session.wait_for("+line 100", "Approve: y")
    session.type("y\n")
    session.wait_for("Done.")
    assert (folder / "a.txt").read_text() == LONG
    session.type("again\n")
    session.wait_for("b.txt: new file, +100 -0")
    session.type("n\n")
    session.wait_for("No.")
    assert not (folder / "b.txt").exists()
    session.type("/exit\n")
    assert session.end() == 0


def test_by_hand_nothing_is_asked_twice(codi, folder):
    run = codi("tool", "call", "write", json.dumps({"path": "a.txt", "content": "x\n"}), "-y")
    assert run.status == 0 and (folder / "a.txt").read_text() == "x\n"
