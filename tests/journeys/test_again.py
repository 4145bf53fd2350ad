"""A session is gone on with: after its end, after a kill at any moment, by its id, by a copy; and the disk may be full."""

import json
import os
import random
import resource
import signal
import stat
from pathlib import Path

import pytest

from conftest import SOAK, Codi, call, commands_in, says

KILLS = 500 if SOAK else 12


def said(server) -> list[dict]:
    """The messages of the last request, without the marks of the cache."""
    return json.loads(
        json.dumps(server.requests[-1].json["messages"]).replace(', "cache_control": {"type": "ephemeral"}', "")
    )


def test_ten_turns_with_a_resume_in_the_middle_are_an_unbroken_conversation(codi: Codi, lab, tmp_path):
    (codi.cwd / "a.txt").write_text("alpha\n")
    script = {
        "loop": True,
        "steps": [
            says("I look.", {"id": "look", **call("read", path="a.txt")}, thinking="Let me see."),
            says("Seen {{n}}."),
        ],
    }
    prompts = [f"turn {number}" for number in range(10)]
    whole = lab(script)
    assert codi("-p", *prompts).status == 0
    parts = lab(script)
    other = Codi(tmp_path / "other-home", codi.cwd)
    other.use(parts)
    assert other("-p", *prompts[:5]).status == 0
    assert other("-p", "-c", *prompts[5:]).status == 0
    assert len(whole.requests) == len(parts.requests) == 20
    for one, two in zip(whole.requests, parts.requests, strict=True):
        one, two = (json.dumps(_without_ids(request.json)) for request in (one, two))
        assert one == two
    assert whole.connections == 1


def _without_ids(body: dict) -> dict:
    """Two servers give two ids to the same call."""
    for message in body["messages"]:
        for block in message["content"]:
            for name in ("id", "tool_use_id", "signature"):
                block.pop(name, None)
    return body


def test_the_system_prompt_is_the_same_bytes_over_60_turns(codi: Codi, lab):
    (codi.cwd / "AGENTS.md").write_text("Be brief.\n")
    server = lab({"loop": True, "steps": [says("", call("write", path="n-{{n}}", content="x")), says("Done {{n}}.")]})
    assert codi("-p", "-y", *(f"turn {number}" for number in range(60))).status == 0
    bodies = [request.json for request in server.requests]
    assert len(bodies) == 120
    (system,) = {json.dumps(body["system"]) for body in bodies}
    assert "Be brief." in system
    assert len({json.dumps(body["tools"]) for body in bodies}) == 1
    assert server.connections == 1


def test_a_session_is_found_by_its_id_its_path_and_its_name(codi: Codi, lab):
    server = lab({"loop": True, "steps": [says("Yes.")]})
    first = codi.json("remember this", "--name", "Memory").result
    for words in (
        ["--session", first["sessionId"][:13]],
        ["--session", first["sessionFile"]],
        ["-r", "Memory"],
        ["-c"],
    ):
        result = codi.json("again", *words).result
        assert result["sessionId"] == first["sessionId"], words
    assert len(said(server)) == 9
    assert len(codi.sessions()) == 1


def test_a_fork_has_all_that_was_said_and_leaves_the_first_as_it_is(codi: Codi, lab):
    server = lab({"loop": True, "steps": [says("Yes.")]})
    first = codi.json("remember this").result
    before = Path(first["sessionFile"]).read_bytes()
    fork = codi.json("on", "--fork", first["sessionId"]).result
    assert fork["sessionId"] != first["sessionId"] and Path(first["sessionFile"]).read_bytes() == before
    assert "remember this" in json.dumps(said(server))
    header = json.loads(Path(fork["sessionFile"]).read_text().splitlines()[0])
    assert header["parentSession"] == first["sessionFile"]


