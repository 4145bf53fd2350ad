"""What was still open when codi ended, however it ended, is there again when its session is gone on with, forked or cloned."""

import json
from pathlib import Path

from conftest import Codi, call, says

ENTER = "\r"
PLAN = {"items": [{"content": "Plan it", "status": "completed"}, {"content": "Build it", "status": "in_progress"}]}


def killed(talk) -> None:
    talk.process.kill()
    talk.process.wait()


def test_an_open_approval_is_asked_again_and_the_turn_goes_on(codi: Codi, lab, terminals):
    server = lab(
        [
            says(
                "I write both.",
                call("todo", **PLAN),
                call("write", path="a.txt", content="one\n"),
                call("write", path="b.txt", content="two\n"),
            ),
            says("Both are there."),
        ]
    )
    talk = terminals()
    talk.type("write them" + ENTER)
    talk.wait_for("› n no", "a.txt: new file")
    killed(talk)
    assert not (codi.cwd / "a.txt").exists()

    talk = terminals("-c")
    talk.wait_for("write a.txt cancelled", "not run", "› n no", "a.txt: new file", "Build it")
    talk.type("y")
    talk.wait_for("b.txt: new file", "› n no")
    talk.type("y")
    talk.wait_for("Both are there.")
    assert (codi.cwd / "a.txt").read_text() == "one\n" and (codi.cwd / "b.txt").read_text() == "two\n"
    sent = server.requests[-1].json["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"] and len(sent[2]["content"]) == 3
    assert not any(block.get("is_error") for block in sent[2]["content"])
    asked = [line["data"]["toolCallId"] for line in codi.session() if line.get("customType") == "codi/approval_asked"]
    assert len(asked) == 3 and len(set(asked)) == 2


def test_a_question_of_the_model_is_asked_again(codi: Codi, lab, terminals):
    server = lab([says("", call("ask_person", question="Which colour?", options=["red", "blue"])), says("Red it is.")])
    talk = terminals()
    talk.type("paint it" + ENTER)
    talk.wait_for("Which colour?", "blue")
    killed(talk)
    talk = terminals("-c")
    talk.wait_for("not run", "blue")
    talk.wait_for("Which colour?", times=2)
    talk.watch(0.5)  # a dialog that opens by itself takes no key at first
    talk.type(ENTER)
    talk.wait_for("Red it is.")
    assert "red" in server.requests[-1].body.decode()


def test_whoever_prints_answers_no_question_of_another_day(codi: Codi, lab, terminals):
    server = lab([says("", call("write", path="a.txt", content="one\n")), says("I see.")])
    talk = terminals()
    talk.type("write it" + ENTER)
    talk.wait_for("› n no")
    killed(talk)
    assert codi.json("-c", "-y", "go on").result["answer"] == "I see."
    assert (
        "the effect of this call is unknown" in server.requests[-1].body.decode() and not (codi.cwd / "a.txt").exists()
    )


def test_a_command_that_a_kill_cut_off_is_marked_and_not_run_again(codi: Codi, lab, terminals):
    lab([says("", call("shell", command="echo x >> ran; until test -e go; do sleep 0.02; done")), says("I see.")])
    talk = terminals("--permission-mode", "full-access")
    talk.type("run it" + ENTER)
    talk.until((codi.cwd / "ran").exists, "it never ran")
    killed(talk)
    talk = terminals("-c", "--permission-mode", "full-access")
    talk.wait_for(
        "interrupted, effect unknown", "shell was interrupted when codi ended", "/changes shows what was changed"
    )
    talk.wait_until_gone("esc to stop")
    talk.type("on" + ENTER)
    talk.wait_for("I see.")
    talk.type("/exit" + ENTER)
    assert talk.end() == 0
    assert (codi.cwd / "ran").read_text() == "x\n"
    again = terminals("-c")
    again.wait_for("I see.")
    assert "was interrupted when codi ended" not in again.shown


def test_todos_pins_and_results_are_there_after_a_resume_a_fork_and_a_clone(codi: Codi, lab, terminals):
    long = "".join(f"line {number}\n" for number in range(4000))
    (codi.cwd / "long.txt").write_text(long)
    lab([says("", call("todo", **PLAN), call("shell", command="cat long.txt")), says("Kept.")])
    first = codi.json("keep this", "--permission-mode", "full-access").result
    prompt = next(line["id"] for line in codi.session() if line.get("message", {}).get("role") == "user")
    talk = terminals("-c")
    talk.wait_for("Kept.")
    talk.type(f"/pin {prompt}" + ENTER)
    talk.wait_for("pinned")
    talk.type("/exit" + ENTER)
    assert talk.end() == 0
    truncated = next(
        line["message"]["content"][0]["text"]
        for line in codi.session()
        if line.get("message", {}).get("toolName") == "shell"
    )
    assert "recall" in truncated
    result = truncated.partition('recall(id="')[2].partition('"')[0]
    for words in (["-c"], ["--fork", first["sessionId"]]):
        server = lab([says("", call("recall", action="get", id=result, offset=1990, limit=2)), says("Found.")])
        run = codi.json("what was it?", *words)
        assert run.result["answer"] == "Found.", run
        assert "line 1990" in json.dumps(server.requests[-1].json["messages"][-1])
        talk = terminals("--session", run.result["sessionId"])
        talk.wait_for("Build it")
        talk.type("/exit" + ENTER)
        assert talk.end() == 0
        kept = [json.loads(line) for line in Path(run.result["sessionFile"]).read_text().splitlines()]
        assert [line["data"]["entryId"] for line in kept if line.get("customType") == "codi/pin"] == [prompt]
