"""Stopped at any moment, codi is gone soon, leaves no process, keeps what it has, and the next prompt works."""

import os
import signal
import time
from pathlib import Path

import pytest
from test_ends import SLOW

from conftest import SOAK, Codi, call, commands_in, says

WIRES = ("anthropic", "openai-chat", "openai-responses", "google", "ollama")
SLEEP = "echo ready; sleep 60"

MOMENTS = {
    "before the first byte": ([says("x", fault={"kind": "slow_first_byte", "seconds": 30})], ("turn_start", "")),
    "in silence": ([says("word " * 100, fault={"kind": "stall", "at": 900, "seconds": 30})], ("turn_start", "")),
    "while thinking": ([{**SLOW, "text": "", "thinking": "Hm. " * 500}], ("turn_start", "")),
    "while speaking": ([SLOW], ("message_update", "text_delta")),
    "within a call": (
        [says("", call("write", path="x", content="word " * 500), chunk=3, pause_ms=20)],
        ("turn_start", ""),
    ),
    "while waiting to try again": (
        [{"fault": {"kind": "status", "status": 529, "retry_after": 30, "times": 0}}],
        ("auto_retry_start", ""),
    ),
    "in a command": ([says("", call("shell", command=SLEEP))], ("tool_execution_update", "ready")),
    "between commands": (
        [says("", call("shell", command="true"), call("shell", command=SLEEP), call("shell", command="touch never"))],
        ("tool_execution_update", "ready"),
    ),
}
CASES = [(moment, wire) for moment in MOMENTS for wire in WIRES]
"""40 of them; all by `make soak`, else each moment once and each format at least once."""
CHOSEN = CASES if SOAK else [CASES[at * len(WIRES) + at % len(WIRES)] for at in range(len(MOMENTS))]


@pytest.mark.parametrize(("moment", "wire"), CHOSEN)
def test_an_interrupt_at_any_moment(codi: Codi, lab, moment, wire):
    script, (kind, holding) = MOMENTS[moment]
    if moment == "within a call" and wire in ("google", "ollama"):
        script = [{**script[0], "delay_ms": 30_000}]  # these formats send a call in one piece
    codi.set_up("[sessions]\ntitle = false\n")
    server = lab(script, wire)
    running = codi.start("go", "-y")
    running.wait_for(kind, holding=holding)
    while not server.requests:
        time.sleep(0.01)
    began = time.monotonic()
    running.signal(signal.SIGINT)
    run = running.end()
    took = time.monotonic() - began
    assert (run.status, run.result["kind"]) == (130, "interrupted"), run
    assert took < 1.5, f"it took {took:.2f} s"  # the program's own end included
    assert not commands_in(codi.cwd)
    assert not (codi.cwd / "never").exists() and not (codi.cwd / "x").exists()
    on = lab([says("Here I am.")], wire)
    again = codi.json("-c", "what now?")
    assert (again.status, again.result["answer"]) == (0, "Here I am."), again
    assert len([request for request in on.requests if request.format]) == 1


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="reads the processes of /proc")
def test_nothing_that_codi_started_is_left_after_any_end(codi: Codi, lab):
    mark = f"CODI_MARK_{os.getpid()}"
    lab([says("", call("shell", command=f"sleep 61 & sleep 61; : {mark}", timeout_s=1)), says("Done.")])
    assert codi.json("go", "-y", env={"LC_MARK": mark}).status == 0
    left = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and f"LC_MARK={mark}".encode() in (process / "environ").read_bytes():
                left.append((process / "cmdline").read_bytes())
        except OSError:
            continue
    assert left == []
