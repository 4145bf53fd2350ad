"""Whatever hangs, floods or never ends: one key gives the prompt back, nothing runs on, what was said stays, and the next prompt
works. In a real terminal, with real sockets and real processes.

How long the prompt takes is printed by the soak, of all cases; here only what happens is asserted, for the machine may be busy.
"""

import json
from collections.abc import Callable, Iterator
from errno import ENOSPC
from typing import Any, NamedTuple

import pytest

from broken_peer import BrokenPeer, Course
from broken_system import needs_compiler
from conftest import SOAK, Codi, call, commands_in, says

ESC, CTRL_C, CTRL_D, ENTER = "\x1b", "\x03", "\x04", "\r"
FAR = {"delay_ms": 60_000}

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
OPEN = HEAD + b"\r\n"


def event(kind: str, **more: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | more)}\n\n".encode()


def block(index: int, **what: Any) -> bytes:
    return event("content_block_start", index=index, content_block=what)


def delta(index: int, **what: Any) -> bytes:
    return event("content_block_delta", index=index, delta=what)


def said(text: str) -> bytes:
    return delta(0, type="text_delta", text=text)


USAGE = {"input_tokens": 9, "output_tokens": 1}
MESSAGE = {"id": "m1", "type": "message", "role": "assistant", "model": "x", "content": [], "usage": USAGE}
START = OPEN + event("message_start", message=MESSAGE)
SPEAKS = START + block(0, type="text", text="")
SAID = SPEAKS + said("So far so good. ")
THINKS = START + block(0, type="thinking", thinking="", signature="") + delta(0, type="thinking_delta", thinking="Hm. ")
CALLS = SAID + event("content_block_stop", index=0) + block(1, type="tool_use", id="t1", name="write", input={})


def then_nothing(*parts: bytes) -> Callable[[], Course]:
    def course() -> Course:
        yield from parts
        yield None

    return course


def byte_by_byte(begun: bytes, slowly: bytes) -> Callable[[], Course]:
    def course() -> Course:
        yield begun
        for byte in slowly * 60:
            yield bytes([byte])
            yield 1.0

    return course


def again_and_again(begun: bytes, piece: bytes, rest_s: float = 0.0) -> Callable[[], Course]:
    def course() -> Course:
        yield begun
        while True:
            yield piece
            if rest_s:
                yield rest_s

    return course


def once(answer: bytes) -> Callable[[], Course]:
    def course() -> Course:
        yield answer

    return course


def refusal(status: str, wait_s: int) -> bytes:
    return f"HTTP/1.1 {status}\r\nretry-after: {wait_s}\r\ncontent-length: 0\r\n\r\n".encode()


class Fault(NamedTuple):
    """`course` is what the wire to the model does; else `steps` are what the model says, and what it asks for hangs. `begun` tells when
    to press the key: a text on the screen, or `asked` for the moment at which the model is asked. `keeps` is what must be kept of
    its words."""

    course: Callable[[], Course] | None = None
    steps: tuple[dict[str, Any], ...] = ()
    begun: str = "asked"
    keeps: str = ""
    address: str = "http://127.0.0.1:{port}"
    accepts: bool = True
    typed: str = "go"
    config: str = ""
    broken: tuple[tuple[str, str | int], ...] = ()


def runs(command: str, *, begun: str = "begun", keeps: str = "I run it.", **more: Any) -> Fault:
    return Fault(
        steps=(says("I run it.", call("shell", command=f"touch begun; {command}", **more)),), begun=begun, keeps=keeps
    )


