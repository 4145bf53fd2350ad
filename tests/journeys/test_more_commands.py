"""Commands that choose, list and let go, in the installed program."""

import pytest

from conftest import Codi, call, says

ENTER, ESC = "\r", "\x1b"
USED = {"input": 1000, "output": 10}


def typed(terminal, *lines):
    for line, shown in lines:
        terminal.type(line + ENTER)
        terminal.wait_for(shown)


@pytest.fixture
def two_sessions(codi: Codi, lab):
    lab({"loop": True, "steps": [says("Understood.")]})
    for name in ("apple one", "apple two"):
        assert codi.json("hello", "--name", name).status == 0


@pytest.mark.parametrize("flags", [("-r",), ("-r", "apple")])
def test_resume_without_one_session_lets_the_person_choose(codi, two_sessions, terminals, flags):
    talk = terminals(*flags)
    talk.wait_for("apple one", "apple two")
    talk.type("one" + ENTER)
    talk.wait_for("› hello", "Understood.")
    typed(talk, ("/name show", "apple one"))
    chat = terminals(*flags, term="dumb")
    chat.wait_for("1. apple two", "Number from 1 to 2")
    chat.type("1\n")  # the other one is open
    chat.wait_for("You: hello")
    run = codi("-p", "x", *flags)
    assert run.status == 2 and ("which session" in run.err or "Several sessions" in run.err)


def test_a_prompt_command_may_begin_a_new_session(codi: Codi, lab, terminals):
    server = lab({"loop": True, "steps": [says("Understood.")]})
    talk = terminals()
    typed(talk, ("the first words", "1 step,"), ("/explain a.py --fresh", "Explain a.py"))
    talk._until(lambda: len(server.requests) == 2, "it was not asked")
    assert "the first words" not in str(server.requests[-1].json["messages"])
    talk.wait_for("1 step,")
    assert len(codi.sessions()) == 2


def test_what_is_typed_behind_a_hash_is_kept_for_whom_the_person_says_once(codi: Codi, lab, terminals):
    lab([says("never")])
    talk = terminals()
    typed(talk, ("#tabs are four wide", "for this project alone?"))
    talk.type("n")
    talk.wait_for("remembered as")
    typed(talk, ("#tests come first", "remembered as"), ("/memories", "tests come first"))
    assert "four wide" in (codi.home / "memories.md").read_text()


def test_diffs_files_and_numbers_are_listed(codi: Codi, lab, terminals):
    (codi.cwd / "a.txt").write_text("one\n")
    (codi.cwd / "a b.png").write_bytes(b"")
    lab([says("", call("read", path="a.txt")), says("", call("edit", path="a.txt", old_string="one", new_string="two")), says("Done.")])  # fmt: skip
    talk = terminals("-y")
    typed(
        talk,
        ("/patches", "nothing was edited yet"),
        ("go", "3 steps,"),
        ("/patches", "1. edit, +1 -1"),
        ("/patches show 2", "there is no such patch"),
        ("/pin a.txt", "is pinned"),
        ("/clear files", "1 no longer pinned"),
        ("/files", "a.txt  edit"),
        ("/clear workingset", "files are worked on no more"),
        ("/usage today", "today: 1 session, 1 turns"),
        ("/usage recent", "recent: 1 session"),
        ("/usage blocks", "usage: /usage"),
        ("/context-file", "AGENTS.md"),
        ("/tune", "temperature"),
        ("/tune temperature 0.2", "temperature"),
        ("/tune nothing 1", "usage: /tune"),
    )
    assert "temperature = 0.2" in (codi.home / "config.toml").read_text()
    talk.type("/pick-image" + ENTER)
    talk.wait_for("image 1", "› a b.png")
    talk.type(ENTER)
    talk.wait_for('@"a b.png"')
    talk.type("\x15/explorer" + ENTER)
    talk.wait_for("file 2")
    talk.type("a.txt" + ENTER)
    talk.wait_for("@a.txt")


def test_a_theme_may_be_a_path_and_a_flag_outlives_reading_again(codi: Codi, lab, terminals, tmp_path):
    lab([says("never")])
    theme = tmp_path / "mine.toml"
    theme.write_text('[colors]\naccent = "#ff0000"\n')
    talk = terminals("--theme", str(theme))
    talk.wait_for("codi 0")
    assert "there is no theme" not in talk.shown
    typed(talk, ("/reload", f"theme: {theme}"))


def test_lines_copy_to_the_clipboard_where_there_is_one(lab, terminals):
    lab({"loop": True, "steps": [says("Understood.")]})
    chat = terminals("--ui", "plain", "go")
    chat.wait_for("Understood.", "\nYou:")
    chat.type("/copy\n")
    chat.wait_for("copied 11 characters")
    assert b"\x1b]52;c;VW5kZXJzdG9vZC4=\x07" in chat.raw


def test_a_job_that_ended_by_itself_is_counted_no_more(codi: Codi, lab, terminals):
    lab([says("", call("shell", command="until test -e go; do sleep 0.02; done", background=True)), says("Begun.")])
    talk = terminals("-y", "--sandbox", "off")
    typed(talk, ("go", "2 steps,"))
    talk.wait_for("1 job")
    (codi.cwd / "go").write_text("")
    talk._until(lambda: "1 job" not in talk.rows[-1], "it is still counted")
