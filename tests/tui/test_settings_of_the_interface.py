"""Each key of [ui] does something that can be seen."""

import re

import pytest

from codi.engine.keys import every_key
from conftest import call, says

ENTER = "\r"
SHOWN = {
    "ui.theme",
    "ui.mode",
    "ui.hide_thinking",
    "ui.paste_lines",
    "ui.notify",
    "ui.motion",
    "ui.popup_rows",
    "ui.keys",
    "ui.images",  # test_images.py
    "ui.vim",  # test_vim.py
    "ui.double_escape",
    "ui.status",
    "ui.status_command",
}


def test_no_key_of_the_interface_is_forgotten():
    assert {key.name for key in every_key() if key.name.startswith("ui.")} == SHOWN


@pytest.mark.parametrize(("theme", "is_coloured"), [("dark", True), ("mono", False)])
def test_theme(codi, lab, terminals, theme, is_coloured):
    codi.set_up(f"ui.theme = '{theme}'")
    lab([says("# Heading")])
    talk = terminals(COLORTERM="truecolor")
    talk.wait_for("codi 0")
    before = len(talk.raw)
    talk.type("go" + ENTER)
    talk.wait_for("# Heading", "1 step,")
    assert (b"38;2;" in talk.raw[before:]) is is_coloured


def test_lines_alone(codi, lab, terminals):
    codi.set_up("ui.mode = 'plain'")
    lab([says("In lines.")])
    talk = terminals()
    talk.wait_for("anthropic/x", "\nYou:")
    before = len(talk.raw)
    talk.type("go\n")
    talk.wait_for("In lines.", "[1 step,")
    assert b"\x1b[" not in talk.raw[before:]


@pytest.mark.parametrize("hidden", [True, False])
def test_thinking_is_folded_or_not(codi, terminals, tmp_path, hidden):
    codi.set_up(f"ui.hide_thinking = {str(hidden).lower()}")
    (tmp_path / "script.json").write_text('[{"thinking": "a deep thought", "text": "Said."}]')
    talk = terminals("--model", f"scripted/{tmp_path}/script.json")
    talk.type("go" + ENTER)
    talk.wait_for("Said.", "1 step,")
    assert ("a deep thought" in talk.shown) is not hidden


def test_how_long_a_paste_may_be(codi, lab, terminals):
    codi.set_up("ui.paste_lines = 2")
    server = lab([says("Read.")])
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type("\x1b[200~one\ntwo\nthree\x1b[201~")
    talk.wait_for("[paste #1 +3 lines]")
    talk.type(ENTER)
    talk.wait_for("Read.")
    assert b"one\\ntwo\\nthree" in server.requests[0].body


@pytest.mark.parametrize(("how", "sent"), [("bell", b"\x07"), ("osc9", b"\x1b]9;codi waits"), ("off", None)])
def test_calling_for_attention(codi, lab, terminals, how, sent):
    codi.set_up(f"ui.notify = '{how}'")
    lab([says("", call("write", path="a", content="x"))])
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type("\x1b[O")  # the window is left
    before = len(talk.raw)
    talk.type("go" + ENTER)
    talk.wait_for("› n no")
    told = re.sub(rb"\x1b\](?:133|0);[^\x07]*\x07", b"", talk.raw[before:])  # marks, and the name of the window
    assert (sent in told) if sent else b"\x07" not in told and b"]9;" not in told


@pytest.mark.parametrize(("moves", "shown"), [(True, "working 0s"), (False, "working, esc")])
def test_motion(codi, lab, terminals, moves, shown):
    codi.set_up(f"ui.motion = {str(moves).lower()}")
    lab([says("", call("write", path="a", content="x"))])
    talk = terminals()
    talk.type("go" + ENTER)
    talk.wait_for(shown)


def test_rows_of_the_popup(codi, lab, terminals):
    codi.set_up("ui.popup_rows = 3")
    lab([says("never")])
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type("/")
    talk.wait_for("/allow")
    assert sum(row.startswith("  /") for row in talk.rows) == 3


def test_keys(codi, lab, terminals):
    codi.set_up("ui.keys = {selectModel = ['f5'], nonsense = ['f6']}")
    lab([says("never")])
    talk = terminals()
    talk.wait_for("codi 0", "unknown action 'nonsense'")
    talk.type("\x1b[15~")
    talk.wait_for("model ", "anthropic/claude")


@pytest.mark.parametrize(("opens", "shown"), [("tree", "tree "), ("fork", "fork at "), ("none", None)])
def test_esc_twice(codi, lab, terminals, opens, shown):
    codi.set_up(f"ui.double_escape = '{opens}'")
    lab([says("Hello."), says("Again.")])
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type("go" + ENTER)
    talk.wait_for("Hello.", "1 step,")
    talk.type("\x1b\x1b")
    if shown:
        talk.wait_for(shown, "you: go")
    else:
        talk.watch(0.3)
        talk.type("again" + ENTER)
        talk.wait_for("Again.")


def foot(talk) -> str:
    """The last row in which something stands."""
    return [row for row in talk.rows if row.strip()][-1].strip()


def test_items_of_the_status(codi, lab, terminals):
    codi.set_up("ui.status = ['model', 'mode', 'context', 'todo']")
    todo = call("todo", items=[{"content": "a", "status": "completed"}, {"content": "b", "status": "pending"}])
    lab([says("", todo), says("Hello.")])
    talk = terminals("-m", "x")
    talk.type("go" + ENTER)
    talk.wait_for("Hello.", "1 tool call", "todo 1/2")
    assert re.match(r"x  default  \d+%/\S+  todo 1/2$", foot(talk))


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("cat >/dev/null; echo from afar; echo more", "from afar"),
        ('sed \'s/.*"model":"\\([^"]*\\).*/thinks: \\1/\'', "thinks: x"),
    ],
)
def test_a_program_says_the_status(codi, lab, terminals, command, shown):
    codi.set_up(f"ui.status_command = '''{command}'''")
    lab([says("Hello.")])
    talk = terminals("-m", "x")
    talk.type("go" + ENTER)
    talk.wait_for("Hello.", "1 step,", shown)
    assert foot(talk) == shown


def test_a_slow_program_says_nothing(codi, lab, terminals):
    codi.set_up("ui.status_command = 'sleep 30; echo never'")
    lab([says("Hello.")])
    talk = terminals("-m", "x")
    talk.type("go" + ENTER)
    talk.wait_for("Hello.", "1 step,", "%/")
    assert "never" not in talk.shown


def test_arrows_are_words_where_there_are_no_signs_for_them(lab, terminals):
    lab([says("Hello.")])
    talk = terminals(LC_ALL="C", PYTHONUTF8="1")
    talk.type("go" + ENTER)
    talk.wait_for("Hello.", "1 step,", "in 0 out ")


def test_jobs_that_run_are_counted(lab, terminals):
    job = call("shell", command="sleep 60", background=True)
    lab([says("", job), says("It runs.")])
    talk = terminals("-y")
    talk.type("go" + ENTER)
    talk.wait_for("It runs.", "1 tool call", " 1 job")


def test_ctrl_t_unfolds_thoughts_from_now_on_and_the_next_time(codi, terminals, tmp_path):
    (tmp_path / "script.json").write_text('[{"thinking": "a deep thought", "text": "Said."}]')
    talk = terminals("--model", f"scripted/{tmp_path}/script.json")
    talk.wait_for("codi 0")
    talk.type("\x14")
    talk.type("go" + ENTER)
    talk.wait_for("Said.", "1 step,", "a deep thought")
    while codi("config", "get", "ui.hide_thinking").out.strip() != "false":
        talk.watch(0.1)