WIRE = {
    "a name that nobody finds": Fault(
        then_nothing(), begun="working", address="http://no.hangs:{port}", broken=(("names", ".hangs"),)
    ),
    "a connection that is never taken": Fault(then_nothing(), begun="working", accepts=False),
    "a secret greeting that never ends": Fault(then_nothing(), address="https://127.0.0.1:{port}"),
    "a secret greeting byte by byte": Fault(
        byte_by_byte(b"", b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03"), address="https://127.0.0.1:{port}"
    ),
    "no answer at all": Fault(then_nothing()),
    "a status byte by byte": Fault(byte_by_byte(b"", OPEN)),
    "headers without end": Fault(again_and_again(HEAD, b"x-more: and more\r\n", 0.2)),
    "a head and nothing more": Fault(then_nothing(OPEN)),
    "an answer byte by byte": Fault(byte_by_byte(OPEN, SAID[len(OPEN) :])),
    "a stall at the first byte": Fault(then_nothing(OPEN, b"e")),
    "a stall in the text": Fault(then_nothing(SAID), begun="So far so good.", keeps="So far so good."),
    "a stall within a line": Fault(
        then_nothing(SAID, said("never seen")[:-9]), begun="So far so good.", keeps="So far so good."
    ),
    "a stall within a character": Fault(
        then_nothing(SAID, said("never").replace(b"never", "é".encode()[:1])),
        begun="So far so good.",
        keeps="So far so good.",
    ),
    "a stall in thought": Fault(then_nothing(THINKS), begun="Thinking"),
    "a stall within a call": Fault(
        then_nothing(CALLS, delta(1, type="input_json_delta", partial_json='{"path": "never", "cont')),
        begun="So far so good.",
        keeps="So far so good.",
    ),
    "a stall before the end": Fault(
        then_nothing(SAID + event("content_block_stop", index=0)), begun="So far so good.", keeps="So far so good."
    ),
    "signs of life and nothing else": Fault(
        again_and_again(SAID, event("ping"), 0.01), begun="So far so good.", keeps="So far"
    ),
    "a flood of text": Fault(
        again_and_again(SAID, said("word " * 20 + "\n\n") * 2, 0.001), begun="word word", keeps="So far so good. word"
    ),
    "a paragraph without end": Fault(
        again_and_again(SAID, said("word " * 20) * 2, 0.001), begun="word word", keeps="So far so good. word"
    ),
    "a flood of empty lines": Fault(
        again_and_again(SAID, b"\n" * 65536), begun="So far so good.", keeps="So far so good."
    ),
    "a line without end": Fault(
        again_and_again(SAID, b"x" * 4096, 0.05), begun="So far so good.", keeps="So far so good."
    ),
    "a packed answer that stalls": Fault(
        then_nothing(HEAD + b"content-encoding: gzip\r\n\r\n", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")
    ),
    "a service that is overloaded": Fault(once(refusal("529 Overloaded", 60)), begun="again in"),
    "a limit of use": Fault(once(refusal("429 Too Many Requests", 5)), begun="again in"),
    "connections that break": Fault(once(b""), begun="again in"),
}
WORK = {
    "a command that sleeps": runs("sleep 60"),
    "a command that ignores the asking": runs("trap '' TERM INT HUP; while :; do sleep 0.1; done"),
    "its child ignores it too": runs("trap '' TERM; (trap '' TERM; sleep 60) & wait; sleep 60"),
    "a command that stopped itself": runs("kill -STOP $$"),
    "a reader of the terminal": runs("cat </dev/tty; read x </dev/tty; sleep 60"),
    "a reader of a pipe that nobody writes": runs("mkfifo pipe; cat pipe"),
    "a flood of lines": runs("yes"),
    "a flood without a line": runs("tr '\\0' x </dev/zero"),
    "a child that holds the output": runs("sleep 60 & sleep 60 & wait"),
    "a child that left its family": runs("(setsid sleep 60 &); setsid setsid sleep 60"),
    "more and more children": runs("while :; do sleep 60 & sleep 0.02; done"),
    "a program on a terminal": runs("stty raw -echo; cat", pty=True),
    "a job beside a silent model": Fault(
        steps=(says("I start it.", call("shell", command="touch begun; sleep 60", background=True)), says("x", **FAR)),
        begun="again",
        keeps="I start it.",
    ),
    "tests that hang": Fault(
        steps=(says("I test.", call("run_tests", command="sh -c 'touch begun; sleep 60'")),),
        begun="begun",
        keeps="I test.",
    ),
    "a site that stalls": Fault(
        steps=(says("I look it up.", call("web_fetch", url="http://127.0.0.1:{site}/")),),
        begun="site",
        keeps="I look it up.",
        config="web.allow_private = ['127.0.0.1']\n",
    ),
    "a check that hangs": Fault(
        steps=(says("I write.", call("write", path="a", content="b")), says("Written.")),
        begun="begun",
        keeps="Written.",
        config="verify = ['touch begun; sleep 60']\n",
    ),
    "a command of the person": Fault(typed="!touch begun; sleep 60", begun="begun"),
    "a disk that is full": Fault(
        then_nothing(SAID),
        begun="So far so good.",
        broken=(("call", "write"), ("files", "sessions/"), ("at", 4), ("times", 0), ("error", ENOSPC)),
    ),
}
FAULTS = WIRE | WORK
OFTEN = (
    "a name that nobody finds",
    "a secret greeting that never ends",
    "a stall within a call",
    "a flood of text",
    "a limit of use",
    "a command that stopped itself",
    "a reader of the terminal",
    "a child that left its family",
    "a check that hangs",
)
"""What `make test` does; `make soak` does all."""


@pytest.fixture(scope="module")
def clock() -> Iterator[list[tuple[float, str]]]:
    """Seconds from the key to the prompt, of each case."""
    took: list[tuple[float, str]] = []
    yield took
    if took:
        took.sort()
        p50, p95 = (took[-(-len(took) * share // 100) - 1] for share in (50, 95))
        print(f"\n{len(took)} faults: the prompt is back after {p50[0] * 1000:.0f} ms p50, {p95[0] * 1000:.0f} ms p95")
        print("\n".join(f"{seconds * 1000:6.0f} ms {name}" for seconds, name in took[-5:]))


@needs_compiler
@pytest.mark.parametrize("name", FAULTS if SOAK else OFTEN)
def test_one_key_gives_the_prompt_back(codi: Codi, lab, terminals, broken_system, request, clock, name):
    fault = FAULTS[name]
    site = BrokenPeer(then_nothing(OPEN, b"<p>So far"), 0)
    request.addfinalizer(site.close)
    steps = json.loads(json.dumps(fault.steps).replace("{site}", str(site.port)))
    server = lab([*steps, says("Here I am.")])
    codi.set_up(fault.config)
    peer = site
    if fault.course:
        peer = BrokenPeer(fault.course, server.port, accepts=fault.accepts)
        request.addfinalizer(peer.close)
        codi.env["ANTHROPIC_BASE_URL"] = fault.address.format(port=peer.port)
        codi.env |= {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k"}
    talk = terminals("--permission-mode", "full-access", **broken_system.variables(**dict(fault.broken)))
    talk.type(fault.typed + ENTER)
    _wait_until_it_hangs(fault, codi, talk, peer, server)

    key = CTRL_C if list(FAULTS).index(name) % 2 else ESC
    ends = b"cancelled" if fault.typed.startswith("!") else b"interrupted"
    clock.append((talk.time_until(typed=key, sent=ends), name))

    talk.until(lambda: not commands_in(codi.cwd) or "job beside" in name, "it runs on")
    peer.mend()
    if fault.address.startswith("https") or "names" in dict(fault.broken) or not fault.accepts:
        talk.type("/model openai-chat/other" + ENTER)
        talk.wait_for(" other")
    talk.type("and now?" + ENTER)
    talk.wait_for("Here I am.")
    talk.type(CTRL_D)
    status = talk.end()
    assert status == (1 if "disk" in name else 0), talk.shown
    assert not commands_in(codi.cwd) and not (codi.cwd / "never").exists()
    sent = server.requests[-1].body.decode()
    if fault.keeps:
        kept = [line["message"] for line in codi.session() if line.get("message", {}).get("role") == "assistant"]
        assert any(fault.keeps in json.dumps(message) for message in kept)
        assert fault.keeps in sent
    if fault.course and fault.keeps:
        assert kept[0]["stopReason"] == "aborted" and "[interrupted]" in sent


def _wait_until_it_hangs(fault: Fault, codi: Codi, talk: Any, peer: BrokenPeer, server: Any) -> None:
    if fault.begun == "begun":
        talk.until((codi.cwd / "begun").exists, "it never began")
    elif fault.begun in ("asked", "site"):
        talk.until(peer.asked.is_set, "nobody was asked")
    elif fault.begun == "again":
        talk.until(lambda: len(server.requests) > 1, "nobody was asked again")
    else:
        talk.wait_for(fault.begun)
