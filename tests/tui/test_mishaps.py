"""What goes wrong in a part of the interface costs that part; what others print costs nothing."""

import pytest

from conftest import call, says

CTRL_D, ENTER, CTRL_O = "\x04", "\r", "\x0f"
WIDTH = """
def wcswidth(text):
    if {sign!r} in text: raise RuntimeError('the bug')
    return sum(2 if ord(letter) > 0x2e80 else 1 for letter in text)
iter_graphemes = iter
"""
PRINTS = """
import os, sys
print('a library says hello\\x1b[2J')
sys.stderr.write('and more\\n')
sys.stdout.flush()
os.system('echo a child says so >&2')
""" + WIDTH.format(sign="never")


@pytest.fixture
def library(tmp_path):
    """A library of other people's that has a bug, or prints."""

    def write(text: str) -> str:
        (tmp_path / "wcwidth.py").write_text(text)
        return str(tmp_path)

    return write


def test_a_block_that_cannot_be_shown_is_told_of_in_its_place(codi, lab, terminals, folder, library):
    (folder / "a.txt").write_text("漢字\n")
    lab([says("", call("read", path="a.txt")), says("Read it."), says("Still here.")])
    talk = terminals(PYTHONPATH=library(WIDTH.format(sign="漢")))
    talk.wait_for("codi 0")
    talk.type("read it" + ENTER)
    talk.wait_for("ToolBlock failed: RuntimeError: the bug", "Read it.", "1 tool call")
    talk.type("go on" + ENTER)
    talk.wait_for("Still here.")
    log = codi.home / "log/failures.log"
    assert "Traceback" in log.read_text() and "Traceback" not in talk.shown
    assert str(log) in "".join(talk.shown.split())
    talk.type(CTRL_D)
    assert talk.end() == 0


def test_a_list_that_cannot_be_shown_goes_away(lab, terminals, codi, library):
    lab([says("Hello 漢."), says("Still here.")])
    codi.set_up("")
    codi("-p", "漢 first")
    talk = terminals(PYTHONPATH=library(WIDTH.format(sign="漢")))
    talk.wait_for("codi 0")
    talk.type("/resume" + ENTER)
    talk.wait_for("the list failed: RuntimeError: the bug")
    talk.type("\x1bgo on" + ENTER)
    talk.wait_for("Still here.")


def test_what_others_print_is_one_line_and_in_the_log(codi, lab, terminals, library):
    lab([says("漢字."), says("Still here.")])
    talk = terminals(PYTHONPATH=library(PRINTS))
    talk.wait_for("codi 0")
    talk.type("go" + ENTER)
    talk.wait_for("printed beside codi: ", " and 2 more lines")
    log = (codi.home / "log/failures.log").read_text()
    assert "a library says hello" in log and "and more" in log and "a child says so" in log
    assert b"a child says so\n" not in talk.raw and b"\x1b[2J" not in talk.raw
    talk.type("go on" + ENTER)
    talk.wait_for("Still here.")
    talk.type(CTRL_D)
    assert talk.end() == 0


def test_a_bug_of_the_editor_is_one_line_and_the_session_is_whole(codi, lab, terminals, library):
    lab([says("Kept.")])
    talk = terminals(PYTHONPATH=library(WIDTH.format(sign="漢")))
    talk.wait_for("codi 0")
    talk.type("keep this" + ENTER)
    talk.wait_for("Kept.", "1 step")
    talk.type("漢")
    assert talk.end() == 1
    last = talk.shown.rstrip().rpartition("error: codi failed")[2]
    assert "RuntimeError: the bug; This is a bug of codi; the details are in" in last.replace("\n", "")
    assert "hint:" not in talk.shown
    found = codi("sessions", "--json")
    assert "keep this" in found.out
