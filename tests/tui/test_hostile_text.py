"""Hostile text comes by every way there is, and nothing of it reaches the terminal as more than signs to be read."""

import os
import subprocess

import pytest

from codi.frontends.tui.keys import Keys
from conftest import call, says
from eye import Terminal
from hostile import ATTACKS, CORPUS, IN_NAMES, foreign

ENTER, ESC, CTRL_O = "\r", "\x1b", "\x0f"


def harmless(talk: Terminal) -> None:
    assert not foreign(talk.raw), foreign(talk.raw)[:5]
    assert not talk.screen.title.startswith("OWNED")


@pytest.fixture
def place(codi, folder):
    """A folder, a branch and files with names that attack."""
    inner = folder / f"dir{IN_NAMES}"
    inner.mkdir()
    (inner / "evil.txt").write_text(CORPUS)
    (inner / f"name{IN_NAMES}.txt").write_text("plain\n")
    subprocess.run(["git", "init", "-q", "-b", "b\u202e\u200br"], cwd=inner, check=True, env=codi.env)
    codi.cwd = inner
    return inner


def test_what_a_model_tools_and_files_say(lab, terminals, place):
    evil = f"name{IN_NAMES}.txt"
    lab(
        [
            says(
                f"# {CORPUS}\n\n- {CORPUS}\n\n```\n{CORPUS}\n```\n[l{IN_NAMES}](http://link.example/\x07)",
                call("read", path="evil.txt"),
                call("list", path="."),
                call("shell", command="cat evil.txt; ls"),
                thinking=CORPUS,
                chunk=3,
            ),
            says("", call("edit", path="evil.txt", old_text="abc", new_text=f"new {CORPUS}")),
            says("", call("write", path=f"new{evil}", content=CORPUS)),
            says("", call("ask_person", question=f"Well? {CORPUS}", options=[f"yes {IN_NAMES}", "no"])),
            says(f"The end. {CORPUS}"),
        ]
    )
    talk = terminals("--allow", "run(*)", "--name", f"t{IN_NAMES}"[:50], rows=30, columns=100)
    talk.type("go" + ENTER)
    talk.wait_for("edit wants to:", "› n no")
    talk.type("v")
    talk.wait_for("q leave")
    talk.type("q")
    talk.wait_until_gone("q leave")
    talk.type("y")
    talk.wait_for("write wants to:", "› n no")
    talk.type("y")
    talk.wait_for("Well?", "› 1")
    talk.type("1")
    talk.wait_for("The end.", "5 steps,")
    talk.type(CTRL_O)
    talk.wait_for("q leave")
    talk.type("q")
    talk.wait_until_gone("q leave")
    for line, told in (
        ("/tree", "tree "),
        ("/resume", "session "),
        ("/changes", "q leave"),
        ("/evidence", ""),
        ("/copy", "copied"),
    ):
        talk.type(line + ENTER)
        talk.wait_for(told)
        talk.type("q" if told == "q leave" else ESC)
        talk.watch(0.2)
    raw, talk.raw = talk.raw, talk.raw.replace(b"\x1b]52;c;", b"")  # what the person copies is copied
    assert raw.count(b"\x1b]52;c;") == 1
    harmless(talk)


def test_what_a_person_types_pastes_and_has_waiting(lab, terminals, place):
    pasted = CORPUS.replace("\x1b[201~", "")
    lab([says("word ", copies=3000, chunk=5, pause_ms=5), says("Heard.")])
    talk = terminals(rows=30, columns=100)
    talk.wait_for("codi 0")
    talk.type("go" + ENTER)
    talk.wait_for("word word")
    for text in (f"\x1b[200~{pasted}\x1b[201~", f"\x1b[200~{pasted[:300]}\x1b[201~\x1b\r"):
        talk.type(text)
        talk.type(ENTER)
    talk.wait_for("1. steer")
    for line in ("/blame", "/model", "/theme", "/resume", "/nonsense", "/export", "/queue edit 1"):
        talk.type(f"{line} \x1b[200~{IN_NAMES[1:]}\x1b[201~" + ENTER)
    talk.type("/queue" + ENTER)
    talk.wait_for("✗", "queue ")
    for _ in range(2):  # the list, then the turn
        talk.type(ESC)
        talk.watch(0.3)
    talk.wait_for("interrupted")
    harmless(talk)


def test_what_is_pasted_and_not_yet_sent(lab, terminals):
    server = lab([says("never")])
    talk = terminals(rows=30, columns=100)
    talk.wait_for("codi 0")
    talk.type(f"a \x1b[200~{IN_NAMES}\x1b[201~ z")
    talk.wait_for("OWNED", " z")
    harmless(talk)
    assert not server.requests


def test_what_a_provider_says_of_its_failure(lab, terminals, codi):
    lab([{"fault": {"kind": "status", "status": 400, "message": CORPUS, "type": CORPUS, "times": 0}}])
    codi.env["CODI_MODEL"] = f"anthropic/m{IN_NAMES}"
    talk = terminals()
    talk.wait_for("codi 0")
    talk.type("/model mistral/\x1b[200~" + IN_NAMES + "\x1b[201~" + ENTER)
    talk.wait_for("MISTRAL_API_KEY")
    talk.type("go" + ENTER)
    talk.wait_for("1 step,")
    harmless(talk)


@pytest.mark.parametrize(
    "words", [("sessions", "list"), ("sessions", "tree"), ("export",), ("-p", "again", "-c"), ("changes",)]
)
def test_commands_in_a_terminal(codi, lab, terminals, words):
    lab(
        [says(f"{CORPUS} one", call("write", path=f"n{IN_NAMES}", content=CORPUS)), says(f"two {CORPUS}"), says(CORPUS)]
    )
    codi.json(f"hello {CORPUS}".replace("\0", ""), "-y", "--name", f"t{IN_NAMES}")
    path = str(codi.sessions()[0])
    more = {"tree": (path,), "export": (path, "--format", "text", "--out", "-")}.get(words[-1], ())
    talk = terminals(*words, *more, term="dumb")
    talk.end()
    harmless(talk)
    assert "\x1b" not in talk.raw.decode(errors="replace")


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_paste_is_text_to_its_end_however_it_comes(attack):
    data = b"\x1b[200~" + attack.replace("\x1b[201~", "").encode() + b"\x1b[201~"
    for cut in range(1, len(data)):
        keys = Keys()
        found = [*keys.feed(data[:cut]), *keys.feed(data[cut:]), *keys.flush()]
        assert {kind for kind, _ in found} <= {"paste"}, (attack, cut, found)


def test_output_in_half_sequences_is_harmless_as_a_whole(lab, terminals):
    slow = "printf '\\033]0;OW'; sleep 0.1; printf 'NED\\007\\033[2'; sleep 0.1; printf 'J\\033'; sleep 0.1; printf 'c\\302'; sleep 0.1; printf '\\2332J end'"
    lab([says("\x1b]0;OWNED\x07" * 40, call("shell", command=slow), chunk=1), says("The end.")])
    talk = terminals("--permission-mode", "full-access")
    talk.type("go" + ENTER)
    talk.wait_for("The end.", "2 steps,")
    harmless(talk)
    assert os.path.exists(talk.cwd)
