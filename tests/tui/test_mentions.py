"""Files that are mentioned with `@` go with the prompt; what is no file stays text; what is missing comes back."""

import json

from conftest import says

ENTER, CTRL_D = "\r", "\x04"


def asked(server) -> str:
    """All that the model was told."""
    return json.dumps(json.loads(server.requests[-1].body)["messages"], ensure_ascii=False)


def test_files_lines_and_folders_go_with_the_prompt(lab, terminals, folder):
    (folder / "src").mkdir()
    (folder / "src" / "main.py").write_text("one\ntwo\nthree\nfour\n")
    (folder / "long.txt").write_text("".join(f"line {number}\n" for number in range(1, 302)))
    server = lab([says("Read it."), says("And that."), says("Long.")])
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type("see @src/main.py:2-3, me@example.com and @decorator" + ENTER)
    talk.wait_for("› see @src/main.py:2-3, me@example.com and @decorator", "Read it.")
    told = asked(server)
    assert (
        f'<file name=\\"{folder}/src/main.py\\" lines=\\"2-3\\">\\ntwo\\nthree\\n</file>' in told and "four" not in told
    )
    talk.type("list @src " + ENTER)
    talk.wait_for("And that.")
    assert f'<directory name=\\"{folder}/src\\">\\nmain.py\\n</directory>' in asked(server)
    talk.type("all of @long.txt " + ENTER)
    talk.wait_for("Long.")
    assert "line 40\\n[301 lines" in asked(server) and "line 41\\n" not in asked(server)


def test_a_missing_file_is_suggested_and_the_line_kept(lab, terminals, folder):
    (folder / "settings.toml").write_text("a = 1\n")
    server = lab([says("Fine.")])
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type("@settin")
    while not any("  @settings.toml" in row for row in talk.rows):  # the names are learned beside all else
        talk.type("\x7fn")
        talk.watch(0.1)
    talk.type("gs.tomll what" + ENTER)
    talk.wait_for("Did you mean @settings.toml?")
    assert any(row == "@settings.tomll what" for row in talk.rows) and not server.requests
    talk.type("\x03see @settings.toml:3-1 now" + ENTER)
    talk.wait_for("the lines go from 3 to 1")
    assert not server.requests


def test_history_keeps_what_was_typed_but_no_secret(codi, lab, terminals):
    lab([says("One."), says("Two.")])
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type("a plain question" + ENTER)
    talk.wait_for("One.")
    talk.type("my key is sk-ant-api03-" + "aB3dE5gH7jK9" * 8 + "-AA" + ENTER)
    talk.wait_for("Two.")
    talk.type(CTRL_D)
    assert talk.end() == 0
    kept = codi.home / "history"
    assert "a plain question" in kept.read_text() and "sk-ant" not in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_ctrl_r_finds_what_was_typed_and_esc_leaves_the_draft(lab, terminals):
    server = lab([says("One."), says("Two."), says("Three.")])
    talk = terminals()
    talk.wait_for("codi 0")
    for text, answer in (("where is the parser", "One."), ("parse this", "Two.")):
        talk.type(text + ENTER)
        talk.wait_for(answer)
    talk.type("draft\x12PARS")
    talk.wait_for("history: PARS", "parse this")
    talk.type("\x12")
    talk.wait_for("history: PARS\nwhere is the parser")
    talk.type("\x1b")
    talk.wait_until_gone("history: ")
    assert "draft" in talk.rows
    talk.type("\x12where")
    talk.wait_for("history: where")
    talk.type(ENTER)
    talk.wait_until_gone("history: ")
    assert "where is the parser" in talk.rows and len(server.requests) == 2
    talk.type(ENTER)
    talk.wait_for("Three.")
