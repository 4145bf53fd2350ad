"""The blocks of the transcript in each of their states, as they look in windows of several sizes."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from codi.frontends.tui.blocks.look import Look
from codi.frontends.tui.blocks.notice import NoticeBlock, TextBlock
from codi.frontends.tui.blocks.retry import RetryBlock
from codi.frontends.tui.blocks.speech import AnswerBlock, ThinkingBlock, UserBlock
from codi.frontends.tui.blocks.todo import TodoBlock
from codi.frontends.tui.blocks.tools import State, ToolBlock
from codi.frontends.tui.diff_view import DiffView
from codi.frontends.tui.panes import Block
from codi.protocol.events import StatusDelta, TodoItem
from codi.protocol.messages import Image, Text, ToolResult
from pictures import SIZES, TINY, compare, fits, of_lines

LONG = "\n".join(f"line {number} of what was printed" for number in range(1, 31))
EDIT = " ...\n  8 def area(width, height):\n- 9     return width + height\n+ 9     return width * height\n 10 \n 11 print(area(2, 3))\n ..."
MANY = "\n".join([f"+{number:>2} x = {number}" for number in range(1, 61)])
GIT = """diff --git a/src/old name.py b/src/new name.py
similarity index 90%
rename from src/old name.py
rename to src/new name.py
index 1..2 100644
--- a/src/old name.py
+++ b/src/new name.py
@@ -10,4 +10,4 @@ def total(items):
     count = 0
-    for item in items: count += item.price
+    for item in items: count += item.price * item.quantity
     return count
 # 漢字 and 🙂
diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
diff --git a/logo.png b/logo.png
new file mode 100644
Binary files /dev/null and b/logo.png differ
--- /dev/null
+++ b/new.txt
@@ -0,0 +1,2 @@
+first
+second
\\ No newline at end of file
--- a/gone.txt
+++ /dev/null
@@ -1 +0,0 @@
-last words
--- a/ends.txt
+++ b/ends.txt
@@ -1,2 +1,2 @@
-one\r
-two\r
+one
+two
"""
PICTURE = Image("iVBORw0KGgoAAAANSUhEUgAAAyAAAAJY", "image/png")
ITEMS = (
    TodoItem("read the code", "completed"),
    TodoItem("change it", "in_progress", "changing it"),
    TodoItem("run the tests, all of them, and look at what they say about the change", "pending"),
)


def tool(name: str, state: State, text: str = "", *, took: int = 0, details: Any = None, **arguments: Any) -> Block:
    look = Look()
    block = ToolBlock(look, "1", name, arguments)
    if state != "pending":
        block.start(name, arguments)
    if state == "running":
        block.feed(text)
        look.now = 4.0
    elif state != "pending":
        result = ToolResult("1", (Text(text),), state == "failed", name, details, took)
        block.end(result, state if state in ("denied", "cancelled") else None)
    return block


def mapped() -> Block:
    block = ToolBlock(Look(), "1", "run_bash", {})
    block.start("shell", {"command": "ls"})
    block.end(ToolResult("1", (Text("a\nb"),), False, "shell", None, 400))
    return block


def thinking(*, done: bool, open: bool = False) -> Block:
    look = Look(thinking=open)
    block = ThinkingBlock(
        look, "First this, then that, and in the end the other, which takes a while to say.", began=0.0
    )
    look.now = 12.0
    if done:
        block.end()
    return block


def answer(mark: str = "") -> Block:
    block = AnswerBlock()
    block.feed("It is **done**. All tests pass. See `a.py`.")
    if mark:
        assert block.mark("All tests pass.", mark, 80, 0)
    block.end(block.text)
    return block


def retry(*, done: bool) -> Block:
    block = RetryBlock(
        Look(), StatusDelta(kind="retry", text="the service is busy (529)", attempt=2, tries=5, wait_s=8.0)
    )
    if done:
        block.end()
    return block


BLOCKS: dict[str, Callable[[], Block]] = {
    "user": lambda: UserBlock("Make it faster, please, and tell me what you did.\nThanks 漢字", [PICTURE] * 2),
    "answer": answer,
    "answer-unbacked": lambda: answer("[no evidence]"),
    "thinking": lambda: thinking(done=False),
    "thought": lambda: thinking(done=True),
    "thought-open": lambda: thinking(done=True, open=True),
    "shell-pending": lambda: tool("shell", "pending", command="make test"),
    "shell-running": lambda: tool("shell", "running", LONG, command="make test"),
    "shell-ok": lambda: tool("shell", "ok", LONG, took=412, command="make test"),
    "shell-failed": lambda: tool("shell", "failed", "no rule to make target", took=50, command="make tset"),
    "shell-denied": lambda: tool("shell", "denied", "denied by the person", command="rm -rf build && make a very long command"),
    "shell-cancelled": lambda: tool("shell", "cancelled", "", command="sleep 100"),
    "shell-mapped": mapped,
    "read": lambda: tool("read", "ok", LONG, path="src/very/long/path/of/folders/that/does/not/end/file.py"),
    "grep": lambda: tool("grep", "ok", LONG, pattern="def .*"),
    "glob": lambda: tool("glob", "ok", LONG, pattern="**/*.py"),
    "write": lambda: tool("write", "ok", "Successfully wrote", path="a.py", content="import os\n" * 12),
    "edit": lambda: tool("edit", "ok", "Done", took=120, details={"diff": EDIT}, path="src/area.py"),
    "edit-many": lambda: tool("edit", "ok", "Done", details={"diff": MANY}, path="x.py"),
    "todo-call": lambda: tool("todo", "ok", "1/3 completed", items=[]),
    "todo": lambda: TodoBlock(ITEMS),
    "retry-waiting": lambda: retry(done=False),
    "retry-done": lambda: retry(done=True),
    "compaction": lambda: NoticeBlock("info", "compacted: 90000 tokens became a summary", more="What was said before."),
    "error": lambda: NoticeBlock("error", "the service refused the key", "codi auth login anthropic"),
    "summary": lambda: NoticeBlock("info", "2 steps, 1 tool call, 900 tokens, $0.0100, 3.2 s, 1 file changed, 1 [no evidence]"),
    "command": lambda: TextBlock("model     fast\nthinking  off"),
}  # fmt: skip


@pytest.mark.parametrize("rows, columns", SIZES)
@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_looks_as_it_did(name, rows, columns):
    compare(f"block-{name}", rows, columns, of_lines(BLOCKS[name]().lines(columns)))


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_fits_into_any_window(name):
    for _, columns in TINY:
        block = BLOCKS[name]()
        fits(of_lines(block.lines(columns)), columns)
        fits(of_lines(block.whole(columns)), columns)


@pytest.mark.parametrize("columns", (160, 80, 40))
def test_a_diff_looks_as_it_did(columns):
    compare("diff-files", 40, columns, of_lines(DiffView(GIT).lines(columns)))


@pytest.mark.parametrize("columns", (80, 160))
def test_a_person_may_turn_the_diff(columns):
    view = DiffView(EDIT, "a.py")
    view.toggle(columns)
    compare("diff-turned", 40, columns, of_lines(view.lines(columns)))


def test_a_diff_fits_into_any_window():
    for _, columns in (*TINY, (1, 30), (1, 31)):
        for text in (GIT, EDIT, MANY):
            view = DiffView(text, "a.py")
            fits(of_lines(view.lines(columns)), columns)
            fits(of_lines(view.inline(columns)), columns)
            view.toggle(columns)
            fits(of_lines(view.lines(columns)), columns)


def texts(block: Block, columns: int = 80) -> Sequence[str]:
    return ["".join(text for text, _ in line) for line in block.lines(columns)]


@pytest.mark.parametrize("name, shown", (("read", 10), ("grep", 15), ("glob", 20), ("list", 20), ("shell", 5)))
def test_what_is_hidden_is_counted(name, shown):
    rows = texts(tool(name, "ok", LONG, path="a", command="b"))
    which = "earlier" if name == "shell" else "more"
    assert f"  ... ({30 - shown} {which} lines, ctrl+o to expand)" in rows
    assert sum("of what was printed" in row for row in rows) == shown


def test_what_a_flood_hid_is_counted_too():
    block = ToolBlock(Look(), "1", "shell", {"command": "yes"})
    block.start("shell", {"command": "yes"})
    for number in range(10_000):
        block.feed(f"line {number}\n")
        if number % 100 == 0:
            block.lines(80)
    rows = texts(block)
    assert rows[2] == "  ... (9995 earlier lines, ctrl+o to expand)"
    assert rows[3:] == [f"  line {number}" for number in range(9_995, 10_000)]


def test_a_long_diff_shows_both_its_ends():
    rows = texts(tool("edit", "ok", "Done", details={"diff": MANY}, path="x.py"))[2:]
    assert len(rows) == 40
    assert "... (21 more lines, ctrl+o to expand)" in rows
    assert rows[0] == " 1 + x = 1" and rows[-1] == "60 + x = 60"