def test_a_resumed_session_keeps_its_model_unless_one_is_named(codi: Codi, lab):
    server = lab({"loop": True, "steps": [says("Yes.")]})
    assert codi("-p", "hi", env={"CODI_MODEL": "anthropic/first"}).status == 0
    assert codi("-p", "-c", "hi", env={"CODI_MODEL": "anthropic/second"}).status == 0
    assert codi("-p", "-c", "hi", "-m", "anthropic/third").status == 0
    assert [request.json["model"] for request in server.requests] == ["first", "first", "third"]


def test_a_session_never_widens_what_this_start_allows(codi: Codi, lab):
    lab([says("Yes."), says("", call("write", path="x", content="y")), says("No?")])
    assert codi("-p", "hi", "--permission-mode", "full-access").status == 0
    run = codi.json("-c", "write it")
    assert run.status == 3 and not (codi.cwd / "x").exists()
    assert any("full-access" in warning for warning in run.result["warnings"])


def test_a_session_file_is_for_its_person_alone(codi: Codi, lab):
    lab("hello")
    assert codi("-p", "hi").status == 0
    (path,) = codi.sessions()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_disk_that_is_full_is_told_and_nothing_with_an_effect_runs(codi: Codi, lab):
    lab([says("word " * 4000), says("", call("write", path="x", content="y")), says("I could not.")])

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    run = codi.json("-y", "talk", "write", preexec=no_room)
    assert run.status == 1, run
    assert any("The session cannot be written to" in warning for warning in run.result["warnings"])
    assert not (codi.cwd / "x").exists()
    assert "Not executed" in run.result["toolCalls"][0]["result"]
    assert run.err.count("error: ") == 1


WORK = {
    "loop": True,
    "steps": [
        says(
            "I write. ",
            call("write", path="n-{{n}}", content="x" * 500),
            call("list"),
            thinking="Hm.",
            chunk=4,
            pause_ms=1,
        ),
        says("I run. ", call("shell", command="sleep 0.02; echo {{n}}"), chunk=4, pause_ms=1),
        says("", call("read", path="n-{{n}}"), call("shell", command="cat n-{{n}} | wc -c")),
    ],
}


def test_a_kill_at_any_moment_loses_nothing_that_was_told(codi: Codi, lab):
    chance = random.Random(7)
    server = lab(WORK)
    codi.set_up("[agent]\nmax_steps = 0\nmax_failed_steps = 1000\n")
    for _ in range(KILLS):
        running = codi.start("go", "-y")
        running.wait_for("agent_start")
        told = running.after(chance.randrange(1, 120))
        running.process.kill()
        running.process.wait()
        heard = running.lines()
        assert len(heard) >= told

        before = len(server.requests)
        again = lab([says("Here I am.")])
        run = codi.json("-c", "what happened?")
        assert run.status == 0 and run.result["answer"] == "Here I am.", run
        assert not again.violations and len(again.requests) == 1
        kept = [json.loads(line) for line in Path(run.result["sessionFile"]).read_text().splitlines()]
        have = [_words(line["message"]) for line in kept if line["type"] == "message"]
        for line in heard:
            if line["type"] == "message_end":
                assert _words(line["message"]) in have
        assert before
        codi.use(server)


def _words(message: dict) -> str:
    return json.dumps([message["role"], message["content"], message.get("toolCallId")], sort_keys=True)


def test_no_process_outlives_a_killed_codi(codi: Codi, lab):
    lab([says("", call("shell", command="echo ready; sleep 60"))])
    running = codi.start("go", "-y")
    running.wait_for("tool_execution_update", holding="ready")
    descriptor = os.pidfd_open(commands_in(codi.cwd)[-1])
    running.process.kill()
    running.process.wait()
    assert _ends(descriptor, 2.0), "a command went on after codi was killed"


