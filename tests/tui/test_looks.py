"""What the installed program shows of work: changes, lists, claims, and in which colours."""

import re

from conftest import call, says

CTRL_D, ENTER = "\x04", "\r"


def test_an_edit_is_shown_before_it_is_done_and_after(lab, terminals, folder):
    (folder / "a.py").write_text("def area(a, b):\n    return a + b\n")
    edit = call("edit", path="a.py", old_text="a + b", new_text="a * b")
    lab([says("", call("read", path="a.py")), says("", edit), says("Done.")])
    talk = terminals()
    talk.type("fix it" + ENTER)
    talk.wait_for("› n no", "2 -     return a + b", "2 +     return a * b", "@@ -1,2 +1,2 @@")
    assert (folder / "a.py").read_text().endswith("a + b\n")
    talk.type("v")
    talk.wait_for("s side by side")
    talk.type("s")
    talk.wait_for("2 -     return a + b", " │ 2 +     return a * b")
    talk.type("q")
    talk.wait_until_gone("s side by side")
    talk.type("y")
    talk.wait_for("✓ edit a.py", "Done.", "1 file changed")
    assert (folder / "a.py").read_text().endswith("a * b\n")
    assert "2 -     return a + b" in talk.shown.partition("✓ edit a.py")[2]


def test_the_list_is_printed_once_for_a_turn_and_only_when_it_changed(lab, terminals):
    def items(*states: str) -> list[dict[str, str]]:
        return [{"content": f"step {number}", "status": state} for number, state in enumerate(states, 1)]

    first = call("todo", items=items("completed", "in_progress", "pending"))
    last = call("todo", items=items("completed", "completed", "completed"))
    lab([says("", first), says("", last), says("Done."), says("Nothing else.")])
    talk = terminals()
    talk.type("do it" + ENTER)
    talk.wait_for("Done.", "2 tool calls", "Todo 3/3", "☑ step 3", "todo 3/3")
    talk.type("and?" + ENTER)
    talk.wait_for("Nothing else.", "1 step,")
    assert talk.shown.count("Todo 3/3") == 1 and "Todo 1/3" not in talk.shown


def test_a_claim_that_nothing_backs_is_marked_behind_its_sentence(lab, terminals):
    lab([says("I changed nothing. All tests pass. Have a look.")])
    talk = terminals()
    talk.type("do the tests pass?" + ENTER)
    talk.wait_for("1 step,", "All tests pass. [no evidence]")


def test_light_and_dark_by_what_the_terminal_says(lab, terminals):
    lab([says("Hello.")])
    talk = terminals(COLORTERM="truecolor")
    talk.wait_for("───")
    talk.type("\x1b]11;rgb:ffff/ffff/f0f0\x1b\\")
    talk.type("hi" + ENTER)
    talk.wait_for("Hello.", "1 step,")
    assert b"\x1b]11;?\x1b\\" in talk.raw
    assert b"\x1b[38;2;26;127;122m" in talk.raw  # the light theme's accent
    assert "rgb:" not in talk.shown


def test_a_theme_of_ones_own_is_worn_watched_and_told_of(codi, lab, terminals):
    folder = codi.home / "themes"
    folder.mkdir(parents=True)
    file = folder / "sea.toml"
    file.write_text('accent = "#010203"\ndimm = "red"\n')
    codi.set_up('[ui]\ntheme = "sea"\n')
    lab([says("Hello.")])
    talk = terminals(COLORTERM="truecolor", columns=200)
    talk.wait_for("dimm: there is no such token; ignored")
    assert "sea.toml" in talk.shown
    talk.type("hi" + ENTER)
    talk.wait_for("Hello.", "1 step,")
    assert b"\x1b[38;2;1;2;3m" in talk.raw
    file.write_text('accent = "#040506"\nwrong = 1\n')
    talk.wait_for("wrong: there is no such token")
    talk.type("/theme nothing" + ENTER)
    talk.wait_for("there is no theme 'nothing'", "sea")
    assert b"\x1b[38;2;4;5;6m" in talk.raw


def test_a_theme_of_the_project_needs_trust(codi, lab, terminals, folder):
    (folder / ".codi" / "themes").mkdir(parents=True)
    (folder / ".codi" / "themes" / "loud.toml").write_text('accent = "#0a0b0c"\n')
    lab([says("Hello."), says("Hello.")])
    talk = terminals("--no-trust", COLORTERM="truecolor")
    talk.type("/theme loud" + ENTER)
    talk.wait_for("there is no theme 'loud'")
    talk.type(CTRL_D)
    assert talk.end() == 0
    assert codi("trust", "accept").status == 0
    talk = terminals(COLORTERM="truecolor")
    talk.type("/theme loud" + ENTER)
    talk.type("hi" + ENTER)
    talk.wait_for("Hello.", "1 step,")
    assert b"\x1b[38;2;10;11;12m" in talk.raw


def test_without_colours_signs_say_it_all(lab, terminals, folder):
    (folder / "a.txt").write_text("one\n")
    edit = call("edit", path="a.txt", old_text="one", new_text="two")
    lab([says("", call("read", path="a.txt")), says("", edit), says("Done.")])
    talk = terminals(NO_COLOR="1")
    talk.type("go" + ENTER)
    talk.wait_for("› n no", "1 - one", "1 + two")
    talk.type("y")
    talk.wait_for("✓ edit a.txt", "Done.")
    assert not re.search(rb"\x1b\[[0-9;]*(3[0-8]|9[0-7])[;m]", talk.raw)
