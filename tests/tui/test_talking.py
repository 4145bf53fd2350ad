"""The full interface in a real terminal: what a person sees, types, allows, stops and leaves."""

from conftest import call, says

CTRL_C, CTRL_D, ESC, ENTER = "\x03", "\x04", "\x1b", "\r"


def test_a_prompt_is_answered_and_ctrl_d_leaves(lab, terminals):
    lab([says("The answer is **42**."), says("Still 42.")])
    talk = terminals()
    talk.type("what is it?" + ENTER)
    talk.wait_for("› what is it?", "The answer is 42.", "1 step,")
    talk.type("sure?" + ENTER)
    talk.wait_for("› sure?", "Still 42.")
    talk.type(CTRL_D)
    assert talk.end() == 0
    assert b"\x1b[?1049h" not in talk.raw and b"\x1b[?1000h" not in talk.raw


def test_what_is_typed_before_all_is_loaded_is_sent(lab, terminals):
    lab([says("Heard.")])
    talk = terminals()
    talk.type("early" + ENTER)
    talk.wait_for("› early", "Heard.")


def test_a_call_waits_for_a_yes_and_esc_is_no(lab, terminals, folder):
    first, second = call("write", path="a.txt", content="one\n"), call("write", path="b.txt", content="two\n")
    lab([says("", first), says("", second), says("Done.")])
    talk = terminals()
    talk.type("write them" + ENTER)
    talk.wait_for("a.txt", "risk 3", "› n no")
    talk.type("y")
    talk.wait_for("✓ write a.txt")
    talk.wait_for("b.txt", "› n no")
    talk.type(ESC)
    talk.wait_for("⊘ write b.txt denied", "Done.")
    assert (folder / "a.txt").read_text() == "one\n"
    assert not (folder / "b.txt").exists()


def test_commands_answer_without_asking_the_model(lab, terminals):
    server = lab([says("never")])
    talk = terminals(rows=24)
    talk.type("/status" + ENTER)
    talk.wait_for("session", "waiting   0")
    talk.type("/reveiw" + ENTER)
    talk.wait_for("unknown command /reveiw")
    talk.type("/mode plan" + ENTER)
    talk.wait_for("─ plan ")
    talk.type("/help" + ENTER)
    talk.wait_for("general", "q leave")
    talk.type("q")
    talk.wait_until_gone("q leave")
    talk.type("/exit" + ENTER)
    assert talk.end() == 0
    assert not server.requests


def test_the_window_may_change_its_size(lab, terminals):
    lab([says("A long answer " * 30), says("Next.")])
    talk = terminals(rows=24, columns=80)
    talk.type("go" + ENTER)
    talk.wait_for("1 step,")
    for rows, columns in ((10, 40), (1, 1), (50, 200), (24, 80)):
        talk.resize(rows, columns)
    talk.type("again" + ENTER)
    talk.wait_for("Next.")


def test_the_third_yes_offers_a_rule_and_commands_show_it(codi, lab, terminals):
    lab(
        [
            step
            for n in range(4)
            for step in (says("", call("shell", command=f"npm run test -- {n}")), says(f"Ran {n}."))
        ]
    )
    talk = terminals()
    for number in range(3):
        talk.type("go" + ENTER)
        talk.wait_for(f"runs npm run test -- {number}", "› n no")
        talk.type("y")
        if number == 2:
            talk.wait_for("Type yes to keep the rule run(npm run test *)")
            talk.type("yes" + ENTER)
        talk.wait_for(f"Ran {number}.")
    talk.type("go" + ENTER)
    talk.wait_for("Ran 3.")
    talk.type("/policy" + ENTER)
    talk.wait_for("r1  allow  run(npm run test *)")
    assert codi("policy", "test", "npm run test").status == 0


def test_yes_for_all_that_is_not_dangerous_and_signs_that_mislead(lab, terminals, folder):
    lab(
        [
            says("", call("shell", command="touch x")),
            says("", call("shell", command="eval 'echo \u202ex'")),
            says("Done."),
        ]
    )
    talk = terminals("-y")
    talk.type("go" + ENTER)
    talk.wait_for("\\u{202E}x", "signs that are not what they seem", "› n no")
    assert (folder / "x").exists()
    talk.type("n")
    talk.wait_for("Done.")


def test_what_stands_above_and_a_question_mark_helps(codi, lab, terminals, folder):
    (folder / "AGENTS.md").write_text("Be brief.\n")
    server = lab([says("never")])
    talk = terminals(rows=24)
    talk.wait_for("codi 0", "context: AGENTS.md", str(folder), "/ commands  @ files")
    talk.type("?snapshot" + ENTER)
    talk.wait_for("/snapshot", "the tree as it was")
    talk.type("?nonsenseword" + ENTER)
    talk.wait_for("no command is about 'nonsenseword'")
    talk.type("?" + ENTER)
    talk.wait_for("general", "q leave")
    assert not server.requests
    quiet = terminals("-q")
    quiet.wait_for("%/")
    quiet.watch(0.2)
    assert "/ commands" not in quiet.shown and "codi 0" not in quiet.shown


def test_ctrl_c_copies_what_is_selected_and_keeps_it(lab, terminals):
    server = lab([says("Heard.")])
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type("one two")
    talk.wait_for("one two")
    talk.type("\x1b[1;4D" + CTRL_C)  # shift+alt+left selects a word
    talk.wait_for("copied 3 characters")
    assert b"\x1b]52;c;dHdv\x07" in talk.raw
    talk.type("\x1b[1;4D" + CTRL_C)
    talk.wait_for("copied 4 characters")
    talk.type(CTRL_C + "one two")  # they copied before, so this is the first that takes something away
    talk.type(ENTER)
    talk.wait_for("› one two", "Heard.")
    assert len(server.requests) == 1
