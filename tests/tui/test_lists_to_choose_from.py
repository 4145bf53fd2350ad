"""The lists of the installed program, and what their keys do."""

import json

from conftest import call, says

CTRL_D, CTRL_F, CTRL_N, CTRL_P, CTRL_R, CTRL_S, ENTER, ESC = (
    "\x04",
    "\x06",
    "\x0e",
    "\x10",
    "\x12",
    "\x13",
    "\r",
    "\x1b",
)
DOWN, CTRL_LEFT, CTRL_RIGHT = "\x1b[B", "\x1b[1;5D", "\x1b[1;5C"


def listed(talk) -> str:
    return "\n".join(talk.rows)


def test_sessions_are_sorted_found_renamed_and_thrown_away(codi, lab, terminals, tmp_path):
    lab([says("One, of larders."), says("Two."), says("Three."), says("Four.")])
    codi("-p", "banana first")
    codi("-p", "apple second")
    codi("--cwd", str(tmp_path), "-p", "of another project")
    talk = terminals(columns=130)
    talk.wait_for("codi 0")
    talk.type("/resume" + ENTER)
    talk.wait_for("session 2", "banana first", "apple second", "ctrl+f full text")
    talk.wait_for(" │ ")
    assert listed(talk).index("apple second") < listed(talk).index("banana first")
    talk.type(CTRL_S)  # by name
    talk.wait_for("› apple second")
    talk.type(CTRL_P)
    talk.wait_for("sessions of all projects", "of another project")
    talk.type(CTRL_P)
    talk.wait_until_gone("of another project")
    talk.wait_for("session, name first 2")
    talk.type(CTRL_F)
    talk.wait_for("what was said?")
    talk.type("larders" + ENTER)
    talk.wait_for("with 'larders'", "banana first")
    talk.wait_until_gone("apple second")
    talk.type(CTRL_R)
    talk.wait_for("new name of 'banana first'")
    talk.type("Larder" + ENTER)
    talk.wait_for("› Larder")
    talk.type(CTRL_F)
    talk.wait_for("what was said?")
    talk.type(ENTER)
    talk.wait_for("apple second", "Larder")
    talk.type(CTRL_N)
    talk.wait_until_gone("apple second")
    talk.type(CTRL_N)
    talk.wait_for("› ", "apple second")
    talk.type("apple")
    talk.wait_until_gone("Larder")
    talk.type(CTRL_D)
    talk.wait_for("Move 1 session to the trash: 'apple second'?", "[y]es, [N]o")
    talk.type("y")
    talk.wait_for("Larder")
    talk.wait_until_gone("apple second")
    names = [json.loads(line)["title"] for line in codi("sessions", "--json").out.splitlines()]
    assert "Larder" in names and "apple second" not in names
    talk.type(ENTER)
    talk.wait_for("One, of larders.")


def test_a_theme_is_worn_as_the_caret_goes_over_it(lab, terminals):
    lab([says("never")])
    talk = terminals(COLORTERM="truecolor")
    talk.wait_for("codi 0")
    talk.type("/theme dark" + ENTER)
    talk.type("/theme" + ENTER)
    talk.wait_for("› dark")
    before = len(talk.raw)
    talk.type(DOWN)
    talk.wait_for("› light")
    talk.watch(0.2)
    assert b"38;2;26;127;122" in talk.raw[before:]  # the light theme's accent, and nothing is chosen yet
    before = len(talk.raw)
    talk.type(ESC)
    talk.wait_until_gone("› light")
    talk.watch(0.2)
    assert b"38;2;26;127;122" not in talk.raw[before:].rpartition(b"\x1b[2J")[2]


def test_the_tree_folds_and_labels(lab, terminals):
    lab([says("One."), says("Two.")])
    talk = terminals(columns=130)
    talk.type("first" + ENTER)
    talk.wait_for("One.", "1 step,")
    talk.type("second" + ENTER)
    talk.wait_for("Two.")
    talk.type("/tree" + ENTER)
    talk.wait_for("codi: Two.", "you: first", " │ ")
    talk.type("\x1b[H")
    talk.wait_for("› ● you: first")
    talk.type(CTRL_LEFT)
    talk.wait_for("⊞ you: first")
    talk.wait_until_gone("codi: Two.")
    talk.type(CTRL_RIGHT)
    talk.wait_for("codi: Two.")
    talk.type("L")
    talk.wait_for("label of")
    talk.type("begin" + ENTER)
    talk.wait_for("[begin] you: first")
    talk.type("\x0c")  # those with labels alone
    talk.wait_until_gone("you: second")
    talk.type("T")
    talk.wait_for("now")


def test_another_model_costs_reading_all_anew(lab, terminals):
    lab([says("Hello.", usage={"input": 1000, "output": 10})])
    talk = terminals(columns=160)
    talk.type("go" + ENTER)
    talk.wait_for("Hello.", "1 step,")
    talk.type("/model" + ENTER)
    talk.wait_for("to switch", "claude")


def test_snapshots_and_what_waits_are_lists(lab, terminals, folder):
    (folder / "a.txt").write_text("one\n")
    edit = call("edit", path="a.txt", old_text="one", new_text="two")
    lab([says("", call("read", path="a.txt"), edit), says("Done.")])
    talk = terminals("-y")
    talk.type("change it" + ENTER)
    talk.wait_for("Done.", "1 file changed")
    talk.type("/snapshot" + ENTER)
    talk.wait_for("snapshot 1", "change it")
    talk.type(ENTER)
    talk.wait_for("show what became different since", "bring the files back")
    talk.type(ENTER)
    talk.wait_for("1 - one", "1 + two", "s side by side")
