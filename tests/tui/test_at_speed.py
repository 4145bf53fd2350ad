"""What comes fast, much of it, or not at all: nothing of it is lost, and nothing is done for nothing."""

import re
import time

import pytest

from conftest import call, says

ENTER, FOCUS_OUT, FOCUS_IN = "\r", "\x1b[O", "\x1b[I"
WORDS = [f"word{number:04}" for number in range(1500)]
_QUIET_S = 1.5


@pytest.mark.parametrize("pace", [{"chunk": 3}, {"chunk": 7, "pause_ms": 1}], ids=["at once", "as it comes"])
def test_what_is_shown_is_all_of_what_was_said(lab, terminals, pace):
    text = "".join(word + ("\n\n" if at % 100 == 99 else " ") for at, word in enumerate(WORDS))
    lab([says(text, **pace)])
    talk = terminals(rows=30, columns=77)
    talk.type("go" + ENTER)
    talk.wait_for("1 step,")
    assert re.findall(r"word\w*", talk.shown) == WORDS


def test_keys_are_heard_while_a_tool_prints_ten_megabytes(lab, terminals):
    loud = "seq -f 'line %.0f of very much that a command prints' 220000 | head -c 10000000; echo the last"
    lab([says("", call("shell", command=loud)), says("Done.")])
    talk = terminals("--permission-mode", "full-access", rows=30)
    talk.type("go" + ENTER)
    talk.wait_for("● shell")
    talk.type("typed meanwhile")
    talk.wait_for("typed meanwhile", "✓ shell", "the last", "Done.", "1 tool call")
    assert len(talk.raw) < 100_000, "what nobody could read was not printed"


def wakes(pid: int) -> int:
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.MULTILINE)[1])


def test_while_nobody_looks_nothing_wakes_up(lab, terminals):
    lab([says("Hello.")])
    talk = terminals()
    talk.type("go" + ENTER)
    talk.wait_for("Hello.", "1 step,")
    talk.type(FOCUS_OUT)

    def slept() -> bool:
        before, end = wakes(talk.process.pid), time.monotonic() + _QUIET_S
        while (left := end - time.monotonic()) > 0:
            talk._take(left)
        return wakes(talk.process.pid) == before

    talk.until(slept, "it wakes up")
    talk.type(FOCUS_IN + "seen again")
    talk.wait_for("seen again")
