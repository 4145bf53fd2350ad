"""The plain conversation: every command of the registry, lists by number, questions in the order in which they are spoken."""

import re

from conftest import call, says

ENDS = "/exit\n"


def is_only_lines(text: str) -> bool:
    """No sign in it moves, colours or rewrites anything."""
    return not re.search("[\x00-\x08\x0b-\x1f\x7f]", text)


def test_a_whole_turn_with_an_approval_through_a_pipe(codi, lab, folder):
    question = call("ask_person", question="Which style?", options=["tabs", "spaces"])
    server = lab([says("I write it.", call("write", path="a.txt", content="one\n")), says("", question), says("Done.")])
    run = codi("--ui", "plain", stdin="write it\ny\n2\n/changes\n/exit\n")
    assert run.status == 0 and is_only_lines(run.out) and not run.err
    told = [
        "You: write it\n",
        "codi: I write it.\n",
        "write wants to:",
        "Approve: y or n (Enter: n)",
        "tool: write a.txt\n",
        "tool: write a.txt done\n",
        "Question: Which style?\n  1. tabs\n  2. spaces\nAnswer: ",
        "codi: Done.\n",
        "[3 steps, ",
        "created   a.txt +1 -0",
    ]
    places = [run.out.find(text) for text in told]
    assert -1 not in places and places == sorted(places), (places, run.out)
    assert (folder / "a.txt").read_text() == "one\n" and "spaces" in str(server.requests[-1].json)


def test_the_end_of_input_is_a_no_and_ends(codi, lab, folder):
    lab([says("", call("write", path="a.txt", content="one\n")), says("As you wish.")])
    run = codi("--ui", "plain", stdin="write it\n")
    assert run.status == 0 and "codi: As you wish." in run.out and not (folder / "a.txt").exists()


def test_lists_are_numbered_and_narrowed_by_words(codi, lab):
    lab([says("One."), says("Two."), says("Three.")])
    codi.json("the first thing", "--name", "larder")
    codi.json("another thing", "--name", "attic")
    run = codi("--ui", "plain", stdin=f"/mode\nplan\n1\n/resume\nlarder\n1\nwhere are we?\n/tree\n1\n1\n{ENDS}")
    assert "Choose: mode\n  1. default\n" in run.out and "mode: plan\n" in run.out, run
    assert "Choose: session\n" in run.out and "You: the first thing\ncodi: One.\n" in run.out
    assert "Choose: tree\n" in run.out and "It goes on before: the first thing" in run.out
    nobody = codi("--ui", "plain", stdin="/mode\n")
    assert "error: no mode was chosen: there is no more input" in nobody.out


def test_what_goes_wrong_is_told_once(codi, lab):
    lab([says("One.")])
    run = codi("--ui", "plain", stdin=f"hello\n/blame nowhere.txt\n/reveiw\n/mode nonsense\n/model -h\n{ENDS}")
    for told in ("/reveiw", "nowhere.txt", "usage: /mode"):
        assert run.out.count(f"error: {told}") + run.out.count(told) >= 1, run
    assert run.out.count("error: ") == 3 and "also: /switch" in run.out


def test_forms_of_input(codi, lab, folder):
    (folder / "a.txt").write_text("alpha\nbeta\n")
    server = lab({"loop": True, "steps": [says("Yes.")]})
    run = codi("--ui", "plain", stdin=f"look @a.txt:2\n@a.txt:20-10\n!echo shell\n!\n?\n?snapshot\n//slash\n{ENDS}")
    assert "beta" in str(server.requests[0].json) and "alpha" not in str(server.requests[0].json)
    assert "shell\n" in run.out and "!COMMAND runs a command" in run.out and "the lines go from 20 to 10" in run.out
    assert "/snapshot " in run.out and "general\n" in run.out
    assert len(server.requests) == 2 and "/slash" in str(server.requests[1].json["messages"][-1])


def test_which_interface_is_asked_for(codi, lab, terminals):
    lab({"loop": True, "steps": [says("Yes.")]})
    assert codi("--ui", "tui").status == 2 and codi("--ui", "tui", "-p", "x").status == 2
    lines = terminals("--ui", "plain", "hello")
    lines.wait_for("You:", "codi: Yes.")
    assert b"\x1b[2J" not in lines.raw
    whole = terminals("--ui", "tui", "hello", term="dumb")
    whole.wait_for("› hello", "Yes.", "1 step,")
    plain = terminals("--no-color", "hello")
    plain.wait_for("Yes.", "1 step,")
    assert not re.search(rb"\x1b\[[0-9;]*(3[0-9]|38)[;m]", plain.raw)
    light = terminals("--theme", "nonsense")
    light.wait_for("there is no theme 'nonsense'")