@pytest.mark.parametrize("command", ["echo ready; sleep 60", "trap '' TERM; echo ready; while :; do sleep 0.1; done"])
def test_an_interrupt_leaves_no_process_and_the_next_prompt_works(codi: Codi, lab, command):
    lab(
        [
            says("I run it.", call("shell", command=f"{command}"), call("shell", command="touch never")),
            says("On."),
        ]
    )
    running = codi.start("go", "-y")
    running.wait_for("tool_execution_update", holding="ready")
    descriptor = os.pidfd_open(commands_in(codi.cwd)[-1])
    running.signal(signal.SIGINT)
    assert _ends(descriptor, 2.5)
    run = running.end()
    assert run.status == 130 and run.result["kind"] == "interrupted"
    first, second = run.result["toolCalls"]
    assert first["result"].startswith("Interrupted by the user after ") and "partial output:\nready" in first["result"]
    assert second["result"] == "Not executed: the user stopped the turn."
    assert not (codi.cwd / "never").exists()
    assert codi.json("-c", "go on").result["answer"] == "On."


def test_partial_text_is_kept_and_told_as_interrupted(codi: Codi, lab):
    from test_ends import SLOW

    server = lab([{**SLOW, "thinking": "Deep thoughts."}, says("On.")])
    running = codi.start("talk")
    running.wait_for("message_update", holding="word")
    running.signal(signal.SIGINT)
    assert running.end().status == 130
    kept = [line["message"] for line in codi.session() if line["type"] == "message"][-1]
    assert (kept["stopReason"], kept["errorMessage"]) == ("aborted", "Request was aborted")
    assert codi.json("-c", "go on").status == 0
    aborted = said(server)[1]
    assert aborted["role"] == "assistant" and len(aborted["content"]) == 1
    assert aborted["content"][0]["text"].startswith("word ") and aborted["content"][0]["text"].endswith("[interrupted]")


def test_a_second_interrupt_ends_at_once(codi: Codi, lab):
    lab([says("", call("shell", command="trap '' TERM; echo ready; while :; do sleep 0.1; done"))])
    running = codi.start("go", "-y")
    running.wait_for("tool_execution_update", holding="ready")
    running.signal(signal.SIGINT)
    running.signal(signal.SIGINT)
    assert running.end().status == 130


def _ends(descriptor: int, within_s: float) -> bool:
    import select

    try:
        return bool(select.select([descriptor], [], [], within_s)[0])
    finally:
        os.close(descriptor)


def test_two_runs_at_once_have_a_session_each(codi: Codi, lab):
    lab({"loop": True, "steps": [says("", call("list")), says("Done.")]})
    runs = [codi.start("go") for _ in range(3)]
    assert [run.end().status for run in runs] == [0, 0, 0] and len(codi.sessions()) == 3


def test_who_is_meant_is_never_guessed(codi: Codi, lab):
    server = lab({"loop": True, "steps": [says("Yes.")]})
    ids = [codi.json("hi", "--name", "twin", "--session-id", f"abcd-{number}").result["sessionId"] for number in (1, 2)]
    before = len(server.requests)
    for words in (("-r", "twin"), ("--session", "abcd"), ("--fork", "twin")):
        run = codi("-p", "on", *words)
        assert run.status == 2 and all(each in run.err for each in ids) and run.err.count("hint: ") == 1, run
    run = codi("-p", "on", "-r", "abce-1")
    assert run.status == 1 and "No session found matching 'abce-1'" in run.err and ids[0] in run.err
    assert codi.json("on", "-r", "abcd-2").result["sessionId"] == ids[1]
    assert len(server.requests) == before + 1 and len(codi.sessions()) == 2


def test_a_call_that_a_kill_left_open_is_answered_for_the_model_and_not_in_the_file(codi: Codi, lab):
    lab([says("", call("shell", command="echo ready; sleep 60"))])
    running = codi.start("go", "-y")
    running.wait_for("tool_execution_update", holding="ready")
    running.process.kill()
    running.process.wait()
    (path,) = codi.sessions()
    before = path.read_bytes()
    server = lab([says("I see.")])
    assert codi("-p", "-c", "on").status == 0
    result = server.requests[0].json["messages"][2]["content"][0]
    assert result[
        "is_error"
    ] and "No result: the session was interrupted; the effect of this call is unknown." in json.dumps(result)
    assert path.read_bytes().startswith(before) and b"No result:" not in path.read_bytes()
